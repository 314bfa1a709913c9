"""The overclustering output p_o, trained by gradient."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register, settings
from keras_dc3._validation import check_choice, check_positive_int, check_rank


@register
class OverclusterHead(keras.layers.Layer):
    """Assigns images to more clusters than there are classes (p_o, the paper's).

        p_o = softmax(features W + b)

    It computes in float32 whatever the dtype policy, as the losses on it need.

    Args:
        num_clusters: k', the number of clusters, at least 2.
        activation: `"softmax"` for probabilities, None for logits.
        kernel_initializer: of W, a Keras initializer.

    Call arguments:
        features: float (n, d).

    Returns:
        Probabilities or logits, float32 (n, k').

    Raises:
        ValueError: if an argument is not as described.

    Example:

    >>> head = keras_dc3.layers.OverclusterHead(num_clusters=10)
    >>> tuple(head(np.ones((4, 6), "float32")).shape)
    (4, 10)
    """

    def __init__(
        self,
        num_clusters: int,
        activation: str | None = "softmax",
        kernel_initializer: Any = "glorot_normal",
        **kwargs: Any,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        check_positive_int("num_clusters", num_clusters, least=2)
        check_choice("activation", activation, ("softmax", None))
        self.num_clusters = int(num_clusters)
        self.activation = activation
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, features_shape: tuple) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features_shape[-1], self.num_clusters),
            initializer=self.kernel_initializer,
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.num_clusters,), initializer="zeros"
        )

    def call(self, features: Any) -> Any:
        check_rank("features", features, 2, "(images, features)")
        logits = ops.matmul(features, self.kernel) + self.bias
        return ops.softmax(logits, axis=-1) if self.activation else logits

    def compute_output_shape(self, features_shape: tuple) -> tuple:
        return (features_shape[0], self.num_clusters)

    def get_config(self) -> dict[str, Any]:
        names = ("num_clusters", "activation", "kernel_initializer")
        return {**super().get_config(), **settings(self, *names)}
