"""How far proposals bias the answers of people, from a blind control share.

Somebody who sees the proposal c for an image of the distribution l accepts it whatever
they think with the probability delta, else gives an answer of their own, drawn from l:

    p(answer) = delta [answer = c] + (1 - delta) l(answer)

Schmarje et al. use such a model for annotation guided by proposals ("SPA"). NumPy only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from keras_dc3._text import number_of
from keras_dc3._validation import check_positive_int, check_seed
from keras_dc3.agreement.answers import Answers, read_answers
from keras_dc3.agreement.correction import (
    MOST_DELTA,
    CorrectedLabels,
    correct_answers,
    tallies,
)
from keras_dc3.agreement.estimate import Estimate, estimate, ratio, resample
from keras_dc3.agreement.proposed import would_be
from keras_dc3.annotations import Annotations
from keras_dc3.proposals import Proposals
from keras_dc3.review import Review

_NARROW, _WIDE = 0.2, 0.5  # intervals that speak against any bias, that tell no size
# Blind answers other than the proposal: with fewer, intervals are too narrow; so many
# weighs the belief that there is no bias.
_FEW, _PRIOR = 10, 2
_UNKNOWN = "whether there is a bias."  # the end of a note: no interval tells anything


@dataclass(frozen=True, eq=False, repr=False)
class ProposalBias:
    """How often people accept a proposal whatever they think, by proposed class.

    Attributes:
        class_names: k names.
        delta: (k,) float64, the probability for each proposed class, from 0 to 0.99.
        pooled: over all classes, as measured, from 0 to 1; its `note` says where there
            are too few blind answers to tell.
        blind_answers: number of blind answers it was measured on.
        proposed_answers: number of answers to proposals it was measured on.
        compared_by: "image" where blind answers were compared with answers to proposals
            for the same image, "class" where for images of the same proposed class.
        others: (k,) blind answers other than the proposal, which alone tell something;
            None where that is not known.
    """

    class_names: tuple[str, ...]
    delta: np.ndarray
    pooled: Estimate
    blind_answers: int
    proposed_answers: int
    compared_by: str
    others: np.ndarray | None = None

    def __str__(self) -> str:
        known = not self.pooled.note.endswith(_UNKNOWN)
        return "\n".join(
            [
                "Proposals accepted whatever people think: "
                f"{self.pooled.format('.3f') if known else 'not known'}, from "
                f"{self.blind_answers:,} blind answers and "
                f"{self.proposed_answers:,} to proposals, compared by "
                f"{self.compared_by}",
                *([self.pooled.note] if self.pooled.note else []),
                "By proposed class, drawn towards each other and towards 0 as far as "
                "chance explains the difference:",
                *self._by_class(),
            ]
        )

    def _by_class(self) -> list[str]:
        """Returns lines: of each class that answers tell of, and of all others."""
        enough = np.ones(len(self.delta), bool)
        if self.others is not None:
            enough = self.others >= _FEW
        rows = [
            (self.class_names[c], f"{self.delta[c]:.3f}") for c in enough.nonzero()[0]
        ]
        rest = self.delta[~enough]
        if rest.size:
            low, high = f"{rest.min():.3f}", f"{rest.max():.3f}"
            number = (
                number_of(rest.size, "other class", "other classes")
                if rows
                else "all classes"
            )
            value = low if low == high else f"{low} to {high}"
            rows.append((f"{number}, with few answers", value))
        width = max(len(name) for name, _ in rows)
        return [f"  {name:<{width}}  {value}" for name, value in rows]

    __repr__ = __str__

    def correct(self, review: Review | Annotations) -> CorrectedLabels:
        """Returns what people would have answered without proposals.

        Args:
            review: a review with the same classes, or annotations made blind. It needs
                no control share.

        Raises:
            TypeError, ValueError: if it is neither, or its classes are others.

        Example:

        >>> bias = keras_dc3.agreement.fit_bias(answers, proposals)
        >>> labels = bias.correct(answers)
        >>> labels.soft_labels.shape
        (60, 3)
        """
        answers = read_answers("review", review, proposals="all")
        if answers.class_names != self.class_names:
            raise ValueError(
                "`review` must have the classes that the bias was fitted on, "
                f"{list(self.class_names)}. Received: {list(answers.class_names)}"
            )
        return correct_answers(answers, self.delta, answers.all_ids)


def fit_bias(
    review: Review,
    proposals: Proposals | Mapping[str, str | int] | None = None,
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> ProposalBias:
    """Returns how far proposals biased the answers of a review.

    Where blind answers agree with the proposal in a share b, and answers to the
    proposal in a share a, `delta = (a - b) / (1 - b)`. If at least half of the blind
    answers are to images that others saw with a proposal, each image is compared with
    itself; else images of the same proposed class are compared, which takes the control
    share to be drawn at random. The value of a class is drawn towards that of all
    classes as far as chance explains their difference, and that of all towards 0 as far
    as chance explains it. The first answer of each person to an image counts, blind
    and with a proposal.

    Args:
        review: a review with blind answers and answers to proposals.
        proposals: `Proposals`, or image -> class (name or number), to know what would
            have been proposed for images that everybody saw blind.
        resamples: how often images are drawn, for the interval and the shrinkage.
        seed: of these draws.

    Raises:
        TypeError, ValueError: if `review` is no review, has no blind answers or none
            to proposals, or nobody knows what would have been proposed.

    Example:

    >>> bias = keras_dc3.agreement.fit_bias(answers, proposals)
    >>> print(bias.class_names)
    ('cat', 'dog', 'red deer')
    """
    check_positive_int("resamples", resamples, least=20)
    check_seed(seed)
    answers = read_answers("review", review, proposals="all")
    blind = answers.proposed < 0
    if not (~blind).any():
        raise ValueError(
            "`review` holds no answers to proposals, so that there is no bias to fit. "
            "Pass what `review.read` returns: its annotations alone do not tell what "
            "was proposed."
        )
    if not blind.any():
        raise ValueError(
            "`review` holds no blind answers, without which nobody knows what people "
            "would have answered. Make the review with a control share, or merge it "
            "with one of the mode 'none'."
        )
    guess = would_be(answers, proposals, getattr(review, "mode", None))
    first = answers.round == 0
    known = blind & first & (guess[answers.image] >= 0)
    if not known.any():
        raise ValueError(
            "Nobody knows what would have been proposed for the images of the "
            f"{number_of(int(blind.sum()), 'blind answer')}: none of them was answered "
            "with a "
            + (
                "proposal. Pass `proposals`."
                if proposals is None
                else "proposal, and `proposals` are for other images."
            )
        )
    sums, combine = _agreements(answers, guess)
    paired = combine is _each_image
    if paired:
        known &= np.isin(answers.image, answers.image[~blind])

    def evaluate(weights):
        upper, lower = combine(*(weights @ part for part in sums))
        pooled = ratio(upper.sum(axis=1), lower.sum(axis=1))
        return np.column_stack([ratio(upper, lower), pooled])

    values = evaluate(np.ones((1, len(answers.ids))))[0]
    draws = resample(evaluate, len(answers.ids), resamples, seed)
    pooled = estimate(values[-1], draws[:, -1], len(answers.ids))
    other = known & (answers.label != guess[answers.image])
    k = len(answers.class_names)
    others = np.bincount(guess[answers.image[other]], minlength=k)
    note = _told_by(pooled, int(known.sum()), int(others.sum()))
    # A probability, of which chance may measure less than 0.
    parts = np.clip([pooled.value, pooled.low, pooled.high], 0.0, 1.0).tolist()
    pooled = Estimate(*parts, pooled.images, note)
    return ProposalBias(
        class_names=answers.class_names,
        delta=_shrunk(values, draws, others),
        pooled=pooled,
        blind_answers=int(known.sum()),
        proposed_answers=int((first & ~blind).sum()),
        compared_by="image" if paired else "class",
        others=others,
    )


def _told_by(pooled: Estimate, blind: int, others: int) -> str:
    """What answers do not tell about a bias; "" if they tell enough."""
    width = pooled.high - pooled.low
    few = f"{blind:,} blind answers, {others:,} of them other than the proposal,"
    few = f"{few} are too few to tell"
    if others < _FEW or not (pooled.low > 0 or width <= _NARROW):
        return f"{few} {_UNKNOWN}"
    if pooled.low <= 0:
        return "No bias can be seen."
    return f"{few} how large the bias is." if width > _WIDE else ""


def _agreements(
    answers: Answers, guess: np.ndarray
) -> tuple[tuple[np.ndarray, ...], Callable]:
    """Parts (n, k), and what makes numerator and denominator of their sums."""
    n, k = len(answers.ids), len(answers.class_names)
    blind, steps = tallies(answers)
    accepted, shown = np.zeros((n, k)), np.zeros((n, k))
    for classes, counts in steps:
        rows = np.flatnonzero(classes >= 0)
        shown[rows, classes[rows]] += counts[rows].sum(axis=1)
        accepted[rows, classes[rows]] += counts[rows, classes[rows]]
    asked = np.broadcast_to(blind.sum(axis=1, keepdims=True), (n, k))
    if 2 * asked[shown.sum(axis=1) > 0, 0].sum() >= asked[:, 0].sum():
        return _each_class(accepted, shown, blind, asked), _each_image
    rows = np.flatnonzero(guess >= 0)
    would, of = np.zeros((n, k)), np.zeros((n, k))
    would[rows, guess[rows]] = blind[rows, guess[rows]]
    of[rows, guess[rows]] = asked[rows, 0]
    return (accepted, shown, would, of), _each_class


def _each_image(upper: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, ...]:
    return upper, lower


def _each_class(
    accepted: np.ndarray, shown: np.ndarray, would: np.ndarray, of: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """w (a - b) and w (1 - b), with the weights of Mantel and Haenszel."""
    a, b = ratio(accepted, shown), ratio(would, of)
    weight = np.nan_to_num(ratio(shown * of, shown + of))
    return weight * np.nan_to_num(a - b), weight * np.nan_to_num(1 - b)


def _shrunk(values: np.ndarray, draws: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The deltas of the classes, after shrinkage; see `fit_bias`.

    Between classes: the variance by DerSimonian and Laird. Of all classes: as much as
    the positive-part estimator of James and Stein leaves. Both by n / (n + 2), with
    the number n of blind answers other than the proposal, `others` (k,), too: where it
    is very small, draws do not vary as much as chance does.
    """
    common, trust = values[-1], others / (others + _PRIOR)
    if np.isnan(common) or common <= 0:
        common = 0.0
    else:
        common *= max(0.0, 1 - np.nanvar(draws[:, -1]) / common**2)
        common *= others.sum() / (others.sum() + _PRIOR)
    delta = np.full(len(values) - 1, common)
    known = np.isfinite(values[:-1]) & (np.isfinite(draws[:, :-1]).mean(axis=0) > 0.5)
    if known.sum() >= 2:
        # A floor, because a class with few blind answers may not vary at all.
        noise = np.nanvar(draws[:, :-1][:, known], axis=0)
        noise = np.maximum(noise, np.median(noise) / 4 + 1e-9)
        own, weight = values[:-1][known], 1 / noise
        mean = (weight * own).sum() / weight.sum()
        excess = (weight * (own - mean) ** 2).sum() - (known.sum() - 1)
        room = weight.sum() - (weight**2).sum() / weight.sum()
        spread = max(0.0, excess / room)
        delta[known] += trust[known] * spread / (spread + noise) * (own - common)
    return delta.clip(0.0, MOST_DELTA)
