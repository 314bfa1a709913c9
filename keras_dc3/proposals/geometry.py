"""Where images lie to each other: medoids, and gaps between them. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

_MOST_DISTANCES = 2**22  # computed at once
_MOST_PAIRS = 20_000**2  # of points, one of which may be a medoid
# What a flat hump leaves between two means (below); half of it is a gap.
_FLAT, _GAP, _CHANCE, _LEAST_SIDE = 1 / 6, 1 / 12, 1e-3, 0.1

Divide = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray] | None]


def medoids(points: np.ndarray, number: int = 3) -> np.ndarray:
    """Returns the positions of the points with the smallest sums of distances.

    The sums are computed in parts, for the points nearest to the mean first, and only
    as long as one may be smaller than those found: the sum of a point at the distance r
    from the mean of n points is n r at least. Of n > 20,000 points, only the
    20,000^2 / n nearest to the mean are candidates.

    Args:
        points: float (n, d), n at least 1.
        number: how many to return at most.

    Returns:
        int (min(number, n),), the smallest sum first, the first of equals first.
    """
    points = centered(points)
    n = len(points)
    squares = np.einsum("ij,ij->i", points, points)
    order = np.argsort(squares, kind="stable")[: _MOST_PAIRS // n + 1]
    sums = np.full(n, np.inf)
    step = max(1, _MOST_DISTANCES // n)
    for start in range(0, len(order), step):
        part = order[start : start + step]
        found = np.partition(sums, number - 1)[number - 1] if number <= n else np.inf
        if n * math.sqrt(squares[part[0]]) > found * (1 + 1e-9):
            break
        distances = points[part] @ points.T
        distances *= -2.0
        distances += squares
        distances += squares[part, None]
        np.sqrt(np.maximum(distances, 0.0, out=distances), out=distances)
        distances[np.arange(len(part)), part] = 0.0
        sums[part] = distances.sum(axis=1)
    # Rounding must not decide between equals.
    sums = np.round(sums / (np.min(sums) or 1.0), 9)
    return np.argsort(sums, kind="stable")[:number]


def centered(points: np.ndarray) -> np.ndarray:
    """Returns points as float64 around 0, so that a large offset costs no digits."""
    points = np.asarray(points, "float64")
    return points - total(points) / len(points)


def total(points: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
    """Returns the sum of points, added one after the other.

    So that parts, each with the total of those before, give to the last bit what all
    at once do.

    Args:
        points: float64 (n, d), n at least 1.
        before: (d,), the total of points before them.
    """
    if before is not None:
        points = np.concatenate([before[None], points])
    if points.shape[1] == 1:  # which NumPy would add in pairs
        return np.cumsum(points, axis=0)[-1]
    return np.add.reduce(points, axis=0)


def spread(points: np.ndarray) -> float:
    """Returns the root mean square distance of points to their mean."""
    return float(math.sqrt((centered(points) ** 2).sum(axis=1).mean()))


def has_gap(points: np.ndarray, divide: Divide) -> bool:
    """Returns whether points fall clearly into two parts.

    `divide` finds two centers in one half of the points, and the others are put onto
    the line through these centers; then the halves change places, so that no point
    bears witness to a line it has drawn itself. On the line, the means of both sides
    lie at -1 and 1, and the gap is what lies within 1/3 of the middle. A Gaussian
    leaves 21% of its points there, a flat hump 1/6. The points have a gap if

    - at most 1/12 of them lie in it, half as many as of a flat hump,
    - that is no chance: of a flat hump, so few would be found once in 1,000 times at
      most, so that 38 points are needed at least, and
    - each side holds a tenth of the points at least.

    Args:
        points: float (n, d).
        divide: from positions of points to their two centers (d,), or None.
    """
    n = len(points)
    order = np.random.default_rng(0).permutation(n)
    inside = left = seen = 0
    for rows, others in ((order[::2], order[1::2]), (order[1::2], order[::2])):
        if not rows.size or not others.size:
            return False
        centers = divide(rows)
        if centers is None:
            return False
        line = centers[1] - centers[0]
        place = (points[others] - (centers[0] + centers[1]) / 2) @ line
        side = place < 0
        if side.all() or not side.any():
            return False
        low, high = place[side].mean(), place[~side].mean()
        place = (2 * place - low - high) / (high - low)
        inside += int((np.abs(place) < 1 / 3).sum())
        # Which center is the first one may change with the halves.
        left += int(min(side.sum(), (~side).sum()))
        seen += len(others)
    return (
        inside <= _GAP * seen
        and left >= _LEAST_SIDE * seen
        and _at_most(inside, seen, _FLAT) <= _CHANCE
    )


def _at_most(count: int, trials: int, probability: float) -> float:
    """Returns the binomial probability of `count` successes or fewer."""
    log_p, log_q = math.log(probability), math.log1p(-probability)
    return sum(
        math.exp(
            math.lgamma(trials + 1)
            - math.lgamma(i + 1)
            - math.lgamma(trials - i + 1)
            + i * log_p
            + (trials - i) * log_q
        )
        for i in range(count + 1)
    )
