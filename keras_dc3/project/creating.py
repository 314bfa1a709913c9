"""A new project: from a folder of images, and what people said of them so far."""

from __future__ import annotations

import csv
import errno
import io
import os
from collections.abc import Sequence
from typing import Any

from keras_dc3._names import composed
from keras_dc3._text import number_of, some
from keras_dc3._validation import check_outside
from keras_dc3.annotations import Annotations, Records
from keras_dc3.data import list_images
from keras_dc3.datasets.class_folders import of_folders
from keras_dc3.datasets.part_folders import find_parts
from keras_dc3.project.answers import with_records
from keras_dc3.project.settings import (
    FIRST_ANSWERS,
    SETTINGS,
    ClassDescription,
    Settings,
)
from keras_dc3.project.training import image_files

_COLUMNS = ("class", "description", "example")


def create(
    folder: str,
    source: str,
    answers: Annotations | str | os.PathLike | None,
    class_names: Sequence[str] | None,
    classes: Sequence[ClassDescription] | str | os.PathLike | None,
    missing: str,
    **settings: Any,
) -> None:
    """Makes the folder of a project, and prints what it was made of.

    Args:
        folder: of the project.
        source: of the images.
        answers, class_names, classes, missing: as for `Project.create`.
        **settings: further ones of `Settings`.

    Raises:
        FileExistsError, ValueError: as `Project.create`; then nothing is written.
    """
    if os.path.isdir(folder) and os.listdir(folder):
        is_one = os.path.exists(os.path.join(folder, SETTINGS))
        what = "is a project already" if is_one else "holds something already"
        raise FileExistsError(
            errno.EEXIST, f"{folder!r} {what}; name a new folder for the project."
        )
    check_outside(folder, source)
    if isinstance(classes, str | os.PathLike):
        classes = read_classes(classes)
    if classes is not None:
        if class_names is not None:
            raise ValueError("Give either `class_names` or `classes`, not both.")
        class_names = [one.name for one in classes]
    files = images_in(source)
    found, names, told = first_answers(source, files, answers, class_names, missing)
    if classes is None:
        classes = [ClassDescription(name) for name in names]
    check_examples(classes, files)
    made = Settings(
        images=relative(source, folder),
        classes=tuple(classes),
        has_first_answers=found is not None,
        **settings,
    )
    # Damaged files, and sizes that differ, are told before a folder is made.
    _ = image_files(source, files, made).image_shape
    os.makedirs(folder, exist_ok=True)
    if found is not None:
        pairs = zip(found.ids, found.annotated, strict=True)
        found = found.select([name for name, known in pairs if known])
        told.append(
            f"{number_of(len(files), 'image')}, {len(found):,} of them with answers; "
            f"{len(names)} classes: {some(names, 12)}."
        )
        found.to_csv(os.path.join(folder, FIRST_ANSWERS))
    made.write(os.path.join(folder, SETTINGS))
    for line in told:
        print(line)


def images_in(folder: str) -> tuple[str, ...]:
    """Returns the ids of the images of a folder.

    Raises:
        ValueError: if there are none.
    """
    files = list_images(folder).files
    if not files:
        raise ValueError(
            f"There is no image in {folder!r}. Name the folder that holds the images."
        )
    return files


def first_answers(
    folder: str,
    files: Sequence[str],
    answers: Annotations | str | os.PathLike | None,
    class_names: Sequence[str] | None,
    missing: str,
) -> tuple[Annotations | None, tuple[str, ...], list[str]]:
    """Returns answers from before the project, the classes, and what to tell.

    Args:
        folder: of the images.
        files: their ids.
        answers: what people said, or a CSV file of it; None: the folders in the folder
            say it, where they are called as classes.
        class_names: the classes; None: those that answers or folders name.
        missing: what to do about answers to images that are not there.

    Raises:
        ValueError: if there are fewer than two classes, or parts do not fit.
    """
    if answers is not None:
        if isinstance(answers, str | os.PathLike):
            answers = Annotations.from_csv(answers, class_names=class_names)
        found = with_records(answers).match(files, missing)
        names = tuple(map(composed, class_names or found.class_names))
        unknown = [name for name in found.class_names if name not in names]
        if unknown:
            raise ValueError(
                f"The answers name {some(map(repr, unknown))}, which is none of the "
                f"classes {some(map(repr, names), 10)}. Add it, or rename the class."
            )
        _check_two(names, "the answers name")
        return found, names, []
    if parts := find_parts(folder, files, class_names, None):
        raise ValueError(
            f"{folder!r} has folders called {some(map(repr, parts))}: parts of a data "
            "set, which a project draws itself. Name one of these folders, or give the "
            "answers as a table."
        )
    tops = {composed(name.partition("/")[0]) for name in files if "/" in name}
    given = None if class_names is None else tuple(map(composed, class_names))
    if given is not None and not tops & set(given):
        _check_two(given, "`class_names` names")
        told = [f"{number_of(len(files), 'image')}, of which none has an answer yet."]
        if tops:
            told.append(
                f"The folders {some(map(repr, sorted(tops)), 3)} are called like no "
                "class, and mean nothing."
            )
        return None, given, told
    if not tops:
        raise ValueError(
            f"Nobody has said yet what the images of {folder!r} show. Give `answers`, "
            "a table of who said what; or `class_names`, to ask people from the start."
        )
    counts, names = of_folders(folder, files, given)
    records = Records.of_counts(counts.dense())
    told = [
        f"Folders are classes: {some(names, 10)}. If they mean something else, give "
        "`class_names` and what people said as `answers`."
    ]
    return Annotations(files, names, records=records), names, told


def _check_two(names: Sequence[str], what: str) -> None:
    if len(names) < 2:
        raise ValueError(
            f"A project needs two classes or more, but {what} {len(names)}: "
            f"{list(names)}. Give all of them as `class_names`."
        )


def read_classes(path: str | os.PathLike) -> tuple[ClassDescription, ...]:
    """Reads classes from a table with the columns class, description and example.

    Args:
        path: a CSV file in UTF-8, with "," or ";" between columns; the last two columns
            may lack.

    Raises:
        OSError: if it cannot be read. ValueError: if it is none.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{os.fspath(path)!r} is not in UTF-8: save it anew as CSV in UTF-8."
        ) from error
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    rows = csv.DictReader(io.StringIO(text), delimiter=separator)
    names = [name.strip().lower() for name in rows.fieldnames or ()]
    if not names or names[0] != _COLUMNS[0] or not set(names) <= set(_COLUMNS):
        raise ValueError(
            f"{os.fspath(path)!r} must be a table with the columns "
            f"{', '.join(_COLUMNS)}. Found: {', '.join(names) or 'nothing'}"
        )
    rows.fieldnames = names
    found = []
    for row in rows:
        values = {name: (row.get(name) or "").strip() for name in _COLUMNS}
        if not values["class"]:
            raise ValueError(f"{os.fspath(path)!r}, line {rows.line_num}: no class.")
        if row.get(None):
            raise ValueError(
                f"{os.fspath(path)!r}, line {rows.line_num} has more columns than the "
                f'first line. Put a text that holds "{separator}" into quotes.'
            )
        found.append(
            ClassDescription(values["class"], values["description"], values["example"])
        )
    return tuple(found)


def check_examples(classes: Sequence[ClassDescription], files: Sequence[str]) -> None:
    """Raises ValueError if an example is no image."""
    known = set(files)
    for one in classes:
        if one.example and one.example not in known:
            raise ValueError(
                f"The example of the class {one.name!r} is {one.example!r}, which is "
                f"no image of the folder; these are called as {files[0]!r}."
            )


def relative(path: str, start: str) -> str:
    """Returns a path from a folder where that is short, else the whole path.

    So a project that is moved together with its images still finds them.
    """
    whole = os.path.abspath(path)
    try:
        found = os.path.relpath(whole, os.path.abspath(start))
    except ValueError:  # on another drive of Windows
        return whole
    ups = found.replace(os.sep, "/").split("/").count("..")
    return found.replace(os.sep, "/") if ups <= 2 else whole
