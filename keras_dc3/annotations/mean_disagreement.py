"""How often two answers to one image differ, over all images. NumPy only."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np

_RESAMPLES = 2000


class MeanDisagreement(NamedTuple):
    """How often two answers to the same image differ.

    Attributes:
        mean: over the images with at least two answers, in [0, 1]; NaN without any.
        low, high: its 95% interval: what chance in the choice of the images does to it.
        images: how many have at least two answers.

    Example:

    >>> found = annotations.mean_disagreement()
    >>> 0 <= found.low <= found.mean <= found.high <= 1
    True
    """

    mean: float
    low: float
    high: float
    images: int

    def __str__(self) -> str:
        if not self.images:
            return "no image has two answers"
        return (
            f"two answers to an image differ in {self.mean:.1%} of cases (95% interval "
            f"{self.low:.1%} to {self.high:.1%}, {self.images:,} images)"
        )

    @classmethod
    def of(cls, shares: np.ndarray, seed: int = 0) -> Self:
        """Returns the mean of shares (n,), of which NaN are left out.

        The interval is the middle 95% of the means of images drawn with replacement, as
        many as there are.
        """
        shares = shares[~np.isnan(shares)]
        n = len(shares)
        if not n:
            return cls(math.nan, math.nan, math.nan, 0)
        values, numbers = np.unique(shares, return_counts=True)  # few, however many n
        drawn = np.random.default_rng(seed).multinomial(n, numbers / n, _RESAMPLES)
        low, high = np.quantile(drawn @ values / n, [0.025, 0.975])
        return cls(float(shares.mean()), float(low), float(high), n)
