"""Batches of other objects as NumPy arrays, checked as they are taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from keras_dc3.models.batch_checks import check_batch, check_image_shapes


def as_arrays(labels: Any) -> Any:
    """Returns labels given as a list, tensor or pandas series as a NumPy array.

    In a tuple (images, labels, ...) the images stay as they are, unless they are a
    list.
    """
    if isinstance(labels, tuple):
        images = np.asarray(labels[0]) if isinstance(labels[0], list) else labels[0]
        return (images, *(as_arrays(part) for part in labels[1:]))
    if isinstance(labels, list):
        return np.asarray(labels)
    if ops.is_tensor(labels):
        return ops.convert_to_numpy(labels)
    if hasattr(labels, "detach"):  # a tensor of PyTorch under another backend
        return labels.detach().cpu().numpy()
    return labels.to_numpy() if hasattr(labels, "to_numpy") else labels


def as_numpy(structure: Any) -> Any:
    """Returns a nested structure of tensors, of any framework, as NumPy arrays."""
    return tree.map_structure(lambda part: np.asarray(as_arrays(part)), structure)


def checked(batch: Any, num_classes: int | None, image_shape: tuple | None) -> Any:
    """Returns a batch, or raises ValueError for impossible values."""
    if isinstance(batch, tuple | list) and len(batch) > 1:
        check_image_shapes(batch[0], image_shape)
        check_batch(batch[0], batch[1], num_classes)
    return batch


class CheckedCollation:
    """Makes a batch of samples as `collate` does, and checks it.

    A class, so that it can be sent to the loader's worker processes.
    """

    def __init__(self, collate: Any, num_classes: int | None, image_shape: Any):
        self._collate = collate
        self._num_classes, self._image_shape = num_classes, image_shape

    def __call__(self, samples: Any) -> Any:
        batch = self._collate(samples)
        checked(as_numpy(batch), self._num_classes, self._image_shape)
        return batch


class ChangedBatches(keras.utils.PyDataset):
    """The batches of a `PyDataset`, each put through a function.

    Args:
        batches: the `PyDataset`.
        change: takes a batch and returns one. A function of a module, or a `partial` of
            one, so that it can be sent to worker processes.
    """

    def __init__(self, batches: keras.utils.PyDataset, change: Callable[[Any], Any]):
        super().__init__(
            workers=batches.workers,
            use_multiprocessing=batches.use_multiprocessing,
            max_queue_size=batches.max_queue_size,
        )
        self.batches, self._change = batches, change

    @property
    def num_batches(self) -> int | None:
        return self.batches.num_batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Any:
        return self._change(self.batches[index])

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()
