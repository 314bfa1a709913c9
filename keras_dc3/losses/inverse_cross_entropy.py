"""CE^-1: pushes images of different classes into different clusters (eq. 2)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register
from keras_dc3._validation import check_choice, check_same_batch
from keras_dc3.losses._checks import (
    check_classes,
    check_cluster_pairs,
    check_same_clusters,
)

# Least value of 1 - p inside the logarithm, as in the authors' code: the loss of one
# cluster is at most -ln(1e-7) = 16.1, and its gradient stays finite.
EPSILON = 1e-7
# Up to so many classes sums by class are faster than sums by image, for all but tiny
# batches.
_FEW_CLASSES = 64


def _log_complement(probabilities: Any) -> Any:
    """Returns ln(1 - p), (n, k'), float32, with 1 - p at least `EPSILON`."""
    probabilities = ops.cast(probabilities, "float32")
    return ops.log(ops.clip(1.0 - probabilities, EPSILON, 1.0))


def inverse_cross_entropy(y_true: Any, y_pred: Any) -> Any:
    """Computes the inverse cross-entropy of two cluster distributions.

        CE^-1(p, q) = - sum_c p[c] ln(1 - q[c])                           (eq. 2)

    It is 0 where the two distributions share no cluster and grows as they agree on
    one. The sum runs over all clusters.

    Args:
        y_true: p, cluster probabilities of the anchor images, float (n, k').
        y_pred: q, cluster probabilities of their partner images, float (n, k').

    Returns:
        Losses, float32 (n,), at least 0. 1 - q is clipped to at least 1e-7.

    Raises:
        ValueError: if shapes differ, or are not of rank 2.

    Example:

    >>> loss = keras_dc3.losses.inverse_cross_entropy([[1.0, 0.0]], [[0.5, 0.5]])
    >>> np.asarray(loss).round(3)
    array([0.693], dtype=float32)

    Reference:
        Schmarje et al., "A data-centric approach for improving ambiguous labels with
        combined semi-supervised classification and clustering", 2022, eq. 2.
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    check_cluster_pairs(y_true, y_pred)
    return -ops.sum(ops.cast(y_true, "float32") * _log_complement(y_pred), axis=-1)


def partner_weights(
    classes: Any, pool_classes: Any, partner: str = "mean", seed: Any = None
) -> Any:
    """Computes which images of a pool are partners of which anchors, and how much.

    A partner of an anchor is any image of another class.

    Args:
        classes: classes of the anchors, int (n,).
        pool_classes: classes of the pool's images, int (m,).
        partner: `"mean"`: every partner weighs the same; `"random"`: one partner,
            drawn uniformly, weighs 1.
        seed: a `keras.random.SeedGenerator` or int, for `"random"`.

    Returns:
        Weights, float32 (n, m), without gradient: each row sums to 1, or is 0
        throughout where the pool holds no image of another class.

    Raises:
        ValueError: if classes are not of rank 1, or `partner` is unknown.

    Example:

    >>> weights = keras_dc3.losses.partner_weights([0], [0, 1, 1])
    >>> np.asarray(weights).tolist()
    [[0.0, 0.5, 0.5]]
    """
    check_choice("partner", partner, ("mean", "random"))
    classes = ops.convert_to_tensor(classes)
    pool_classes = ops.convert_to_tensor(pool_classes)
    check_classes(classes=classes, pool_classes=pool_classes)
    other = ops.not_equal(ops.expand_dims(classes, 1), ops.expand_dims(pool_classes, 0))
    other = ops.cast(other, "float32")
    if partner == "random":
        # The largest of independent uniform numbers is a uniform draw, with static
        # shapes. +1 keeps the smallest draw above every image that is no partner.
        draws = keras.random.uniform(ops.shape(other), seed=seed) + 1.0
        chosen = ops.one_hot(
            ops.argmax(draws * other, axis=1), ops.shape(other)[1], dtype="float32"
        )
        return ops.stop_gradient(chosen * other)
    count = ops.sum(other, axis=1, keepdims=True)
    return ops.stop_gradient(other / ops.maximum(count, 1.0))


def partnered_inverse_cross_entropy(
    clusters: Any,
    classes: Any,
    pool_clusters: Any,
    pool_classes: Any,
    partner: str = "mean",
    seed: Any = None,
    num_classes: int | None = None,
) -> Any:
    """Computes CE^-1 of each anchor against its partners in a pool.

        L_inv(x) = sum_x' weight(x, x') CE^-1(p_o(x), p_o(x'))

    With `partner="mean"` this is the mean over all partners, at the cost of one
    (n, m) x (m, k') product; where classes are known to be few, of one with each of
    these, so that it grows with the batch, not with its square. An anchor without any
    partner contributes 0.

    Args:
        clusters: p_o of the anchors, float (n, k').
        classes: classes of the anchors, int (n,).
        pool_clusters: p_o of the pool, float (m, k').
        pool_classes: classes of the pool, int (m,).
        partner: `"mean"` or `"random"`, see `partner_weights`.
        seed: a `keras.random.SeedGenerator` or int, for `"random"`.
        num_classes: k, of which all classes are; None if it is not known.

    Returns:
        Losses, float32 (n,).

    Raises:
        ValueError: if shapes do not fit each other, or `partner` is unknown.

    Example:

    >>> clusters = [[1.0, 0.0], [0.5, 0.5]]
    >>> loss = keras_dc3.losses.partnered_inverse_cross_entropy(
    ...     clusters, [0, 1], clusters, [0, 1]
    ... )
    >>> tuple(loss.shape)
    (2,)
    """
    clusters = ops.convert_to_tensor(clusters)
    pool_clusters = ops.convert_to_tensor(pool_clusters)
    check_same_clusters(clusters=clusters, pool_clusters=pool_clusters)
    classes = ops.convert_to_tensor(classes)
    pool_classes = ops.convert_to_tensor(pool_classes)
    check_classes(classes=classes, pool_classes=pool_classes)
    check_same_batch(clusters=clusters, classes=classes)
    check_same_batch(pool_clusters=pool_clusters, pool_classes=pool_classes)
    logarithms = _log_complement(pool_clusters)
    if partner == "mean" and num_classes is not None and num_classes <= _FEW_CLASSES:
        means = _means_of_others(classes, pool_classes, logarithms, num_classes)
    else:
        weights = partner_weights(classes, pool_classes, partner, seed)
        means = ops.matmul(weights, logarithms)
    return -ops.sum(ops.cast(clusters, "float32") * means, axis=-1)


def _means_of_others(
    classes: Any, pool_classes: Any, values: Any, num_classes: int
) -> Any:
    """Returns `partner_weights(classes, pool_classes) @ values`, summed by class first.

    Args:
        classes: int (n,).
        pool_classes: int (m,).
        values: float32 (m, d).
        num_classes: of the classes.
    """
    by_class = ops.one_hot(pool_classes, num_classes, axis=0, dtype="float32")  # (k, m)
    other = 1.0 - ops.one_hot(classes, num_classes, dtype="float32")  # (n, k)
    count = ops.matmul(other, ops.sum(by_class, axis=1, keepdims=True))
    return ops.matmul(other, ops.matmul(by_class, values)) / ops.maximum(count, 1.0)


@register
class InverseCrossEntropy(keras.losses.Loss):
    """Inverse cross-entropy as a Keras loss. See `inverse_cross_entropy`.

    Args:
        reduction, name, dtype: as for every Keras loss.

    Example:

    >>> loss = keras_dc3.losses.InverseCrossEntropy()
    >>> round(float(loss([[1.0, 0.0]], [[0.5, 0.5]])), 3)
    0.693
    """

    def __init__(
        self,
        reduction: str = "sum_over_batch_size",
        name: str = "inverse_cross_entropy",
        dtype: Any = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return inverse_cross_entropy(y_true, y_pred)
