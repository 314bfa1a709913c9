"""Classes that were chosen equally often. One rule for all scores and counts.

Where m classes tie for the most answers, the image counts 1 / m for each of them, as if
the tie were decided by lot. No class gains by its name or its place. NumPy only.
"""

from __future__ import annotations

import numpy as np

_ALIKE = 1e-6  # relative: soft labels may be float32, or means of some


def most_chosen(values: np.ndarray) -> np.ndarray:
    """Returns (n, k) bool, the classes with the largest of (n, k) counts or shares.

    A row of zeros has none.
    """
    values = np.asarray(values, "float64")
    most = values.max(axis=1, keepdims=True)
    return (values >= most * (1.0 - _ALIKE)) & (most > 0)


def is_tied(values: np.ndarray) -> np.ndarray:
    """Returns (n,) bool: whether several classes have the largest count or share."""
    return most_chosen(values).sum(axis=1) > 1


def equal_shares(values: np.ndarray) -> np.ndarray:
    """Returns (n, k) float64: 1 / m for each of the m most chosen classes, else 0."""
    chosen = most_chosen(values)
    return chosen / np.maximum(chosen.sum(axis=1, keepdims=True), 1)
