"""k-means, the rival that the clusters of a model must beat. NumPy only."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._text import number_of
from keras_dc3._validation import (
    check_distributions,
    check_matrix,
    check_positive_int,
    check_same_batch,
    check_seed,
)

_MOST_ITERATIONS = 50
_MOST_DISTANCES = 2**20  # computed at once
# Squared, where the largest coordinate is 1: what rounding may add to a distance of 0.
_ROUNDING = 1e-24


def check_points(name: str, values: Any, columns: str) -> np.ndarray:
    """Returns points (n, d) as float64.

    Raises:
        ValueError: unless they have rank 2, a column at least, and are finite.
    """
    wanted = f"numbers, shape ({columns})"
    values = check_matrix(name, values, wanted).astype("float64")
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"`{name}` must be finite, but "
            f"{number_of(int((~finite).sum()), 'row holds', 'rows hold')} NaN or "
            f"infinity: the first is row {int(np.argmin(finite))}."
        )
    return values


def k_means(
    points: ArrayLike, num_clusters: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Divides points into clusters that are close together.

    Lloyd's iterations, 50 at most, from greedy k-means++ (Arthur and Vassilvitskii,
    2007): of a few candidates, drawn by their squared distance to the centers so far,
    the one that helps most is the next center. A cluster that lost all its points
    starts anew at the point that is farthest from its center. Distances are computed in
    parts: the memory needed is that of a few copies of the points.

    Args:
        points: float (n, d), finite.
        num_clusters: k, at most n. Where fewer points differ, some clusters stay empty.
        seed: an integer of at least 0; the same seed gives the same clusters.

    Returns:
        The centers, float64 (k, d), each the mean of its points if it has any, and the
        cluster of each point, int64 (n,), in 0..k - 1.

    Raises:
        ValueError: if an argument is not as described.

    Example:

    >>> centers, assignment = keras_dc3.metrics.k_means([[0.0], [1.0], [9.0]], 2)
    >>> sorted(centers.ravel().round(4).tolist())
    [0.5, 9.0]
    >>> bool(assignment[0] == assignment[1] != assignment[2])
    True
    """
    points = check_points("points", points, "points, coordinates")
    check_positive_int("num_clusters", num_clusters)
    check_seed(seed)
    if num_clusters > len(points):
        raise ValueError(
            "`num_clusters` must be at most the number of points. Received: "
            f"{num_clusters} clusters for {len(points)} points."
        )
    # Neither huge values nor a large distance from the origin cost digits.
    scale = float(np.abs(points).max()) or 1.0
    points /= scale
    middle = points.mean(axis=0)
    points -= middle
    centers = _first_centers(points, num_clusters, np.random.default_rng(seed))
    assignment = None
    for _ in range(_MOST_ITERATIONS):
        nearest = _nearest(points, centers)
        _fill_empty(points, centers, nearest)
        if assignment is not None and (nearest == assignment).all():
            break
        assignment = nearest
        _move_to_means(centers, points, assignment)
    return (centers + middle) * scale, assignment


def joined_features(features: ArrayLike, class_probabilities: ArrayLike) -> np.ndarray:
    """Joins what a model sees in images with what it takes them for, for `k_means`.

        (f / ||f||_2, 2 sqrt(p_n))

    Features alone know nothing of the classes, and p_n alone nothing of how images
    look. Both parts have length 1 or 2 for every image, whatever the network.

    Args:
        features: f, float (n, d), finite, such as the output of the backbone. A row of
            zeros stays one.
        class_probabilities: p_n, float (n, k), each row sums to 1.

    Returns:
        float64 (n, d + k).

    Raises:
        ValueError: if an argument is not as described, or lengths differ.

    Example:

    >>> keras_dc3.metrics.joined_features([[3.0, 4.0]], [[1.0, 0.0]]).tolist()
    [[0.6, 0.8, 2.0, 0.0]]
    """
    features = check_points("features", features, "images, features")
    probabilities = check_distributions("class_probabilities", class_probabilities)
    check_same_batch(features=features, class_probabilities=probabilities)
    largest = np.abs(features).max(axis=1, keepdims=True)
    features /= np.where(largest > 0, largest, 1.0)  # so that no square overflows
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    features /= np.where(norms > 0, norms, 1.0)
    return np.concatenate([features, 2.0 * np.sqrt(probabilities)], axis=1)


def _first_centers(
    points: np.ndarray, number: int, rng: np.random.Generator
) -> np.ndarray:
    candidates = 2 + int(math.log(number))
    centers = np.empty((number, points.shape[1]))
    centers[0] = points[rng.integers(len(points))]
    closest = _squared_distances(points, centers[:1])[:, 0]
    for i in range(1, number):
        total = np.cumsum(closest)
        drawn = np.searchsorted(total, rng.random(candidates) * total[-1], "right")
        drawn = points[np.minimum(drawn, len(points) - 1)]
        after = np.minimum(_squared_distances(points, drawn), closest[:, None])
        best = int(after.sum(axis=0).argmin())
        centers[i], closest = drawn[best], after[:, best]
    return centers


def _squared_distances(points: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Returns (points, centers)."""
    products = points @ centers.T
    products *= -2.0
    products += np.einsum("ij,ij->i", points, points)[:, None]
    products += np.einsum("ij,ij->i", centers, centers)
    return np.maximum(products, 0.0, out=products)


def _nearest(points: np.ndarray, centers: np.ndarray) -> np.ndarray:
    step = max(1, _MOST_DISTANCES // len(centers))
    nearest = np.empty(len(points), "int64")
    for i in range(0, len(points), step):
        part = slice(i, i + step)
        nearest[part] = _squared_distances(points[part], centers).argmin(axis=1)
    return nearest


def _fill_empty(points: np.ndarray, centers: np.ndarray, nearest: np.ndarray) -> None:
    """Moves the farthest point of all into each empty cluster, within `nearest`."""
    sizes = np.bincount(nearest, minlength=len(centers))
    empty = np.flatnonzero(sizes == 0)
    if not empty.size:
        return
    distances = ((points - centers[nearest]) ** 2).sum(axis=1)
    for cluster in empty:
        free = np.where(sizes[nearest] > 1, distances, 0.0)
        farthest = int(free.argmax())
        if free[farthest] <= _ROUNDING:
            return
        sizes[nearest[farthest]] -= 1
        sizes[cluster] = 1
        nearest[farthest], distances[farthest] = cluster, 0.0


def _move_to_means(
    centers: np.ndarray, points: np.ndarray, assignment: np.ndarray
) -> None:
    """Moves centers to the mean of their points; those without any stay."""
    order = np.argsort(assignment, kind="stable")
    found, starts, sizes = np.unique(
        assignment[order], return_index=True, return_counts=True
    )
    centers[found] = np.add.reduceat(points[order], starts) / sizes[:, None]
