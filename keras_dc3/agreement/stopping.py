"""Whether more answers still help."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._validation import (
    check_choice,
    check_open_probability,
    check_positive_int,
    check_positive_number,
    check_seed,
)
from keras_dc3.agreement.answers import control_share, read_answers
from keras_dc3.agreement.concentrations import Concentrations
from keras_dc3.agreement.correction import CorrectedLabels
from keras_dc3.agreement.estimate import Estimate, estimate, resample
from keras_dc3.agreement.forecast import Order, distances
from keras_dc3.agreement.stopping_told import CostCurve, Stopping
from keras_dc3.agreement.times import TimeRule
from keras_dc3.annotations import Annotations
from keras_dc3.annotations.counted_labels import CountedLabels, labels_of
from keras_dc3.proposals import Proposals
from keras_dc3.proposals.asking import counts_of, settled
from keras_dc3.proposals.belief import answer_gain, fit_weight, prior_of
from keras_dc3.review import Review

ORDERS = ("next", "evenly")
_LEAST_SEVERAL = 30  # images with two answers, from which on something is known
_AGREEING = 2  # equal voices that settle an image, as in `Proposals.next`
_HORIZON, _FINE = 400, 20  # steps that are looked ahead; steps per answer to each image
_STEPS = 20  # of fitting anew, for each draw of images


def stopping(
    answers: Annotations | Review | CorrectedLabels,
    proposals: Proposals | None = None,
    *,
    worth: float | None = None,
    share: float = 0.1,
    per: int = 100,
    order: str | None = None,
    resamples: int = 100,
    seed: int = 0,
) -> Stopping:
    """Returns whether more answers still help, and how many of them.

    **Distance.** Of people's answers to image i, l_i, the answers so far leave a belief
    (`Concentrations` in the source): a mixture of Dirichlet distributions, whose means
    are what is known beforehand, p_i, and whose concentrations are those that explain
    the answers best. p_i are the class probabilities of the proposals, a tenth of them
    spread evenly, or without proposals the shares of the classes among all answers. The
    label m_i is the mean of the belief. Labels are

        d = 100 sqrt( mean_i E|l_i - m_i|^2 / 2 )

    points from what all people would say: 100 where all of a label belongs to another
    class. It is the distance of the best guess; plain shares of few answers, as
    `soft_labels`, are farther.

    **Gain.** The label after one more answer, m_i', has m_i as its mean, so that the
    answer is expected to lower the squared distance by exactly how much it moves the
    label,

        E|l_i - m_i|^2 - E|l_i - m_i'|^2 = E|m_i' - m_i|^2

    For one Dirichlet distribution of size A this leaves A / (A + j) of the squared
    distance after j answers; further answers to one image are taken to go on like
    that.

    **Rule.** Stop where the next `per` answers bring less than `limit` points: `worth`,
    if it is given, else `share` of what the first `per` brought. It says nothing before
    30 images have two answers or more: from single answers nobody knows how much people
    differ. Intervals are over images, which are drawn again.

    How near that comes to the best stopping point stands in docs/findings.md.

    Args:
        answers: the answers so far. Of corrected labels, `bias.correct(review)`, those
            count that people gave (`given`): an answer that is spread over the classes
            for bias is no sign that people differ. They have no blind answers to hold
            out.
        proposals: of all images that are to be labeled. Without them, these are the
            images of the answers.
        worth: points that `per` answers must bring.
        share: of what the first `per` answers brought, above 0 and below 1.
        per: a number of answers.
        order: how images come to be asked about: "next", the most gain first, as
            `Proposals.next` does, but each image alone; "evenly", those with the fewest
            answers first. Default: "next" with proposals, else "evenly".
        resamples: how often images are drawn, for the intervals; 0 for none.
        seed: of these draws.

    Raises:
        TypeError: if `answers` or `proposals` are none.
        ValueError: if an argument is not as described, or there is no answer.

    Example:

    >>> found = keras_dc3.agreement.stopping(answers, proposals, worth=0.5)
    >>> found.stop, found.more.value > 0
    (False, True)
    """
    if worth is not None:
        check_positive_number("worth", worth)
    check_open_probability("share", share)
    check_positive_int("per", per)
    check_choice("order", order, (None, *ORDERS))
    check_positive_int("resamples", resamples, least=0)
    check_seed(seed)
    if not isinstance(proposals, Proposals | None):
        raise TypeError(
            "`proposals` must be `keras_dc3.Proposals` or None. Received: "
            f"{type(proposals).__name__}"
        )
    order = order or ("evenly" if proposals is None else "next")
    given = _Given.of(answers, proposals)
    several = int((given.counts.sum(axis=1) > 1).sum())
    if several < _LEAST_SEVERAL:
        return _unknown(given, several, per, worth)
    forecast = _Forecast(given, order, per)
    weights = np.ones(len(given.counts))
    shares = forecast.beliefs.fit()
    values = forecast.evaluate(weights, shares)

    def evaluate(drawn: np.ndarray) -> np.ndarray:
        fits = (forecast.beliefs.fit(w, shares, _STEPS) for w in drawn)
        found = [forecast.evaluate(w, s) for w, s in zip(drawn, fits, strict=True)]
        return np.array(found)

    draws = np.empty((0, len(values)))
    if resamples:
        draws = resample(evaluate, len(weights), resamples, seed)
    limits = share * np.array([_first(values), *_first(draws)])
    if worth is not None:
        limits[:] = worth
    return _result(forecast, several, values, draws, limits, worth is None)


@dataclass(frozen=True)
class _Given:
    """Answers, in the order of the images that are to be labeled.

    Attributes:
        prior: (n, k), what is known of an image beforehand.
        counts, blind: (n, k) answers, and those of them that are blind.
        settled: (n,) bool, images that `Proposals.next` would not ask about.
        weight: how many answers the prior counts as, for the order of `next`.
        seconds: of an answer, on average; NaN if unknown.
    """

    prior: np.ndarray
    counts: np.ndarray
    blind: np.ndarray
    settled: np.ndarray
    weight: float
    seconds: float

    @classmethod
    def of(cls, answers: Any, proposals: Proposals | None) -> _Given:
        wanted = "`answers` must be annotations, a review or corrected labels"
        found = labels_of(answers, wanted, CountedLabels)
        labels = getattr(found, "as_given", found)
        if not np.asarray(labels.counts).sum() > 0:
            raise ValueError("`answers` holds no valid answer.")
        blind, seconds = _blind(answers, found)
        if proposals is None:
            counts = np.asarray(labels.counts, "float64")
            shown = np.zeros_like(counts) if blind is None else blind.counts
            known = counts.sum(axis=0) + 1
            p = np.broadcast_to(known / known.sum(), counts.shape)
            prior, done = p, np.zeros(len(counts), bool)
        else:
            counts = counts_of(proposals, labels)
            shown = np.zeros_like(counts)
            if blind is not None:
                shown = counts_of(proposals, blind)
            prior = prior_of(proposals.class_probabilities)
            done = settled(proposals, counts, _AGREEING)
        weight = fit_weight(prior, counts)
        return cls(prior, counts, np.asarray(shown), done, weight, seconds)

    @property
    def answered(self) -> int:
        """How many images have an answer."""
        return int((self.counts.sum(axis=1) > 0).sum())


def _blind(answers: Any, labels: Any) -> tuple[Annotations | None, float]:
    """Returns the blind answers, if single ones are known, and the mean seconds."""
    if not isinstance(labels, Annotations) or labels.records is None:
        return None, math.nan
    times = read_answers("answers", answers, proposals="all").seconds
    seconds, _ = TimeRule().apply(times)
    known = seconds[~np.isnan(seconds)]
    mean = float(known.mean()) if known.size else math.nan
    if labels is answers:
        return labels.as_given, mean
    try:
        return control_share(answers).as_given, mean
    except ValueError:  # none is blind
        return None, mean


class _Forecast:
    """A vector of figures, for images that count more or less.

    It holds the distance after 0 and so on, `ahead`, further answers, then that after
    `per` more than each of these, that before any answer and after the first `per`, and
    what labels give to blind answers and gave before any answer.
    """

    def __init__(self, given: _Given, order: str, per: int):
        self.given, self.order, self.per = given, order, per
        self.beliefs = Concentrations(given.prior, given.counts)
        self.before = Concentrations(given.prior, np.zeros_like(given.counts))
        self.ahead = np.arange(_HORIZON) * max(per, -(-len(given.counts) // _FINE))
        self.now = self._order(given.counts, given.settled)
        self.first = self._order(self.before.counts, np.zeros_like(given.settled))

    def _order(self, counts: np.ndarray, done: np.ndarray) -> Order:
        if self.order == "evenly":
            return Order(-counts.sum(axis=1), decays=False)
        belief = self.given.weight * self.given.prior + counts
        return Order(np.where(done, -np.inf, answer_gain(belief)), decays=True)

    def evaluate(self, weights: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """Returns the figures of images that count `weights` (n,) times."""
        moments = self.beliefs.moments(shares)
        answers = np.concatenate([self.ahead, self.ahead + self.per])
        now = distances(moments, self.now, weights, answers)
        before = self.before.moments(shares)
        first = distances(before, self.first, weights, np.array([0, self.per]))
        blind = self.given.blind * weights[:, None]
        told = np.full(2, np.nan)
        if blind.any():
            held_out = np.where(blind > 0, self.beliefs.held_out(shares), 0.0)
            told[0] = (blind * held_out).sum() / blind.sum()
            told[1] = (blind * self.given.prior).sum() / blind.sum()
        return np.concatenate([now, first, told])


def _first(values: np.ndarray) -> np.ndarray:
    return values[..., -4] - values[..., -3]


def _more(values: np.ndarray, limit: Any, ahead: np.ndarray) -> np.ndarray:
    """Returns how many answers bring `limit` points per `per`, of (..., q) figures."""
    gains = values[..., :_HORIZON] - values[..., _HORIZON : 2 * _HORIZON]
    below = gains < np.asarray(limit)[..., None]
    ends = np.where(below.any(axis=-1), below.argmax(axis=-1), _HORIZON - 1)
    return ahead[ends]


def _result(
    forecast: _Forecast,
    several: int,
    values: np.ndarray,
    draws: np.ndarray,
    limits: np.ndarray,
    compares: bool,
) -> Stopping:
    """Returns the answer, of figures (q,) and those of images drawn (draws, q).

    Args:
        limits: (1 + draws,), the limit, and what each of these draws takes for it.
        compares: whether it is a share of what the first answers brought.
    """
    given, ahead = forecast.given, forecast.ahead
    n, gained = len(given.counts), [0, _HORIZON]

    def of(value: Any, drawn: np.ndarray, note: str = "") -> Estimate:
        return estimate(float(value), drawn, n, note)

    limit = float(limits[0])
    more = int(_more(values, limit, ahead))
    low, high = np.full((2, _HORIZON), np.nan)
    if len(draws):
        low, high = np.percentile(draws[:, :_HORIZON], (2.5, 97.5), axis=0)
    shown = ahead <= max(2 * more, ahead[10])
    blind = "" if given.blind.any() else "No single blind answers are known."
    return Stopping(
        stop=more == 0,
        answers=round(float(given.counts.sum())),
        images=n,
        answered=given.answered,
        several=several,
        distance=of(values[0], draws[:, 0]),
        gain=of(*(-np.diff(d[..., gained], axis=-1)[..., 0] for d in (values, draws))),
        first_gain=of(_first(values), _first(draws)),
        limit=limit,
        compares=compares,
        more=of(more, _more(draws, limits[1:], ahead)),
        curve=CostCurve(
            ahead[shown], values[:_HORIZON][shown], low[shown], high[shown]
        ),
        held_out=of(values[-2], draws[:, -2], blind),
        held_out_before=of(values[-1], draws[:, -1], blind),
        seconds=given.seconds,
        per=forecast.per,
    )


def _unknown(given: _Given, several: int, per: int, worth: float | None) -> Stopping:
    note = (
        f"{several:,} images have two answers or more, and {_LEAST_SEVERAL} are needed "
        "to tell how much people differ. Ask about some images again."
    )
    nothing = Estimate(math.nan, images=len(given.counts), note=note)
    none = np.zeros(0)
    return Stopping(
        stop=False,
        answers=round(float(given.counts.sum())),
        images=len(given.counts),
        answered=given.answered,
        several=several,
        distance=nothing,
        gain=nothing,
        first_gain=nothing,
        limit=math.nan if worth is None else float(worth),
        compares=worth is None,
        more=nothing,
        curve=CostCurve(none.astype("int64"), none, none, none),
        held_out=nothing,
        held_out_before=nothing,
        seconds=given.seconds,
        per=per,
    )
