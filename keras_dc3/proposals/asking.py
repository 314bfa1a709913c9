"""Which images to ask people about next, and in which groups. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._decision import is_certain
from keras_dc3._names import composed, likely_meant, match_all, tell_lacking
from keras_dc3._text import number_of, tell
from keras_dc3.annotations.counted_labels import labels_of
from keras_dc3.annotations.counts import in_class_order
from keras_dc3.proposals.belief import answer_gain, guess_of
from keras_dc3.proposals.choosing import (
    ACCEPT,
    ALONE,
    Candidate,
    Purchase,
    added,
    change_actions,
    is_cheaper,
    of_group,
    of_images,
)
from keras_dc3.proposals.data import ProposalData
from keras_dc3.proposals.groups import ProposalGroup
from keras_dc3.proposals.questions import GROUP, IMAGE, Question


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
    backed = is_certain(data.ambiguity)
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
    gain, guess = answer_gain(belief), guess_of(belief)
    purchase = Purchase(budget)
    for one in _in_order(data, groups, gain, guess, open_ & (gain > 0)):
        if purchase.left <= 0:
            break
        purchase.offer(one)
    return by_worth(
        [
            _question(data, groups[number] if number >= 0 else None, rows, gain, guess)
            for number, rows in purchase.result()
        ]
    )


@dataclass(frozen=True)
class _Candidates:
    """What can be asked, the most gain per action first; see `Candidate`."""

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
    found = list(_in_order(data, groups, gain, guess, asked))
    parts = ([getattr(one, name) for one in found] for name in Candidate._fields[1:])
    return _Candidates(*parts)


def _in_order(
    data: ProposalData,
    groups: Sequence[ProposalGroup],
    gain: np.ndarray,
    guess: np.ndarray,
    asked: np.ndarray,
) -> list[Candidate]:
    alone = asked.copy()
    found: list[Candidate] = []
    for number, group in enumerate(groups):
        rows = np.sort([data.row_of[name] for name in group.ids])
        actions = change_actions(guess[rows], group.proposed_class)
        fits = asked[rows] & (actions < ALONE)
        rows, actions = rows[fits], actions[fits]
        if is_cheaper(len(rows), added(actions)):
            alone[rows] = False
            found += of_group(number, rows, gain[rows], actions)
    rows = np.flatnonzero(alone)
    found += of_images(rows, gain[rows])
    return sorted(found, key=lambda one: one.place)


def question_of(
    title: str,
    proposed: int,
    ids: Sequence[str],
    gain: np.ndarray,
    actions: np.ndarray,
) -> Question:
    """Returns the question about a group, or a part of it.

    Args:
        title: of the group.
        proposed: class.
        ids: m of them, the most typical one first.
        gain: (m,), in the order in which they were chosen.
        actions: (m,), likewise.
    """
    asked, expected = float(gain.sum()), float(ACCEPT + actions.sum())
    return Question(GROUP, title, int(proposed), tuple(ids), asked, expected)


def question_alone(name: str, gain: float) -> Question:
    """Returns the question about an image alone."""
    return Question(IMAGE, "", -1, (name,), float(gain), ALONE)


def by_worth(questions: Sequence[Question]) -> list[Question]:
    """Returns questions, the most gain per action first."""
    return sorted(questions, key=lambda question: -question.gain / question.actions)


def _question(
    data: ProposalData,
    group: ProposalGroup | None,
    rows: np.ndarray,
    gain: np.ndarray,
    guess: np.ndarray,
) -> Question:
    if group is None:
        return question_alone(data.ids[rows[0]], gain[rows[0]])
    asked = {data.ids[row] for row in rows}
    ids = [name for name in group.ids if name in asked]
    actions = change_actions(guess[rows], group.proposed_class)
    return question_of(group.title, group.proposed_class, ids, gain[rows], actions)
