"""What decides yes or no in a verdict, for the same images, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from keras_dc3._decision import is_certain
from keras_dc3._text import number_of
from keras_dc3.metrics import intervals
from keras_dc3.metrics.classification import area_under_roc, most_confident
from keras_dc3.metrics.findings import (
    NO,
    NOT_MEASURED,
    TOO_FEW,
    YES,
    Finding,
    percent,
    points,
    span,
)
from keras_dc3.metrics.groups_of_equal_number import as_many_groups
from keras_dc3.metrics.honest_context import disagreed
from keras_dc3.metrics.image_weights import (
    AreaUnderROC,
    InnerDistance,
    Truth,
    surest,
)
from keras_dc3.metrics.intervals import Interval

# A gain that is surely smaller than this is none: two points of a percentage, or of d.
LEAST_GAIN = 0.02
_NOTHING = 1e-6  # what rounding makes of d = 0
_ONE_ANSWER = "the labels are one class per image, which tells nothing of disagreement"
_NO_AMBIGUITY = "this model predicts no ambiguity"
_NO_IMAGE = "there is no image with a known answer"


class Difference(NamedTuple):
    """What a question is answered by.

    Attributes:
        value: above 0 for "yes".
        resampled: weights (n, b) -> (b,).
        least: an interval that the answer's is not to be narrower than.
        text: its interval -> the figures in words.
    """

    key: str
    value: float
    resampled: Callable[[np.ndarray], np.ndarray]
    least: Interval
    text: Callable[[Interval], str]


def answered(
    questions: Iterable[Finding | Difference], images: int, seed: int
) -> Iterator[Finding]:
    """Yields a finding for each question, all from the same resamples."""
    questions = list(questions)
    asked = [q for q in questions if isinstance(q, Difference)]

    def statistics(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {q.key: q.resampled(weights) for q in asked}

    drawn = intervals.bootstrap(statistics, images, seed)
    for q in questions:
        if isinstance(q, Finding):
            yield q
            continue
        interval = intervals.wider(intervals.spread(q.value, drawn[q.key]), q.least)
        low, high = interval
        answer = TOO_FEW
        if low > 0:
            answer = YES
        elif high < LEAST_GAIN:
            answer = NO
        yield Finding(q.key, answer, q.text(interval), q.value, low, high)


class Judge:
    """Looks into one question after the other, for the same images."""

    def __init__(
        self,
        truth: Truth,
        labels: np.ndarray | None,
        probabilities: np.ndarray,
        ambiguity: np.ndarray | None,
        names: tuple[str, ...],
        seed: int,
    ):
        self._truth, self._labels, self._p_a = truth, labels, ambiguity
        self._p_n, self._names, self._seed = probabilities, names, seed
        self._n = truth.images
        self._predicted = probabilities.argmax(axis=1)
        self._credit = truth.credit(self._predicted)
        self._certain = (
            np.ones(self._n, bool) if ambiguity is None else is_certain(ambiguity)
        )

    def right_of_certain(self) -> tuple[float, float, float]:
        """Returns how often the class of certain images is right, and its interval."""
        number = int(self._certain.sum())
        if not number:
            return float("nan"), *intervals.NO_INTERVAL
        share = float(self._credit[self._certain].mean())
        return share, *intervals.wilson(share, number)

    def classes(self) -> Finding | Difference:
        if not self._n:
            return Finding("classes", TOO_FEW, _NO_IMAGE)
        totals = self._truth.totals()
        commonest = int(totals.argmax())
        name = f"'{' '.join(self._names[commonest].split())}'"
        if np.count_nonzero(totals) < 2:
            about = f"all {self._n:,} images are {name}; nothing is better than that"
            return Finding("classes", TOO_FEW, about)
        rival = self._truth.credit(np.full(self._n, commonest))
        return self._shares(
            "classes",
            self._credit,
            rival,
            f"always answering {name}",
        )

    def certain(self) -> Finding | Difference:
        if self._p_a is None:
            return Finding("certain", NOT_MEASURED, _NO_AMBIGUITY)
        if not self._n:
            return Finding("certain", TOO_FEW, _NO_IMAGE)
        number = int(self._certain.sum())
        if number in (0, self._n):
            which = "no image" if not number else f"each of the {self._n:,} images"
            about = f"{which} is called certain, so that none is singled out"
            return Finding("certain", NO, about)
        order = most_confident(self._p_n)
        rivals = np.zeros(self._n, bool)
        rivals[order[:number]] = True
        if (rivals == self._certain).all():
            about = (
                f"they are the same images, the {number:,} of which the model is most "
                "confident"
            )
            return Finding("certain", NO, about, 0.0, 0.0, 0.0)

        def difference(weights: np.ndarray) -> np.ndarray:
            mine = weights * self._certain[:, None]
            theirs = surest(order, weights, mine.sum(axis=0))
            total = np.maximum(mine.sum(axis=0), 1.0)
            return self._credit @ (mine - theirs) / total

        share = [float(self._credit[rows].mean()) for rows in (self._certain, rivals)]
        one_by_one = self._credit * (self._certain.astype(int) - rivals)
        about = (
            f"the class is right for {percent(share[0])} of the "
            f"{number_of(number, 'certain image')}, for {percent(share[1])} of equally "
            "many most confident ones"
        )
        return Difference(
            "certain",
            share[0] - share[1],
            difference,
            intervals.of_paired_difference(one_by_one, number),
            lambda interval: f"{about}: {points(share[0] - share[1], *interval)}",
        )

    def ambiguity(self, human_threshold: float) -> Finding | Difference:
        if self._p_a is None:
            return Finding("ambiguity", NOT_MEASURED, _NO_AMBIGUITY)
        if self._labels is None:
            return Finding("ambiguity", NOT_MEASURED, _ONE_ANSWER)
        people = disagreed(self._labels, human_threshold)
        yes, no = int(people.sum()), int((~people).sum())
        if not yes or not no:
            about = f"people {'agree' if no else 'disagree'} on all {self._n:,} images"
            if not self._n:
                about = _NO_IMAGE
            elif (self._labels.max(axis=1) > 1 - 1e-6).all():
                about += ", or each got a single answer"
            return Finding("ambiguity", TOO_FEW, about)
        if (self._p_a == self._p_a[0]).all():
            about = f"it is {self._p_a[0]:.2f} for each of the {self._n:,} images"
            return Finding("ambiguity", NO, about, 0.0, 0.0, 0.0)
        area = area_under_roc(self._p_a, people)
        plain = area_under_roc(1.0 - self._p_n.max(axis=1), people)
        resampled = AreaUnderROC(self._p_a, people)
        low, high = intervals.of_area_under_roc(area, yes, no)

        def text(interval: Interval) -> str:
            ends = span(*(end + 0.5 for end in interval))
            return (
                f"of an image that people disagree on ({yes:,}) and one that they "
                f"agree on ({no:,}), it is higher for the former in {percent(area)} of "
                f"the pairs ({ends}; by chance 50%; a low confidence alone: "
                f"{percent(plain)})"
            )

        return Difference(
            "ambiguity",
            area - 0.5,
            lambda weights: resampled(weights) - 0.5,
            (low - 0.5, high - 0.5),
            text,
        )

    def clusters(self, clusters: np.ndarray | None) -> Finding | Difference:
        if self._p_a is None or clusters is None:
            reason = _NO_AMBIGUITY if self._p_a is None else "no clusters were given"
            return Finding("clusters", NOT_MEASURED, reason)
        if self._labels is None:
            return Finding("clusters", NOT_MEASURED, _ONE_ANSWER)
        rows = np.flatnonzero(~self._certain)
        labels, clusters = self._labels[rows], clusters[rows]
        kinds = clusters, self._predicted[rows]
        number = max((len(np.unique(kind)) for kind in kinds), default=0)
        if len(rows) < 2 * max(number, 1):
            about = (
                f"{number_of(len(rows), 'image is', 'images are')} called ambiguous, "
                f"in {number_of(number, 'group')}"
            )
            return Finding("clusters", TOO_FEW, about)
        rng = np.random.default_rng(self._seed)

        def mean(of: list[InnerDistance], weights: np.ndarray) -> np.ndarray:
            return np.mean([distance(weights)[1] for distance in of], axis=0)

        ours, theirs = (
            [
                InnerDistance(labels, groups)
                for groups in as_many_groups(kind, number, rng)
            ]
            for kind in kinds
        )

        def difference(weights: np.ndarray) -> np.ndarray:
            return mean(theirs, weights[rows]) - mean(ours, weights[rows])

        once = np.ones((len(rows), 1))
        d = [float(mean(of, once)[0]) for of in (ours, theirs)]
        if max(d) < _NOTHING:
            about = f"people agree on all {number_of(len(rows), 'ambiguous image')}"
            return Finding("clusters", TOO_FEW, about)
        about = (
            f"people's answers differ by {100 * d[0]:.1f} within the clusters of the "
            f"{len(rows):,} ambiguous images, by {100 * d[1]:.1f} within as many "
            f"groups ({number:,}) of their classes (d by size, 0 is best)"
        )
        return Difference(
            "clusters",
            d[1] - d[0],
            difference,
            intervals.NO_INTERVAL,
            lambda interval: f"{about}: {points(d[1] - d[0], *interval)}",
        )

    def unlabeled(self, supervised: np.ndarray | None) -> Finding | Difference:
        if supervised is None:
            about = (
                "it takes a second model, trained on the labeled images alone, to "
                "compare with"
            )
            return Finding("unlabeled", NOT_MEASURED, about)
        if not self._n:
            return Finding("unlabeled", TOO_FEW, _NO_IMAGE)
        return self._shares(
            "unlabeled",
            self._credit,
            self._truth.credit(supervised.argmax(axis=1)),
            "that of a model trained on the labeled ones alone (one training of each)",
        )

    def _shares(
        self, key: str, ours: np.ndarray, theirs: np.ndarray, rival: str
    ) -> Difference:
        """Compares how often two answers for all images are right."""
        difference = ours - theirs
        value = float(difference.mean())
        about = (
            f"the class is right for {percent(ours.mean())} of the images, {rival} for "
            f"{percent(theirs.mean())}"
        )
        return Difference(
            key,
            value,
            lambda weights: difference @ weights / self._n,
            intervals.of_paired_difference(difference, self._n),
            lambda interval: f"{about}: {points(value, *interval)}",
        )
