"""L_S: two views of an ambiguous image belong into one cluster (section 2.2)."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register
from keras_dc3._validation import check_choice, check_rank, check_same_batch
from keras_dc3.losses._checks import check_cluster_pairs


def cluster_consistency(
    y_true: Any, y_pred: Any, ambiguity: Any = None, from_logits: bool = False
) -> Any:
    """Computes the cross-entropy between two views' clusters, weighted by p_a.

        L_S(x) p_a(x) = - p_a(x) sum_c p_o(x)[c] ln p_o(x')[c]

    Args:
        y_true: cluster probabilities of the one view, the target, float (n, k').
        y_pred: cluster probabilities of the other view, float (n, k').
        ambiguity: p_a, float (n,); None for 1 throughout.
        from_logits: whether `y_pred` holds logits instead of probabilities.

    Returns:
        Losses, float32 (n,). Probabilities below 1e-7 count as 1e-7.

    Raises:
        ValueError: if shapes do not fit each other.

    Example:

    >>> loss = keras_dc3.losses.cluster_consistency([[1.0, 0.0]], [[0.5, 0.5]])
    >>> np.asarray(loss).round(3)
    array([0.693], dtype=float32)
    """
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    check_cluster_pairs(y_true, y_pred)
    y_pred = ops.cast(y_pred, "float32")
    if from_logits:
        logarithms = ops.log_softmax(y_pred, axis=-1)
    else:
        logarithms = ops.log(ops.clip(y_pred, keras.config.epsilon(), 1.0))
    losses = -ops.sum(ops.cast(y_true, "float32") * logarithms, axis=-1)
    if ambiguity is None:
        return losses
    ambiguity = ops.convert_to_tensor(ambiguity)
    check_rank("ambiguity", ambiguity, 1, "(images,)")
    check_same_batch(y_true=y_true, ambiguity=ambiguity)
    return losses * ops.cast(ambiguity, "float32")


@register
class ClusterConsistency(keras.losses.Loss):
    """Cluster consistency as a Keras loss; p_a goes in as `sample_weight`.

    See `cluster_consistency`.

    Args:
        from_logits: whether predictions are logits instead of probabilities.
        reduction, name, dtype: as for every Keras loss.

    Example:

    >>> loss = keras_dc3.losses.ClusterConsistency(from_logits=True)
    >>> round(float(loss([[1.0, 0.0]], [[0.0, 0.0]])), 3)
    0.693
    """

    def __init__(
        self,
        from_logits: bool = False,
        reduction: str = "sum_over_batch_size",
        name: str = "cluster_consistency",
        dtype: Any = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        check_choice("from_logits", from_logits, (True, False))
        self.from_logits = from_logits

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return cluster_consistency(y_true, y_pred, from_logits=self.from_logits)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "from_logits": self.from_logits}
