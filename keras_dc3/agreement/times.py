"""Seconds per answer, and the rule for times that cannot be. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dc3._text import number_of
from keras_dc3._validation import check_positive_number
from keras_dc3.annotations.records import known_times


@dataclass(frozen=True)
class TimeRule:
    """Which times count, and as what.

    * missing: stay missing; they are never 0;
    * zero or negative: no time, left out;
    * above `break_seconds`: the person was away; counts as `break_seconds`;
    * above `longest_seconds`: not the time of one answer, left out.

    The answer itself counts in every case.
    """

    break_seconds: float = 60.0
    longest_seconds: float = 3600.0

    def __post_init__(self):
        check_positive_number("break_seconds", self.break_seconds)
        check_positive_number("longest_seconds", self.longest_seconds)
        if self.break_seconds > self.longest_seconds:
            raise ValueError(
                "`break_seconds` must be at most `longest_seconds`. Received: "
                f"break_seconds={self.break_seconds!r}, "
                f"longest_seconds={self.longest_seconds!r}"
            )

    def apply(self, seconds: np.ndarray) -> tuple[np.ndarray, TimeCounts]:
        """Returns the seconds that count, NaN where none do, and how many were odd."""
        used, odd = known_times(seconds, self.longest_seconds)
        counts = TimeCounts(
            used=int((~np.isnan(used)).sum()),
            breaks=int((used > self.break_seconds).sum()),
            **odd,
        )
        return np.minimum(used, self.break_seconds), counts


@dataclass(frozen=True)
class TimeCounts:
    """How many answers have a time that counts (`used`, breaks included), or not.

    Answers without a class, such as "cannot tell", have taken time too and are counted.
    What reads a file leaves out times of 0, negative ones and those above its own
    `longest_seconds`, and tells so: they are `missing` here.
    """

    used: int
    missing: int
    zero: int
    negative: int
    breaks: int
    too_long: int

    def basis(self) -> str:
        """Returns on how many times figures rest; "" if on all."""
        number = self.used + self.missing + self.zero + self.negative + self.too_long
        if not self.missing:
            return ""
        return (
            f"{self.used:,} of {number_of(number, 'answer')}; "
            f"{number_of(self.missing, 'time is', 'times are')} missing, or were left "
            "out when read"
        )

    def note(self, rule: TimeRule) -> str:
        """Returns a sentence on what was odd; "" if nothing was."""
        parts = []
        if self.breaks:
            parts.append(
                f"{self.breaks:,} above {rule.break_seconds:g} s count as that much"
            )
        if self.too_long:
            parts.append(f"{self.too_long:,} above {rule.longest_seconds:g} s left out")
        if self.zero:
            parts.append(f"{self.zero:,} of 0 s left out")
        if self.negative:
            parts.append(f"{self.negative:,} below 0 s left out")
        return f"Times: {', '.join(parts)}; their answers count." if parts else ""


class TimeMeasures:
    """Mean and median seconds, pooled and per annotator, of weighted images.

    Args:
        image, annotator: (m,) positions; annotator -1 if unknown.
        seconds: (m,), NaN where no time counts.
        num_images, num_annotators: how many there are.
    """

    def __init__(
        self,
        image: np.ndarray,
        annotator: np.ndarray,
        seconds: np.ndarray,
        num_images: int,
        num_annotators: int,
    ):
        rows = np.flatnonzero(~np.isnan(seconds))
        rows = rows[np.lexsort((seconds[rows], annotator[rows]))]
        self.image, self.seconds = image[rows], seconds[rows]
        self.annotator = annotator[rows]
        self.people = np.arange(num_annotators)
        self.ascending = np.argsort(self.seconds, kind="stable")
        self.begin = np.searchsorted(self.annotator, self.people, "left")
        self.end = np.searchsorted(self.annotator, self.people, "right")
        self.images = np.bincount(self.image, minlength=num_images) > 0

    def evaluate(self, weights: np.ndarray) -> np.ndarray:
        """Returns pooled mean and median, the people's means, the people's medians."""
        weight = weights[self.image]
        total = np.concatenate([[0.0], np.cumsum(weight)])
        spent = np.concatenate([[0.0], np.cumsum(weight * self.seconds)])
        number = total[self.end] - total[self.begin]
        time = spent[self.end] - spent[self.begin]
        mean = np.full(len(self.people), np.nan)
        np.divide(time, number, out=mean, where=number > 0)
        medians = self._median(total, self.seconds, self.begin, self.end)
        pooled = np.concatenate([[0.0], np.cumsum(weight[self.ascending])])
        median = self._median(
            pooled,
            self.seconds[self.ascending],
            np.array([0]),
            np.array([len(self.seconds)]),
        )
        whole = spent[-1] / total[-1] if total[-1] else np.nan
        return np.concatenate([[whole], median, mean, medians])

    @staticmethod
    def _median(total, seconds, begin, end):
        """Of stretches of sorted seconds; the middle of two where they are even."""
        number = total[end] - total[begin]
        known = number > 0
        result = np.full(len(number), np.nan)
        if known.any():
            before = total[begin[known]]
            lower = before + np.ceil(number[known] / 2)
            upper = before + np.floor(number[known] / 2) + 1
            at = np.searchsorted(total[1:], np.stack([lower, upper]), "left")
            result[known] = seconds[at].mean(axis=0)
        return result
