"""Accuracy where several classes tie for the most answers."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register

_ALIKE = 1e-6  # as in `keras_dc3._ties`, in float32


def majority_accuracy(y_true: Any, y_pred: Any) -> Any:
    """Returns how right the predicted class of each image is, (n,).

    1 for the class with the largest soft label, 0 for others; where m classes tie,
    1 / m for each of them, so that no class is preferred by its place. NaN for an
    image whose answer is NaN, which is neither right nor wrong.

    Args:
        y_true: soft labels, (n, k).
        y_pred: class probabilities, (n, k).
    """
    y_true = ops.cast(y_true, "float32")
    most = ops.max(y_true, axis=-1, keepdims=True)
    chosen = ops.cast(y_true >= most * (1.0 - _ALIKE), "float32")
    predicted = ops.one_hot(ops.argmax(y_pred, axis=-1), ops.shape(y_true)[-1])
    share = ops.sum(chosen * predicted, axis=-1) / ops.sum(chosen, axis=-1)
    has_answer = ops.logical_not(ops.any(ops.isnan(y_pred), axis=-1))
    return ops.where(has_answer, share, float("nan"))


@register
class MajorityAccuracy(keras.metrics.MeanMetricWrapper):
    """The mean of `majority_accuracy`: Keras' accuracy, but that ties count in part.

    Args:
        name, dtype: as for every Keras metric.
    """

    def __init__(self, name: str = "accuracy", dtype: Any = None):
        super().__init__(majority_accuracy, name=name, dtype=dtype)
        self._direction = "up"  # for callbacks that ask which way is better

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype}
