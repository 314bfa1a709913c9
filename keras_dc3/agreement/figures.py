"""All figures of some answers, for images that count more or less. NumPy only."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from keras_dc3._validation import check_choice, check_positive_int, check_seed
from keras_dc3.agreement.answers import Answers
from keras_dc3.agreement.chance import CountMeasures
from keras_dc3.agreement.estimate import Estimate, estimate
from keras_dc3.agreement.kappas import KappaMeasures, between_people, within_people
from keras_dc3.agreement.ordinal import WEIGHTS
from keras_dc3.agreement.times import TimeMeasures, TimeRule

COUNTED = ("alpha", "fleiss", "raw")
PAIRED = ("between", "within")


@dataclass(frozen=True)
class Settings:
    """How to measure; see `measure`."""

    rule: TimeRule
    least_common: int
    resamples: int
    seed: int
    weights: str | None = None

    def __post_init__(self):
        check_positive_int("least_common", self.least_common)
        check_positive_int("resamples", self.resamples, least=0)
        check_seed(self.seed)
        check_choice("weights", self.weights, (None, *WEIGHTS))


class Figures:
    """A vector of figures, pooled and per annotator, and what they rest on.

    Args:
        answers: see `Answers`.
        settings: see `Settings`.

    Attributes:
        place: name of a figure -> its position; pooled ones by name ("alpha",
            "between", "seconds_mean"), those of an annotator by (name, position).
        values: (q,) the figures of all images.
        times: see `TimeCounts`.
        answers_of: how many valid ones each annotator has.
        timed_images_of: how many images each annotator saw.
    """

    def __init__(self, answers: Answers, settings: Settings):
        self.answers, self.settings = answers, settings
        people, n = len(answers.annotators), len(answers.ids)
        seconds, self.times = settings.rule.apply(answers.seconds)
        weights = settings.weights
        self.counted: CountMeasures | None = None
        if answers.counts is not None:
            self.counted = CountMeasures(answers.counts, weights is not None)
        self.pairs: dict[str, KappaMeasures | str] = dict.fromkeys(
            PAIRED, "only counts are known, not who answered what"
        )
        if answers.known:
            least = settings.least_common
            self.pairs["between"] = between_people(answers, least, weights)
            self.pairs["within"] = within_people(answers, least, weights)
        timed = answers.timed_image, answers.timed_annotator
        self.timed = TimeMeasures(*timed, seconds, n, people)
        self.timed_images_of = _images_of(*timed, n, people)
        known = answers.annotator >= 0
        self.answers_of = np.bincount(answers.annotator[known], minlength=people)
        names = list(COUNTED)
        for part in PAIRED:
            names += _with_people((part, f"raw_{part}"), people)
        names += _with_people(("seconds_mean", "seconds_median"), people)
        self.place = {name: position for position, name in enumerate(names)}
        self.values = self.evaluate(np.ones((1, n)))[0]

    def evaluate(self, weights: np.ndarray) -> np.ndarray:
        """Returns the figures (b, q) where images count `weights` (b, n)."""
        b = len(weights)
        unknown = np.full((b, 2 + 2 * len(self.answers.annotators)), math.nan)
        parts = [unknown[:, :1].repeat(3, axis=1)]
        if self.counted is not None:
            parts = [self.counted.evaluate(weights)]
        for part in self.pairs.values():
            known = not isinstance(part, str)
            parts.append(
                np.stack([part.evaluate(w) for w in weights]) if known else unknown
            )
        parts.append(np.stack([self.timed.evaluate(w) for w in weights]))
        return np.concatenate(parts, axis=1)

    def estimate(self, name: str, draws: np.ndarray) -> Estimate:
        """Returns a pooled figure with its interval from draws (resamples, q)."""
        at = self.place[name]
        images, note = self._basis(name)
        value = self.values[at]
        if math.isnan(value) and not note:
            note = "all answers are one class, for which chance agrees as well"
        return estimate(value, draws[:, at], images, note, _limit(name))

    def of_person(self, name: str, person: int, draws: np.ndarray) -> Estimate:
        """Returns a figure of an annotator with its interval."""
        at = self.place[name, person]
        images = self._images_behind(name, person)
        note = "" if math.isfinite(self.values[at]) else self._why_not(name, person)
        return estimate(self.values[at], draws[:, at], images, note, _limit(name))

    def _images_behind(self, name: str, person: int) -> int:
        """On how many images a figure of an annotator rests."""
        if name.startswith("seconds"):
            return int(self.timed_images_of[person])
        part = self.pairs[name.removeprefix("raw_")]
        return 0 if isinstance(part, str) else part.images_of(person)

    def _basis(self, name: str) -> tuple[int, str]:
        """On how many images a pooled figure rests, and what is to be said of it."""
        if name in COUNTED:
            return self._basis_of_counts(name)
        if name.startswith("seconds"):
            images = int(self.timed.images.sum())
            if not images:
                return images, "no answer has a time that counts"
            return images, self.times.basis()
        part = self.pairs[name.removeprefix("raw_")]
        if isinstance(part, str):
            return 0, part
        table = part.table
        kappa, _, number = table.evaluate(np.ones(len(self.answers.ids)))
        undefined = int(np.isnan(kappa).sum())
        what = "annotators" if name.endswith("between") else "rounds"
        images = int(np.unique(table.image).size)
        if undefined == len(table) and not name.startswith("raw"):
            return images, (
                f"each pair of {what} gave one class to all common images, for which "
                "chance agrees as well"
            )
        low, high = int(number.min()), int(number.max())
        spread = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        pairs = f"{len(table):,} pair{'s' if len(table) > 1 else ''} of {what}"
        note = f"{pairs} with {spread} common images"
        if table.left_out:
            least = self.settings.least_common
            note += f"; {table.left_out:,} with fewer than {least} left out"
        if undefined and not name.startswith("raw"):
            note += f"; {undefined:,} with one class only left out"
        if name.endswith("within") and self.answers.rounds.blind:
            note += "; all blind"
        return images, note

    def _basis_of_counts(self, name: str) -> tuple[int, str]:
        counted = self.counted
        if counted is None:
            return 0, "the counts are fractions, which are no numbers of people"
        several, n = int(counted.several.sum()), counted.answered
        if not several:
            return 0, "no image was answered by two people"
        if name == "fleiss":
            full = int(counted.full.sum())
            basis = (
                f"on the {full:,} of {n:,} images with exactly {counted.answers} "
                "answers"
            )
            if math.isnan(self.values[self.place[name]]):
                basis += ", all of one class, for which chance agrees as well"
            return full, basis
        single = n - several
        if math.isnan(self.values[self.place[name]]):
            return several, ""
        return several, f"{single:,} images with one answer left out" if single else ""

    def _why_not(self, name: str, person: int) -> str:
        if name.startswith("seconds"):
            return "none of the answers has a time that counts"
        part = self.pairs[name.removeprefix("raw_")]
        if isinstance(part, str):
            return part
        if not (part.owners == person).any():
            return f"fewer than {self.settings.least_common} common images"
        return "one class for all common images, for which chance agrees as well"


def _limit(name: str) -> float | None:
    """Returns the largest value of a mean of kappas; None for other figures."""
    return 1.0 if name in PAIRED else None


def _images_of(image, annotator, num_images, num_annotators) -> np.ndarray:
    """How many images each annotator has."""
    known = annotator >= 0
    seen = np.unique(annotator[known] * num_images + image[known])
    return np.bincount(seen // num_images, minlength=num_annotators)


def _with_people(names: tuple[str, str], people: int) -> list:
    return [*names, *((name, person) for name in names for person in range(people))]
