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
        if common + question.actions <= overlap * (asked + question.actions) + 1e-9:
            parts_of = {p: _without(question, known[p]) for p in people}
            common += question.actions
        else:
            parts_of = _shared_out(question, known, cost)
        asked += question.actions
        for person, part in parts_of.items():
            if part is not None:
                parts[person].append(part)
                cost[person] += part.actions
    return {
        person: questions_of(questions, asked_of) for person, asked_of in parts.items()
    }


def _shared_out(
    question: Question, known: Mapping[str, Collection[str]], cost: Mapping[str, float]
) -> dict[str, Question]:
    """Returns a question for the one with the least to do.

    What this person has answered already goes to the next one.
    """
    found: dict[str, Question] = {}
    left: Question | None = question
    for person in sorted(cost, key=cost.__getitem__):
        part = None if left is None else _without(left, known[person])
        if part is not None:
            found[person] = part
            left = _without(left, part.ids)
    return found


def _without(question: Question, known: Collection[str]) -> Question | None:
    """Returns a question without the images that somebody has answered; None if all."""
    ids = tuple(name for name in question.ids if name not in known)
    if len(ids) == len(question.ids):
        return question
    share = len(ids) / len(question.ids)
    gain, actions = question.gain * share, max(question.actions * share, 1.0)
    return replace(question, ids=ids, gain=gain, actions=actions) if ids else None


def questions_of(questions: Questions, chosen: Sequence[Question]) -> Questions:
    """Returns some of the questions, with the proposals for their images alone."""
    row_of = questions.proposals.row_of
    rows = [row_of[name] for question in chosen for name in question.ids]
    return replace(
        questions, questions=tuple(chosen), proposals=questions.proposals.take(rows)
    )
