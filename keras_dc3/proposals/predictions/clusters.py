"""Clusters of look-alikes for predictions, by k-means. NumPy only."""

from __future__ import annotations

import numpy as np

from keras_dc3._decision import is_ambiguous
from keras_dc3.metrics import joined_features, k_means

_PER_CLASS, _LEAST_SIZE = 5, 10  # clusters; ambiguous images per cluster, on average
_MOST_DISTANCES = 2**22  # computed at once


def cluster_probabilities_of(
    probabilities: np.ndarray,
    embeddings: np.ndarray | None,
    ambiguity: np.ndarray,
    num_clusters: int | None,
    seed: int,
) -> np.ndarray:
    """Returns p_o (n, k'); see `Proposals.from_predictions`.

    Args:
        probabilities: (n, k), rows sum to 1.
        embeddings: (n, d), or None.
        ambiguity: (n,).
        num_clusters: k'; None for five per class, but ten ambiguous images each.
        seed: of k-means.

    Raises:
        ValueError: if there are fewer ambiguous images than clusters.
    """
    points = 2.0 * np.sqrt(probabilities)
    if embeddings is not None:
        points = joined_features(embeddings, probabilities)
    asked = points[is_ambiguous(ambiguity)]
    if num_clusters is None:
        most = max(1, len(asked) // _LEAST_SIZE)
        num_clusters = min(_PER_CLASS * probabilities.shape[1], most)
    if num_clusters > max(1, len(asked)):
        raise ValueError(
            "`num_clusters` must be at most the number of ambiguous images, "
            f"{len(asked):,}. Received: num_clusters={num_clusters}"
        )
    if not len(asked):
        return np.ones((len(points), 1))
    centers, of = k_means(asked, num_clusters, seed)
    squares = ((asked - centers[of]) ** 2).sum(axis=1)
    size = float(squares.mean()) or 1.0
    found = np.empty((len(points), num_clusters))
    step = max(1, _MOST_DISTANCES // centers.size)
    for start in range(0, len(points), step):
        part = points[start : start + step, None] - centers
        near = -(part**2).sum(axis=2) / size
        near = np.exp(near - near.max(axis=1, keepdims=True))
        found[start : start + step] = near / near.sum(axis=1, keepdims=True)
    return found
