"""Annotations of some images, and which annotated image is which file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_dc3._names import (
    KnownNames,
    composed,
    grouped,
    last,
    match_all,
    plain,
    stem,
    tell_lacking,
)
from keras_dc3._text import number_of, some, tell
from keras_dc3._validation import check_choice, check_names
from keras_dc3.annotations.errors import AnnotationError

if TYPE_CHECKING:
    from keras_dc3.annotations.annotations import Annotations


class Words(NamedTuple):
    """What that is called which annotated images are found among, for messages."""

    many: str
    one: str
    none_has: str  # after "None of the 5 annotated images"
    has_none: str  # after "1 annotated image"
    have_none: str  # after "2 annotated images"
    missing: str  # what to do where none is there


FILES = Words(
    "files",
    "file",
    "has a file",
    "has no file",
    "have no file",
    "name the folder of these images",
)
IDS = Words(
    "ids",
    "id",
    "is among the ids",
    "is not among the ids",
    "are not among the ids",
    "pass the ids of these images",
)


def match_names(
    images: Sequence[str],
    files: Sequence[str],
    places: Sequence[str | None],
    missing: str,
    number: float | None = None,
    words: Words = FILES,
) -> tuple[dict[str, str], list[str]]:
    """Returns annotated image -> file for all that have one, and what to tell.

    Args:
        images: different names of annotated images.
        files: different names of files, with "/" between folders.
        places: where each image was read, as far as known.
        missing: "error" if each image must have its file, "drop" if not.
        number: how many annotations there are, for messages.
        words: what `files` are called in messages.

    Raises:
        AnnotationError: see `Annotations.match`.
    """
    known = KnownNames(files)
    matches = match_all(
        images,
        known,
        what=words.many,
        place=lambda position: _at(places, position),
        error=AnnotationError,
        remedy=_ONE_WAY,
    )
    found, lost = matches.found, matches.lost
    if lost and (missing == "error" or not found):
        _complain(images, known, places, lost, number, words)
    notes = tell_lacking(matches.lacking, words.one)
    if lost:
        notes.append(
            f"{number_of(len(lost), 'annotated image')} "
            f"{words.has_none if len(lost) == 1 else words.have_none}: left out are "
            f"{some(repr(images[i]) for i in lost)}."
        )
    return found, notes


_ONE_WAY = (
    ", for example with `image=` a function of the row that drops the extension: "
    '`image=lambda row: row["image"].removesuffix(".png")`'
)


def _at(places: Sequence[str | None], position: int) -> str:
    return f"{places[position]}: " if places and places[position] else ""


def _complain(
    images: Sequence[str],
    files: KnownNames,
    places: Sequence[str | None],
    lost: list[int],
    number: float | None,
    words: Words,
) -> None:
    of_all = f"of {number_of(len(images), 'annotated image')}"
    none = words.has_none if len(lost) == 1 else words.have_none
    lacking = f"{len(lost):,} {of_all} {none}"
    way_out = f'add the {words.many}, or pass `missing="drop"` to leave such images out'
    if len(lost) == len(images):
        of = "" if number is None else f" ({number:,.0f} annotations)"
        lacking = f"None of the {len(images):,} annotated images{of} {words.none_has}"
        way_out = f"or {words.missing}"
    raise AnnotationError(
        f"{_at(places, lost[0])}{lacking}: the table names "
        f"{some((repr(images[i]) for i in lost), 3)}, the {words.many} are called "
        f"{some(map(repr, files.names), 3) or '(there are none)'}. "
        f"{_hint([plain(images[i]) for i in lost], files, words)}Make the names agree, "
        f"for example with `image=` a function of the row, {way_out}."
    )


def _hint(names: Sequence[str], files: KnownNames, words: Words) -> str:
    return _prefix_hint(names, files) or _spelling_hint(names, files, words)


def _spelling_hint(names: Sequence[str], files: KnownNames, words: Words) -> str:
    """Returns a sentence on what alone differs between some names and files."""
    kinds = {
        "in capital letters": lambda name: composed(name).casefold(),
        "in the extension": lambda name: stem(composed(name)),
        "in capital letters and the extension": lambda name: stem(
            composed(name)
        ).casefold(),
    }
    for what, key in kinds.items():
        near = grouped(files.names, key)
        near_last = grouped(files.names, lambda name, key=key: key(last(name)))
        pairs = [
            (name, (near if "/" in name else near | near_last)[key(name)][0])
            for name in names
            if key(name) in near or ("/" not in name and key(name) in near_last)
        ]
        if pairs:
            name, file = pairs[0]
            return (
                f"{len(pairs):,} of them would be {words.many} but for a difference "
                f"{what}, such as {name!r} and {file!r}. "
            )
    return ""


def _prefix_hint(names: Sequence[str], files: KnownNames) -> str:
    """Returns a sentence on what stands before all names, if these fit without it."""
    for place in (i + 1 for i, letter in enumerate(names[0]) if letter == "/"):
        prefix = names[0][:place]
        rest = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
        if len(rest) == len(names) and all(files.find(name)[0] for name in rest):
            return f"They would fit without {prefix!r} in front. "
    return ""


def select(annotations: Annotations, ids: Sequence[str], missing: str) -> Annotations:
    """See `Annotations.select`."""
    check_choice("missing", missing, ("error", "empty"))
    ids = check_names("ids", ids, clean=True)
    matches = match_all(
        ids,
        KnownNames(annotations.ids),
        what="annotated images",
        error=AnnotationError,
    )
    lost = [ids[position] for position in matches.lost]
    if lost and (missing == "error" or len(lost) == len(ids)):
        hint = "" if len(lost) == len(ids) else ', or pass `missing="empty"`'
        raise AnnotationError(
            f"{len(lost):,} of {len(ids):,} ids are not among the {len(annotations):,} "
            f"annotated images: {some(map(repr, lost), 3)}. Those look like "
            f"{some(map(repr, annotations.ids), 3)}. Make the names agree{hint}."
        )
    notes = tell_lacking(matches.lacking, "annotated image")
    tell("Selected images:", notes, stacklevel=3)
    row_of = {name: row for row, name in enumerate(annotations.ids)}
    rows = [row_of[matches.found[n]] if n in matches.found else -1 for n in ids]
    return _rows(annotations, ids, rows, notes)


def match(annotations: Annotations, files: Sequence[str], missing: str) -> Annotations:
    """See `Annotations.match`."""
    check_choice("missing", missing, ("error", "drop"))
    files = check_names("files", files, clean=True)
    found, notes = match_names(
        annotations.ids,
        files,
        annotations.places,
        missing,
        annotations.counts.sum(),
    )
    tell("Files of images:", notes, stacklevel=3)
    row_of = {found[n]: row for row, n in enumerate(annotations.ids) if n in found}
    return _rows(annotations, files, [row_of.get(f, -1) for f in files], notes)


def _rows(
    annotations: Annotations,
    ids: tuple[str, ...],
    rows: Sequence[int],
    notes: Sequence[str] = (),
) -> Annotations:
    """The images at some rows, called `ids`; -1 is one without annotation."""
    places = annotations.places and [
        annotations.places[row] if row >= 0 else None for row in rows
    ]
    parts = {
        "ids": ids,
        "places": places,
        "notes": (*annotations.notes, *notes),
    }
    rows = np.array(rows, "int64")
    known = rows >= 0
    if annotations.records is None:
        shape = (len(rows), len(annotations.class_names))
        counts = np.zeros(shape, annotations.counts.dtype)
        counts[known] = annotations.counts[rows[known]]
        return replace(annotations, **parts, counts=counts)
    new = np.full(len(annotations), -1)
    new[rows[known]] = np.flatnonzero(known)
    image = new[annotations.records.image]
    records = replace(annotations.records, image=image).take(image >= 0)
    return replace(annotations, **parts, counts=None, records=records)
