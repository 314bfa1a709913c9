"""Disagreement of classes that have an order. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_dc3.agreement.estimate import ratio

WEIGHTS = ("linear", "quadratic")


class OrdinalPairs:
    """Weighted disagreement of pairs of series of answers on common images.

        kappa_w = 1 - sum_cd w_cd O_cd / sum_cd w_cd E_cd

    with the shares O of the pairs of classes (c, d), those E of independent series with
    the same shares of the classes, and `w_cd = |c - d|`, or its square. Cohen (1968).

    Args:
        first, second: (e,) class of either series at each entry.
        pair: (e,) which pair of series an entry belongs to, 0..p - 1.
        num_pairs: p.
        num_classes: k.
        weights: "linear" or "quadratic".
    """

    def __init__(
        self,
        first: np.ndarray,
        second: np.ndarray,
        pair: np.ndarray,
        num_pairs: int,
        num_classes: int,
        weights: str,
    ):
        self.pair, self.size = pair, num_pairs
        self.squared = weights == "quadratic"
        if self.squared:
            self.series = [(first.astype("float64"), second.astype("float64"))]
        else:  # |c - d| is the number of steps between classes that lie between them
            steps = range(num_classes - 1)
            self.series = [(first > step, second > step) for step in steps]
        self.distance = abs(first - second) ** (2.0 if self.squared else 1.0)

    def kappa(self, weight: np.ndarray, number: np.ndarray) -> np.ndarray:
        """Returns weighted kappa (p,); NaN where both series have one class only.

        Args:
            weight: (e,) how much each entry counts.
            number: (p,) the sums of these.
        """
        observed = self._mean(self.distance, weight, number)
        expected = np.zeros(self.size)
        for first, second in self.series:
            x, y = (self._mean(part, weight, number) for part in (first, second))
            if self.squared:
                squares = first**2 + second**2
                expected += self._mean(squares, weight, number) - 2 * x * y
            else:
                expected += x * (1 - y) + y * (1 - x)
        return 1 - ratio(observed, np.where(expected > 1e-12, expected, 0.0))

    def _mean(self, values, weight, number) -> np.ndarray:
        return ratio(np.bincount(self.pair, weight * values, self.size), number)


def ordinal_alpha(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns Krippendorff's alpha with the ordinal distance (b,), for weights (b, n).

    With N_c answers c, the distance of the classes c < d is
    `(N_c / 2 + N_c+1 + ... + N_d / 2)^2`, that of their middle ranks.

    Args:
        counts: (n, k) float64, of images with two or more answers; else rows of 0.
        weights: (b, n) how much each image counts.
    """
    total = counts.sum(axis=1)
    other = np.where(total > 1, 1 / np.maximum(total - 1, 1), 0.0)
    classes = weights @ counts
    number = classes.sum(axis=1)
    rank = classes.cumsum(axis=1) - classes / 2
    squares = weights @ (counts * (total * other)[:, None])
    sums = (counts @ rank.T) ** 2 * other[:, None]  # (n, b)
    observed = (squares * rank**2).sum(axis=1) - (weights * sums.T).sum(axis=1)
    expected = number * (classes * rank**2).sum(axis=1)
    expected -= (classes * rank).sum(axis=1) ** 2
    room = np.where(expected > 1e-9 * np.maximum(number, 1) ** 2, expected, 0.0)
    return 1 - ratio((number - 1) * observed, room)


def tell_order(class_names: Sequence[str], weights: str | None) -> list[str]:
    """Returns what to tell of an order that may be that of the alphabet alone."""
    names = list(class_names)
    numbered = all(any(letter.isdecimal() for letter in name) for name in names)
    if weights is None or numbered or len(names) < 3 or names != sorted(names):
        return []
    return [
        f"The order of the classes is that of the alphabet: {in_order(names)}. If it "
        "is another, read the answers with `class_names=[...]` in the right one."
    ]


def in_order(class_names: Sequence[str]) -> str:
    """Returns such as "none < mild < severe"."""
    return " < ".join(class_names)
