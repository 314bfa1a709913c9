"""Single answers as arrays of positions, and the counts that follow. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keras_dc3._text import number_of, some
from keras_dc3.annotations.errors import AnnotationError

_MOST_COUNTS = 500_000_000  # numbers in the matrix of counts, 4 GB
# Why an answer names no class, as `Records.reason` numbers it.
NO_ANSWER, CANNOT_TELL, BAD_IMAGE, NONE_OF_THESE = REASONS = (
    *("no answer", "cannot tell"),
    *("bad image", "none of these"),
)
_FURTHER = {"reason": (0, "int64"), "second": (-1, "int64"), "share": (1.0, "float64")}


@dataclass(frozen=True, eq=False)
class Records:
    """Answers, one per position. The arrays cannot be written to.

    Attributes:
        image: (m,) int64, position in `Annotations.ids`.
        annotator: (m,) int64, position in `Annotations.annotators`; -1 if unknown.
        label: (m,) int64, position in `Annotations.class_names`; -1 where somebody was
            asked but gave no valid answer.
        seconds: (m,) float64, how long it took; NaN if unknown.
        reason: (m,) int64, why there is no class: 0 nobody knows, or there is one, 1
            cannot tell, 2 bad image, 3 none of these.
        second: (m,) int64, the other class of an answer that is split between two; -1
            if it is not. `label` is the class with the larger share.
        share: (m,) float64, the share of `label`, from 0.5 to 1; 1 unless split.

    Raises:
        ValueError: unless these are arrays of one length and of these kinds, and only
            an answer with a class is split, between two.
    """

    image: np.ndarray
    annotator: np.ndarray
    label: np.ndarray
    seconds: np.ndarray
    reason: np.ndarray | None = None
    second: np.ndarray | None = None
    share: np.ndarray | None = None

    def __post_init__(self):
        for name in ("image", "annotator", "label", "seconds", *_FURTHER):
            given = getattr(self, name)
            if given is None and name in _FURTHER:
                given = np.full(np.shape(self.image), *_FURTHER[name])
            given, floats = np.asarray(given), name in ("seconds", "share")
            kinds, dtype = ("iuf", "float64") if floats else ("iu", "int64")
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
        wrong = np.flatnonzero((self.label >= 0) & (self.reason != 0))
        if wrong.size:
            raise ValueError(
                "An answer with a class has no `reason` for having none. Received: "
                f"label {self.label[wrong[0]]}, reason {self.reason[wrong[0]]} at "
                f"position {wrong[0]}"
            )
        split = self.second >= 0
        fits = (self.label >= 0) & (self.second != self.label)
        fits &= (self.share >= 0.5) & (self.share < 1)
        wrong = np.flatnonzero(np.where(split, ~fits, self.share != 1))
        if wrong.size:
            at = wrong[0]
            raise ValueError(
                "An answer that is split has two different classes, and a `share` from "
                "0.5 to below 1 of the first; all others have the share 1. Received: "
                f"label {self.label[at]}, second {self.second[at]}, share "
                f"{self.share[at]:g} at position {at}"
            )

    @property
    def is_split(self) -> np.ndarray:
        """(m,) bool: whether the answer is split between two classes."""
        return self.second >= 0

    @property
    def whole(self) -> Records:
        """The same answers, of those that are split the class with the larger share."""
        if not self.is_split.any():
            return self
        return replace(self, second=None, share=None)

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
        ends |= {"label": (-1, classes), "second": (-1, classes)}
        for name, (low, end) in {**ends, "reason": (0, len(REASONS))}.items():
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
        return Records(*(array[positions] for array in vars(self).values()))

    def of_classes(self, becomes: Callable[[np.ndarray], np.ndarray]) -> Records:
        """Returns the same answers for other classes.

        A split answer of which one class is left out, or both become one, is one of the
        class that remains; without the one with the larger share it is none.

        Args:
            becomes: of positions of classes, -1 for none; gives the new ones.
        """
        label, second = becomes(self.label), becomes(self.second)
        second[(label < 0) | (second == label)] = -1
        share = np.where(second >= 0, self.share, 1.0)
        return replace(self, label=label, second=second, share=share)


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
    times = number_of(len(groups), "time")
    return f"{times} somebody annotated the same image again: {named}."


def persons(records: Records) -> np.ndarray:
    """Returns (m,) who answered; each unknown annotator is a person of their own."""
    unknown = np.flatnonzero(records.annotator < 0)
    found = records.annotator.copy()
    found[unknown] = records.annotator.max(initial=-1) + 1 + np.arange(len(unknown))
    return found


def last_said(records: Records) -> Records:
    """Returns the last of each person's answers to an image, with a class or without.

    Unlike `last_answers`, which lets "cannot tell" take the place of no class.
    """
    who = persons(records)
    pair = records.image * (who.max(initial=0) + 1) + who
    _, last = np.unique(pair[::-1], return_index=True)
    return records.take(np.sort(len(pair) - 1 - last))


def last_answers(records: Records) -> Records:
    """Returns the records with only the last of each person's repeated answers."""
    keep = np.ones(len(records), bool)
    for group in repetitions(records):
        keep[group[:-1]] = False
    return records.take(keep)


def counts_of(records: Records, num_images: int, num_classes: int) -> np.ndarray:
    """Returns (n, k), how many people chose each class.

    Each person weighs one per image: of somebody who answered the same image r times,
    each answer counts 1 / r, and one that is split counts its shares. int64, or float64
    if somebody changed their mind or split an answer.
    """
    if num_images * num_classes > _MOST_COUNTS:
        raise AnnotationError(
            f"{num_images:,} images of {num_classes:,} classes are too many to count. "
            "Is `label` the right column?"
        )
    shape = (num_images, num_classes)
    valid = records.take(records.label >= 0)
    cell = valid.image * num_classes + valid.label
    weights, is_split = None, valid.is_split
    repeated = repetitions(valid)
    if repeated:
        weights = np.ones(len(valid))
        for group in repeated:
            # Exact where all answers are the same, which r times 1 / r need not be.
            chosen, first, times = np.unique(
                valid.label[group], return_index=True, return_counts=True
            )
            if is_split[group].any():
                weights[group] = 1 / len(group)
                continue
            weights[group] = 0.0
            weights[group[first]] = times / len(group) if len(chosen) > 1 else 1.0
    split = np.flatnonzero(is_split)
    if split.size:
        weights = np.ones(len(valid)) if weights is None else weights
        cell = np.append(cell, (valid.image * num_classes + valid.second)[split])
        rest = weights[split] * (1 - valid.share[split])
        weights = np.append(weights * valid.share, rest)
    counts = np.bincount(cell, weights, num_images * num_classes).reshape(shape)
    whole = weights is None or (counts == np.round(counts)).all()
    return counts.astype("int64" if whole else "float64", copy=False)


def in_order_of_images(records: Records) -> tuple[Records, np.ndarray]:
    """Returns the records by image, and the annotators that are left, old positions.

    Annotators are numbered in the order in which they appear. What says nothing, no
    annotator, no valid answer and no time, is left out.
    """
    told = (records.annotator >= 0) | (records.label >= 0)
    told |= ~np.isnan(records.seconds) | (records.reason > 0)
    rows = np.flatnonzero(told)
    records = records.take(rows[np.argsort(records.image[rows], kind="stable")])
    known, first = np.unique(records.annotator, return_index=True)
    order = known[np.argsort(first, kind="stable")]
    order = order[order >= 0]
    number = np.full(int(known.max(initial=-1)) + 2, -1)  # the last one is for -1
    number[order] = np.arange(len(order))
    return replace(records, annotator=number[records.annotator]), order


def _pairs(records: Records) -> np.ndarray:
    return records.image * (records.annotator.max(initial=0) + 1) + records.annotator
