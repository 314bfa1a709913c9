"""On which images people will disagree: what a probe has found, inside a network."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3._registration import register

LEAST_SHARE = 0.01  # of pairs that differ: nobody is as sure as a map may be


@register
class DisagreementHead(keras.layers.Layer):
    """Expects how often two people will give an image different classes.

        x = (features - mean) / deviation
        p = softmax(x W + c)                    g = 1 - sum_c p_c^2
        s = sigmoid(a + b logit(g) + v . (1 - max p, sqrt(p)) + w . x)

    which is a `keras_dc3.probes.DisagreementProbe`, with the mean of its maps of
    classes. All are weights that no training step changes: `learn` sets them, `forget`
    takes them back. p is not the class prediction of the network, which is too sure of
    the images that it was trained on.

    It computes in float32 whatever the dtype policy.

    Args:
        num_classes: k.

    Call arguments:
        features: float (n, d); no gradient flows into them.

    Returns:
        s, float32 (n,), in [0, 1]; -1 where it has not learned.

    Example:

    >>> features = np.random.default_rng(0).normal(size=(200, 3)).astype("float32")
    >>> unclear = np.abs(features[:, 0]) < 0.5
    >>> counts = np.where(unclear[:, None], [[2, 2]], [[4, 0]])
    >>> probe = keras_dc3.probes.DisagreementProbe().fit(features, counts)
    >>> head = keras_dc3.layers.DisagreementHead(num_classes=2)
    >>> head.build((None, 3))
    >>> head.learn(probe.coefficients)
    >>> tuple(head(features).shape), head.is_learned
    ((200,), True)
    """

    def __init__(self, num_classes: int, **kwargs: Any):
        super().__init__(**{"dtype": "float32", "trainable": False, **kwargs})
        self.num_classes = num_classes

    def build(self, features_shape: tuple[int | None, ...]) -> None:
        d, k = features_shape[-1], self.num_classes
        shapes = {
            "mean": (d,),
            "deviation": (d,),
            "class_kernel": (d, k),
            "class_bias": (k,),
            "of_classes": (3 + k,),
            "kernel": (d,),
        }
        self._coefficients = {
            name: self.add_weight(
                shape,
                "ones" if name == "deviation" else "zeros",
                trainable=False,
                name=name,
            )
            for name, shape in shapes.items()
        }
        self.learned = self.add_weight((), "zeros", trainable=False, name="learned")

    @property
    def is_learned(self) -> bool:
        """Whether `learn` has set it."""
        return bool(ops.convert_to_numpy(self.learned))

    @property
    def coefficients(self) -> dict[str, np.ndarray] | None:
        """What `learn` has set, by the names of a `DisagreementCoefficients`, or None.

        Float32 arrays.
        """
        if not self.is_learned:
            return None
        return {n: ops.convert_to_numpy(w) for n, w in self._coefficients.items()}

    def learn(self, coefficients: Any) -> None:
        """Takes up what a probe has found.

        Args:
            coefficients: a `keras_dc3.probes.DisagreementCoefficients`, of features
                and classes as many as here.
        """
        for name, weight in self._coefficients.items():
            weight.assign(np.asarray(getattr(coefficients, name), "float32"))
        self.learned.assign(1.0)

    def forget(self) -> None:
        """Makes it one that has not learned."""
        self.learned.assign(0.0)

    def call(self, features: Any) -> Any:
        found = self._coefficients
        features = ops.cast(ops.stop_gradient(features), "float32")
        x = (features - found["mean"]) / found["deviation"]
        logits = ops.matmul(x, found["class_kernel"]) + found["class_bias"]
        p = ops.softmax(logits, axis=-1)
        share = 1.0 - ops.sum(p * p, axis=-1)
        share = ops.clip(share, LEAST_SHARE, 1.0 - LEAST_SHARE)
        inputs = ops.concatenate(
            [
                ops.ones_like(share)[:, None],
                ops.log(share / (1.0 - share))[:, None],
                1.0 - ops.max(p, axis=-1, keepdims=True),
                ops.sqrt(p),
            ],
            axis=-1,
        )
        logits = ops.matmul(inputs, found["of_classes"][:, None])[:, 0]
        logits = logits + ops.matmul(x, found["kernel"][:, None])[:, 0]
        return ops.where(self.learned > 0, ops.sigmoid(logits), -1.0)

    def compute_output_shape(self, features_shape: tuple) -> tuple:
        return (features_shape[0],)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}
