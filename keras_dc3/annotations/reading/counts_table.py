"""Counts from a table with one row per image and one column per class."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._names import composed, plain, trimmed
from keras_dc3._text import number_of, some
from keras_dc3.annotations.errors import AnnotationError, no_name
from keras_dc3.annotations.reading import titles
from keras_dc3.annotations.reading.answers import Options
from keras_dc3.annotations.reading.columns import texts_of
from keras_dc3.annotations.reading.count_columns import all_different
from keras_dc3.annotations.reading.guesses import (
    CLASS_COLUMNS,
    HEADER,
    SEVERAL_CLASSES,
    first_told,
)
from keras_dc3.annotations.reading.table_files import (
    Layout,
    frame_table,
    has_numbers,
    is_frame,
    read_table,
)
from keras_dc3.annotations.reading.tables import (
    Column,
    Table,
    are_numbers,
    composed_column,
    number,
)

READER = "Annotations.from_counts"
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_MANY = 20  # rows in which a column is no sum of the others by chance


@dataclass(frozen=True)
class Counts:
    """Counts that were read.

    Attributes:
        name: of what they were read from, for messages.
        ids: n names; None if the images have none.
        class_names: k names; None if the classes have none.
        counts: (n, k), not checked.
        people: (n,) float64, how many answered; None if this is not told there.
        notes: what was odd, one sentence each.
        places: where each image stands, as far as known.
    """

    name: str
    ids: Sequence[str] | None
    class_names: Sequence[str] | None
    counts: Any
    people: np.ndarray | None = None
    notes: Sequence[str] = ()
    places: Sequence[str] = ()


def read_counts_table(
    table: Any,
    *,
    image: Column | None,
    people: str | int | None,
    layout: Layout,
    options: Options,
) -> Counts:
    """Returns the numbers of a file or data frame.

    Args:
        people: the column that tells how many people answered, if one does.

    All other arguments and the errors are those of `from_counts`.
    """
    named, no_answer = options.class_names, options.no_answer
    image, people = composed_column(image), composed_column(people)
    wanted = {"image": image, "annotators_per_image": people}
    numbered = has_numbers(wanted)
    if isinstance(table, str | os.PathLike):
        how = {"layout": layout, "gaps": image is not None, "reader": READER}
        columns = {**wanted, "image": None} if image == "image" else wanted
        read = read_table(table, columns=columns, **how)
        if not numbered and image is None and _all_numbers(read.header):
            read = read_table(table, columns={**columns, "class": 0}, **how)
    else:
        read = frame_table(table, image, {})
    if read.header is not None:
        _check_image(read, image, table)
        read.check({a: c for a, c in wanted.items() if isinstance(c, str)})
    taken = [c for c in (image, people) if c is not None and not callable(c)]
    columns, class_names, notes = _class_columns(read, taken, named, no_answer)
    numbers = _Numbers(read, no_answer)
    counts = np.array([numbers.of(c) for c in columns]).reshape(len(columns), -1).T
    _check_totals(read, class_names, counts)
    if named is None and read.header is not None:
        notes += first_told(CLASS_COLUMNS, class_names, counts)
    answered = None if people is None else np.array(numbers.of(people))
    images = [trimmed(name) for name in texts_of(read, "image", image)]
    places = tuple(map(read.at, range(len(images))))
    _check_images(images, places)
    if not counts.any():
        raise AnnotationError(f"{read.name} holds no annotation: all counts are 0.")
    notes += [*read.notes, *numbers.notes(), *HEADER.told(read, image)]
    notes += SEVERAL_CLASSES.told(counts)
    return Counts(read.name, images, class_names, counts, answered, notes, places)


class _Numbers:
    """Reads the cells of columns as numbers."""

    def __init__(self, table: Table, no_answer: Sequence[str]):
        self.table, self.none = table, {"", *map(trimmed, no_answer)}
        self.empty = 0

    def of(self, column: str | int) -> list[float]:
        cells = self.table.column("class_names", column)
        return [self._of(column, i, trimmed(str(c))) for i, c in enumerate(cells)]

    def _of(self, column: str | int, row: int, text: str) -> float:
        if text in self.none:
            self.empty += 1
            return 0.0
        value = number(text)
        if value is None or _THOUSANDS.fullmatch(text):
            why = "must be a number of at least 0"
            if value is not None:
                why = "can be a thousand or a fraction: write it with a dot, or without"
            raise AnnotationError(
                f"{self.table.at(row)}: the cell of {column!r} {why}. Received: "
                f"{text!r}. If the column is no class, name those that are with "
                "`class_names=[...]`; if cells with this text mean 0, pass "
                f"`no_answer={[text]}`."
            )
        return value

    def notes(self) -> list[str]:
        return (
            [f"{number_of(self.empty, 'empty cell counts', 'empty cells count')} as 0."]
            if self.empty
            else []
        )


def _all_numbers(header: Sequence[str] | None) -> bool:
    """Whether a first line is one of data: numbers that do not just count columns."""
    values = [number(name) for name in header or ()]
    k = len(values)
    counting = values in (list(range(k)), list(range(1, k + 1)))
    return None not in values and not counting


def _check_image(table: Table, image: Column | None, given: Any) -> None:
    """Raises AnnotationError if there is no such column, and says which it may be."""
    if not isinstance(image, str) or image in table.header:
        return
    raise AnnotationError(
        f"{table.name} lacks the column {image!r}; it has "
        f"{some(map(repr, table.header), 12)}. Say which names the image, perhaps "
        f"with {_image_hint(table, given)}."
    )


def _image_hint(table: Table, given: Any) -> str:
    cells = dict(zip(table.header, table.cells(), strict=True))
    cells = {title: c for title, c in cells.items() if not titles.is_unnamed(title)}
    numbers = [title for title in cells if are_numbers(cells[title])]
    texts = [title for title in cells if title not in numbers]
    if texts:
        return f"`image={texts[0]!r}`"
    index = given.index if is_frame(given) else None
    unnamed = index is not None and index.nlevels == 1 and index.name is None
    if unnamed and any(isinstance(name, str) for name in index[:1]):
        return (
            f"its index, which begins with {index[0]!r}: give it a name, with "
            '`frame.rename_axis("image")`'
        )
    full = [title for title in numbers if all(cells[title])]
    ids = [t for t in full if all_different(np.array(list(map(number, cells[t]))))]
    named = list(filter(titles.numbers_images, ids))
    if named:
        return f"`image={named[0]!r}`"
    if numbers and numbers[0] in ids and len(table.rows) > 2:
        return f"`image={numbers[0]!r}`, or with `image=None` if each row is one"
    return "`image=None`, if each row is one"


def _class_columns(
    table: Table,
    taken: Sequence[Any],
    named: Sequence[str] | None,
    no_answer: Sequence[str],
) -> tuple[list[str | int], tuple[str, ...], list[str]]:
    """Returns columns, names of the classes, and notes."""
    if table.header is None:
        columns = [c for c in range(len(table.rows[0])) if c not in taken]
        names = tuple(map(str, range(len(columns)))) if named is None else named
        if len(names) != len(columns):
            raise ValueError(
                f"`class_names` must name the {len(columns)} columns of {table.name}, "
                f"which has no header line. Received: {len(names)} names"
            )
        return columns, names, []
    others = [h for h in table.header if h not in taken and not titles.is_unnamed(h)]
    if named is None:
        others, notes = without_no_answer(others, no_answer)
        if not others:
            raise AnnotationError(f"{table.name} has no column of a class.")
        table.check({f"class_names[{i}]": name for i, name in enumerate(others)})
        return others, tuple(others), notes
    lost = [name for name in named if name not in others]
    if lost:
        raise AnnotationError(
            f"{table.name} lacks the columns {lost} of `class_names`; it has "
            f"{some(map(repr, others), 12)}."
        )
    table.check({f"class_names[{i}]": name for i, name in enumerate(named)})
    left = [name for name in others if name not in named]
    notes = [f"Columns that are no classes: {some(map(repr, left))}."] if left else []
    return list(named), tuple(named), notes


def without_no_answer(
    names: Sequence[str], no_answer: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Returns the classes that are none of `no_answer`, and what to tell of the others.

    Args:
        names: classes that were found.
        no_answer: texts that mean that there is no answer.
    """
    none = {composed(trimmed(text)) for text in no_answer} - {""}
    left = [name for name in names if composed(trimmed(name)) in none]
    notes = [f"No answers, by `no_answer`: {some(map(repr, left))}."] if left else []
    return [name for name in names if name not in left], notes


def _check_totals(table: Table, names: Sequence[str], counts: np.ndarray) -> None:
    """Raises AnnotationError if a column is the sum of the others, and no class."""
    total = counts.sum(axis=1)
    if len(names) < 3 or len(counts) < 2 or not total.any():
        return
    for column, name in enumerate(names):
        is_sum = np.allclose(2 * counts[:, column], total)
        if is_sum and (titles.is_total(name) or len(counts) >= _MANY):
            raise AnnotationError(
                f"{table.name}: the column {name!r} is the sum of the others, and "
                "probably no class. Name the classes with "
                f"`class_names={[n for n in names if n != name]}`."
            )


def _check_images(images: list[str], places: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for row, name in enumerate(images):
        if not name:
            raise no_name(places[row])
        if first.setdefault(plain(name), row) != row:
            raise AnnotationError(
                f"{places[row]}: the image {name!r} stands in the table already "
                f"({places[first[plain(name)]]}). Put its numbers into one line."
            )
