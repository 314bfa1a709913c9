"""L_A: the most ambiguous part of a batch shall be called ambiguous (eq. 3)."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_dc3 import collective as collective_module
from keras_dc3._registration import register, settings
from keras_dc3._validation import check_choice, check_probability, check_rank


def _floor_of_product(count: Any, prior: float) -> Any:
    """Returns floor(count * prior), computed in double precision."""
    if isinstance(count, int):
        return math.floor(count * prior)
    # Only TensorFlow has batch sizes that are unknown while tracing, and it has
    # float64; in float32, floor(0.29 * 100) would be another number.
    return ops.cast(ops.floor(ops.cast(count, "float64") * prior), "int32")


def batch_rank_targets(ambiguity: Any, prior: float) -> Any:
    """Marks the largest scores of a batch: the pseudo-label h(x) of eq. 3.

    Eq. 3 as printed would mark the smallest; the paper's text and its authors' code
    mean the largest.

    Args:
        ambiguity: p_a, its logit, or any other score to rank by, float (n,).
        prior: p_A, the expected fraction of ambiguous images, in [0, 1].

    Returns:
        Targets, float32 (n,), without gradient: exactly `floor(n * prior)` ones, on
        the largest scores. Of equal scores the earlier image comes first.

    Raises:
        ValueError: if `prior` lies outside [0, 1] or `ambiguity` is not rank 1.

    Example:

    >>> targets = keras_dc3.losses.batch_rank_targets([0.1, 0.9, 0.9, 0.4], prior=0.5)
    >>> np.asarray(targets).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    check_probability("prior", prior)
    ambiguity = ops.stop_gradient(ops.convert_to_tensor(ambiguity))
    check_rank("ambiguity", ambiguity, 1, "(images,)")
    # Sorting positions by score, and then those positions, gives each image's rank.
    # Both sorts are stable on every backend, which breaks ties by position.
    order = ops.argsort(-ops.cast(ambiguity, "float32"))
    rank = ops.argsort(order)
    ones = _floor_of_product(ops.shape(ambiguity)[0], prior)
    return ops.cast(rank < ones, "float32")


def binary_cross_entropy_with_logits(targets: Any, logits: Any) -> Any:
    """Returns -h ln p - (1 - h) ln(1 - p) for p = sigmoid(logits), stable, (n,).

    Example:

    >>> loss = keras_dc3.losses.binary_cross_entropy_with_logits([1.0, 0.0], [0.0, 0.0])
    >>> np.asarray(loss).round(3)
    array([0.693, 0.693], dtype=float32)
    """
    logits = ops.cast(logits, "float32")
    return ops.softplus(logits) - ops.cast(targets, "float32") * logits


@register
class BatchRankAmbiguity(keras.losses.Loss):
    """Binary cross-entropy of p_a against its own rank in the batch (L_A, eq. 3).

    It needs no labels: `y_true` is ignored, and may be anything of the same length.
    Under `tf.distribute` the rank is taken over the global batch. This is the loss of
    the paper, for networks of your own; the objective of `DC3Model` ranks by
    `DC3Config.rank_by`, by default not by p_a (`DC3Objective.rank`).

    Args:
        prior: p_A, the expected fraction of ambiguous images, in [0, 1].
        from_logits: whether predictions are logits instead of probabilities.
        reduction, name, dtype: as for every Keras loss.

    Example:

    >>> loss = keras_dc3.losses.BatchRankAmbiguity(prior=0.5)
    >>> p_a = np.array([0.9, 0.1])
    >>> round(float(loss(p_a, p_a)), 3)
    0.105
    """

    def __init__(
        self,
        prior: float = 0.6,
        from_logits: bool = False,
        reduction: str = "sum_over_batch_size",
        name: str = "batch_rank_ambiguity",
        dtype: Any = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        check_probability("prior", prior)
        check_choice("from_logits", from_logits, (True, False))
        self.prior = prior
        self.from_logits = from_logits

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(y_pred.shape) == 2 and y_pred.shape[1] == 1:
            y_pred = ops.squeeze(y_pred, axis=1)
        check_rank("y_pred", y_pred, 1, "(images,) or (images, 1)")
        collective = collective_module.current()
        scores = collective.gather(ops.stop_gradient(y_pred))
        targets = collective.local(batch_rank_targets(scores, self.prior), y_pred)
        if self.from_logits:
            return binary_cross_entropy_with_logits(targets, y_pred)
        epsilon = keras.config.epsilon()
        y_pred = ops.clip(ops.cast(y_pred, "float32"), epsilon, 1.0 - epsilon)
        return -targets * ops.log(y_pred) - (1.0 - targets) * ops.log1p(-y_pred)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **settings(self, "prior", "from_logits")}
