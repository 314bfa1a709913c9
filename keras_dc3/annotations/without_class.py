"""Answers that name no class, by their reasons: bad images, and none of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_dc3._text import number_of, some
from keras_dc3._validation import check_choice
from keras_dc3.annotations.records import (
    BAD_IMAGE,
    NONE_OF_THESE,
    REASONS,
    Records,
    last_said,
    persons,
)

if TYPE_CHECKING:
    from keras_dc3.annotations.annotations import Annotations


def people_saying(annotations: Annotations, reason: str) -> np.ndarray:
    """See `Annotations.people_saying`."""
    check_choice("reason", reason, REASONS)
    records, number = annotations.records, REASONS.index(reason)
    if records is None or not (records.reason == number).any():
        return np.zeros(len(annotations), "int64")
    last = last_said(records)
    mine = (last.label < 0) & (last.reason == number)
    return np.bincount(last.image[mine], minlength=len(annotations))


def bad_images(annotations: Annotations) -> tuple[str, ...]:
    """See `Annotations.bad_images`."""
    bad = people_saying(annotations, BAD_IMAGE)
    if not bad.any():
        return ()
    rows = np.flatnonzero(2 * bad > _people(annotations))
    return tuple(annotations.ids[row] for row in rows)


def none_of_these(annotations: Annotations) -> tuple[str, ...]:
    """See `Annotations.none_of_these`."""
    number = people_saying(annotations, NONE_OF_THESE)
    order = np.argsort(-number, kind="stable")
    return tuple(annotations.ids[row] for row in order if number[row])


def by_reason(records: Records) -> dict[str, int]:
    """Returns reason -> how many answers without a class have it, where any does."""
    number = np.bincount(records.reason[records.label < 0], minlength=len(REASONS))
    pairs = zip(REASONS, number.tolist(), strict=True)
    return {reason: times for reason, times in pairs if times}


def in_words(reasons: dict[str, int]) -> str:
    """Returns such as "3 cannot tell, 2 bad image"; "" if no reason is known."""
    known = [f"{n:,} {name}" for name, n in reasons.items() if name != REASONS[0]]
    return ", ".join(known)


def told(annotations: Annotations) -> list[str]:
    """Returns what is told of images that are bad or show none of the classes."""
    if annotations.records is None or not annotations.records.reason.any():
        return []
    notes, people = [], _people(annotations)
    row = {name: place for place, name in enumerate(annotations.ids)}

    def listed(ids: tuple[str, ...], reason: str) -> str:
        number = people_saying(annotations, reason)
        rows = [row[name] for name in ids]
        return some(
            f"{name!r} ({number[place]} of {people[place]} who answered)"
            for name, place in zip(ids, rows, strict=True)
        )

    bad, none = annotations.bad_images, annotations.none_of_these
    if people_saying(annotations, BAD_IMAGE).any():
        of_these = "of none of them most people do"
        if bad:
            of_these = (
                f"of {len(bad):,} most people do, without a label therefore: "
                f"{listed(bad, BAD_IMAGE)}"
            )
        notes.append(f"{_who_says(annotations, BAD_IMAGE)}; {of_these}.")
    if none:
        notes.append(
            f"{_who_says(annotations, NONE_OF_THESE)}, which may call for a new class: "
            f"{listed(none, NONE_OF_THESE)}."
        )
    return notes


def _who_says(annotations: Annotations, reason: str) -> str:
    """Returns such as "12 images: 3 people say bad image"."""
    last = last_said(annotations.records)
    mine = (last.label < 0) & (last.reason == REASONS.index(reason))
    images = len(np.unique(last.image[mine]))
    people = len(np.unique(persons(last)[mine]))
    who = "1 person says" if people == 1 else f"{people:,} people say"
    return f"{number_of(images, 'image')}: {who} {reason}"


def _people(annotations: Annotations) -> np.ndarray:
    """(n,) how many people have said something of each image."""
    last = last_said(annotations.records)
    said = (last.label >= 0) | (last.reason > 0)
    return np.bincount(last.image[said], minlength=len(annotations))
