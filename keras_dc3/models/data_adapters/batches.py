"""Data that come in batches: of Keras, TensorFlow and PyTorch, and streams."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from keras_dc3.models.checked_batches import (
    ChangedBatches,
    CheckedCollation,
    as_numpy,
    checked,
)
from keras_dc3.models.class_weighting import weighed_batches
from keras_dc3.models.data_adapters.arrays import Arrays
from keras_dc3.models.data_adapters.data import Data, is_soft


def adapt_batches(x: Any) -> Data:
    """Returns the adapter of data that come without labels beside them."""
    if isinstance(x, dict | np.ndarray):
        return Arrays(x)
    if isinstance(x, keras.utils.PyDataset):
        return NumberedBatches(x)
    if getattr(x, "own", None) is not None:
        return SharedValidation(x)
    if hasattr(x, "element_spec") and not hasattr(x, "__next__"):
        return TensorFlowDataset(x)
    if _is_loader(x):
        return Loader(x)
    return Data(x)


def _is_loader(x: Any) -> bool:
    return any(
        cls.__module__.startswith("torch.") and cls.__name__ == "DataLoader"
        for cls in type(x).__mro__
    )


class NumberedBatches(Data):
    """A `keras.utils.PyDataset`."""

    comes_in_batches = may_be_shuffled = True

    def first_batch(self) -> tuple[Any, Any]:
        return _inputs_and_labels(self.x[0])

    def checked(self, num_classes: int, image_shape: tuple | None) -> Any:
        check = functools.partial(
            checked, num_classes=num_classes, image_shape=image_shape
        )
        return ChangedBatches(self.x, check)

    def weigh(self, weights: Mapping[int, float]) -> bool:
        self.x = weighed_batches(self.x, weights)
        return True

    def labeled_batches(
        self, batch_size: int, steps: int | None
    ) -> Iterator[tuple[Any, Any]]:
        number = min(len(self.x), steps or len(self.x))
        return (self.x[i][:2] for i in range(number))


class TensorFlowDataset(Data):
    """A `tf.data.Dataset`."""

    comes_in_batches, may_be_shuffled = True, False

    @property
    def is_endless(self) -> bool:
        return int(self.x.cardinality()) == -1

    @property
    def has_unknown_end(self) -> bool:
        return int(self.x.cardinality()) == -2

    def first_batch(self) -> tuple[Any, Any]:
        return _inputs_and_labels(self.x.element_spec)

    def checked(self, num_classes: int, image_shape: tuple | None) -> Any:
        from keras_dc3.data.pipeline import check_values

        return check_values(self.x, num_classes)

    def labeled_batches(
        self, batch_size: int, steps: int | None
    ) -> Iterator[tuple[Any, Any]]:
        taken = self.x if steps is None else self.x.take(steps)
        return (batch[:2] for batch in taken)

    def has_soft_labels(self) -> bool:
        return is_soft(self.x.element_spec[1])

    def weigh(self, weights: Mapping[int, float]) -> bool:
        if keras.backend.backend() != "tensorflow":
            return False
        self.x = weighed_batches(self.x, weights)
        return True


class SharedValidation(Data):
    """Labeled images of which each worker reads its own; see `Collective.distribute`.

    `own` are its images and labels.
    """

    comes_in_batches, may_be_shuffled, is_shared = True, False, True

    @property
    def element_spec(self) -> Any:
        images, labels = self.x.own
        spec = keras.KerasTensor(
            (None, *images.image_shape), np.dtype(images.dtype).name
        )
        return spec, keras.KerasTensor((None, *labels.shape[1:]), labels.dtype.name)

    def number_of_batches(self, batch_size: int | None) -> int:
        return int(self.x.cardinality)

    def labeled_batches(
        self, batch_size: int, steps: int | None
    ) -> Iterator[tuple[Any, Any]]:
        (images, labels), size = self.x.own, batch_size
        starts = range(0, len(images), size)
        ranges = (np.arange(i, min(i + size, len(images))) for i in starts)
        return ((images.read(rows), labels[rows]) for rows in ranges)

    def has_soft_labels(self) -> bool:
        return is_soft(self.x.own[1])


class Loader(Data):
    """A `torch.utils.data.DataLoader`."""

    comes_in_batches = may_be_shuffled = True

    def first_batch(self) -> tuple[Any, Any]:
        return _inputs_and_labels(as_numpy(next(iter(self.x))))

    def checked(self, num_classes: int, image_shape: tuple | None) -> Any:
        loader = copy.copy(self.x)
        loader.collate_fn = CheckedCollation(
            self.x.collate_fn, num_classes, image_shape
        )
        return loader

    def labeled_batches(
        self, batch_size: int, steps: int | None
    ) -> Iterator[tuple[Any, Any]]:
        return (as_numpy(batch[:2]) for batch in itertools.islice(self.x, steps))


def _inputs_and_labels(element: Any) -> tuple[Any, Any]:
    if not isinstance(element, tuple | list) or len(element) < 2:
        raise ValueError(
            "Training data must yield `(inputs, labels)`. Received elements of type "
            f"{type(element).__name__}; labels are missing."
        )
    return element[0], element[1]
