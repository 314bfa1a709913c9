"""The steps in which people are asked, and their answers taken in."""

from __future__ import annotations

import glob
import os
import shutil
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_dc3 import review
from keras_dc3._text import number_of, some
from keras_dc3._validation import check_names, check_positive_int, check_probability
from keras_dc3._writing import whole_path
from keras_dc3.project import stored_proposals, weak_models
from keras_dc3.project.answers import same_person, sheet_of
from keras_dc3.project.learning import last_proposals
from keras_dc3.project.rounds import Round
from keras_dc3.project.settings import ProjectError
from keras_dc3.project.workspace import Workspace
from keras_dc3.proposals.dividing import divide, whole_budget
from keras_dc3.proposals.questions import IMAGE, Question, Questions
from keras_dc3.review import fingerprint
from keras_dc3.review.files import read_parts

_ENDINGS = (".json", ".csv")


def write_sheets(
    work: Workspace,
    people: Sequence[str],
    budget: int,
    *,
    overlap: float,
    control: float,
    repetitions: float,
    again: bool,
) -> str:
    """Writes the pages of the last round; see `Project.sheet`."""
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
    blind = found is None
    held = set(work.settings.validation or ())
    answers = work.answers
    if blind:
        asked = _anything(work, held, whole_budget(budget, len(people), overlap))
    else:
        rows = [row for row, name in enumerate(found.ids) if name not in held]
        whole = whole_budget(budget, len(people), overlap)
        found = found.take(rows)
        asked = found.next(whole, answers.all)
        if control == 1:
            asked = weak_models.alone(asked, whole)
    if not asked.ids:
        return (
            "There is nothing to ask: all images are settled. `keras-dc3 labels` "
            "writes the labels."
        )
    parts = divide(asked, people, overlap, answers.answered_by(people))
    told: list[str] = []
    os.makedirs(current.path("sheets"), exist_ok=True)
    for name, person in _sheet_names(people, sheets).items():
        part = parts[person]
        if not part.ids:
            told.append(f"  {person}: nothing, has answered all of it before")
            continue
        number = len(sheets)
        pages = _write(work, current, name, part, blind, number, control, repetitions)
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
        return "\n".join([*told, "No page was written."])
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
        if blind
        else _what(asked)
    )
    if asked.proposed:
        told += weak_models.warnings_of(found, answers.all, people)
    return "\n".join(
        [
            what,
            *told,
            "Give each person the file of that name, or all of them; it opens in any "
            "browser. They send you the file that they download there.",
        ]
    )


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
        f"{round(asked.actions):,} clicks or keys in all.{settled}"
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
    number: int,
    control: float,
    repetitions: float,
) -> list[str]:
    options: dict[str, Any] = {
        "title": f"{work.name}, round {current.number}",
        "repetitions": repetitions,
        "seed": work.settings.seed + 100 * current.number + number,
        "round_name": f"round {current.number}",
    }
    path = current.path("sheets", f"round-{current.number}-{name}.html")
    if blind:
        pages = part.proposals.to_review(path, work.images, "none", **options)
    else:
        pages = part.to_review(path, work.images, control=control, **options)
    return list(pages)


def read_files(work: Workspace, paths: Sequence[str]) -> str:
    """Takes in what people have downloaded; see `Project.read`."""
    files = _files(paths)
    by_sheet: dict[tuple[int, str], list[str]] = defaultdict(list)
    refused = []
    for path in files:
        try:
            by_sheet[_sheet_of(work, path)].append(path)
        except ValueError as error:  # AnnotationError and ProjectError are such
            if len(files) == 1:
                raise
            refused.append(str(error))
    told = []
    rounds = {one.number: one for one in work.rounds}
    for (number, sheet), new in by_sheet.items():
        try:
            told += _take_in(rounds[number], sheet, new)
        except ValueError as error:
            if len(files) == 1:
                raise
            refused.append(str(error))
    if refused:
        done = "\n".join([*told, ""]) if told else ""
        raise ProjectError(
            "\n".join([f"{done}Not read, the others were:", *refused])
            if told
            else "\n".join(["Nothing was read:", *refused])
        )
    return "\n".join(told)


def _files(paths: Sequence[str]) -> list[str]:
    """Returns the files that paths, folders or patterns name."""
    found: list[str] = []
    for path in paths:
        path = os.fspath(path)
        if os.path.isdir(path):
            inside = sorted(os.listdir(path))
            inside = [n for n in inside if n.lower().endswith(_ENDINGS)]
            if not inside:
                raise ProjectError(f"There is no .json or .csv file in {path!r}.")
            found += [os.path.join(path, name) for name in inside]
        elif not os.path.exists(path) and glob.has_magic(path):
            matching = sorted(glob.glob(path))
            if not matching:
                raise ProjectError(f"No file is called like {path!r}.")
            found += matching  # Windows' command line leaves patterns as they are
        else:
            found.append(path)
    if not found:
        raise ProjectError("Name the files that people have downloaded.")
    return list(dict.fromkeys(found))


def _sheet_of(work: Workspace, path: str) -> tuple[int, str]:
    """Returns round and name of the sheet that a file has answers to.

    Raises:
        ProjectError: if it is of none. AnnotationError: if it is damaged.
    """
    parts = read_parts(path)
    mark = parts[0].fingerprint
    known = 0
    for one in reversed(work.rounds):
        for sheet in one.record.get("sheets", {}).get("sheets", {}):
            known += 1
            made_from = sheet_of(one, sheet)
            if fingerprint.is_of_ids(mark["images"], made_from.ids) and mark[
                "proposals"
            ] == fingerprint.of_values(made_from):
                return one.number, sheet
    raise ProjectError(
        f"{path!r} has answers to a page that is none of the {known} of this project: "
        "it is of another project, or of a round that was removed."
    )


def _take_in(one: Round, sheet: str, new: Sequence[str]) -> list[str]:
    """Copies files into a round, once it is sure that they can be used."""
    known = one.record.get("answers", {}).get("files", {})
    old = [one.file("answers", name) for name, of in known.items() if of == sheet]
    contents = {_content(path) for path in old}
    told = [f"{path}: read before" for path in new if _content(path) in contents]
    new = [path for path in new if _content(path) not in contents]
    if not new:
        return told
    made_from = sheet_of(one, sheet)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        found = review.read([*old, *new], proposals=made_from)
    os.makedirs(one.path("answers"), exist_ok=True)
    files = dict(known)
    for path in new:
        name = _free_name(os.path.basename(path), files)
        with whole_path(one.path("answers", name)) as copy:
            shutil.copy2(path, copy)
        files[name] = sheet
    one.note("answers", files=files)
    person = one.record["sheets"]["sheets"][sheet]["person"]
    people = found.annotations.annotators
    names = ", ".join(people)
    told.append(
        f"{some(new, 5)}: {len(found.proposed):,} answers by {names}, to the page of "
        f"{person} in round {one.number}"
    )
    if set(people) != {person}:
        told.append(
            f"  Note: the page was made for {person}; the answers count for {names}."
        )
    return told + [f"  Note: {note}" for note in found.notes]


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _free_name(name: str, taken: Any) -> str:
    stem, ending = os.path.splitext(name)
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{stem}-{number}{ending}"
    return found
