"""Which images to ask people about next. NumPy only."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_dc3._names import composed, likely_meant, match_all, tell_lacking
from keras_dc3._validation import check_positive_int, check_positive_number
from keras_dc3.proposals.belief import answer_gain, beliefs
from keras_dc3.proposals.groups import groups
from keras_dc3.proposals.proposal import CERTAIN
from keras_dc3.proposals.questions import GROUP, IMAGE, Question, Questions

if TYPE_CHECKING:
    from keras_dc3.proposals.proposals import Proposals

_ACCEPT, _CHANGE, _ALONE = 1.0, 2.0, 1.0  # actions on a review sheet


def ask_next(
    proposals: Proposals,
    budget: int,
    annotations: Any = None,
    *,
    model_weight: float | None = None,
    agreeing: int = 2,
) -> Questions:
    """Returns which images to ask about next: the most expected gain per action first.

    **Gain.** What people would answer to an image is unknown; of its distribution l the
    belief is a Dirichlet distribution, `a = model_weight * p + counts`, with p the
    class probabilities (a tenth of them spread evenly over the classes, as networks are
    too sure) and the counts of the answers so far. The best guess of l is its mean. The
    gain of one more answer is how much nearer the guess then comes to l: the expected
    decrease of KL(l || guess), in nats. With A = sum_c a_c it is

        sum_cd  a_c (a_d + [c = d]) / (A (A + 1))  ln( (1 + [c = d] / a_c) A / (A + 1) )

    or the mutual information of two answers.

    **Actions**, as on a review sheet: an image alone, 1; a group, 1 to accept it and 2
    for each image to be changed, which happens with the probability that an answer is
    not the proposed class. An image stands in its group where that is cheaper than
    alone. A group begins with the images that together give it the most gain per
    action; its others follow as far as the budget goes.

    **Settled** images are not asked about again: all answers name one class, and
    `agreeing` or more voices do. The model has one voice where it judges the image
    certain. So one answer settles an image for which the model was certain of the same.

    Each image is asked about once; call it again with the new answers. The same input
    gives the same questions.

    Args:
        budget: expected clicks or keys to spend, at least 1.
        annotations: the answers so far, `keras_dc3.Annotations` or a review, of any
            images; those without proposal play no part. "Cannot tell" is no answer.
            Names match as for `match`; what they lack of the ids is told, and which
            answers are lost for a difference in capital letters or folder.
        model_weight: how many answers the model's class probabilities count as.
            Default: as many as explain the answers best, by the likelihood of those to
            images with two or more (see `belief.fit_weight`); 1 without such.
        agreeing: how many equal voices settle an image.

    Raises:
        TypeError: if `annotations` are none.
        ValueError: if an argument is not as described, the classes are others, or an
            annotated image could be that of several proposals.

    Example:

    >>> proposals = keras_dc3.Proposals(
    ...     ["a", "b"], [0.1, 0.8], [[1, 0], [0.5, 0.5]], [[1, 0], [0, 1]], ["3", "8"]
    ... )
    >>> proposals.next(budget=1).ids
    ('b',)
    """
    check_positive_int("budget", budget)
    if model_weight is not None:
        check_positive_number("model_weight", model_weight)
    check_positive_int("agreeing", agreeing)
    counts = _counts(proposals, annotations)
    belief = beliefs(proposals.class_probabilities, counts, model_weight)
    gain = answer_gain(belief)
    settled = _settled(proposals, counts, agreeing)
    asked = ~settled & (gain > 0)
    guess = belief / belief.sum(axis=1, keepdims=True)
    chosen = _choose(_candidates(proposals, gain, guess, asked), float(budget))
    questions = (_question(proposals, *one, gain, guess) for one in chosen)
    order = sorted(questions, key=lambda q: -q.gain / q.actions)
    return Questions(tuple(order), int(settled.sum()), proposals)


def _counts(proposals: Proposals, annotations: Any) -> np.ndarray:
    """(n, k) counts of the answers so far, in the order of the proposals."""
    counts = np.zeros(proposals.class_probabilities.shape)
    if annotations is None:
        return counts
    annotations = getattr(annotations, "annotations", annotations)
    if not all(hasattr(annotations, a) for a in ("ids", "class_names", "counts")):
        raise TypeError(
            "`annotations` must be `keras_dc3.Annotations` or a review. Received: "
            f"{type(annotations).__name__}"
        )
    names = list(map(composed, annotations.class_names))
    given = np.asarray(annotations.counts)
    number = {name: column for column, name in enumerate(proposals.class_names)}
    chosen = {
        name for name, answers in zip(names, given.sum(axis=0), strict=True) if answers
    }
    if not chosen <= set(number):
        raise ValueError(
            "`annotations` must have the classes of the proposals, "
            f"{list(proposals.class_names)}. Received: {names}"
        )
    matches = match_all(annotations.ids, proposals._known_ids, what="proposals")
    told = tell_lacking(matches.lacking, "proposal")
    lost = [annotations.ids[position] for position in matches.lost]
    near = likely_meant(lost, proposals.ids)
    if near:
        name, meant = next(iter(near.items()))
        told.append(
            f"{len(near):,} images have no proposal, but differ from one in capital "
            f"letters or the folder alone, such as {name!r} and {meant!r}. Their "
            "answers play no part; make the names agree."
        )
    if told:
        warnings.warn("\n  ".join(["Answers so far:", *told]), stacklevel=4)
    rows = [proposals._row_of[one] for one in matches.found.values()]
    known = [i for i, name in enumerate(annotations.ids) if name in matches.found]
    for column, name in enumerate(names):
        if name in number and known:
            counts[rows, number[name]] = given[known, column]
    return counts


def _settled(proposals: Proposals, counts: np.ndarray, agreeing: int) -> np.ndarray:
    """(n,) whether an image needs no further answer."""
    one_class = (counts > 0).sum(axis=1) == 1
    backed = proposals.decision == CERTAIN
    backed &= counts.argmax(axis=1) == proposals.class_index
    return one_class & (counts.sum(axis=1) + backed >= agreeing)


@dataclass(frozen=True)
class _Candidates:
    """What can be asked, the most gain per action first.

    `rows` and `actions` hold one array each, of the images that are taken together;
    `group` is the position of their group, -1 for an image alone; `opens` tells whether
    the group begins with them.
    """

    group: list[int]
    opens: list[bool]
    rows: list[np.ndarray]
    actions: list[np.ndarray]


def _candidates(
    proposals: Proposals, gain: np.ndarray, guess: np.ndarray, asked: np.ndarray
) -> _Candidates:
    alone = asked.copy()
    found: list[tuple[float, int, bool, np.ndarray, np.ndarray]] = []
    for number, group in enumerate(groups(proposals)):
        rows = np.array([proposals._row_of[name] for name in group.ids])
        actions = _CHANGE * (1 - guess[rows, group.proposed_class])
        fits = asked[rows] & (actions < _ALONE)
        rows, actions = rows[fits], actions[fits]
        if _ACCEPT + actions.sum() >= _ALONE * len(rows):
            continue
        alone[rows] = False
        order = np.lexsort((rows, -gain[rows] / actions))
        rows, actions = rows[order], actions[order]
        spent = _ACCEPT + actions.cumsum()
        cheaper = spent < _ALONE * np.arange(1, len(rows) + 1)  # than all alone
        together = np.where(cheaper, gain[rows].cumsum() / spent, -np.inf)
        first = int(together.argmax()) + 1
        found.append((together[first - 1], number, True, rows[:first], actions[:first]))
        for row, action in zip(rows[first:], actions[first:], strict=True):
            one = (np.array([row]), np.array([action]))
            found.append((gain[row] / action, number, False, *one))
    for row in np.flatnonzero(alone):
        one = (np.array([row]), np.array([_ALONE]))
        found.append((gain[row] / _ALONE, -1, True, *one))
    found.sort(key=lambda c: (-c[0], not c[2], c[3][0]))
    return _Candidates(*([part[i] for part in found] for i in range(1, 5)))


def _choose(given: _Candidates, budget: float) -> list[tuple[int, np.ndarray]]:
    """(group, rows) of what fits into the budget, in the order of the candidates."""
    left = budget + 1e-9
    taken: dict[int, list[np.ndarray]] = {}
    chosen: list[tuple[int, np.ndarray]] = []
    parts = zip(given.group, given.opens, given.rows, given.actions, strict=True)
    for group, opens, rows, actions in parts:
        if left <= 0:
            break
        begin = _ACCEPT if group >= 0 and opens else 0.0
        fits = int((begin + actions.cumsum() <= left).sum())
        spent = begin + actions[:fits].sum()
        # What is left of a budget may be too little for a group, or for so few of it
        # that each alone is cheaper.
        apart = group >= 0 and not opens and group not in taken
        if apart or (opens and group >= 0 and spent >= _ALONE * fits):
            fits = min(len(rows), int(left / _ALONE))
            chosen += [(-1, rows[i : i + 1]) for i in range(fits)]
            left -= _ALONE * fits
        elif fits:
            left -= spent
            if group >= 0:
                taken.setdefault(group, []).append(rows[:fits])
            else:
                chosen.append((group, rows))
    return [(g, np.concatenate(parts)) for g, parts in taken.items()] + chosen


def _question(
    proposals: Proposals,
    number: int,
    rows: np.ndarray,
    gain: np.ndarray,
    guess: np.ndarray,
) -> Question:
    gained = float(gain[rows].sum())
    if number < 0:
        return Question(IMAGE, "", -1, (proposals.ids[rows[0]],), gained, _ALONE)
    group = groups(proposals)[number]
    asked = {proposals.ids[row] for row in rows}
    change = 1 - guess[rows, group.proposed_class]
    return Question(
        GROUP,
        f"class {group.name}" if group.kind == "class" else group.name,
        int(group.proposed_class),
        tuple(name for name in group.ids if name in asked),
        gained,
        float(_ACCEPT + _CHANGE * change.sum()),
    )
