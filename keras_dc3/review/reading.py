"""Review files as one `Review`: answers, "cannot tell" among them, become records."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from keras_dc3._text import some, tell
from keras_dc3._validation import check_choice, check_positive_number
from keras_dc3.annotations import AnnotationError, Annotations, Records, class_order
from keras_dc3.annotations.reading.guesses import SAME_PEOPLE
from keras_dc3.annotations.records import REASONS, known_times
from keras_dc3.review import checks, fingerprint, new_classes
from keras_dc3.review.answers import NEW_CLASS, SPLIT
from keras_dc3.review.files import Part, read_parts
from keras_dc3.review.fingerprint import Proposed
from keras_dc3.review.review import Review
from keras_dc3.review.sessions import (
    in_one_spelling,
    last_saved,
    latest,
    under_one_name,
    without_doubles,
)

_REASON = {reason: number for number, reason in enumerate(REASONS)}


def read(
    paths: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    proposals: Proposed | None = None,
    images: Any = None,
    people: Sequence[str] | None = None,
    conflicts: str = "error",
    longest_seconds: float = 3600.0,
) -> Review:
    """Reads what people downloaded from review sheets, JSON and CSV alike.

    Files of several annotators and of several pages are put together. Of two files of
    the same session, the later state counts. "Cannot tell", "bad image" and "none of
    these" are answers with label -1, told apart by `Review.kinds` and
    `Annotations.people_saying`. Classes that people have typed come after those of the
    sheet; names that differ in capitals and blanks alone are one class, a known one
    where there is one. What is odd but can be used is told in one warning and in
    `notes`.

    Args:
        paths: one file, or several.
        proposals: what the sheets were made from; those that `Proposals.next` chose
            from will do for its sheets. Not needed: a JSON file tells its images and
            classes. With them, files of other images or classes are refused, images
            without answer stay in `annotations.ids`, and ids are spelled as here, where
            Unicode forms or slashes differ.
        images: as for `Proposals.to_review`. Then files are refused whose images look
            different. An array is in the order of the `proposals`, which are needed,
            too; so they are where neither images nor files know all ids.
        people: names that are known. Then capitals and blanks in names do not matter:
            each person has the name that is here, or that is met first. None: names
            that differ in these are of different people, which is told.
        conflicts: what to do about two answers of one person to one image, in
            different sessions (such as two browsers), or contradictory in one session
            of which a browser did not keep all: "error", as these may be two people of
            one name; or "later", the one that was saved later counts, which is told.
            A repetition is asked on purpose, and is no such answer.
        longest_seconds: longer times, negative ones and 0 count as unknown.

    Raises:
        FileNotFoundError: if there is no such file.
        AnnotationError: if a file is of another set or mode, was cut short or changed,
            or names a class or image that is none; if one file contradicts itself; if
            one session has two names; on other conflicts as `conflicts` says.

    Example:

    >>> files = ["review-anna.json", "review-ben.json"]
    >>> review = keras_dc3.review.read(files, proposals=proposals)
    >>> review.annotations.annotators
    ('anna', 'ben')
    """
    check_positive_number("longest_seconds", longest_seconds)
    check_choice("conflicts", conflicts, ("error", "later"))
    paths = _checked(paths)
    notes: list[str] = []
    parts = [part for path in paths for part in read_parts(path)]
    checks.check_same_set(parts)
    if proposals is not None:
        proposals = checks.of_the_sheet(parts, proposals)
    if images is not None:
        checks.check_images(parts, proposals, images)
    parts = in_one_spelling(parts, None if proposals is None else proposals.ids)
    if people is not None:
        parts = under_one_name(parts, people)
    parts = latest(parts, notes, conflicts == "later")
    parts = [without_doubles(part, notes) for part in parts]
    if conflicts == "later":
        parts = last_saved(parts, notes)
    checks.check_people(parts)
    known = _classes(parts, proposals, notes)
    with_new = new_classes.joined(parts, known)
    parts, notes = with_new.parts, [*notes, *with_new.notes]
    checks.check_classes(parts, (*known, *with_new.added))
    classes = (*known, *with_new.added)
    listed = _images(parts, proposals)
    notes += checks.other_proposals(parts, proposals)
    notes += SAME_PEOPLE.told({part.annotator: 1 for part in parts})
    review = _review(parts, classes, listed, longest_seconds, notes)
    review = replace(
        review, new_classes=with_new.added, notes_of=_notes_of(parts, listed)
    )
    empty = int((review.annotations.counts.sum(axis=1) == 0).sum())
    if empty:
        notes.append(f"{empty:,} of {len(listed):,} images have no valid answer.")
    tell(f"{_files(parts)}:", notes)
    return replace(review, notes=tuple(notes))


def _checked(paths: Any) -> list[str | os.PathLike]:
    paths = paths if isinstance(paths, list | tuple) else [paths]
    if not paths:
        raise ValueError("`paths` must name at least one file.")
    for path in paths:
        if not isinstance(path, str | os.PathLike):
            raise TypeError(
                "`paths` must be the name of a file that was downloaded from a review "
                f"sheet, or a list of such. Received: {path!r}"
            )
    return list(paths)


def _files(parts: Sequence[Part]) -> str:
    return some(dict.fromkeys(part.file for part in parts), 3)


def _classes(
    parts: Sequence[Part], proposals: Proposed | None, notes: list[str]
) -> tuple[str, ...]:
    known = next((part.classes for part in parts if part.classes is not None), None)
    if proposals is not None:
        known = proposals.class_names
    if known is not None:
        return tuple(known)
    answers = [answer for part in parts for answer in part.answers]
    new = {answer.label for answer in answers if answer.kind == NEW_CLASS}
    found = {name for a in answers if a.kind != NEW_CLASS for name in a.named}
    found = found - new | {a.proposed for a in answers if a.proposed is not None}
    if not found:
        raise AnnotationError(
            f"{_files(parts)}: no answer names a class, and a CSV file does not list "
            "the classes. Pass `proposals`, or read the JSON file."
        )
    known = class_order(found)
    if not fingerprint.is_of_class_names(parts[0].fingerprint["classes"], known):
        notes.append(
            "A CSV file names only the classes that occur, and these are not all, or "
            "were in another order. Pass `proposals`, or read the JSON file."
        )
    return known


def _images(parts: Sequence[Part], proposals: Proposed | None) -> tuple[str, ...]:
    if proposals is not None:
        listed = dict.fromkeys(proposals.ids)
    else:
        listed = dict.fromkeys(name for part in parts for name in part.images or ())
        if any(part.images is None for part in parts):
            return tuple(
                dict.fromkeys(
                    [
                        *listed,
                        *(a.image for p in parts for a in p.answers),
                        *(image for p in parts for image, _ in p.notes),
                    ]
                )
            )
    for part in parts:
        named = [(answer.place, answer.image) for answer in part.answers]
        named += [(f"{part.file}, a note", image) for image, _ in part.notes]
        for place, image in named:
            if image not in listed:
                raise AnnotationError(
                    f"{place}: {image!r} is none of the {len(listed):,} images of the "
                    "review. Correct it."
                )
    return tuple(listed)


def _notes_of(
    parts: Sequence[Part], images: Sequence[str]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Returns image -> (person, text) of each note, in the order of the images."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for part in parts:
        for image, text in part.notes:
            found.setdefault(image, {})[part.annotator, text] = None
    return {name: tuple(found[name]) for name in images if name in found}


def _review(
    parts: Sequence[Part],
    classes: tuple[str, ...],
    images: tuple[str, ...],
    longest_seconds: float,
    notes: list[str],
) -> Review:
    answers = [(part.annotator, answer) for part in parts for answer in part.answers]
    if not answers:
        raise AnnotationError(f"{_files(parts)}: there is no answer.")
    people = tuple(dict.fromkeys(annotator for annotator, _ in answers))
    position = {name: number for number, name in enumerate(images)}
    person = {name: number for number, name in enumerate(people)}
    label_of = {None: -1, **{name: number for number, name in enumerate(classes)}}
    # The order that `Annotations` gives them: by image; a repetition comes later.
    answers.sort(key=lambda pair: (position[pair[1].image], pair[1].repetition))
    labels = np.array([label_of[a.label] for _, a in answers])
    proposed = np.array([label_of[a.proposed] for _, a in answers])
    given = np.array([a.seconds for _, a in answers])
    kinds = np.array([a.kind for _, a in answers], dtype=object)
    seconds, odd = known_times(given, longest_seconds)
    not_above_0 = odd["zero"] + odd["negative"]
    unknown = not_above_0 + odd["too_long"]
    if unknown:
        notes.append(
            f"{unknown:,} of {len(answers):,} times count as unknown: {not_above_0:,} "
            f"are negative or 0, {odd['too_long']:,} above {longest_seconds:,g} s "
            "(`longest_seconds`). The answers stay."
        )
    annotations = Annotations(
        images,
        classes,
        annotators=people,
        records=Records(
            np.array([position[a.image] for _, a in answers]),
            np.array([person[name] for name, _ in answers]),
            labels,
            seconds,
            np.array([_REASON.get(kind, 0) for kind in kinds], "int64"),
            np.array([label_of[a.split[1][0]] if a.split else -1 for _, a in answers]),
            np.array([a.split[0][1] if a.split else 1.0 for _, a in answers]),
        ),
        notes=tuple(notes),
    )
    return Review(
        annotations,
        proposed,
        np.array([a.group for _, a in answers], dtype=object),
        (proposed >= 0) & (labels == proposed) & (kinds != SPLIT),
        np.array([a.repetition for _, a in answers]),
        parts[0].mode,
        kinds=kinds,
    )
