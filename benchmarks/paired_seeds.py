"""Differences of trainings that have the seed in common, with intervals over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

CONFIDENCE = 0.95
FEWEST = 3  # seeds of an interval: two tell next to nothing of how far they spread


class Difference(NamedTuple):
    """A mean over seeds, and the interval of Student's t, NaN of fewer than three."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Difference:
        """Returns that of one value for each seed, of which there is at least one."""
        from scipy import stats

        mean, n = statistics.mean(values), len(values)
        if n < FEWEST:
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
        text = points(self.mean)
        if not math.isnan(self.low):
            text += f" [{points(self.low)}, {points(self.high)}]"
        return f"**{text}**" if self.sign else text


def points(value: float) -> str:
    """Returns a difference in points, with its sign; 0 without one."""
    text = f"{100 * value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text
