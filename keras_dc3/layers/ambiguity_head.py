"""The ambiguity output p_a."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_dc3._decision import is_ambiguous
from keras_dc3._registration import register, settings
from keras_dc3._validation import check_choice, check_rank, check_same_batch
from keras_dc3.config import AMBIGUITY_INPUTS

_BELOW_1 = 1.0 - 1e-6  # so that half of it is below the threshold in float32


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
    p = _checked_probabilities(class_probabilities)
    logarithms = ops.log(ops.clip(p, keras.config.epsilon(), 1.0))
    entropy = -ops.sum(p * logarithms, axis=-1) / math.log(p.shape[-1])
    return ops.stack([entropy, 1.0 - ops.max(p, axis=-1)], axis=-1)


def error_logit(class_probabilities: Any) -> Any:
    """Computes ln((1 - m) / m) of m = max p_n: how unsure a class prediction is.

    Its sigmoid is 1 - m, the chance that the class is wrong, if p_n is right. 1 - m is
    the sum of the other classes, which is exact where m rounds to 1.

    Args:
        class_probabilities: p_n, float (n, k), k of at least 2.

    Returns:
        Float32 (n,), of at least -69.

    Raises:
        ValueError: for another shape, or a single class.

    Example:

    >>> found = keras_dc3.layers.error_logit([[0.5, 0.5], [0.1, 0.9]])
    >>> np.abs(found).round(2)
    array([0. , 2.2], dtype=float32)
    """
    p = _checked_probabilities(class_probabilities)
    largest = ops.max(p, axis=-1, keepdims=True)
    is_less = ops.cast(p < largest, "float32")
    ties = ops.sum(1.0 - is_less, axis=-1) - 1.0
    largest = ops.squeeze(largest, axis=-1)
    others = ops.sum(p * is_less, axis=-1) + ties * largest
    return ops.log(ops.maximum(others, 1e-30)) - ops.log(largest)


def ordered_on_each_side(ambiguity: Any, order: Any) -> Any:
    """Returns p_a with its sides kept, and images on each side in another order.

        p_a' = (1[p_a >= 1/2] + order) / 2

    What people disagree about is not what a model is unsure of, so each decides what it
    knows: confidence, whose class is taken unseen; the order, on which of the images on
    either side people are likelier to differ.

    Args:
        ambiguity: p_a, float (n,).
        order: float (n,), in [0, 1].

    Returns:
        Float32 (n,), on the same side of 1/2 as `ambiguity`.

    Example:

    >>> from keras_dc3.layers import ordered_on_each_side
    >>> found = ordered_on_each_side(np.array([0.1, 0.7]), np.array([0.6, 0.2]))
    >>> np.asarray(found).round(2)
    array([0.3, 0.6], dtype=float32)
    """
    side = ops.cast(is_ambiguous(ambiguity), "float32")
    return (side + ops.clip(ops.cast(order, "float32"), 0.0, _BELOW_1)) / 2.0


def _checked_probabilities(class_probabilities: Any) -> Any:
    p = ops.cast(ops.convert_to_tensor(class_probabilities), "float32")
    if len(p.shape) != 2 or p.shape[1] < 2:
        raise ValueError(
            "`class_probabilities` must have shape (images, classes) with at least 2 "
            f"classes. Received: class_probabilities.shape={tuple(p.shape)}"
        )
    return p


@register
class AmbiguityHead(keras.layers.Layer):
    """Estimates whether an image is to be left to people (p_a).

        "features"               p_a = sigmoid(w . features + b)
        "features+uncertainty"   p_a = sigmoid(w . features + v . u + b)
        "confidence"             p_a = sigmoid(a ln((1 - m) / m) + b)

    with m = max p_n, a >= 0, and u = `class_uncertainty(p_n)`. A linear map of the
    features alone cannot express the confidence of the class prediction; with u it
    can. v starts at 1, so that an uncertain image starts as a more ambiguous one; it is
    no kernel, so that no penalty on kernels pulls it to 0.
    "confidence" starts as p_a = 1 - m (a = 1, b = 0) and stays a rising function of it,
    so that the images with the least p_a are those with the most confident class.

    It computes in float32 whatever the dtype policy.

    Args:
        inputs: what it sees; one of the above. But for `"features"` it must be called
            with `class_probabilities`.
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

    >>> head = keras_dc3.layers.AmbiguityHead(inputs="confidence")
    >>> p_a = head(np.ones((2, 6)), np.array([[0.9, 0.1], [0.4, 0.6]]))
    >>> np.asarray(p_a).round(2)
    array([0.1, 0.4], dtype=float32)
    """

    def __init__(
        self,
        inputs: str = "features",
        stop_features: bool = False,
        activation: str | None = "sigmoid",
        kernel_initializer: Any = "glorot_normal",
        **kwargs: Any,
    ):
        super().__init__(**{"dtype": "float32", **kwargs})
        check_choice("inputs", inputs, AMBIGUITY_INPUTS)
        check_choice("stop_features", stop_features, (True, False))
        check_choice("activation", activation, ("sigmoid", None))
        self.inputs = inputs
        self.stop_features = stop_features
        self.activation = activation
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(
        self, features_shape: tuple, class_probabilities_shape: Any = None
    ) -> None:
        if self.inputs == "confidence":
            self.slope = self.add_weight(
                name="slope", shape=(), initializer="ones", constraint="non_neg"
            )
            self.bias = self.add_weight(name="bias", shape=(), initializer="zeros")
            return
        self.kernel = self.add_weight(
            name="kernel",
            shape=(features_shape[-1], 1),
            initializer=self.kernel_initializer,
        )
        if self.inputs == "features+uncertainty":
            self.uncertainty_weights = self.add_weight(
                name="uncertainty_weights", shape=(2,), initializer="ones"
            )
        self.bias = self.add_weight(name="bias", shape=(1,), initializer="zeros")

    def call(self, features: Any, class_probabilities: Any = None) -> Any:
        check_rank("features", features, 2, "(images, features)")
        if self.inputs != "features":
            if class_probabilities is None:
                raise ValueError(
                    f'An `AmbiguityHead` with `inputs="{self.inputs}"` must be called '
                    "as `head(features, class_probabilities)`. Received: "
                    "class_probabilities=None"
                )
            check_same_batch(features=features, class_probabilities=class_probabilities)
            class_probabilities = ops.stop_gradient(class_probabilities)
        if self.inputs == "confidence":
            logits = self.slope * error_logit(class_probabilities) + self.bias
        else:
            logits = self._of_features(features, class_probabilities)
        return ops.sigmoid(logits) if self.activation else logits

    def _of_features(self, features: Any, class_probabilities: Any) -> Any:
        if self.stop_features:
            features = ops.stop_gradient(features)
        logits = ops.matmul(features, self.kernel) + self.bias
        if self.inputs == "features+uncertainty":
            uncertainty = class_uncertainty(class_probabilities)
            weights = ops.expand_dims(self.uncertainty_weights, axis=-1)
            logits = logits + ops.matmul(uncertainty, weights)
        return ops.squeeze(logits, axis=-1)

    def compute_output_shape(
        self, features_shape: tuple, class_probabilities_shape: Any = None
    ) -> tuple:
        return (features_shape[0],)

    def get_config(self) -> dict[str, Any]:
        names = ("inputs", "stop_features", "activation", "kernel_initializer")
        return {**super().get_config(), **settings(self, *names)}
