"""Answers as arrays, from annotations or from a review. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from keras_dc3.agreement.given import Given
from keras_dc3.agreement.notes import left_out, odd_people, of_split
from keras_dc3.annotations import Annotations, without_class
from keras_dc3.review import Review


@dataclass(frozen=True)
class Rounds:
    """Answers of people who may have answered an image again, one per position.

    Attributes:
        image: as in `Answers`.
        annotator: likewise.
        label: likewise.
        round: likewise.
        blind: whether these are blind ones beside answers to proposals, because no
            image came again with a proposal.
    """

    image: np.ndarray
    annotator: np.ndarray
    label: np.ndarray
    round: np.ndarray
    blind: bool = False


@dataclass(frozen=True)
class Answers:
    """Valid answers, one per position, or counts alone.

    Attributes:
        ids: of the images with an answer of any kind.
        all_ids: of all images.
        class_names: of the classes.
        annotators: names of the people.
        image: (m,) int64, positions in `ids`.
        label: (m,) int64, positions in `class_names`.
        annotator: (m,) int64, position in `annotators`; -1 if unknown.
        round: (m,) int64, 0 for the first answer of a person to the image, 1 for the
            second, and so on.
        proposed: (m,) int64, the class proposed; -1 for blind answers.
        alone: int64, positions of images that were chosen to be asked about without
            a proposal, so that they are no random control share.
        timed_image: (t,) int64, of all answers, also of those without a class, such as
            "cannot tell".
        timed_annotator: (t,) int64, likewise.
        seconds: (t,) float64, likewise; NaN if unknown.
        rounds: answers that tell whether people agree with themselves.
        counts: (n, k) int64, first answers of people; None if they are fractions.
        known: whether single answers are known.
        number: of valid answers, rounded where counts are fractions.
        undecided: number of answers without a class.
        answered: number of images with a valid answer.
        notes: what is to be told, one sentence each.
        reasons: why there is no class -> number of the answers `undecided`.
        second: (m,) int64, the other class of an answer that is split between two; -1
            of others. `label` is that with the larger share.
        share: (m,) float64, the share of `label`; 1 of others.
    """

    ids: tuple[str, ...]
    all_ids: tuple[str, ...]
    class_names: tuple[str, ...]
    annotators: tuple[str, ...]
    image: np.ndarray
    annotator: np.ndarray
    label: np.ndarray
    round: np.ndarray
    proposed: np.ndarray
    alone: np.ndarray
    timed_image: np.ndarray
    timed_annotator: np.ndarray
    seconds: np.ndarray
    rounds: Rounds
    counts: np.ndarray | None
    known: bool
    number: int
    undecided: int
    answered: int
    notes: tuple[str, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    second: np.ndarray | None = None
    share: np.ndarray | None = None


def control_share(review: Review) -> Annotations:
    """Returns the blind answers of a review with proposals, as annotations.

    Raises:
        ValueError: if there is no blind answer.

    Example:

    >>> blind = keras_dc3.agreement.control_share(answers)
    >>> len(blind.records) < len(answers.annotations.records)
    True
    """
    given = Given.of("review", review)
    if not given.is_review:
        raise TypeError(
            "`review` must be a review, which tells what was proposed. Received: "
            f"{type(review).__name__}"
        )
    blind, records = given.proposed < 0, given.annotations.records
    blind &= ~given.alone
    if not (blind & (records.label >= 0)).any():
        raise ValueError(
            f"None of the {len(blind):,} answers is blind. Make the review with a "
            "control share, or review some images in the mode 'none'."
        )
    return replace(given.annotations, counts=None, records=records.take(blind))


def read_answers(
    name: str, given: Annotations | Review, proposals: str = "shown"
) -> Answers:
    """Returns the answers of annotations or of a review.

    Args:
        name: of the argument, for messages.
        given: annotations, or a review: something with `annotations` and, one per
            record of these, `proposed` (class or -1) and `repetition` (bool).
        proposals: "shown" takes, where proposals were shown at all, the answers to
            these alone, and for rounds the blind ones where no image came again with
            a proposal; "all" takes all valid answers.

    Raises:
        TypeError: if it is neither.
        ValueError: if it has no answer, or its parts do not fit.
    """
    opened = Given.of(name, given)
    annotations, records = opened.annotations, opened.annotations.records
    if records is None:
        return _counted(name, annotations)
    valid, blind = records.label >= 0, opened.proposed < 0
    asked = np.ones(len(records), bool)
    if proposals == "all":
        asked = valid
    elif not blind.all():
        asked = ~blind
    if not (asked & valid).any():
        raise ValueError(_nothing(name))
    repeated = opened.repetition
    if repeated is None:
        repeated = np.zeros(len(records), bool)
    rows, timed = np.flatnonzero(asked & valid), np.flatnonzero(asked)
    # Blind and proposed answers are first answers each.
    kind = 2 * records.image + ~blind
    number = _rounds(kind[rows], records.annotator[rows], repeated[rows])
    others = np.flatnonzero(valid & ~asked)
    again, again_number = _repeated(records, others, repeated)
    shown_again = int((number[records.annotator[rows] >= 0] > 0).sum())
    again_blind = int((again_number > 0).sum()) > shown_again
    if not again_blind:
        again, again_number = rows, number
    notes = odd_people(annotations, rows, number, opened.repetition)
    if others.size:
        alone = int(opened.alone[others].sum())
        notes.insert(0, left_out(len(others), alone, again_blind))
    notes += of_split(int(records.is_split[rows].sum()))
    notes += without_class.told(annotations)
    used = np.unique(records.image[np.concatenate([timed, again])])
    image = np.searchsorted(used, records.image)
    there = np.isin(records.image, used)
    label, k = records.label, len(annotations.class_names)
    first = rows[number == 0]
    cell = image[first] * k + label[first]
    counts = np.bincount(cell, minlength=len(used) * k).reshape(-1, k)
    return Answers(
        ids=tuple(annotations.ids[i] for i in used),
        all_ids=annotations.ids,
        class_names=annotations.class_names,
        annotators=annotations.annotators,
        image=image[rows],
        annotator=records.annotator[rows],
        label=label[rows],
        round=number,
        proposed=opened.proposed[rows],
        alone=np.unique(image[opened.alone & there]),
        timed_image=image[timed],
        timed_annotator=records.annotator[timed],
        seconds=records.seconds[timed],
        rounds=Rounds(
            image[again],
            records.annotator[again],
            label[again],
            again_number,
            again_blind,
        ),
        counts=counts,
        known=True,
        number=len(rows),
        undecided=len(timed) - len(rows),
        answered=int((counts.sum(axis=1) > 0).sum()),
        notes=tuple(notes),
        reasons=without_class.by_reason(records.take(timed)),
        second=records.second[rows],
        share=records.share[rows],
    )


def _counted(name: str, annotations: Any) -> Answers:
    counts = annotations.counts
    used = np.flatnonzero(counts.sum(axis=1) > 0)
    if not used.size:
        raise ValueError(_nothing(name))
    none = np.zeros(0, "int64")
    return Answers(
        ids=tuple(annotations.ids[i] for i in used),
        all_ids=annotations.ids,
        class_names=annotations.class_names,
        annotators=(),
        image=none,
        annotator=none,
        label=none,
        round=none,
        proposed=none,
        alone=none,
        timed_image=none,
        timed_annotator=none,
        seconds=np.zeros(0),
        rounds=Rounds(none, none, none, none),
        counts=counts[used] if counts.dtype.kind in "iu" else None,
        known=False,
        number=round(float(counts.sum())),
        undecided=0,
        answered=len(used),
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


def _repeated(
    records: Any, rows: np.ndarray, repeated: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of images that a known person answered again, and their rounds."""
    number = _rounds(records.image[rows], records.annotator[rows], repeated[rows])
    size = int(records.annotator.max(initial=0)) + 1
    run = records.image[rows] * size + records.annotator[rows]
    known = records.annotator[rows] >= 0
    keep = known & np.isin(run, run[known & (number > 0)])
    return rows[keep], number[keep]
