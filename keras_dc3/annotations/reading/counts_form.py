"""Annotations of which only the counts are known."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_dc3._names import composed, plain
from keras_dc3._text import number_of, tell
from keras_dc3._validation import check_counts
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.names import class_order, nearest, shown
from keras_dc3.annotations.reading.answers import Options
from keras_dc3.annotations.reading.count_columns import SUMS
from keras_dc3.annotations.reading.counts_table import (
    Counts,
    read_counts_table,
    without_no_answer,
)
from keras_dc3.annotations.reading.guesses import (
    CLASS_NAMES,
    EXTENSIONS,
    LABELS_BY_PERSON,
    SHARES,
    first_told,
    told,
)
from keras_dc3.annotations.reading.table_files import Layout, is_frame
from keras_dc3.annotations.reading.tables import Column
from keras_dc3.annotations.reading.wide_form import names_or_numbers


def read_counts(
    counts: Any,
    ids: Sequence[str] | None,
    image: Column | None,
    annotators_per_image: int | str | Sequence[int] | None,
    layout: Layout,
    options: Options,
) -> dict[str, Any]:
    """Returns the arguments of `Annotations`; see `Annotations.from_counts`."""
    is_table = isinstance(counts, str | os.PathLike) or is_frame(counts)
    is_dict = isinstance(counts, Mapping)
    if ids is not None and (is_table or is_dict):
        what = "a table" if is_table else "a dict"
        raise ValueError(
            f"`counts` as {what} names its images; use `select` for another order "
            "instead of `ids`."
        )
    people = annotators_per_image
    if is_table:
        column = people if isinstance(people, str) else None
        found = read_counts_table(
            counts, image=image, people=column, layout=layout, options=options
        )
    elif is_dict:
        found = _from_dict(counts, options)
    else:
        found = Counts("The counts", ids, options.class_names, counts)
    numbers, notes = check_counts("counts", found.counts), list(found.notes)
    ids = names_or_numbers("ids", found.ids, len(numbers))
    notes += EXTENSIONS.told(ids)
    people = people if found.people is None else found.people
    numbers, sums = of_people(numbers, people)
    notes += sums
    if options.class_names is None and (is_table or is_dict):
        times = numbers.sum(axis=0).tolist()
        chosen = dict(zip(found.class_names, times, strict=True))
        notes += told(CLASS_NAMES, chosen, options.no_answer)
    tell(f"{found.name}:", notes, stacklevel=3)
    k = numbers.shape[1]
    return {
        "ids": ids,
        "class_names": names_or_numbers("class_names", found.class_names, k),
        "counts": numbers,
        "notes": notes,
        "places": found.places,
    }


def of_people(counts: np.ndarray, people: Any) -> tuple[np.ndarray, list[str]]:
    """Returns numbers of people, and what to tell.

    Args:
        counts: (n, k) numbers or shares.
        people: how many answered, one number or (n,); None if it is not known.

    Raises:
        ValueError: if `people` are no positive numbers, one per image.
    """
    if people is None:
        return counts, first_told(SHARES, counts)
    people = np.asarray(people)
    if people.dtype.kind not in "iuf" or people.shape not in ((), (len(counts),)):
        raise ValueError(
            "`annotators_per_image` must be a number, or one for each of "
            f"{len(counts):,} images. Received: shape {people.shape}, dtype "
            f"{people.dtype}"
        )
    people = np.broadcast_to(people.astype("float64"), len(counts))
    total = counts.sum(axis=1)
    wrong = np.flatnonzero((total > 0) & ~(np.isfinite(people) & (people >= 1)))
    if wrong.size:
        raise ValueError(
            "`annotators_per_image` must be at least 1. Received: "
            f"{people[wrong[0]]:g} for the image at position {wrong[0]}"
        )
    sums = [abs(total - sum_) <= slack for sum_, slack, _ in SUMS]
    other = np.flatnonzero(~np.any([*sums, total == people, total == 0], axis=0))
    if other.size:
        row = other[0]
        raise ValueError(
            "`annotators_per_image` is for shares, which add up to 1 or 100. Received: "
            f"numbers that add up to {total[row]:g} for the image at position {row}, "
            f"with {people[row]:g} annotators"
        )
    scale = np.divide(people, total, out=np.zeros(len(counts)), where=total > 0)
    votes = counts * scale[:, None]
    whole = np.round(votes)
    # Shares are rounded: to the hundredth of what a person weighs, at least.
    near = np.abs(votes - whole).max(axis=1) <= np.maximum(0.05, 0.006 * people)
    near &= whole.sum(axis=1) == np.where(total > 0, people, 0)
    odd = int((~near).sum())
    if not odd:
        return whole, []
    return votes, [
        f"The shares of {number_of(odd, 'image')} are no votes of so many people "
        "(`annotators_per_image`), each for one class; they stay fractions."
    ]


def _from_dict(counts: Mapping[str, Mapping[str, float]], options: Options) -> Counts:
    """Returns the counts of image -> class -> number."""
    class_names = options.class_names
    notes = LABELS_BY_PERSON.told(counts) if class_names is None else []
    spelled: dict[str, str] = {}
    for image, row in counts.items():
        numbers = isinstance(row, Mapping) and all(
            isinstance(v, int | float | np.number) and not isinstance(v, bool)
            for v in row.values()
        )
        if not numbers or not all(isinstance(name, str) for name in row):
            raise TypeError(
                "`counts` must be a dict of image -> dict of class -> number. Received "
                f"for {image!r}: {row!r}"
            )
        other = spelled.setdefault(plain(str(image)), image)
        if other != image:
            raise AnnotationError(
                f"The images {shown([other, image])} of `counts` differ only in "
                "Unicode form or slashes. Put their numbers into one entry."
            )
    counts = {image: _composed(row) for image, row in counts.items()}
    # Not `> 0`: what is negative or NaN must reach the check of the numbers.
    chosen = {n: i for i, row in counts.items() for n, v in row.items() if v != 0}
    left, dropped = without_no_answer(list(chosen), options.no_answer)
    chosen = {name: chosen[name] for name in left}
    if class_names is None:
        if not chosen:
            raise AnnotationError("`counts` holds no annotation: all counts are 0.")
        class_names = class_order(chosen)
    unknown = [name for name in chosen if name not in class_names]
    if unknown:
        near = nearest(unknown[0], class_names)
        raise AnnotationError(
            f"{unknown[0]!r}, counted for {chosen[unknown[0]]!r}, is none of the "
            f"classes {list(class_names)}."
            + (f" Did you mean {near!r}?" if near else " Add it to `class_names`.")
        )
    matrix = [[row.get(name, 0) for name in class_names] for row in counts.values()]
    matrix = np.array(matrix).reshape(-1, len(class_names))
    notes += dropped
    return Counts("The counts", list(counts), class_names, matrix, notes=notes)


def _composed(row: Mapping[str, float]) -> dict[str, float]:
    """Returns counts by classes with composed letters; those of one class together."""
    counts: dict[str, float] = {}
    for name, number in row.items():
        counts[composed(name)] = counts.get(composed(name), 0) + number
    return counts
