"""Scores of proposals against what people answered (paper 3.2). NumPy only."""

from keras_dc3.metrics.classification import (
    area_under_roc,
    constant_majority_f1,
    f1_of_most_confident,
    weighted_f1,
)
from keras_dc3.metrics.findings import Finding, Verdict
from keras_dc3.metrics.honest_context import honest_context
from keras_dc3.metrics.k_means import joined_features, k_means
from keras_dc3.metrics.mean_inner_distance import (
    mean_inner_distance,
    size_weighted_inner_distance,
)
from keras_dc3.metrics.proposal_scores import proposal_scores
from keras_dc3.metrics.score_intervals import score_intervals
from keras_dc3.metrics.score_table import format_scores
from keras_dc3.metrics.selective_score import selective_score
from keras_dc3.metrics.verdict import verdict

__all__ = [
    "Finding",
    "Verdict",
    "area_under_roc",
    "constant_majority_f1",
    "f1_of_most_confident",
    "format_scores",
    "honest_context",
    "joined_features",
    "k_means",
    "mean_inner_distance",
    "proposal_scores",
    "score_intervals",
    "selective_score",
    "size_weighted_inner_distance",
    "verdict",
    "weighted_f1",
]
