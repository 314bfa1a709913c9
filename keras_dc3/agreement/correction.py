"""What people would have answered without proposals. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from keras_dc3.agreement.answers import Answers
from keras_dc3.annotations import CountedLabels

MOST_DELTA = 0.99
_STRENGTHS = 2.0 ** np.arange(-2, 8)
# Where there is one answer per image all strengths fit alike, and 1 is taken.
_PREFERENCE = -0.5 * (np.log2(_STRENGTHS) / 1.5) ** 2


@dataclass(frozen=True, eq=False)
class CorrectedLabels(CountedLabels):
    """Soft labels of n images and k classes, without the bias of proposals.

    Attributes:
        ids: n names, as in the annotations.
        class_names: k names.
        counts: (n, k) float64. Answers count as before, except that one equal to its
            proposal counts as what the person would have answered blind, in
            expectation: itself as far as it was the person's own, else spread over the
            classes. Rows sum to the number of answers. Without bias these are the
            counts of people's first answers.
            An answer that is split between two classes is taken for the person's own,
            whatever was proposed, and counts its shares.
        shrunk_labels: (n, k) float64, the best guess of each image's distribution:
            with few answers it leans towards what people say of images with the same
            proposal; NaN without answer. Of a split answer the class with the larger
            share counts here, as in `given`.
        strength: how many answers that leaning weighs.
        given: (n, k) float64, the same answers as people gave them. How much people
            differ is read from these: shares of an answer that was spread over the
            classes are no answers that differ.
    """

    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    counts: np.ndarray
    shrunk_labels: np.ndarray
    strength: float
    given: np.ndarray

    @property
    def as_given(self) -> CorrectedLabels:
        """The same images with the answers as people gave them, as `counts`."""
        return replace(self, counts=self.given)

    @property
    def soft_labels(self) -> np.ndarray:
        """(n, k) float64, counts by their sum; NaN without answer."""
        total = self.counts.sum(axis=1, keepdims=True)
        return self.counts / np.where(total > 0, total, np.nan)


def tallies(answers: Answers) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """Returns the blind counts (n, k), and those of answers to proposals.

    The latter are a list: of each image the first class proposed for it, (n,), -1 if
    there is none, with the counts of the answers (n, k); then the second, and so on.
    """
    n, k = len(answers.ids), len(answers.class_names)

    def counted(image, label):
        cells = np.bincount(image * k + label, minlength=n * k)
        return cells.reshape(n, k)

    first = answers.round == 0
    rows = np.flatnonzero(first & (answers.proposed >= 0))
    image, label = answers.image[rows], answers.label[rows]
    shown = np.unique(image * k + answers.proposed[rows])
    start = np.searchsorted(shown // k, np.arange(n))
    turn = np.arange(len(shown)) - start[shown // k]
    of_row = np.searchsorted(shown, image * k + answers.proposed[rows])
    steps = []
    for t in range(int(turn.max(initial=-1)) + 1):
        classes = np.full(n, -1)
        classes[shown[turn == t] // k] = shown[turn == t] % k
        mine = turn[of_row] == t
        steps.append((classes, counted(image[mine], label[mine])))
    blind = np.flatnonzero(first & (answers.proposed < 0))
    return counted(answers.image[blind], answers.label[blind]), steps


def correct_answers(
    answers: Answers, delta: np.ndarray, ids: Sequence[str]
) -> CorrectedLabels:
    """Returns corrected labels; see `ProposalBias.correct`.

    The distribution of an image has a Dirichlet prior, whose mean is what people
    answer, after subtraction of the bias, to images of the same proposal, and whose
    strength is the one that explains the answers best. Of x answers equal to the
    proposal, the number that were people's own is summed over: for one proposed class
    per image the posterior is exact. Further proposed classes of an image follow in
    turn, each from the Dirichlet distribution with mean and size of the posterior.

    Args:
        answers: all answers.
        delta: (k,) of each proposed class.
        ids: of the result, in its order.
    """
    if not answers.known:
        raise ValueError("Only counts are known, which do not tell what was proposed.")
    answers, moved = _splits_as_own(answers)
    blind, steps = tallies(answers)
    prior = _prior_means(blind, steps, delta)
    results = [_posterior(blind, steps, delta, s * prior) for s in _STRENGTHS]
    best = int(np.argmax([r[0] for r in results] + _PREFERENCE))
    _, counts, mean = results[best]
    place = {image: row for row, image in enumerate(ids)}
    rows = [place[image] for image in answers.ids]
    shape = len(ids), len(answers.class_names)
    full, shrunk = np.zeros(shape), np.full(shape, np.nan)
    given = np.zeros(shape)
    full[rows], shrunk[rows] = counts + moved, mean
    given[rows] = blind + sum(of_step for _, of_step in steps)
    return CorrectedLabels(
        tuple(ids), answers.class_names, full, shrunk, float(_STRENGTHS[best]), given
    )


def _splits_as_own(answers: Answers) -> tuple[Answers, np.ndarray]:
    """Returns the answers with split ones as blind, and what these move (n, k).

    Who splits an answer has not just accepted a proposal. A blind answer counts 1 for
    its class, of which a part then moves to the second one.
    """
    moved = np.zeros((len(answers.ids), len(answers.class_names)))
    if answers.second is None or not (answers.second >= 0).any():
        return answers, moved
    split = answers.second >= 0
    rows = np.flatnonzero(split & (answers.round == 0))
    image, rest = answers.image[rows], 1 - answers.share[rows]
    np.add.at(moved, (image, answers.label[rows]), -rest)
    np.add.at(moved, (image, answers.second[rows]), rest)
    proposed = np.where(split, -1, answers.proposed)
    return replace(answers, proposed=proposed), moved


def _prior_means(blind, steps, delta) -> np.ndarray:
    """(n, k), by the first class proposed; images without any have a prior too."""
    k = blind.shape[1]
    own, group = np.zeros((k + 1, k)), np.full(len(blind), k)
    for classes, counts in steps[::-1]:
        shown = np.where(classes >= 0, classes, k)
        np.add.at(own, shown, counts)
        group = np.where(classes >= 0, classes, group)
    diagonal = np.arange(k)
    own[diagonal, diagonal] -= delta * own[:k].sum(axis=1)
    own = own.clip(0.0)
    np.add.at(own, group, blind)
    common = own.sum(axis=0) + 1 / k
    own += common / common.sum()
    return (own / own.sum(axis=1, keepdims=True))[group]


def _posterior(blind, steps, delta, prior) -> tuple[float, np.ndarray, np.ndarray]:
    """Log marginal likelihood, corrected counts and mean of the posterior."""
    evidence = _log_rising(prior, blind) - _log_rising(
        prior.sum(axis=1, keepdims=True), blind.sum(axis=1, keepdims=True)
    )
    state, counts = prior + blind, blind.astype("float64")
    mean = state / state.sum(axis=1, keepdims=True)
    for classes, given in steps:
        rows = np.flatnonzero(classes >= 0)
        c, other = classes[rows], given[rows].copy()
        line = np.arange(len(rows))
        equal = other[line, c].copy()
        other[line, c] = 0
        before = state[rows]
        evidence[rows] += _log_rising(before, other) - _log_rising(
            before.sum(axis=1, keepdims=True), other.sum(axis=1, keepdims=True)
        )
        after = before + other
        total = after.sum(axis=1)
        chance, seen = _own_answers(after[line, c], total, equal, delta[c])
        evidence[rows] += seen
        number = np.arange(chance.shape[1])
        by_size = chance / (total[:, None] + number)
        mean[rows] = after * by_size.sum(axis=1, keepdims=True)
        mean[rows, c] += by_size @ number
        expected = chance @ number
        # The more answers were own, the fewer are spread, and the less evenly.
        spread = by_size * (equal[:, None] - number)
        counts[rows] += other + after * spread.sum(axis=1, keepdims=True)
        counts[rows, c] += expected + spread @ number
        state[rows] = mean[rows] * (total + expected)[:, None]
    return float(evidence.sum()), counts, mean


def _own_answers(alpha, total, equal, delta) -> tuple[np.ndarray, np.ndarray]:
    """Of `equal` answers, the distribution of how many were own, and its evidence."""
    own = np.arange(equal.max(initial=0) + 1)
    factorial = np.concatenate([[0.0], np.cumsum(np.log(own[1:]))])
    accepted = equal[:, None] - own
    possible = accepted >= 0
    accepted = accepted.clip(0)
    log = factorial[equal][:, None] - factorial[own] - factorial[accepted]
    log = log + own * np.log1p(-delta)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        log += np.where(accepted > 0, accepted * np.log(delta)[:, None], 0.0)
    steps = own[:-1]
    rising = np.log(alpha[:, None] + steps) - np.log(total[:, None] + steps)
    log[:, 1:] += np.cumsum(rising, axis=1)
    log = np.where(possible, log, -np.inf)
    top = log.max(axis=1, keepdims=True)
    chance = np.exp(log - top)
    size = chance.sum(axis=1, keepdims=True)
    return chance / size, (np.log(size) + top)[:, 0]


def _log_rising(start: np.ndarray, times: np.ndarray) -> np.ndarray:
    """(n,) log of the product of start (start + 1) ... , `times` factors each."""
    total = np.zeros(len(start))
    for step in range(int(times.max(initial=0))):
        total += np.where(times > step, np.log(start + step), 0.0).sum(axis=1)
    return total
