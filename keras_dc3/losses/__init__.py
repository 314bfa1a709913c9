"""The losses of DC3: per-image functions, and Keras losses around them."""

from keras_dc3.losses.batch_rank import (
    BatchRankAmbiguity,
    batch_rank_targets,
    binary_cross_entropy_with_logits,
)
from keras_dc3.losses.cluster_consistency import (
    ClusterConsistency,
    cluster_consistency,
)
from keras_dc3.losses.inverse_cross_entropy import (
    InverseCrossEntropy,
    inverse_cross_entropy,
    partner_weights,
    partnered_inverse_cross_entropy,
)

__all__ = [
    "BatchRankAmbiguity",
    "ClusterConsistency",
    "InverseCrossEntropy",
    "batch_rank_targets",
    "binary_cross_entropy_with_logits",
    "cluster_consistency",
    "inverse_cross_entropy",
    "partner_weights",
    "partnered_inverse_cross_entropy",
]
