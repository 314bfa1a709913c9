"""The step in which people's answers are taken in, or taken back."""

from __future__ import annotations

import glob
import os
import shlex
import shutil
import warnings
from collections import defaultdict
from collections.abc import Container, Mapping, Sequence

from keras_dc3._names import same_person
from keras_dc3._text import number_of, some
from keras_dc3._writing import whole_path
from keras_dc3.project import served
from keras_dc3.project.answers import (
    answer_file,
    people_of,
    review_of,
    sheet_of,
    typed_now,
)
from keras_dc3.project.rounds import Round
from keras_dc3.project.settings import ProjectError, Settings
from keras_dc3.project.workspace import Workspace
from keras_dc3.review import fingerprint
from keras_dc3.review.answer_store import is_store
from keras_dc3.review.files import read_parts

_ENDINGS = (".json", ".csv")
_ANSWERS, _REMOVED = "answers", "removed"


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
            people = people_of(work.answers.all, work.rounds)
            told += _take_in(rounds[number], sheet, new, people, work.settings)
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


def of_server(work: Workspace) -> list[str]:
    """Returns the path of what the server of the last round has kept.

    Raises:
        ProjectError: if there was none.
    """
    path = None if work.current is None else served.answers_of(work.current)
    if path is None or not os.path.exists(path):
        raise ProjectError(
            "Name the files that people have downloaded; in this round, no page was "
            "given by `keras-dc3 serve` yet."
        )
    return [path]


def _files(paths: Sequence[str]) -> list[str]:
    """Returns the files that paths, folders or patterns name.

    That of a server is written as those that its pages would download.
    """
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
        elif os.path.isfile(path) and is_store(path):
            found += served.as_files(path)
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


def _take_in(
    one: Round, sheet: str, new: Sequence[str], people: list[str], settings: Settings
) -> list[str]:
    """Copies files into a round, once it is sure that they can be used."""
    known = _known(one)
    old = [answer_file(one, name) for name, of in known.items() if of == sheet]
    contents = {_content(path) for path in old}
    told = [f"{path}: read before" for path in new if _content(path) in contents]
    new = [path for path in new if _content(path) not in contents]
    if not new:
        return told
    made_from = sheet_of(one, sheet)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        try:
            found = review_of([*old, *new], made_from, people)
        except ValueError as error:
            if not old:
                raise
            raise ProjectError(
                f"{error} Where what was read before is wrong, `keras-dc3 read "
                "--remove FILE` takes it back."
            ) from error
    os.makedirs(one.path(_ANSWERS), exist_ok=True)
    files = dict(known)
    for path in new:
        name = _free_name(os.path.basename(path), one.path(_ANSWERS), files)
        with whole_path(one.path(_ANSWERS, name)) as copy:
            shutil.copy2(path, copy)
        files[name] = sheet
    one.note(_ANSWERS, files=files)
    person = one.record["sheets"]["sheets"][sheet]["person"]
    names = ", ".join(found.annotations.annotators)
    told.append(
        f"{some(new, 5)}: {number_of(len(found.proposed), 'answer')} by {names}, to "
        f"the page of {person} in round {one.number}"
    )
    if {*map(same_person, found.annotations.annotators)} != {same_person(person)}:
        told.append(
            f"  Note: the page was made for {person}; the answers count for {names}."
        )
    told += [f"  Note: {note}" for note in found.notes]
    return told + [
        f"  Note: answers in {name!r} count without a class until `keras-dc3 classes "
        f"--add {shlex.quote(name)}` adds it."
        for name, now in typed_now(found, settings).items()
        if now is None
    ]


def _known(one: Round) -> Mapping[str, str]:
    """Returns file that was read in a round -> name of the sheet that it is of."""
    return one.record.get(_ANSWERS, {}).get("files", {})


def remove_files(work: Workspace, names: Sequence[str]) -> str:
    """Takes back files that were read; see `Project.remove_answers`."""
    known = [(one, name) for one in work.rounds for name in _known(one)]
    if not known:
        raise ProjectError("No file was read yet, so that none can be taken back.")
    asked = dict.fromkeys(_meant(name, known) for name in names)
    if not asked:
        raise ProjectError(f"Name the files: {_listed(known)} were read.")
    told = []
    for one, name in asked:
        files = dict(_known(one))
        del files[name]
        if files:
            one.note(_ANSWERS, files=files)
        else:
            one.forget(_ANSWERS)
            one.save()
        aside = one.path(_ANSWERS, _REMOVED)
        os.makedirs(aside, exist_ok=True)
        kept = os.path.join(aside, _free_name(name, aside))
        try:
            os.replace(one.path(_ANSWERS, name), kept)
        except FileNotFoundError:
            told.append(f"{name}, which is missing, no longer counts.")
        else:
            told.append(
                f"{name} no longer counts. It is kept: `keras-dc3 read {kept}` takes "
                "it in again."
            )
    return "\n".join(told)


def _meant(name: str, known: Sequence[tuple[Round, str]]) -> tuple[Round, str]:
    """Returns round and name of the file that somebody means by a name or path."""
    pieces = os.path.normpath(name).split(os.sep)
    found = [
        (one, file)
        for one, file in known
        if _ends_as([os.path.basename(one.folder), _ANSWERS, file], pieces)
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ProjectError(f"{name!r} was not read; {_listed(known)} were.")
    raise ProjectError(
        f"{name!r} was read in several rounds. Name one as {_listed(found)}."
    )


def _ends_as(path: Sequence[str], pieces: Sequence[str]) -> bool:
    """Whether one of two paths, in pieces, ends as the other."""
    number = min(len(path), len(pieces))
    return list(path[-number:]) == list(pieces[-number:])


def _listed(known: Sequence[tuple[Round, str]]) -> str:
    paths = (f"{os.path.basename(o.folder)}/{_ANSWERS}/{name}" for o, name in known)
    return some(paths, 10)


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _free_name(name: str, folder: str, taken: Container[str] = ()) -> str:
    """Returns a name like `name` that nothing in a folder has, nor is in `taken`."""
    stem, ending = os.path.splitext(name)
    found, number = name, 1
    while found in taken or os.path.exists(os.path.join(folder, found)):
        number += 1
        found = f"{stem}-{number}{ending}"
    return found
