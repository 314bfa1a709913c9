"""Groups cut into more, so that two ways of grouping compare. NumPy only."""

from __future__ import annotations

import heapq

import numpy as np

_CUTS = 5  # that are averaged


def as_many_groups(
    groups: np.ndarray, number: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Cuts groups at random until there are `number` of them.

    More and smaller groups lie closer around their centroids, whatever is in them: by
    one degree of freedom each. Cut so, both ways of grouping have as many.

    Args:
        groups: int (n,), the group of each image.
        number: of groups, at least as many as there are, at most n.
        rng: of the cuts.

    Returns:
        Some cuts, each int (n,); the groups alone if there are as many already.
    """
    found, member_of, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if len(found) == number:
        return [groups]
    parts = np.ones(len(found), "int64")
    largest = [(-size, group) for group, size in enumerate(sizes.tolist())]
    heapq.heapify(largest)
    for _ in range(number - len(found)):  # a further cut of the largest parts
        _, group = heapq.heappop(largest)
        parts[group] += 1
        left = sizes[group] / (parts[group]) if parts[group] < sizes[group] else 0.0
        heapq.heappush(largest, (-left, group))
    first = np.cumsum(parts) - parts
    cuts = []
    for _ in range(_CUTS):
        cut = np.empty(len(groups), "int64")
        for group, start in enumerate(first):
            rows = rng.permutation(np.flatnonzero(member_of == group))
            cut[rows] = start + np.arange(len(rows)) % parts[group]
        cuts.append(cut)
    return cuts
