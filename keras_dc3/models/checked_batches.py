"""Checks of values in a user's own stream of NumPy batches."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import keras

from keras_dc3.models.inputs import as_numpy, check_batch, check_image_shapes


def _check(batch: Any, num_classes: int | None, image_shape: tuple | None) -> Any:
    if isinstance(batch, tuple | list) and len(batch) > 1:
        check_image_shapes(batch[0], image_shape)
        check_batch(batch[0], batch[1], num_classes)
    return batch


def checked_batches(
    batches: Iterable[Any], num_classes: int | None, image_shape: tuple | None
) -> Iterator[Any]:
    """Yields the batches of a generator, and raises at the first impossible one."""
    for batch in batches:
        yield _check(batch, num_classes, image_shape)


def checked_loader(
    loader: Any, num_classes: int | None, image_shape: tuple | None
) -> Any:
    """Returns a `DataLoader` that raises where a batch of another is impossible.

    Args:
        loader: the `torch.utils.data.DataLoader`; stays as it is.
        num_classes: k.
        image_shape: (h, w, c).
    """
    checked = copy.copy(loader)
    checked.collate_fn = _CheckedCollation(loader.collate_fn, num_classes, image_shape)
    return checked


class _CheckedCollation:
    """Makes a batch of samples as `collate` does, and checks it.

    A class, so that it can be sent to the loader's worker processes.
    """

    def __init__(self, collate: Any, num_classes: int | None, image_shape: Any):
        self._collate = collate
        self._num_classes, self._image_shape = num_classes, image_shape

    def __call__(self, samples: Any) -> Any:
        batch = self._collate(samples)
        _check(as_numpy(batch), self._num_classes, self._image_shape)
        return batch


class CheckedBatches(keras.utils.PyDataset):
    """A `PyDataset` that raises where a batch of another has impossible values.

    Args:
        batches: the data set to look through.
        num_classes: k.
        image_shape: (h, w, c).
    """

    def __init__(
        self,
        batches: keras.utils.PyDataset,
        num_classes: int | None,
        image_shape: tuple | None,
    ):
        super().__init__(
            workers=batches.workers,
            use_multiprocessing=batches.use_multiprocessing,
            max_queue_size=batches.max_queue_size,
        )
        self.batches = batches
        self._num_classes, self._image_shape = num_classes, image_shape

    @property
    def num_batches(self) -> int | None:
        return self.batches.num_batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Any:
        return _check(self.batches[index], self._num_classes, self._image_shape)

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()
