"""Batches, by whichever backend there is."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3.data.image_set import ReadableImages
from keras_dc3.data.plan import Recipe


def training_batches(recipe: Recipe) -> Any:
    """Returns the training batches of an epoch, iterable anew for each.

    A `tf.data.Dataset` on the TensorFlow backend, else a `keras.utils.PyDataset`.
    """
    if _by_tensorflow():
        from keras_dc3.data.pipeline import training_dataset

        return training_dataset(recipe)
    from keras_dc3.data.py_dataset import TrainingBatches

    return TrainingBatches(recipe)


def ordered_batches(
    images: ReadableImages, targets: np.ndarray, batch_size: int
) -> Any:
    """Returns batches `(images, targets)` in order.

    A `tf.data.Dataset` on the TensorFlow backend, else a `keras.utils.PyDataset`.

    Args:
        images: n images.
        targets: (n, ...), of any type.
        batch_size: images per batch; the last batch holds the rest.
    """
    if _by_tensorflow():
        from keras_dc3.data.pipeline import ordered_dataset

        return ordered_dataset(images, targets, batch_size)
    from keras_dc3.data.py_dataset import OrderedBatches

    return OrderedBatches(images, targets, batch_size)


def _by_tensorflow() -> bool:
    import keras

    return keras.backend.backend() == "tensorflow"
