"""Passes over labeled images outside Keras' loops: scores, and the verdict of `fit`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_dc3._keras import AdaptedModel
from keras_dc3.callbacks.validation_figures import ValidationFigures
from keras_dc3.data.batches import ordered_batches
from keras_dc3.metrics import Verdict, proposal_scores, selective_score, verdict
from keras_dc3.models import given_features
from keras_dc3.models.batch_checks import (
    check_image_shapes,
    check_labels,
    is_training_batch,
)
from keras_dc3.models.checked_batches import as_arrays
from keras_dc3.models.data_adapters.adapting import adapt
from keras_dc3.models.data_adapters.data import Data
from keras_dc3.models.data_adapters.data_set import is_data_set, validation_of
from keras_dc3.models.given_images import check_given


def adapt_evaluation(
    model: Any, x: Any, y: Any, batch_size: int | None, steps: int | None
) -> tuple[Data, int | None]:
    """Returns the data that a model is evaluated on, checked, and their `batch_size`.

    Args:
        model: the `DC3Model`.
        x, y, batch_size, steps: as for its `evaluate`.
    """
    if hasattr(x, "class_names"):
        model.set_classes(x.num_classes, x.class_names)  # the same, or an error
    given_features.check_source(model.feature_source, x)
    if is_data_set(x):
        part = getattr(x, "validation", None)
        given_features.check_source(model.feature_source, part)
        x = validation_of(x, model.collective, steps)
        if x is None:
            raise ValueError("The data set has no validation part to evaluate on.")
    elif hasattr(x, "image_batches"):  # a part of a data set
        images = keras.KerasTensor((None, *x.image_shape))
        check_image_shapes(images, model.image_shape)
        targets = x.targets
        check_labels(targets, x.num_classes)
        x, batch_size = ordered_batches(x, targets, batch_size or 32), None
    data = adapt(x, as_arrays(y))
    check_evaluation_data(model, data, steps)
    return data, batch_size


def check_evaluation_data(model: Any, data: Data, steps: int | None) -> None:
    """Raises ValueError for data that a model cannot be evaluated on.

    Args:
        model: the model; what it does not know yet is not checked.
        data: what it is to be evaluated on.
        steps: batches to evaluate, None for all.
    """
    if steps is None and data.is_endless:
        raise ValueError(
            "The evaluation data repeats without end; pass `steps` (in `fit`: "
            "`validation_steps`), or remove its `.repeat()`."
        )
    x = data.x
    element = data.element_spec
    if isinstance(element, tuple):
        x = element[0]
    if is_training_batch(x):
        raise ValueError(
            "Evaluation takes batches `(images, labels)`, not batches to train on."
        )
    if isinstance(x, np.ndarray) or element is not None:
        check_image_shapes(x, model.image_shape)
    if isinstance(x, np.ndarray):
        check_given(x, model)
        if not len(x):
            raise ValueError("There is no image to evaluate on: the array is empty.")
        if model.num_classes is not None and data.y is not None:
            check_labels(np.asarray(data.y), model.num_classes)


def check_validation_data(model: Any, data: Data, steps: int | None) -> None:
    """Raises ValueError as `check_evaluation_data`, or for a stream without `steps`."""
    check_evaluation_data(model, data, steps)
    if steps is None and hasattr(data.x, "__next__"):
        raise ValueError(
            "A generator of validation data does not say how many batches an epoch "
            "takes, and may never end: pass `validation_steps`, or a "
            "`keras.utils.PyDataset` or `tf.data.Dataset` that ends."
        )


def infer(model: Any, images: Any, batch_size: int) -> dict[str, np.ndarray]:
    """Returns the model's outputs for at most `batch_size` images, as NumPy arrays.

    A smaller batch is filled up, so that the graph is compiled for one shape only.
    """
    images = np.asarray(images)
    n = len(images)
    if n < batch_size:
        filler = np.repeat(images[-1:], batch_size - n, axis=0)
        images = np.concatenate([images, filler])
    # Looked at before, or else answered with NaN: no error in the midst of `fit`.
    outputs = AdaptedModel.predict_on_batch(model, images)
    # Each replica of this process answers for the whole batch.
    return {name: np.asarray(value)[:n] for name, value in outputs.items()}


def _of_all(parts: dict[str, np.ndarray], collective: Any) -> dict[str, np.ndarray]:
    """Returns the rows of all workers, which all have asked the model about their own.

    Args:
        parts: name -> (n, ...), of one or two dimensions.
        collective: the workers.
    """
    columns = [part.reshape(len(part), -1) for part in parts.values()]
    rows = collective.joined(np.concatenate(columns, axis=1, dtype="float64"))
    ends = np.cumsum([column.shape[1] for column in columns])
    columns = np.split(rows, ends[:-1], axis=1)
    return {
        name: column.reshape(-1, *part.shape[1:]).astype(part.dtype)
        for (name, part), column in zip(parts.items(), columns, strict=True)
    }


def score_names(soft: bool) -> list[str]:
    """Returns the names of what `scores` computes, for soft labels or for classes."""
    names = ["f1", "d", "d_minus_f1", "ambiguous", "degenerated", "selective_score"]
    if soft:
        return names
    # d measures distances of soft labels.
    return [name for name in names if name not in ("d", "d_minus_f1")]


@dataclass
class Validation:
    """Labeled images that a model is scored on, and what it said of them last.

    Attributes:
        data: the images and labels.
        batch_size: as for `evaluate`.
        steps: likewise.
        step: of the model when it was scored; -1: never.
        labels: soft labels (n, k), or classes (n,).
        outputs: of the model, name -> (n, ...).
    """

    data: Data
    batch_size: int
    steps: int | None
    step: int = -1
    labels: np.ndarray | None = None
    outputs: dict[str, np.ndarray] | None = None

    def see(self, model: Any) -> bool:
        """Asks the model; returns whether there are images that can be seen again."""
        batches = self.data.labeled_batches(self.batch_size, self.steps)
        if batches is None:
            return False
        collected: dict[str, list[np.ndarray]] = {}
        size = 0
        for images, labels in batches:
            size = max(size, len(images))
            outputs = infer(model, images, size)
            for name, value in {**outputs, "labels": np.asarray(labels)}.items():
                collected.setdefault(name, []).append(value)
        outputs = {name: np.concatenate(parts) for name, parts in collected.items()}
        if self.data.is_shared:
            outputs = _of_all(outputs, model.collective)
        labels = outputs.pop("labels")
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = labels[:, 0]
        check_labels(labels, model.num_classes)
        self.labels = labels if labels.ndim == 2 else labels.astype("int64")
        self.outputs, self.step = outputs, model.steps_taken
        return True

    def outdate(self) -> None:
        """Says that the model would answer otherwise now."""
        self.step = -1

    @property
    def is_finite(self) -> bool:
        """Whether the model has not diverged."""
        return all(np.isfinite(value).all() for value in self.outputs.values())

    def scores(self, model: Any) -> dict[str, float]:
        """Returns the proposal scores; none where the images come only once."""
        if not self.see(model):
            return {}
        labels, classes = self.labels, self.outputs["classes"]
        names = score_names(labels.ndim == 2)
        if labels.ndim == 1:
            labels = np.eye(model.num_classes, dtype="float32")[labels]
        if not self.is_finite:
            return dict.fromkeys(names, math.nan)  # like the loss
        ambiguity = self._ambiguity(model)
        results = proposal_scores(labels, classes, self.outputs["clusters"], ambiguity)
        results["selective_score"] = selective_score(labels, classes, ambiguity)
        model.validation_figures = ValidationFigures.of(labels, classes)
        return {name: float(results[name]) for name in names}

    def verdict(self, model: Any) -> Verdict | None:
        """Returns the verdict on a model; None where it cannot be judged.

        It costs no pass over the images, unless the weights are not those that were
        scored last: a callback restored better ones, or the last epoch was not
        validated.
        """
        if self.step != model.steps_taken and not self.see(model):
            return None
        if not self.is_finite:
            return None
        return verdict(
            self.labels,
            self.outputs["classes"],
            self.outputs["clusters"],
            self._ambiguity(model),
            class_names=model.class_names,
        )

    def _ambiguity(self, model: Any) -> np.ndarray | None:
        return self.outputs["ambiguity"] if model.config.predicts_ambiguity else None
