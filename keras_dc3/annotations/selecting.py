"""Annotations of some images, and of files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from keras_dc3._names import KnownNames, match_all, tell_lacking
from keras_dc3._text import some
from keras_dc3._validation import check_choice
from keras_dc3.annotations.building import check_clean_names
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.matching import match_names

if TYPE_CHECKING:
    from keras_dc3.annotations.annotations import Annotations


def select(
    annotations: Annotations, ids: Sequence[str], missing: str = "error"
) -> Annotations:
    """Returns the annotations of some images, in the order of `ids`.

    Names match as for `match`; what was written otherwise is told. The result has the
    ids as they are given.

    Args:
        ids: different names of images.
        missing: what to do about ids that are not in `images`: "error", or "empty" to
            make them images without annotation.

    Raises:
        AnnotationError: if ids are missing; always if all of them are; if one could be
            several images.

    Example:

    >>> validation = annotations.select(["img_0.png", "img_2.png"])
    >>> len(validation.counts)
    2
    """
    check_choice("missing", missing, ("error", "empty"))
    ids = check_clean_names("ids", ids)
    matches = match_all(
        ids,
        KnownNames(annotations.images),
        what="annotated images",
        error=AnnotationError,
    )
    lost = [ids[position] for position in matches.lost]
    if lost and (missing == "error" or len(lost) == len(ids)):
        hint = "" if len(lost) == len(ids) else ', or pass `missing="empty"`'
        raise AnnotationError(
            f"{len(lost):,} of {len(ids):,} ids are not among the {len(annotations):,} "
            f"annotated images: {some(map(repr, lost), 3)}. Those look like "
            f"{some(map(repr, annotations.images), 3)}. Make the names agree{hint}."
        )
    notes = tell_lacking(matches.lacking, "annotated image")
    if notes:
        warnings.warn("\n  ".join(["Selected images:", *notes]), stacklevel=2)
    row_of = {name: row for row, name in enumerate(annotations.images)}
    rows = [row_of[matches.found[n]] if n in matches.found else -1 for n in ids]
    return _rows(annotations, ids, rows, notes)


def match(
    annotations: Annotations, files: Sequence[str], missing: str = "error"
) -> Annotations:
    """Returns the annotations under the names of files, in the order of `files`.

    An image is the file of the same name (else a backslash is "/", "./" in front
    nothing); where there is none, the one that differs in an extension which one of
    both lacks, or, for a name without folder, the only one in any folder that has it,
    or the one with the same letters in another Unicode form, which is told. This is the
    rule wherever names meet: `select`, `merge`, proposals, reviews, splits, exports.
    Files without annotation become images without annotation.

    Args:
        files: different names of files, relative to their folder, with "/".
        missing: what to do about annotated images without a file: "error", or "drop"
            to leave them out, which is told. No file for any image is always an error.

    Raises:
        AnnotationError: if an image has no file, could be several files, or is the
            same file as another image; it names the place in the table.

    Example:

    >>> files = keras_dc3.data.list_images("fish").files
    >>> annotations = keras_dc3.Annotations.from_csv("answers.csv").match(files)
    """
    check_choice("missing", missing, ("error", "drop"))
    files = check_clean_names("files", files)
    found, notes = match_names(
        annotations.images,
        files,
        annotations.places,
        missing,
        annotations.counts.sum(),
    )
    if notes:
        warnings.warn("\n  ".join(["Files of images:", *notes]), stacklevel=2)
    row_of = {found[n]: row for row, n in enumerate(annotations.images) if n in found}
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
        "images": ids,
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
