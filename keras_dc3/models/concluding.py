"""The verdict at the end of `fit`, from the validation images."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_dc3.metrics import Verdict, verdict
from keras_dc3.models import evaluation


@dataclass
class LastValidation:
    """What the last validation of a `fit` saw, so that it need not be seen again.

    Attributes:
        arguments: of `evaluation.scores`; None before the first validation.
        step: of the model when it was validated.
        labels: soft labels (n, k), or classes (n,).
        outputs: of the model, name -> (n, ...).
    """

    arguments: tuple[Any, ...] | None = None
    step: int = -1
    labels: np.ndarray | None = None
    outputs: dict[str, np.ndarray] | None = None

    def keep(self, step: Any, labels: np.ndarray, outputs: Any) -> None:
        """Keeps what the model answered for the validation images."""
        self.step = int(keras.ops.convert_to_numpy(step))
        self.labels, self.outputs = labels, outputs


@contextlib.contextmanager
def watched(model: Any) -> Iterator[LastValidation]:
    """Keeps what the validations of a `fit` see; an earlier verdict holds no more."""
    model.verdict, model._last_validation = None, LastValidation()
    try:
        yield model._last_validation
    finally:
        model._last_validation = None


def conclude(model: Any, last: LastValidation, verbose: Any) -> Verdict | None:
    """Returns the verdict on a model that was trained; prints it if `verbose`.

    None where the validation images cannot be seen: there are none, they come from a
    generator, or the model diverged. It costs no pass over them, unless the weights
    are not those of the last validation: a callback restored better ones, or the last
    epoch was not validated.
    """
    if last.arguments is None:
        return None
    if last.step != int(keras.ops.convert_to_numpy(model.step)):
        evaluation.scores(model, *last.arguments, last)
    outputs = last.outputs
    if outputs is None or not all(np.isfinite(v).all() for v in outputs.values()):
        return None
    found = verdict(
        last.labels,
        outputs["classes"],
        outputs["clusters"],
        outputs["ambiguity"] if model.config.predicts_ambiguity else None,
        class_names=model.class_names,
    )
    if verbose and keras.config.is_interactive_logging_enabled():
        print(f"\n{found}")
    return found
