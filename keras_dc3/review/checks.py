"""What must hold of the files of a review before they are put together."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from keras_dc3._names import KnownNames, match_all
from keras_dc3._text import some
from keras_dc3.annotations import AnnotationError
from keras_dc3.annotations.names import nearest
from keras_dc3.review import fingerprint, pictures
from keras_dc3.review.files import Part
from keras_dc3.review.fingerprint import Proposed

_DIFFERS = {
    "mode": "the modes differ; read each mode by itself",
    "images": "the ids of the images differ",
    "classes": "the class names differ",
    "pixels": "the images differ, though they have the same ids",
}


def check_same_set(parts: Sequence[Part]) -> None:
    """Raises AnnotationError unless all files are of one set and mode."""
    first = parts[0]
    for part in parts[1:]:
        for piece, why in _DIFFERS.items():
            if part.fingerprint[piece] != first.fingerprint[piece]:
                raise AnnotationError(
                    f"{first.file} and {part.file} are of different sets: {why}."
                )


def of_the_sheet(parts: Sequence[Part], proposals: Proposed) -> Proposed:
    """Returns those of `proposals` that the sheet of some files was made of.

    These are all, or fewer where `Proposals.next` chose what to ask about.

    Raises:
        AnnotationError: unless the files are of classes and ids of `proposals`.
    """
    if not all(hasattr(proposals, name) for name in ("ids", "class_names", "groups")):
        raise TypeError(
            "`proposals` must be `keras_dc3.Proposals`, such as those of "
            f"`Proposals.from_csv`. Received: {type(proposals).__name__}"
        )
    part = parts[0]
    asked: Proposed | None = proposals
    if not fingerprint.is_of_ids(part.fingerprint["images"], proposals.ids):
        asked = _asked_about(parts, proposals)
    of = proposals if asked is None else asked
    piece = fingerprint.differing(part.fingerprint, of.ids, of.class_names)
    if asked is None or piece is not None:
        raise AnnotationError(
            f"{part.file} was made for another set than `proposals`: "
            f"{_DIFFERS[piece or 'images']}. Pass the proposals of that sheet."
        )
    return asked


def _asked_about(parts: Sequence[Part], proposals: Proposed) -> Proposed | None:
    """Returns the proposals for the images that files list; None if one has none.

    Only JSON files list images, those of a page each: all pages are needed to know that
    these are the images of the sheet.
    """
    listed = dict.fromkeys(name for part in parts for name in part.images or ())
    if not fingerprint.is_of_ids(parts[0].fingerprint["images"], listed):
        return None
    matches = match_all(list(listed), KnownNames(proposals.ids, folders=False))
    if matches.lost:
        return None
    there = set(matches.found.values())
    rows = [row for row, name in enumerate(proposals.ids) if name in there]
    return proposals.take(rows)


def other_proposals(parts: Sequence[Part], proposals: Proposed | None) -> list[str]:
    """Returns what to tell of files made from other proposals for the same images."""
    if proposals is None or parts[0].mode == "none":
        return []
    values = fingerprint.of_values(proposals)
    others = [part for part in parts if part.fingerprint["proposals"] != values]
    if not others:
        return []
    return [
        f"{some(dict.fromkeys(part.file for part in others), 3)}: made from other "
        "proposals than `proposals`, such as those of another round. What people saw "
        "counts."
    ]


def check_images(
    parts: Sequence[Part], proposals: Proposed | None, images: Any
) -> None:
    """Raises AnnotationError unless the files are of these very images."""
    if proposals is not None:
        ids = proposals.ids
    elif hasattr(images, "ids"):
        ids = images.ids
    elif isinstance(images, Mapping):
        ids = tuple(images)
    elif isinstance(images, str | os.PathLike):
        ids = tuple(dict.fromkeys(name for part in parts for name in part.images or ()))
    else:
        raise ValueError(
            "`images` without ids are in the order of the proposals, which the files "
            "do not tell. Pass `proposals`, too, or images with ids."
        )
    part = parts[0]
    if not fingerprint.is_of_ids(part.fingerprint["images"], ids):
        raise AnnotationError(
            f"{part.file} was made for other ids than those of `images`, or not all "
            "ids are known here. Pass `proposals`, too."
        )
    digests = {
        name: pictures.pixel_digest(image.original)
        for name, image in pictures.find_pictures(images, ids)
        if not isinstance(image, str)
    }
    if fingerprint.of_pixels(digests) != part.fingerprint["pixels"]:
        raise AnnotationError(
            f"{part.file} was made for another set than `images`: {_DIFFERS['pixels']},"
            " or some are missing, or were when the sheet was made. Pass the images of "
            "that sheet."
        )


def check_people(parts: Sequence[Part]) -> None:
    """Raises AnnotationError unless sessions and names fit.

    One session is of one person, under one name; one name answers an image in one
    session alone.
    """
    names: dict[str, Part] = {}
    for part in parts:
        other = names.setdefault(part.session, part)
        if other.annotator != part.annotator:
            raise AnnotationError(
                f"{other.file} and {part.file} are of one session, but under the names "
                f"{other.annotator!r} and {part.annotator!r}, so that one person would "
                "count as two. Leave out one file, or give both the same name."
            )
    seen: dict[tuple[str, str, bool], Part] = {}
    for part in parts:
        for answer in part.answers:
            key = (part.annotator, answer.image, answer.repetition)
            other = seen.setdefault(key, part)
            if other is not part:
                raise AnnotationError(
                    f"{other.file} and {part.file} are of different sessions, but both "
                    f"have answers of {part.annotator!r} to {answer.image!r}. If these "
                    "are two people, rename one in the file; if it is one, pass "
                    '`conflicts="later"`, so that the answer counts that was saved '
                    "later, or leave out a file."
                )


def check_classes(parts: Sequence[Part], known: Sequence[str]) -> None:
    """Raises AnnotationError if an answer or proposal is none of the classes."""
    for part in parts:
        for answer in part.answers:
            for name in (*answer.named, answer.proposed):
                if name is None or name in known:
                    continue
                near = nearest(name, known)
                hint = f" Did you mean {near!r}?" if near else ""
                raise AnnotationError(
                    f"{answer.place}: {name!r} is none of the classes "
                    f"{some(map(repr, known), 10)}.{hint} Correct it."
                )
