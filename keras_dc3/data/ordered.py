"""Batches in order, as they are: to evaluate on."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3.data.image_set import ReadableImages


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
    import keras

    if keras.backend.backend() == "tensorflow":
        from keras_dc3.data.pipeline import ordered_dataset

        return ordered_dataset(images, targets, batch_size)
    from keras_dc3.data.py_dataset import OrderedBatches

    return OrderedBatches(images, targets, batch_size)
