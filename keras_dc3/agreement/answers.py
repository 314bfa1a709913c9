"""Answers as arrays, from annotations or from a review. NumPy only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Answers:
    """Valid answers, one per position, or counts alone.

    Attributes:
        images: ids of the images with an answer.
        class_names: of the classes.
        annotators: names of the people.
        image, label: (m,) int64, positions in `images` and `class_names`.
        annotator: (m,) int64, position in `annotators`; -1 if unknown.
        seconds: (m,) float64, NaN if unknown.
        round: (m,) int64, 0 for the first answer of a person to the image, 1 for the
            second, and so on.
        proposed: (m,) int64, the class proposed; -1 for blind answers.
        counts: (n, k) int64, first answers of people; None if they are fractions.
        known: whether single answers are known.
        number: of answers, rounded where counts are fractions.
        notes: what is to be told, one sentence each.
    """

    images: tuple[str, ...]
    class_names: tuple[str, ...]
    annotators: tuple[str, ...]
    image: np.ndarray
    annotator: np.ndarray
    label: np.ndarray
    seconds: np.ndarray
    round: np.ndarray
    proposed: np.ndarray
    counts: np.ndarray | None
    known: bool
    number: int
    notes: tuple[str, ...] = ()


def control_share(review: Any) -> Any:
    """Returns the blind answers of a review with proposals, as annotations.

    Example:

    >>> agreement.compare(none=agreement.control_share(review), dc3=review)

    Raises:
        ValueError: if there is no blind answer.
    """
    annotations, proposed, _ = _parts("review", review)
    if proposed is None:
        raise TypeError(
            "`review` must be a review, which tells what was proposed. Received: "
            f"{type(review).__name__}"
        )
    blind = proposed < 0
    if not (blind & (annotations.records.label >= 0)).any():
        raise ValueError(
            f"None of the {len(proposed):,} answers is blind. Make the review with a "
            "control share, or review some images in the mode 'none'."
        )
    records = annotations.records.take(blind)
    return replace(annotations, counts=None, records=records)


def read_answers(name: str, given: Any, proposals: str = "shown") -> Answers:
    """Returns the answers of annotations or of a review.

    Args:
        name: of the argument, for messages.
        given: annotations, or a review: something with `annotations` and, one per
            record of these, `proposed` (class or -1) and `repetition` (bool).
        proposals: "shown" takes, where proposals were shown at all, the answers to
            these alone; "all" takes all answers.

    Raises:
        TypeError: if it is neither.
        ValueError: if it has no answer, or its parts do not fit.
    """
    annotations, proposed, repetition = _parts(name, given)
    if annotations.records is None:
        return _counted(name, annotations)
    records, notes = annotations.records, []
    take = records.label >= 0
    if proposed is None:
        proposed = np.full(len(records), -1)
    elif proposals == "shown" and (proposed >= 0).any():
        blind = int((take & (proposed < 0)).sum())
        take &= proposed >= 0
        if blind:
            notes.append(f"{blind:,} blind answers of the control share are left out.")
    if not take.any():
        raise ValueError(_nothing(name))
    repeated = np.zeros(len(records), bool) if repetition is None else repetition
    rows = np.flatnonzero(take)
    number = _rounds(records.image[rows], records.annotator[rows], repeated[rows])
    if proposals == "all":  # blind and proposed answers are first answers each
        kind = 2 * records.image[rows] + (proposed[rows] >= 0)
        number = _rounds(kind, records.annotator[rows], repeated[rows])
    notes += _odd_people(annotations, rows, number, repetition)
    used, image = np.unique(records.image[rows], return_inverse=True)
    label, k = records.label[rows], len(annotations.class_names)
    first = number == 0
    cell = image[first] * k + label[first]
    return Answers(
        images=tuple(annotations.images[i] for i in used),
        class_names=annotations.class_names,
        annotators=annotations.annotators,
        image=image,
        annotator=records.annotator[rows],
        label=label,
        seconds=records.seconds[rows],
        round=number,
        proposed=proposed[rows],
        counts=np.bincount(cell, minlength=len(used) * k).reshape(-1, k),
        known=True,
        number=len(rows),
        notes=tuple(notes),
    )


def _parts(name: str, given: Any) -> tuple[Any, np.ndarray | None, np.ndarray | None]:
    """Annotations, and what was proposed and repeated where it is told."""
    annotations = getattr(given, "annotations", given)
    needed = ("images", "class_names", "annotators", "records", "counts")
    if not all(hasattr(annotations, part) for part in needed):
        raise TypeError(
            f"`{name}` must be annotations or a review. Received: "
            f"{type(given).__name__}"
        )
    if annotations is given:
        return annotations, None, None
    if annotations.records is None:
        raise ValueError(f"`{name}` must hold single answers, not counts alone.")
    m, k = len(annotations.records), len(annotations.class_names)
    proposed = np.asarray(given.proposed)
    if proposed.shape != (m,) or (m and proposed.dtype.kind not in "iu"):
        raise ValueError(
            f"`{name}.proposed` must hold one class number for each of {m:,} answers. "
            f"Received: shape {proposed.shape}, dtype {proposed.dtype}"
        )
    if m and not (proposed.min() >= -1 and proposed.max() < k):
        raise ValueError(
            f"`{name}.proposed` must lie in -1..{k - 1} for {k} classes. Received: "
            f"{proposed.min()} to {proposed.max()}"
        )
    repetition = getattr(given, "repetition", None)
    if repetition is not None:
        repetition = np.asarray(repetition)
        if repetition.shape != (m,) or (m and repetition.dtype.kind != "b"):
            raise ValueError(
                f"`{name}.repetition` must hold True or False for each of {m:,} "
                f"answers. Received: shape {repetition.shape}, dtype "
                f"{repetition.dtype}"
            )
    return annotations, proposed, repetition


def _counted(name: str, annotations: Any) -> Answers:
    counts = annotations.counts
    used = np.flatnonzero(counts.sum(axis=1) > 0)
    if not used.size:
        raise ValueError(_nothing(name))
    none = np.zeros(0, "int64")
    return Answers(
        images=tuple(annotations.images[i] for i in used),
        class_names=annotations.class_names,
        annotators=(),
        image=none,
        annotator=none,
        label=none,
        seconds=np.zeros(0),
        round=none,
        proposed=none,
        counts=counts[used] if counts.dtype.kind in "iu" else None,
        known=False,
        number=round(float(counts.sum())),
    )


def _nothing(name: str) -> str:
    return f"`{name}` holds no valid answer, so that there is nothing to measure."


def _rounds(
    image: np.ndarray, annotator: np.ndarray, repeated: np.ndarray
) -> np.ndarray:
    """The how-manieth answer of the person to the image each one is, from 0 on."""
    order = np.lexsort((repeated, annotator, image))  # stable
    image, annotator = image[order], annotator[order]
    new = np.ones(len(order), bool)
    new[1:] = (image[1:] != image[:-1]) | (annotator[1:] != annotator[:-1])
    new |= annotator < 0  # nobody knows whether these are the same person
    start = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    number = np.empty(len(order), "int64")
    number[order] = np.arange(len(order)) - start
    return number


def _odd_people(
    annotations: Any,
    rows: np.ndarray,
    number: np.ndarray,
    repetition: np.ndarray | None,
) -> list[str]:
    notes, people = [], annotations.records.annotator[rows]
    unknown = int((people < 0).sum())
    if unknown:
        notes.append(
            f"{unknown:,} answers of unknown annotators count as one person each; "
            "kappa is computed without them."
        )
    if repetition is not None:
        twice = people[(number > 0) & ~repetition[rows]]
        for person, times in zip(*np.unique(twice, return_counts=True), strict=True):
            notes.append(
                f"{annotations.annotators[person]!r} answered {times:,} images again "
                "that were no hidden repetitions. They count as repetitions; if these "
                "are two people of one name, rename one of them."
            )
    alike = defaultdict(list)
    for name in annotations.annotators:
        alike["".join(name.casefold().split())].append(name)
    for names in alike.values():
        if len(names) > 1:
            notes.append(
                f"{', '.join(map(repr, names))} count as {len(names)} annotators. If "
                "they are one person, write the name the same everywhere."
            )
    return notes
