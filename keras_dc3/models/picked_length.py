"""The length of a `fit` that was not told how long to train."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from keras_dc3._text import number_of
from keras_dc3.data.batch_source import BatchSource
from keras_dc3.models.data_adapters.data import Data
from keras_dc3.models.given_features import is_feature_shape
from keras_dc3.strategies._defaults import REFERENCE_STEPS

_EPOCHS = 16  # as often is a picked training validated


class _Rule(NamedTuple):
    """How often all images are seen, and how many steps that is at least."""

    passes: int
    least: int


_PIXELS, _FEATURES = _Rule(16, 1600), _Rule(1, 400)


class PickedLength(NamedTuple):
    """A length, and why it is that.

    Attributes:
        epochs: of it.
        steps_per_epoch: of it.
        why: in words.
    """

    epochs: int
    steps_per_epoch: int
    why: str

    def __str__(self) -> str:
        return (
            f"Training for {number_of(self.epochs * self.steps_per_epoch, 'step')}, "
            f"{number_of(self.epochs, 'epoch')} of {self.steps_per_epoch:,}: "
            f"{self.why}. `fit(data, epochs=...)` says otherwise."
        )


def picked_length(
    model: Any, data: Data, arguments: Mapping[str, Any]
) -> PickedLength | None:
    """Returns the length of a `fit` by its data; None where it is told, or unknown.

    It is picked for a data set of ours where neither `epochs`, `initial_epoch` nor
    `steps_per_epoch` is given. From pixels: all images 16 times, at least 1,600 steps;
    from features: all images once, at least 400 steps; at most the authors' 16,384.
    The `training_steps` that a model was given take the place of these.

    Args:
        model: the `DC3Model`.
        data: to train on.
        arguments: of `fit`.
    """
    told = arguments["epochs"], arguments["steps_per_epoch"]
    if told != (None, None) or arguments["initial_epoch"] != 0:
        return None
    if not isinstance(data.x, BatchSource):
        return None
    steps, why = _steps(model, data.x)
    per_epoch = math.ceil(steps / _EPOCHS)
    return PickedLength(math.ceil(steps / per_epoch), per_epoch, why)


def _steps(model: Any, data: BatchSource) -> tuple[int, str]:
    """Returns how many steps to train for, and why."""
    if model.length_is_given:
        return model.training_steps, "the `training_steps` of the model"
    kind, rule = "pixels", _PIXELS
    if is_feature_shape(data.labeled.image_shape):
        kind, rule = "features", _FEATURES
    parts = (data.labeled, data.unlabeled)
    images = number_of(sum(len(part) for part in parts if part is not None), "image")
    steps = rule.passes * data.steps(model.ssl.unlabeled_ratio)
    if steps < rule.least:
        return rule.least, f"the least from {kind}, for {images}"
    if steps > REFERENCE_STEPS:
        return REFERENCE_STEPS, f"as long as the authors, for {images}"
    times = "once" if rule.passes == 1 else f"{rule.passes} times"
    return steps, f"all {images} {times}, as {kind}"
