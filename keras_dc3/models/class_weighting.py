"""What an image on which classes tie weighs, where classes have weights.

Keras takes the first of the tied classes, which prefers one by its place. Here such an
image weighs the mean of theirs. Nothing is changed where no image ties.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3._ties import equal_shares, is_tied
from keras_dc3.losses import ties
from keras_dc3.models.checked_batches import ChangedBatches


def has_ties(labels: Any) -> bool:
    """Whether several classes have the largest share of an image's soft label."""
    soft = isinstance(labels, np.ndarray) and labels.ndim == 2 and labels.shape[1] > 1
    return soft and bool(is_tied(labels).any())


def image_weights(labels: np.ndarray, weights: Mapping[int, float]) -> np.ndarray:
    """Returns what images with soft labels (n, k) weigh, float32 (n,).

    Args:
        labels: of the images.
        weights: of all k classes.
    """
    return (equal_shares(labels) @ _in_order(weights)).astype("float32")


def weighed_batches(batches: Any, weights: Mapping[int, float]) -> Any:
    """Returns batches `(inputs, labels)` with the weights of their images.

    Args:
        batches: a `tf.data.Dataset` or a `keras.utils.PyDataset`.
        weights: of all k classes.
    """
    if isinstance(batches, keras.utils.PyDataset):
        return ChangedBatches(batches, functools.partial(_weighed, weights=weights))
    column = _in_order(weights).astype("float32")[:, None]

    def weighed(inputs: Any, labels: Any) -> tuple[Any, Any, Any]:
        if len(labels.shape) == 1:
            return inputs, labels, ops.take(column[:, 0], labels)
        return inputs, labels, (ties.majority_shares(labels) @ column)[:, 0]

    return batches.map(weighed)


def _weighed(batch: Any, weights: Mapping[int, float]) -> tuple[Any, Any, Any]:
    inputs, labels = batch
    return inputs, labels, image_weights(labels, weights)


def _in_order(weights: Mapping[int, float]) -> np.ndarray:
    return np.array([weights[number] for number in range(len(weights))], "float64")
