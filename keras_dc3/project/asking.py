"""The step in which people are asked: a page for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_dc3._names import same_person
from keras_dc3._text import number_of, some
from keras_dc3._validation import check_names, check_positive_int, check_probability
from keras_dc3.project import stored_proposals, weak_models
from keras_dc3.project.learning import last_proposals
from keras_dc3.project.rounds import Round
from keras_dc3.project.settings import ProjectError
from keras_dc3.project.workspace import Workspace
from keras_dc3.proposals.dividing import divide, whole_budget
from keras_dc3.proposals.questions import IMAGE, Question, Questions


def write_sheets(
    work: Workspace,
    people: Sequence[str],
    budget: int,
    *,
    overlap: float,
    control: float,
    repetitions: float,
    full_size: int | str | None,
    again: bool,
) -> tuple[str, bool]:
    """Writes the pages of the last round; see `Project.sheet`.

    Returns:
        Who is asked what, in words, and whether there is a page more.
    """
    people = check_names("people", people, clean=True)
    check_positive_int("budget", budget)
    check_probability("overlap", overlap)
    current = work.begun_round()
    before = current.record.get("sheets", {})
    sheets = dict(before.get("sheets", {}))
    _check_new(people, sheets, current, again)
    if current.done("train") and not current.done("propose"):
        raise ProjectError(
            f"Round {current.number} is trained, but has no proposals yet: `keras-dc3 "
            "propose` makes them."
        )
    found = last_proposals(work)
    blind = found is None or control == 1
    held = set(work.settings.validation or ())
    answers = work.answers
    if found is None:
        asked = _anything(work, held, whole_budget(budget, len(people), overlap))
    else:
        rows = [row for row, name in enumerate(found.ids) if name not in held]
        whole = whole_budget(budget, len(people), overlap)
        found = found.take(rows)
        asked = found.next(whole, answers.all)
        if blind:
            asked = weak_models.alone(asked, whole)
    if not asked.ids:
        return (
            "There is nothing to ask: all images are settled.\n"
            "Next: `keras-dc3 labels` writes the labels."
        ), False
    parts = divide(asked, people, overlap, answers.answered_by(people))
    told: list[str] = []
    os.makedirs(current.path("sheets"), exist_ok=True)
    for name, person in _sheet_names(people, sheets).items():
        part = parts[person]
        if not part.ids:
            told.append(f"  {person}: nothing, has answered all of it before")
            continue
        number = len(sheets)
        options = {
            "repetitions": repetitions,
            "full_size": full_size,
            "seed": work.settings.seed + 100 * current.number + number,
        }
        if not blind:
            options["control"] = control
        pages = _write(work, current, name, part, blind, options)
        stored_proposals.write(current.path("sheets", f"{name}.npz"), part.proposals)
        sheets[name] = {
            "person": person,
            "pages": [os.path.basename(page) for page in pages],
            "images": len(part.ids),
            "actions": round(part.actions),
        }
        told.append(
            f"  {person}: {number_of(len(part.ids), 'image')}, about "
            f"{round(part.actions):,} clicks or keys: {', '.join(pages)}"
        )
    if not any(part.ids for part in parts.values()):
        return "\n".join(
            [
                *told,
                "No page was written.",
                "Next: `keras-dc3 sheet --people` asks others; `keras-dc3 labels` "
                "writes the labels.",
            ]
        ), False
    proposed = {**asked.proposed, **before.get("proposed", {})}
    current.note("sheets", sheets=sheets, proposed=proposed)
    made_in = work.last_with("propose")
    if made_in is not None and made_in is not current:
        told.insert(
            0,
            f"These are the proposals of round {made_in.number}, without the "
            "answers since; `keras-dc3 train` and `propose` make new ones.",
        )
    what = (
        "No model has seen the images yet: each comes alone, without a proposal."
        if found is None
        else _what(asked)
    )
    if asked.proposed:
        told += weak_models.warnings_of(found, answers.all, people)
    return "\n".join(
        [
            what,
            *told,
            "Give each person the file of that name, or all of them; it opens in any "
            "browser.",
        ]
    ), True


def _sheet_names(people: Sequence[str], taken: Iterable[str]) -> dict[str, str]:
    """Returns the name of a person's sheet -> the name of the person.

    Args:
        people: their names.
        taken: names of sheets that there are already.
    """
    found: dict[str, str] = {}
    for person in people:
        letters = (c if c.isalnum() or c in "-_" else "_" for c in person)
        stem = name = "".join(letters)[:60]
        number = 1
        while name.lower() in map(str.lower, [*found, *taken]):
            number += 1
            name = f"{stem}-{number}"
        found[name] = person
    return found


def _check_new(
    people: Sequence[str], sheets: Mapping[str, Any], current: Round, again: bool
) -> None:
    """Raises ProjectError if names are alike, or somebody has a page already."""
    folded = [same_person(person) for person in people]
    for person, name in zip(people, folded, strict=True):
        if folded.count(name) > 1:
            raise ProjectError(
                f"{person!r} is named twice, in capitals or not: people are told apart "
                "by their names. Give each another one."
            )
    have = {same_person(one["person"]) for one in sheets.values()}
    known = [person for person in people if same_person(person) in have]
    if known and not again:
        raise ProjectError(
            f"{some(map(repr, known))} has a page of round {current.number} already; "
            "answers to it can be read. Name others, or write a further page by "
            "`keras-dc3 sheet --again`; `keras-dc3 next` begins another round."
        )


def _what(asked: Questions) -> str:
    """Returns what is asked, in words."""
    groups = [question for question in asked if question.kind != IMAGE]
    inside = sum(len(question.ids) for question in groups)
    settled = (
        f" {number_of(asked.settled, 'image')} {'is' if asked.settled == 1 else 'are'} "
        "settled: all that is known of them names one class."
        if asked.settled
        else ""
    )
    how = (
        f"{inside:,} of them in {number_of(len(groups), 'group')} with a proposal"
        if groups
        else "each alone, without a proposal"
    )
    return (
        f"Chosen: {number_of(len(asked.ids), 'image')}, {how}, for about "
        f"{number_of(round(asked.actions), 'click or key', 'clicks or keys')} in "
        f"all.{settled}"
    )


def _anything(work: Workspace, held: set[str], number: int) -> Questions:
    """Returns questions about images at random, those with the fewest answers first."""
    ids = [name for name in work.files if name not in held]
    answers = work.answers.all
    known = {}
    if answers is not None:
        known = dict(zip(answers.ids, answers.annotations_per_image, strict=True))
    rng = np.random.default_rng([work.settings.seed, len(work.rounds)])
    order = rng.permutation(len(ids))
    order = sorted(order.tolist(), key=lambda i: known.get(ids[i], 0))[:number]
    chosen = [ids[i] for i in order]
    return Questions(
        tuple(Question(IMAGE, "", -1, (name,), 0.0, 1.0) for name in chosen),
        0,
        stored_proposals.without_model(chosen, work.settings.class_names),
    )


def _write(
    work: Workspace,
    current: Round,
    name: str,
    part: Questions,
    blind: bool,
    options: dict[str, Any],
) -> list[str]:
    options = {
        "title": f"{work.name}, round {current.number}",
        "round_name": f"round {current.number}",
        **options,
    }
    path = current.path("sheets", f"round-{current.number}-{name}.html")
    if blind:
        pages = part.proposals.to_review(path, work.images, "none", **options)
    else:
        pages = part.to_review(path, work.images, **options)
    return list(pages)
