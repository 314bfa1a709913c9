"""Single answers as arrays of positions, and the counts that follow. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from keras_dc3._text import some
from keras_dc3.annotations.errors import AnnotationError

_MOST_COUNTS = 500_000_000  # numbers in the matrix of counts, 4 GB


@dataclass(frozen=True, eq=False)
class Records:
    """Answers, one per position. The arrays cannot be written to.

    Attributes:
        image: (m,) int64, position in `Annotations.ids`.
        annotator: (m,) int64, position in `Annotations.annotators`; -1 if unknown.
        label: (m,) int64, position in `Annotations.class_names`; -1 where somebody was
            asked but gave no valid answer.
        seconds: (m,) float64, how long it took; NaN if unknown.

    Raises:
        ValueError: unless these are arrays of one length and of these kinds.
    """

    image: np.ndarray
    annotator: np.ndarray
    label: np.ndarray
    seconds: np.ndarray

    def __post_init__(self):
        for name in ("image", "annotator", "label", "seconds"):
            given = np.asarray(getattr(self, name))
            kinds, dtype = ("iuf", "float64") if name == "seconds" else ("iu", "int64")
            if given.ndim != 1 or (given.size and given.dtype.kind not in kinds):
                raise ValueError(
                    f"`{name}` must hold one {dtype} per answer. Received: shape "
                    f"{given.shape}, dtype {given.dtype}"
                )
            if len(given) != len(np.asarray(self.image)):
                raise ValueError(
                    "The arrays of records must be of one length. Received: image "
                    f"{len(np.asarray(self.image))}, {name} {len(given)}"
                )
            array = np.array(given, dtype=dtype)
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def of_counts(cls, counts: np.ndarray) -> Records:
        """Returns the answers of people whom nobody knows, each of another one.

        Args:
            counts: (n, k) whole numbers, how many people chose each class.
        """
        image, label = np.nonzero(counts)
        times = np.asarray(counts)[image, label].astype("int64")
        total = int(times.sum())
        return cls(
            image.repeat(times),
            np.full(total, -1),
            label.repeat(times),
            np.full(total, np.nan),
        )

    def __len__(self) -> int:
        return len(self.image)

    def check_positions(self, images: int, annotators: int, classes: int) -> None:
        """Raises ValueError unless positions lie among so many."""
        ends = {"image": (0, images), "annotator": (-1, annotators)}
        for name, (low, end) in {**ends, "label": (-1, classes)}.items():
            positions = getattr(self, name)
            wrong = np.flatnonzero((positions < low) | (positions >= end))
            if wrong.size:
                raise ValueError(
                    f"`records.{name}` must lie in {low}..{end - 1}. Received: "
                    f"{positions[wrong[0]]} at position {wrong[0]}"
                )

    def equals(self, other: Records) -> bool:
        """Returns whether all answers are equal, in the same order."""
        parts = zip(vars(self).values(), vars(other).values(), strict=True)
        return all(np.array_equal(*pair, equal_nan=True) for pair in parts)

    def take(self, positions: np.ndarray) -> Records:
        """Returns the answers at (j,) positions, or where a (m,) mask is True."""
        return Records(
            self.image[positions],
            self.annotator[positions],
            self.label[positions],
            self.seconds[positions],
        )


def known_times(
    seconds: np.ndarray, longest: float
) -> tuple[np.ndarray, dict[str, int]]:
    """Returns times, and how many are none that an answer can have taken.

    Args:
        seconds: (m,) float64, NaN if unknown.
        longest: the longest believable time.

    Returns:
        (m,) seconds, NaN where they are unknown, and the numbers of times that are
        "missing", "zero", "negative" and "too_long".
    """
    odd = {
        "missing": np.isnan(seconds),
        "zero": seconds == 0,
        "negative": seconds < 0,
        "too_long": seconds > longest,
    }
    known = np.where(np.any([*odd.values()], axis=0), np.nan, seconds)
    return known, {what: int(found.sum()) for what, found in odd.items()}


def repetitions(records: Records) -> list[np.ndarray]:
    """Returns the positions of each person's answers to an image answered repeatedly.

    Only valid answers of known annotators count, in the order of the records.
    """
    valid = np.flatnonzero((records.annotator >= 0) & (records.label >= 0))
    if not valid.size:
        return []
    pair = _pairs(records)[valid]
    _, pair, times = np.unique(pair, return_inverse=True, return_counts=True)
    again = times[pair] > 1
    valid, pair = valid[again], pair[again]
    order = np.argsort(pair, kind="stable")
    starts = np.flatnonzero(np.diff(pair[order])) + 1
    groups = np.split(valid[order], starts) if valid.size else []
    return sorted(groups, key=lambda group: group[0])


def told_again(
    records: Records,
    groups: Sequence[np.ndarray],
    ids: Sequence[str],
    annotators: Sequence[str],
    place: Callable[[np.ndarray], str] = lambda group: "",
) -> str:
    """Returns a sentence that names `repetitions`, and the place of each."""
    named = some(
        f"{ids[records.image[group[0]]]!r} by "
        f"{annotators[records.annotator[group[0]]]!r}{place(group)}"
        for group in groups
    )
    return f"{len(groups):,} times somebody annotated the same image again: {named}."


def last_answers(records: Records) -> Records:
    """Returns the records with only the last of each person's repeated answers."""
    keep = np.ones(len(records), bool)
    for group in repetitions(records):
        keep[group[:-1]] = False
    return records.take(keep)


def counts_of(records: Records, num_images: int, num_classes: int) -> np.ndarray:
    """Returns (n, k), how many people chose each class.

    Each person weighs one per image: of somebody who answered the same image r times,
    each answer counts 1 / r. int64, or float64 if somebody changed their mind.
    """
    if num_images * num_classes > _MOST_COUNTS:
        raise AnnotationError(
            f"{num_images:,} images of {num_classes:,} classes are too many to count. "
            "Is `label` the right column?"
        )
    shape = (num_images, num_classes)
    valid = records.take(records.label >= 0)
    cell = valid.image * num_classes + valid.label
    weights = None
    repeated = repetitions(valid)
    if repeated:
        weights = np.ones(len(valid))
        for group in repeated:
            # Exact where all answers are the same, which r times 1 / r need not be.
            chosen, first, times = np.unique(
                valid.label[group], return_index=True, return_counts=True
            )
            weights[group] = 0.0
            weights[group[first]] = times / len(group) if len(chosen) > 1 else 1.0
    counts = np.bincount(cell, weights, num_images * num_classes).reshape(shape)
    whole = weights is None or (counts == np.round(counts)).all()
    return counts.astype("int64" if whole else "float64", copy=False)


def in_order_of_images(records: Records) -> tuple[Records, np.ndarray]:
    """Returns the records by image, and the annotators that are left, old positions.

    Annotators are numbered in the order in which they appear. What says nothing, no
    annotator, no valid answer and no time, is left out.
    """
    told = (records.annotator >= 0) | (records.label >= 0)
    told |= ~np.isnan(records.seconds)
    rows = np.flatnonzero(told)
    records = records.take(rows[np.argsort(records.image[rows], kind="stable")])
    known, first = np.unique(records.annotator, return_index=True)
    order = known[np.argsort(first, kind="stable")]
    order = order[order >= 0]
    number = np.full(int(known.max(initial=-1)) + 2, -1)  # the last one is for -1
    number[order] = np.arange(len(order))
    return (
        Records(
            records.image, number[records.annotator], records.label, records.seconds
        ),
        order,
    )


def _pairs(records: Records) -> np.ndarray:
    return records.image * (records.annotator.max(initial=0) + 1) + records.annotator
