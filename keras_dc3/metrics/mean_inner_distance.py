"""d: how much people's answers differ within a cluster (paper 3.2, eq. 4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import check_indices, check_same_batch, check_soft_labels


def _distances(
    soft_labels: ArrayLike, clusters: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Returns each non-empty cluster's mean distance and size, both (clusters,)."""
    check_soft_labels("soft_labels", soft_labels)
    labels = np.asarray(soft_labels, dtype="float64")
    clusters = check_indices("clusters", clusters)
    check_same_batch(soft_labels=labels, clusters=clusters)
    found, member_of = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(member_of, minlength=len(found))
    centroids = np.zeros((len(found), labels.shape[1]))
    np.add.at(centroids, member_of, labels)
    centroids /= sizes[:, None]
    distances = np.linalg.norm(labels - centroids[member_of], axis=1)
    means = np.bincount(member_of, weights=distances, minlength=len(found)) / sizes
    return means, sizes


def mean_inner_distance(soft_labels: ArrayLike, clusters: ArrayLike) -> float:
    """Computes the mean inner distance d of a clustering.

        d(X) = 1/|X| sum_{C in X} 1/|C| sum_{x in C} ||l(x) - mu_C||_2      (eq. 4)

    X is the set of the non-empty clusters, each weighing the same, and mu_C the mean
    soft label of cluster C. A cluster of one image has distance 0, so many small
    clusters lower d without being any better: read it beside
    `size_weighted_inner_distance`.

    Args:
        soft_labels: l, what people answered, float (n, k), each row sums to 1.
        clusters: the cluster (or predicted class) of each image, int (n,), at least 0.

    Returns:
        d in [0, sqrt(2)], smaller is better: 0 if people answered alike on all images
        of a cluster, in every cluster. NaN without any image.

    Raises:
        ValueError: if a row of `soft_labels` is no distribution, `clusters` are not
            integers of at least 0, or their lengths differ.

    Example:

    >>> d = keras_dc3.metrics.mean_inner_distance([[1, 0], [0, 1], [0, 1]], [0, 0, 1])
    >>> round(d, 4)
    0.3536

    Reference:
        Schmarje et al., "A data-centric approach for improving ambiguous labels with
        combined semi-supervised classification and clustering", 2022, eq. 4.
    """
    means, _ = _distances(soft_labels, clusters)
    return float(means.mean()) if means.size else float("nan")


def size_weighted_inner_distance(soft_labels: ArrayLike, clusters: ArrayLike) -> float:
    """Computes d with each cluster weighing by its share of the images.

        d_w(X) = 1/n sum_{C in X} sum_{x in C} ||l(x) - mu_C||_2

    This is the mean distance of an image to the centroid of its cluster. Unlike eq. 4
    it cannot be lowered by a few tiny clusters beside a large mixed one.

    Args, range, and errors are those of `mean_inner_distance`.

    Example:

    >>> d = keras_dc3.metrics.size_weighted_inner_distance(
    ...     [[1, 0], [0, 1], [0, 1]], [0, 0, 1]
    ... )
    >>> round(d, 4)
    0.4714
    """
    means, sizes = _distances(soft_labels, clusters)
    return float(np.average(means, weights=sizes)) if means.size else float("nan")
