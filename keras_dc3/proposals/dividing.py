"""Who is asked what: questions divided among people. NumPy only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from keras_dc3._validation import check_names, check_probability

if TYPE_CHECKING:
    from keras_dc3.proposals.questions import Question, Questions


def whole_budget(budget: int, people: int, overlap: float) -> int:
    """Returns the actions of all different questions, for so many of each person.

    Of `d` actions, a person takes `overlap * d` that everybody does, and an equal part
    of the rest.
    """
    return max(round(budget / (overlap + (1 - overlap) / people)), 1)


def divide(
    questions: Questions,
    people: Sequence[str],
    overlap: float,
    answered: Mapping[str, Collection[str]] | None,
) -> dict[str, Questions]:
    """See `Questions.divide`."""
    people = check_names("people", people, clean=True)
    check_probability("overlap", overlap)
    if not people:
        raise ValueError("`people` must name at least one person. Received: none")
    known = {person: set((answered or {}).get(person, ())) for person in people}
    parts: dict[str, list[Question]] = {person: [] for person in people}
    cost = dict.fromkeys(people, 0.0)
    common = asked = 0.0
    for question in questions:
        new = {person: _without(question, known[person]) for person in people}
        new = {person: part for person, part in new.items() if part is not None}
        if not new:
            continue  # all have answered it
        asked += question.actions
        together = common + question.actions <= overlap * asked + 1e-9
        if together:
            common += question.actions
            chosen = list(new)
        else:
            chosen = [min(new, key=cost.__getitem__)]
        for person in chosen:
            parts[person].append(new[person])
            cost[person] += new[person].actions
    return {person: _of(questions, asked_of) for person, asked_of in parts.items()}


def _without(question: Question, known: Collection[str]) -> Question | None:
    """Returns a question without the images that somebody has answered; None if all."""
    ids = tuple(name for name in question.ids if name not in known)
    if len(ids) == len(question.ids):
        return question
    share = len(ids) / len(question.ids)
    gain, actions = question.gain * share, max(question.actions * share, 1.0)
    return replace(question, ids=ids, gain=gain, actions=actions) if ids else None


def _of(questions: Questions, chosen: Sequence[Question]) -> Questions:
    row_of = questions.proposals.row_of
    rows = [row_of[name] for question in chosen for name in question.ids]
    return replace(
        questions, questions=tuple(chosen), proposals=questions.proposals.take(rows)
    )
