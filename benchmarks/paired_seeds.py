"""Differences of trainings that have the seed in common, with intervals over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

CONFIDENCE = 0.95


class Difference(NamedTuple):
    """A mean over seeds, and the interval of Student's t; NaN ends of a single seed."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Difference:
        """Returns that of one value for each seed, of which there is at least one."""
        from scipy import stats

        mean, n = statistics.mean(values), len(values)
        if n == 1:
            return cls(mean, math.nan, math.nan)
        quantile = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1)
        half = float(quantile) * statistics.stdev(values) / math.sqrt(n)
        return cls(mean, mean - half, mean + half)

    @property
    def sign(self) -> int:
        """1 or -1, where the interval is above or below 0, else 0."""
        return (self.low > 0) - (self.high < 0)

    def __str__(self) -> str:
        """The difference in points, in bold where its interval leaves 0 out."""
        text = f"{100 * self.mean:+.1f}"
        if not math.isnan(self.low):
            text += f" [{100 * self.low:+.1f}, {100 * self.high:+.1f}]"
        return f"**{text}**" if self.sign else text
