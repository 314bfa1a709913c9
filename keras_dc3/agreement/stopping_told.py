"""What is said of whether more answers still help. NumPy only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keras_dc3._text import number_of
from keras_dc3.agreement.estimate import Estimate


@dataclass(frozen=True, eq=False)
class CostCurve:
    """How far labels are expected to be from what all people would say, by cost.

    Attributes:
        answers: (q,) int64, further answers, from 0 on.
        distance: (q,) float64, in points, see `stopping`.
        low: (q,), where the 95% interval begins; NaN without `resamples`.
        high: (q,), where it ends.
    """

    answers: np.ndarray
    distance: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Stopping:
    """Whether more answers still help. Printing it says so in words.

    Attributes:
        stop: whether the next answers bring less than `limit`; False where nothing is
            known yet.
        answers: number of answers so far; of a person who answered an image again, one.
        images: number of images that are to be labeled.
        answered: how many of them have an answer.
        several: how many images have two answers or more.
        distance: points between the labels and what all people would say, see
            `stopping`; NaN, with the reason in `note`, where nothing is known yet.
        gain: points by which the next `per` answers are expected to lower it.
        first_gain: points by which the first `per` answers did.
        limit: points that `per` answers must bring.
        compares: whether `limit` is a share of `first_gain`, not what was asked for.
        more: how many further answers bring that much; 0 to stop.
        curve: distance by further answers.
        held_out: share that a label gives to a blind answer that it has not seen.
        held_out_before: the share before any answer, by what is known of all images or
            by the proposals, for the same answers.
        seconds: mean time of an answer; NaN if unknown.
        per: a number of answers.
    """

    stop: bool
    answers: int
    images: int
    answered: int
    several: int
    distance: Estimate
    gain: Estimate
    first_gain: Estimate
    limit: float
    compares: bool
    more: Estimate
    curve: CostCurve
    held_out: Estimate
    held_out_before: Estimate
    seconds: float
    per: int

    def __str__(self) -> str:
        whole = number_of(self.images, "image")
        if self.answered < self.images:
            whole = f"{self.answered:,} of {whole}"
        lines = [
            f"Answers so far: {self.answers:,} to {whole}, {self.several:,} of which "
            "have two or more."
        ]
        if math.isnan(self.distance.value):
            lines.append(f"Whether to stop is not known yet: {self.distance.note}")
            return "\n".join(lines)
        lines += [
            "Labels are about "
            f"{_points(self.distance)} from what all people would say.",
            f"The next {self.per:,} answers would bring them {_points(self.gain, 2)} "
            f"nearer; the first {self.per:,} brought {self.first_gain.value:.2f}.",
            self._rule(),
        ]
        if not math.isnan(self.held_out.value):
            lines.append(
                f"To the blind answer of one more person a label gives "
                f"{self.held_out.format('.0%')}; before any answer it was "
                f"{self.held_out_before.value:.0%}."
            )
        if not math.isnan(self.seconds):
            minutes = self.per * self.seconds / 60
            lines.append(f"{self.per:,} answers take about {minutes:.1f} minutes.")
        return "\n".join(lines)

    def _rule(self) -> str:
        """Returns whether to stop, in a sentence."""
        if self.compares and self.gain.value > self.first_gain.value:
            return (
                "Answers bring more now than they did at first, so that it is too "
                f"early to tell where they cease to: go on, and look again after "
                f"{self.per:,} more."
            )
        rule = f"{self.per:,} answers must bring {self.limit:.2f} points: "
        if self.stop:
            return f"{rule}stop here."
        after = np.interp(
            self.more.value, self.curve.answers, self.curve.distance
        ).item()
        return (
            f"{rule}about {self.more.format(',.0f')} more answers do, and bring "
            f"labels to {after:.1f} points."
        )

    __repr__ = __str__


def _points(given: Estimate, digits: int = 1) -> str:
    return given.format(f".{digits}f").replace(" (", " points (", 1) + (
        " points" if math.isnan(given.low) else ""
    )
