"""A layer that brings features to mean 0 and deviation 1, as seen in training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3._registration import register

_FARTHEST = 20.0


@register
class FeatureStandardization(keras.layers.Layer):
    """Takes the mean off features and divides them by their deviation.

        (x - mean) / deviation, at most 20 and at least -20

    Both are weights of their own for each feature, saved and exported with a model,
    that no training step changes: `learn` sets them, once and for all. Until then the
    features stay as they are.

    The bounds are for features that are nearly always 0, as many are after a rectifier:
    of one that hardly any training image has, the deviation is tiny, and an image that
    has it would be taken by it alone to any class.

    Call arguments:
        features: (n, d) in floating point.

    Returns:
        (n, d) float32.

    Example:

    >>> layer = keras_dc3.layers.FeatureStandardization()
    >>> layer.build((None, 2))
    >>> layer.learn(mean=[1.0, 10.0], deviation=[0.5, 5.0], number=100)
    >>> keras.ops.convert_to_numpy(layer(np.array([[1.5, 5.0]], "float32"))).tolist()
    [[1.0, -1.0]]
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        def weight(name: str, shape: tuple, initializer: str) -> Any:
            return self.add_weight(shape, initializer, trainable=False, name=name)

        self.mean = weight("mean", input_shape[1:], "zeros")
        self.deviation = weight("deviation", input_shape[1:], "ones")
        self.number = weight("number", (), "zeros")

    @property
    def images(self) -> int:
        """Of how many images mean and deviation are; 0: not known yet."""
        return int(ops.convert_to_numpy(self.number))

    def learn(self, mean: Any, deviation: Any, number: int) -> None:
        """Sets mean and deviation, (d,) each, of so many images."""
        self.mean.assign(np.asarray(mean, "float32"))
        self.deviation.assign(np.asarray(deviation, "float32"))
        self.number.assign(float(number))

    def deviations(self, features: Any) -> Any:
        """Returns by how many deviations features lie off the mean, without bounds."""
        return (ops.cast(features, "float32") - self.mean) / self.deviation

    def call(self, features: Any) -> Any:
        return ops.clip(self.deviations(features), -_FARTHEST, _FARTHEST)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape
