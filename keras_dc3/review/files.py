"""Downloaded review files as parts: what one person answered on one page."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from keras_dc3._names import trimmed
from keras_dc3.annotations import AnnotationError
from keras_dc3.annotations.reading.files import read_json, read_text, refuse_other_kinds
from keras_dc3.review import fingerprint, lineage
from keras_dc3.review.answer_store import AnswerStore, is_store
from keras_dc3.review.answers import (
    AGAIN,
    FURTHER,
    NOTE,
    ROW,
    Answer,
    answer_of,
    as_of_old,
    of_cells,
)

FORMAT, VERSIONS = "keras_dc3 review", (1, 2)
_PART = ("annotator", "mode", "fingerprint", "page", "session", "saved")
_DOWNLOADED = "give the file that was downloaded from a review sheet"
_FLAGS = {"true": True, "false": False, "1": True, "0": False}


@dataclass(frozen=True)
class Part:
    """What one person answered on one page, as one file tells it.

    `changes` counts what was done in the session, so that clocks play no part; it is 0
    where the file does not tell. `openings` are (name, changes before it) of each time
    that the page was opened in the session, () where the file does not tell. `classes`
    and `images` are None where the file does not list them. `notes` are (image, text).
    """

    file: str
    annotator: str
    mode: str
    fingerprint: dict[str, str]
    page: str
    session: str
    saved: str
    changes: int
    answers: list[Answer]
    classes: tuple[str, ...] | None = None
    images: tuple[str, ...] | None = None
    openings: tuple[tuple[str, int], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    def follows(self, other: Part) -> bool:
        """Whether this state of the same session came from the other one."""
        return lineage.follows(self, other)


def read_parts(path: str | os.PathLike) -> list[Part]:
    """Returns what a JSON or CSV file of a review sheet holds, or a server's file.

    Raises:
        FileNotFoundError, OSError: if there is no such file or it cannot be opened.
        AnnotationError: if it is no such file or is not whole; it names the line.
    """
    name = repr(os.fspath(path))
    if os.path.isfile(path) and is_store(path):
        return _of_store(path)
    try:
        text = read_text(path, otherwise=_DOWNLOADED)
    except AnnotationError as error:
        if not isinstance(error.__cause__, UnicodeError):
            raise
        raise AnnotationError(
            f"{name} is not in UTF-8, in which review sheets write: another program "
            "saved it anew. Take the file as it was downloaded, or save it as UTF-8."
        ) from error
    if text.lstrip()[:1] in ("{", "["):
        found = read_json(path, "keras_dc3.review.read", _DOWNLOADED)
        return [part_of_json(name, found)]
    refuse_other_kinds(path, text, _DOWNLOADED)
    return _of_csv(name, text)


def _of_store(path: str | os.PathLike) -> list[Part]:
    with AnswerStore(path) as store:
        files = store.files()
    if not files:
        raise AnnotationError(
            f"{os.fspath(path)!r} holds no answer: nobody has given one yet."
        )
    return [
        part_of_json(repr(os.path.join(path, name)), json.loads(text))
        for name, text in files.items()
    ]


def part_of_json(name: str, found: Any) -> Part:
    """Returns what one downloaded JSON file holds.

    Args:
        name: of the file, for messages.
        found: what JSON told.

    Raises:
        AnnotationError: as `read_parts`.
    """
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise AnnotationError(
            f"{name} is no file of a review sheet: it lacks the format {FORMAT!r}."
        )
    if found.get("version") not in VERSIONS or isinstance(found["version"], bool):
        raise AnnotationError(
            f"{name} is of version {found.get('version')!r}, but this release reads "
            f"versions {' and '.join(map(str, VERSIONS))}. Update keras_dc3."
        )
    for key, kind in {"classes": list, "images": list, "annotations": list}.items():
        if not isinstance(found.get(key), kind):
            raise AnnotationError(f"{name} lacks the list {key!r}. {AGAIN}")
    for key in ("classes", "images"):
        if not all(isinstance(value, str) and value for value in found[key]):
            raise AnnotationError(f"{name}: {key!r} must hold names only. {AGAIN}")
    rows, needed = [], (*ROW, *(FURTHER if found["version"] > 1 else ()))
    for number, row in enumerate(found["annotations"], 1):
        place = f"{name}, annotation {number}"
        if not isinstance(row, dict) or any(key not in row for key in needed):
            raise AnnotationError(f"{place} lacks one of {list(needed)}. {AGAIN}")
        if found["version"] == 1 and any(key in row for key in FURTHER):
            raise AnnotationError(
                f"{place} has one of {list(FURTHER)}, which a file of version 1 does "
                f"not know: it was changed. {AGAIN}"
            )
        rows.append((place, row if found["version"] > 1 else as_of_old(row)))
    _check_whole(name, found.get("rows"), len(rows))
    part = _part(name, found, rows, tuple(found["classes"]), tuple(found["images"]))
    of_page = {**part.fingerprint, "images": part.page.partition("-")[2]}
    key = fingerprint.differing(of_page, found["images"], found["classes"])
    if key is not None:
        raise AnnotationError(
            f"{name}: the list {key!r} is not the one that the sheet was made with: it "
            f"was changed or put in another order. {AGAIN}"
        )
    return part


def _of_csv(name: str, text: str) -> list[Part]:
    rows = _rows(name, text)
    try:
        _, header = next(rows)
    except StopIteration:
        raise AnnotationError(f"{name} is empty. {AGAIN}") from None
    lacking = [key for key in (*ROW, *_PART, "rows") if key not in header]
    if lacking:
        raise AnnotationError(
            f"{name} is no file of a review sheet: it lacks the columns {lacking}. For "
            "other tables use `Annotations.from_csv`."
        )
    lacking = [key for key in FURTHER if key not in header]
    if 0 < len(lacking) < len(FURTHER):
        raise AnnotationError(
            f"{name} lacks the columns {lacking}, without which it does not tell which "
            f"images are bad or split between two classes. {AGAIN}"
        )
    found: dict[tuple, tuple[dict, list[tuple[str, dict]]]] = {}
    for line, cells in rows:
        place = f"{name}, line {line}"
        if len(cells) != len(header):
            raise AnnotationError(
                f"{place}: {len(cells)} cells, but {len(header)} columns. Is the file "
                f"cut short? {AGAIN}"
            )
        row = dict(zip(header, cells, strict=True))
        row["label"] = row["label"] or None
        row["proposed"] = row["proposed"] or None
        for key in ("repetition", "accepted"):
            flag = row.get(key, "")
            row[key] = _FLAGS.get(flag.lower(), flag)
        row = of_cells(row)
        row["seconds"] = _number(row["seconds"])
        row["changes"] = _whole_number(row.get("changes", ""))
        row["openings"] = [
            [name, _whole_number(number)]
            for name, _, number in (
                pair.partition(":") for pair in row.get("openings", "").split()
            )
        ]
        key = (*(row[k] for k in (*_PART, "rows", "changes")), str(row["openings"]))
        found.setdefault(key, (row, []))[1].append((place, row))
    if not found:
        raise AnnotationError(f"{name} holds no answer.")
    parts = []
    for row, rows_of_part in found.values():
        _check_whole(name, _whole_number(row["rows"]), len(rows_of_part))
        parts.append(_part(name, row, rows_of_part))
    return parts


def _rows(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise AnnotationError(
            f"{name}, line {line}: this is no CSV ({error}). Is the file cut short? "
            f"{AGAIN}"
        ) from error


def _number(text: str) -> float | str:
    try:
        return float(text.replace("_", "?")) if text else math.nan
    except ValueError:
        return text


def _whole_number(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 19 else text


def _check_whole(name: str, told: Any, found: int) -> None:
    if told != found:
        raise AnnotationError(
            f"{name} says that it holds {told} answers, but there are {found}: "
            f"it was cut short or changed. {AGAIN}"
        )


def _part(
    name: str,
    found: dict[str, Any],
    rows: Sequence[tuple[str, dict[str, Any]]],
    classes: Sequence[str] | None = None,
    images: Sequence[str] | None = None,
) -> Part:
    answers = [answer_of(place, row) for place, row in rows]
    for key in _PART:
        if not isinstance(found.get(key), str) or not trimmed(found[key]):
            raise AnnotationError(f"{name} lacks {key!r}. {AGAIN}")
    pieces = fingerprint.parts(found["fingerprint"])
    if pieces is None or pieces["mode"] != found["mode"]:
        raise AnnotationError(
            f"{name}: {found['fingerprint']!r} is no fingerprint of a review in mode "
            f"{found['mode']!r}. {AGAIN}"
        )
    changes = found.get("changes") or 0
    if not isinstance(changes, int) or isinstance(changes, bool) or changes < 0:
        raise AnnotationError(f"{name}: 'changes' cannot be {changes!r}. {AGAIN}")
    openings = found.get("openings") or []
    if not isinstance(openings, list) or not all(map(_is_opening, openings)):
        raise AnnotationError(f"{name}: 'openings' cannot be {openings!r}. {AGAIN}")
    return Part(
        name,
        trimmed(found["annotator"]),
        found["mode"],
        pieces,
        found["page"],
        found["session"],
        found["saved"],
        changes,
        [answer for answer in answers if answer.kind != NOTE],
        classes,
        images,
        tuple((opening, changes) for opening, changes in openings),
        tuple((answer.image, answer.note) for answer in answers if answer.note),
    )


def _is_opening(value: Any) -> bool:
    return (
        isinstance(value, list)
        and [type(part) for part in value] == [str, int]
        and value[1] >= 0
    )
