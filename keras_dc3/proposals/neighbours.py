"""Which groups lie nearest to each other. NumPy; faiss where there are many."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3._extras import optional

MOST_EXACT = 2000  # points of which all distances are computed
_FURTHER = 13  # nearest of float32 that are looked at, besides those asked for
_ROUNDING = 2.0**-23  # of a squared distance in float32, by feature and largest square
_AT_ONCE = 1024


def nearest(
    points: np.ndarray, number: int, among: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns (positions, distances) of the nearest others of each point.

    Of more than 2,000 points faiss, where it is installed (extra `neighbours`), finds
    the few that can be it; their distances are then computed as those of all are. The
    result is the same.

    Args:
        points: float64 (n, d).
        number: how many to return at most.
        among: int (m,), positions of those that may be returned, in rising order.
    """
    index = _index(points, among)
    if index is None:
        return [_of_one(points, row, number, among) for row in range(len(points))]
    scaled, index = index
    largest = float(np.einsum("ij,ij->i", scaled, scaled).max())
    limit = _ROUNDING * points.shape[1] * largest
    wanted = min(number + 1 + _FURTHER, len(among))
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for start in range(0, len(points), _AT_ONCE):
        far, near = index.search(scaled[start : start + _AT_ONCE], wanted)
        for row, (squares, rows) in enumerate(zip(far, near, strict=True), start):
            near_one = _of_one(points, row, number, np.sort(among[rows]))
            ours = ((scaled[near_one[0]] - scaled[row]) ** 2).sum(axis=1)
            # Whoever was left out is farther, whatever float32 has rounded away.
            if wanted < len(among) and ours.max(initial=0) + limit >= squares[-1]:
                near_one = _of_one(points, row, number, among)
            found.append(near_one)
    return found


def _of_one(
    points: np.ndarray, row: int, number: int, among: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    others = among[among != row]
    distances = np.linalg.norm(points[others] - points[row], axis=1)
    order = np.argsort(distances, kind="stable")[:number]
    return others[order], distances[order]


def _index(points: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, Any] | None:
    """Returns points as float32 of size 1, and an index of some; None without one."""
    if len(points) <= MOST_EXACT:
        return None
    try:
        faiss = optional("faiss", "Many groups need faiss", "neighbours")
    except ImportError:
        return None  # it takes longer, and the result is the same
    moved = points - points.mean(axis=0)
    scaled = (moved / (np.abs(moved).max() or 1.0)).astype("float32")
    index = faiss.IndexFlatL2(points.shape[1])
    index.add(np.ascontiguousarray(scaled[among]))
    return scaled, index
