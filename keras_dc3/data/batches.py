"""Batches: a `tf.data.Dataset` on TensorFlow, else a `keras.utils.PyDataset`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dc3._validation import check_positive_int
from keras_dc3.collective import Share
from keras_dc3.data.augment_numpy import augment
from keras_dc3.data.image_set import ReadableImages
from keras_dc3.data.plan import EpochOrder, Recipe, stream_number


def training_batches(recipe: Recipe) -> Any:
    """Returns the training batches of an epoch, iterable anew for each.

    A `tf.data.Dataset` on the TensorFlow backend, else a `keras.utils.PyDataset`.
    """
    if _by_tensorflow():
        from keras_dc3.data.pipeline import training_dataset

        return training_dataset(recipe)
    return TrainingBatches(recipe)


def ordered_batches(
    images: ReadableImages,
    targets: np.ndarray,
    batch_size: int,
    share: Share | None = None,
) -> Any:
    """Returns batches `(images, targets)` in order.

    A `tf.data.Dataset` on the TensorFlow backend, else a `keras.utils.PyDataset`.

    Args:
        images: n images.
        targets: (n, ...), of any type.
        batch_size: images per batch; the last batch holds the rest.
        share: see `pipeline.ordered_dataset`; TensorFlow only.
    """
    if _by_tensorflow():
        from keras_dc3.data.pipeline import ordered_dataset

        return ordered_dataset(images, targets, batch_size, share)
    return OrderedBatches(images, targets, batch_size)


def _by_tensorflow() -> bool:
    return keras.backend.backend() == "tensorflow"


class TrainingBatches(keras.utils.PyDataset):
    """One epoch's training batches (see `Recipe`).

    Batch i is a function of seed, epoch and i alone; the epoch is the recipe's clock's
    when the batch is made.

    Args:
        recipe: what the batches are made of.
        **kwargs: of `keras.utils.PyDataset`, such as `workers`.
    """

    def __init__(self, recipe: Recipe, **kwargs: Any):
        super().__init__(**kwargs)
        self.recipe = recipe
        self._order: tuple[int, EpochOrder] | None = None

    def __len__(self) -> int:
        return self.recipe.plan.steps

    def __getitem__(self, index: int) -> tuple:
        recipe, (at, unlabeled_at, seed) = self.recipe, self.step(index)
        labeled = self._view(recipe.labeled.read(at), recipe.policy, seed, "labeled")
        y = recipe.labels[at]
        if not recipe.views:
            return labeled, y
        unlabeled = recipe.unlabeled.read(unlabeled_at)
        views = {
            name: self._view(unlabeled, policy, seed, name)
            for name, policy in recipe.views.items()
        }
        return recipe.inputs(labeled, views, unlabeled_at.astype("int32")), y

    def step(self, index: int) -> tuple[np.ndarray, np.ndarray, int]:
        """Returns positions of labeled and unlabeled images, and a seed, of a batch."""
        order, index = self._epoch_order(), _checked_index(index, len(self))
        return order.labeled[index], order.unlabeled[index], int(order.seeds[index])

    def _view(self, images, policy, step_seed, name):
        seed = [step_seed, stream_number(name)]
        return augment(policy, images, seed, self.recipe.value_range)

    def _epoch_order(self) -> EpochOrder:
        epoch, kept = self.recipe.clock.epoch, self._order
        if kept is None or kept[0] != epoch:
            kept = self._order = (epoch, self.recipe.plan.epoch(epoch))
        return kept[1]


class OrderedBatches(keras.utils.PyDataset):
    """Batches `(images, targets)` in order, as they are.

    Args:
        images: n images.
        targets: (n, ...), of any type.
        batch_size: images per batch; the last batch holds the rest.
    """

    def __init__(
        self,
        images: ReadableImages,
        targets: np.ndarray,
        batch_size: int,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_positive_int("batch_size", batch_size)
        self.images, self.targets, self.batch_size = images, targets, batch_size

    def __len__(self) -> int:
        return -(-len(self.images) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        start = _checked_index(index, len(self)) * self.batch_size
        at = np.arange(start, min(start + self.batch_size, len(self.images)))
        return self.images.read(at), self.targets[at]


def _checked_index(index: int, number: int) -> int:
    if not -number <= index < number:
        raise IndexError(f"Batch {index} of {number} batches does not exist.")
    return index % number
