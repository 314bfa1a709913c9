"""An exponential moving average of another layer's weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3._registration import register


@register
class WeightAverage(keras.layers.Layer):
    """Keeps an exponential moving average (EMA) of a network's weights.

        average <- decay * average + (1 - decay) * weight

    It starts as a copy of the weights; there is no bias correction. All floating-point
    weights that training may change by gradient are shadowed, the frozen ones too, so
    that layers may be frozen and unfrozen; `values` gives those that are trainable now.
    Layers' own state, such as the moving statistics of BatchNormalization, stays the
    network's, as in the authors' code.

    Args:
        decay: in [0, 1). 0.999 remembers about the last 1,000 steps.
    """

    def __init__(self, decay: float = 0.999, **kwargs: Any):
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        if (
            isinstance(decay, bool)
            or not isinstance(decay, int | float | np.number)
            or not 0.0 <= decay < 1.0
        ):
            raise ValueError(
                "The decay of the weight average (`ema_decay`) must lie in [0, 1). "
                f"Received: {decay!r}"
            )
        self.decay = float(decay)
        self._shadow_of: dict[int, int] = {}

    def build_for(self, network: keras.layers.Layer) -> None:
        """Creates the shadows of a built `network`, as copies of its weights."""
        self._shadows = []
        state = {
            id(variable)
            for layer in network._flatten_layers()
            for variable in layer._non_trainable_variables
        }
        for weight in network.weights:
            if id(weight) in state or not keras.backend.is_float_dtype(weight.dtype):
                continue
            self._shadow_of[id(weight)] = len(self._shadows)
            self._shadows.append(
                self.add_weight(
                    name=f"average_{len(self._shadows)}",
                    shape=weight.shape,
                    dtype=weight.dtype,
                    initializer="zeros",
                    trainable=False,
                )
            )
        self.built = True
        self.reset(network)

    def reset(self, network: keras.layers.Layer) -> None:
        """Makes the average a copy of the weights as they are now."""
        for weight, shadow in self._pairs(network):
            # A copy of its own: on JAX an assigned array would share its buffer.
            shadow.assign(ops.copy(weight.value))

    def update(self, network: keras.layers.Layer) -> None:
        """Moves the average one step towards the weights as they are now."""
        for weight, shadow in self._pairs(network):
            shadow.assign(self.decay * shadow + (1.0 - self.decay) * weight)

    def values(self, network: keras.layers.Layer) -> list[Any]:
        """Returns the averages of `network.trainable_variables`, in their order."""
        return [
            self._shadows[self._shadow_of[id(variable)]].value
            for variable in network.trainable_variables
        ]

    def _pairs(self, network: keras.layers.Layer) -> list[tuple[Any, Any]]:
        return [
            (weight, self._shadows[self._shadow_of[id(weight)]])
            for weight in network.weights
            if id(weight) in self._shadow_of
        ]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "decay": self.decay}
