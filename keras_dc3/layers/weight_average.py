"""An exponential moving average of another layer's weights."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3 import _keras
from keras_dc3._registration import register
from keras_dc3._validation import is_number


@register
class WeightAverage(keras.layers.Layer):
    """Keeps an exponential moving average (EMA) of a network's weights.

        average <- d average + (1 - d) weight,    d = min(decay, (1 + t) / (10 + t))

    It starts as a copy of the weights. With t, the number of updates before this one,
    the decay grows with the length of training: the average remembers about the last
    ninth of the steps, until that is what `decay` remembers. Otherwise the average of
    a short training would still be its start. The rule is that of
    `tf.train.ExponentialMovingAverage(decay, num_updates)`. It is an average with
    weights that grow as a power of the step, here t^8 (Karras et al., 2024),
    and, unlike Adam's correction of the bias (Kingma and Ba, 2015), forgets the
    first steps, whose weights are far from those of the last.

    All floating-point weights that training may change by gradient are averaged,
    whether they are frozen or not: setting `trainable` changes no answer. Layers' own
    state, such as the moving statistics of BatchNormalization, stays the network's, as
    in the authors' code.

    Args:
        decay: the largest decay, in [0, 1). 0.999 remembers about the last 1,000
            steps, from step 9,000 on.

    Example:

    >>> average = keras_dc3.layers.WeightAverage(decay=0.99)
    >>> average.decay
    0.99
    """

    def __init__(self, decay: float = 0.999, **kwargs: Any):
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        if not (is_number(decay) and 0.0 <= decay < 1.0):
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
            for layer in _keras.layers_in(network)
            for variable in _keras.own_state(layer)
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

    def update(self, network: keras.layers.Layer, updates: Any = None) -> None:
        """Moves the average one step towards the weights as they are now.

        Args:
            network: whose weights are averaged.
            updates: t, how often the average was updated before, an integer scalar;
                None: the decay is constant.
        """
        decay = ops.convert_to_tensor(self.decay, "float32")
        if updates is not None:
            updates = ops.cast(updates, "float32")
            decay = ops.minimum(decay, (1.0 + updates) / (10.0 + updates))
        for weight, shadow in self._pairs(network):
            kept = ops.cast(decay, shadow.dtype)
            shadow.assign(kept * shadow + (1.0 - kept) * weight)

    def share_of_old(self, first: int, end: int) -> float:
        """Returns how much of the average stays after the updates first <= t < end."""
        t = np.arange(first, end, dtype="float64")
        return float(np.prod(np.minimum(self.decay, (1.0 + t) / (10.0 + t))))

    def value_of(self, variable: Any) -> Any:
        """Returns the average of a variable of the network; its own value if none."""
        position = self._shadow_of.get(id(variable))
        return variable.value if position is None else self._shadows[position].value

    def values(self, network: keras.layers.Layer) -> list[Any]:
        """Returns the averages of `network.trainable_variables`, in their order."""
        return [self.value_of(variable) for variable in network.trainable_variables]

    def _pairs(self, network: keras.layers.Layer) -> list[tuple[Any, Any]]:
        return [
            (weight, self._shadows[self._shadow_of[id(weight)]])
            for weight in network.weights
            if id(weight) in self._shadow_of
        ]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "decay": self.decay}
