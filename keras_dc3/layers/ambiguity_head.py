"""The ambiguity output p_a."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register
from keras_dc3._validation import check_choice, check_rank, check_same_batch


def class_uncertainty(class_probabilities: Any) -> Any:
    """Computes two measures of how uncertain a class prediction is.

    Args:
        class_probabilities: p_n, float (n, k), k of at least 2.

    Returns:
        Float32 (n, 2): the entropy H(p_n) / ln k, and 1 - max p_n. Both lie in
        [0, 1]; both are 0 for a one-hot prediction.

    Raises:
        ValueError: for another shape, or a single class.

    Example:

    >>> found = keras_dc3.layers.class_uncertainty([[0.5, 0.5], [0.0, 1.0]])
    >>> np.abs(found).round(2)
    array([[1. , 0.5],
           [0. , 0. ]], dtype=float32)
    """
    p = ops.cast(ops.convert_to_tensor(class_probabilities), "float32")
    if len(p.shape) != 2 or p.shape[1] < 2:
        raise ValueError(
            "`class_probabilities` must have shape (images, classes) with at least 2 "
            f"classes. Received: class_probabilities.shape={tuple(p.shape)}"
        )
    logarithms = ops.log(ops.clip(p, keras.config.epsilon(), 1.0))
    entropy = -ops.sum(p * logarithms, axis=-1) / math.log(p.shape[-1])
    return ops.stack([entropy, 1.0 - ops.max(p, axis=-1)], axis=-1)


@register
class AmbiguityHead(keras.layers.Layer):
    """Estimates how likely people are to disagree on an image (p_a).

        p_a = sigmoid(w . features + v . u + b)

    with u = `class_uncertainty(p_n)` where class probabilities are given. A linear map
    of the features alone cannot express the confidence of the class prediction; with
    u it can. v starts at 1, so that an uncertain image starts as a more ambiguous one.

    It computes in float32 whatever the dtype policy.

    Args:
        use_uncertainty: whether the head sees u. It must then be called with
            `class_probabilities`.
        stop_features: whether the gradient stops before the features.
        activation: `"sigmoid"` for probabilities, None for logits.
        kernel_initializer: of w, a Keras initializer.

    Call arguments:
        features: float (n, d).
        class_probabilities: p_n, float (n, k); no gradient flows into it.

    Returns:
        Probabilities or logits, float32 (n,).

    Raises:
        ValueError: if an argument is not as described; when called, if class
            probabilities are missing.

    Example:

    >>> head = keras_dc3.layers.AmbiguityHead()
    >>> tuple(head(np.ones((4, 6), "float32")).shape)
    (4,)
    """

    def __init__(
        self,
        use_uncertainty: bool = False,
        stop_features: bool = False,
        activation: str | None = "sigmoid",
        kernel_initializer: Any = "glorot_normal",
        **kwargs: Any,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        check_choice("use_uncertainty", use_uncertainty, (True, False))
        check_choice("stop_features", stop_features, (True, False))
        check_choice("activation", activation, ("sigmoid", None))
        self.use_uncertainty = use_uncertainty
        self.stop_features = stop_features
        self.activation = activation
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(
        self, features_shape: tuple, class_probabilities_shape: Any = None
    ) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features_shape[-1], 1),
            initializer=self.kernel_initializer,
        )
        if self.use_uncertainty:
            self.uncertainty_kernel = self.add_weight(
                name="uncertainty_kernel", shape=(2, 1), initializer="ones"
            )
        self.bias = self.add_weight(name="bias", shape=(1,), initializer="zeros")

    def call(self, features: Any, class_probabilities: Any = None) -> Any:
        check_rank("features", features, 2, "(images, features)")
        if self.stop_features:
            features = ops.stop_gradient(features)
        logits = ops.matmul(features, self.kernel) + self.bias
        if self.use_uncertainty:
            if class_probabilities is None:
                raise ValueError(
                    "An `AmbiguityHead` with `use_uncertainty=True` must be called as "
                    "`head(features, class_probabilities)`. Received: "
                    "class_probabilities=None"
                )
            check_same_batch(features=features, class_probabilities=class_probabilities)
            uncertainty = class_uncertainty(ops.stop_gradient(class_probabilities))
            logits = logits + ops.matmul(uncertainty, self.uncertainty_kernel)
        logits = ops.squeeze(logits, axis=-1)
        return ops.sigmoid(logits) if self.activation else logits

    def compute_output_shape(
        self, features_shape: tuple, class_probabilities_shape: Any = None
    ) -> tuple:
        return (features_shape[0],)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "use_uncertainty": self.use_uncertainty,
            "stop_features": self.stop_features,
            "activation": self.activation,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
