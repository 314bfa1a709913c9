"""Which images to ask people about next, and in which groups. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._decision import CERTAIN
from keras_dc3._names import composed, likely_meant, match_all, tell_lacking
from keras_dc3._text import number_of, tell
from keras_dc3.annotations.counted_labels import labels_of
from keras_dc3.annotations.counts import in_class_order
from keras_dc3.proposals.belief import answer_gain
from keras_dc3.proposals.data import ProposalData
from keras_dc3.proposals.groups import ProposalGroup
from keras_dc3.proposals.questions import GROUP, IMAGE, Question

_ACCEPT, _CHANGE, _ALONE = 1.0, 2.0, 1.0  # actions on a review sheet


def counts_of(
    data: ProposalData, annotations: Any, *, as_given: bool = False, quiet: bool = False
) -> np.ndarray:
    """Returns (n, k) counts of the answers so far, in the order of the proposals.

    Args:
        data: the proposals.
        annotations: the answers; None for none.
        as_given: count each person's last answer to an image alone: for what is learned
            of how much people differ, of which a changed mind is no sign.
        quiet: do not tell again what does not match.
    """
    counts = np.zeros(data.class_probabilities.shape)
    if annotations is None:
        return counts
    annotations = labels_of(
        annotations, "`annotations` must be `keras_dc3.Annotations` or a review"
    )
    if as_given:
        annotations = getattr(annotations, "as_given", annotations)
    names = list(map(composed, annotations.class_names))
    given = np.asarray(annotations.counts)
    chosen = {
        name for name, answers in zip(names, given.sum(axis=0), strict=True) if answers
    }
    if not chosen <= set(data.class_names):
        raise ValueError(
            "`annotations` must have the classes of the proposals, "
            f"{list(data.class_names)}. Received: {names}. `with_classes` of either "
            "carries it to the classes of the other."
        )
    matches = match_all(annotations.ids, data.known_ids, what="proposals")
    told = tell_lacking(matches.lacking, "proposal")
    lost = [annotations.ids[position] for position in matches.lost]
    near = likely_meant(lost, data.ids)
    if near:
        name, meant = next(iter(near.items()))
        told.append(
            f"{number_of(len(near), 'image has', 'images have')} no proposal, but for "
            f"capital letters or the folder alone, such as {name!r} and {meant!r}. "
            "Their answers play no part; make the names agree."
        )
    if not quiet:
        tell("Answers so far:", told, stacklevel=3)
    rows = [data.row_of[one] for one in matches.found.values()]
    known = [i for i, name in enumerate(annotations.ids) if name in matches.found]
    counts[rows] = in_class_order(given, names, data.class_names)[known]
    return counts


def settled(data: ProposalData, counts: np.ndarray, agreeing: int) -> np.ndarray:
    """Returns (n,) whether an image needs no further answer, see `Proposals.next`."""
    one_class = (counts > 0).sum(axis=1) == 1
    backed = data.decision == CERTAIN
    backed &= counts.argmax(axis=1) == data.class_index
    return one_class & (counts.sum(axis=1) + backed >= agreeing)


def called_bad(data: ProposalData, annotations: Any) -> np.ndarray:
    """Returns (n,) whether most people who answered call the image bad."""
    bad = np.zeros(len(data.ids), bool)
    annotations = getattr(annotations, "annotations", annotations)
    for name in getattr(annotations, "bad_images", ()):
        bad[[data.row_of[one] for one in data.known_ids.find(name)[0]]] = True
    return bad


def choose_questions(
    data: ProposalData,
    groups: Sequence[ProposalGroup],
    belief: np.ndarray,
    open_: np.ndarray,
    budget: float,
) -> list[Question]:
    """Returns the questions of most gain that a budget of actions pays for.

    Args:
        data: the proposals.
        groups: of these.
        belief: (n, k) parameters of Dirichlet distributions, see `belief`.
        open_: (n,) bool, which images may be asked about.
        budget: actions.
    """
    gain = answer_gain(belief)
    guess = belief / belief.sum(axis=1, keepdims=True)
    found = _candidates(data, groups, gain, guess, open_ & (gain > 0))
    questions = [
        _question(data, groups[number] if number >= 0 else None, rows, gain, guess)
        for number, rows in _choose(found, budget)
    ]
    return sorted(questions, key=lambda question: -question.gain / question.actions)


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
    data: ProposalData,
    groups: Sequence[ProposalGroup],
    gain: np.ndarray,
    guess: np.ndarray,
    asked: np.ndarray,
) -> _Candidates:
    alone = asked.copy()
    found: list[tuple[float, int, bool, np.ndarray, np.ndarray]] = []
    for number, group in enumerate(groups):
        rows = np.array([data.row_of[name] for name in group.ids])
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
    data: ProposalData,
    group: ProposalGroup | None,
    rows: np.ndarray,
    gain: np.ndarray,
    guess: np.ndarray,
) -> Question:
    gained = float(gain[rows].sum())
    if group is None:
        return Question(IMAGE, "", -1, (data.ids[rows[0]],), gained, _ALONE)
    asked = {data.ids[row] for row in rows}
    change = 1 - guess[rows, group.proposed_class]
    return Question(
        GROUP,
        group.title,
        int(group.proposed_class),
        tuple(name for name in group.ids if name in asked),
        gained,
        float(_ACCEPT + _CHANGE * change.sum()),
    )
