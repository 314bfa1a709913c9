"""Annotations put together, and classes under other names."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from keras_dc3._names import composed, one_spelling, tell_folders, tell_lacking
from keras_dc3._text import some, tell
from keras_dc3._validation import check_choice
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.reading.answers import REPEATED
from keras_dc3.annotations.reading.guesses import SAME_PEOPLE
from keras_dc3.annotations.records import Records, last_answers, repetitions, told_again

if TYPE_CHECKING:
    from keras_dc3.annotations.annotations import Annotations


def merge(annotations: Annotations, *others: Annotations, repeated: str) -> Annotations:
    """See `Annotations.merge`."""
    check_choice("repeated", repeated, REPEATED)
    parts = (annotations, *others)
    if not hasattr(annotations, "class_names"):
        raise TypeError(
            "Only annotations can be merged, as in `first.merge(second)`. Received: "
            f"{type(annotations).__name__}"
        )
    for part in others:
        if not isinstance(part, type(annotations)):
            raise TypeError(
                f"Only annotations can be merged. Received: {type(part).__name__}"
            )
    classes = _common_classes(parts)
    spelled, lacking = one_spelling([part.ids for part in parts], AnnotationError)
    parts = tuple(map(_renamed, parts, spelled))
    unlike = tell_lacking(lacking, "first spelling") + tell_folders(spelled)
    images = tuple(dict.fromkeys(i for part in parts for i in part.ids))
    places = dict.fromkeys(images)
    for part in parts:
        for name, place in zip(part.ids, part.places, strict=False):
            places[name] = places[name] or place
    common = {
        "ids": images,
        "class_names": classes,
        "notes": (
            *dict.fromkeys(n for part in parts for n in part.notes),
            *unlike,
        ),
        "places": tuple(places.values()) if any(places.values()) else (),
        "merged": True,
    }
    tell("Merged images:", unlike, stacklevel=3)
    row, column = _numbers(images), _numbers(classes)
    if any(part.records is None for part in parts):
        counts = np.zeros((len(images), len(classes)), np.result_type(*_counts(parts)))
        for part in parts:
            rows = [row[name] for name in part.ids]
            columns = [column[name] for name in part.class_names]
            counts[np.ix_(rows, columns)] += part.counts
        return type(annotations)(**common, counts=counts)
    people = tuple(dict.fromkeys(a for part in parts for a in part.annotators))
    told = SAME_PEOPLE.told(dict.fromkeys(people, 1))
    if told and told[0] not in common["notes"]:
        warnings.warn(told[0], stacklevel=3)
        common["notes"] += tuple(told)
    person = _numbers(people)
    records = Records(
        np.concatenate([_moved(p.ids, row, p.records.image) for p in parts]),
        np.concatenate(
            [_moved(p.annotators, person, p.records.annotator) for p in parts]
        ),
        np.concatenate([_moved(p.class_names, column, p.records.label) for p in parts]),
        np.concatenate([p.records.seconds for p in parts]),
        np.concatenate([p.records.reason for p in parts]),
        np.concatenate(
            [_moved(p.class_names, column, p.records.second) for p in parts]
        ),
        np.concatenate([p.records.share for p in parts]),
    )
    if repeated == "last":
        records = last_answers(records)
    again = repetitions(records) if repeated == "error" else []
    if again:
        raise AnnotationError(
            f"{told_again(records, again, images, people)} Pass "
            '`repeated="last"` to count the last answer, or "keep" to let all answers '
            "of a person weigh one."
        )
    return type(annotations)(**common, annotators=people, records=records)


def rename_classes(
    annotations: Annotations,
    names: Mapping[str, str | None] | Callable[[str], str | None],
) -> Annotations:
    """See `Annotations.rename_classes`."""
    if isinstance(names, Mapping):
        names = {composed(n) if isinstance(n, str) else n: c for n, c in names.items()}
        unknown = [name for name in names if name not in annotations.class_names]
        if unknown:
            raise ValueError(
                f"`names` renames {some(map(repr, unknown))}, but the classes are "
                f"{some(map(repr, annotations.class_names), 10)}."
            )
        renamed = [names.get(name, name) for name in annotations.class_names]
    elif callable(names):
        renamed = [names(name) for name in annotations.class_names]
    else:
        raise TypeError(
            "`names` must be a dict of old to new names, or a function of a name. "
            f"Received: {names!r}"
        )
    renamed = [composed(name) if isinstance(name, str) else name for name in renamed]
    classes = tuple(dict.fromkeys(name for name in renamed if name is not None))
    if not classes:
        raise ValueError("`names` leaves no class: all of them become None.")
    number = {**_numbers(classes), None: -1}
    becomes = tuple(number[name] for name in renamed)
    return changed(annotations, ClassChange(annotations.class_names, classes, becomes))


def changed(annotations: Annotations, change: ClassChange) -> Annotations:
    """Returns the same answers for other classes."""
    records, counts = annotations.records, None
    if records is None:
        counts = change.of_values(annotations.counts)
    else:
        records = records.of_classes(change.of_labels)
    return replace(
        annotations, class_names=change.after, counts=counts, records=records
    )


def _renamed(part: Annotations, images: Sequence[str]) -> Annotations:
    if part.ids == tuple(images):
        return part
    counts = part.counts if part.records is None else None
    return replace(part, ids=tuple(images), counts=counts)


def _common_classes(parts: Sequence[Annotations]) -> tuple[str, ...]:
    largest = max((part.class_names for part in parts), key=len)
    for part in parts:
        further = [name for name in part.class_names if name not in largest]
        if further:
            lacking = [name for name in largest if name not in part.class_names]
            raise AnnotationError(
                "The classes do not fit: one of the annotations has "
                f"{some(map(repr, further))} and lacks {some(map(repr, lacking))} of "
                "another. Read both with the same `class_names=`, or use "
                "`rename_classes`."
            )
    return largest


def _numbers(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


def _counts(parts: Sequence[Annotations]) -> list[np.ndarray]:
    return [part.counts for part in parts]


def _moved(
    names: Sequence[str], number: Mapping[str, int], positions: np.ndarray
) -> np.ndarray:
    """Positions among `names` as numbers; -1 stays."""
    return np.array([*(number[name] for name in names), -1])[positions]
