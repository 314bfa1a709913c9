"""Tables of text, from files and data frames. Standard library only."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from keras_dc3._names import composed
from keras_dc3._text import some
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.files import as_text, read_text
from keras_dc3.annotations.headers import (
    ANSWER_TITLES,
    declared_separator,
    filled,
    first_with,
    sniff,
)
from keras_dc3.annotations.names import nearest, trimmed

_COMMA = re.compile(r"[0-9]+,[0-9]+")
_TRUTH = {"true": 1.0, "false": 0.0}
Column = str | int | Callable[[Any], Any]


@dataclass
class Table:
    """Rows of text.

    Attributes:
        name: of the file, for messages.
        header: names of the columns, with composed letters (NFC); None if columns are
            known by number only.
        rows: the cells of each row.
        lines: the number of the first line of each row.
        word: what `lines` numbers, for messages.
        notes: what was odd where it was read.
        orders: column -> its classes in order, of ordered categories of pandas.
    """

    name: str
    header: list[str] | None
    rows: list[list[str]]
    lines: Sequence[int]
    word: str = "line"
    notes: Sequence[str] = ()
    orders: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def order_of(self, columns: Sequence[Any]) -> Sequence[str]:
        """Returns the classes in the order that all columns give them; () if none."""
        found = [self.orders.get(c, ()) if isinstance(c, str) else () for c in columns]
        return found[0] if all(order == found[0] for order in found) else ()

    def tell_orders(self, columns: Sequence[Any]) -> list[str]:
        """Returns what to tell of columns that order their classes differently."""
        orders = {c: tuple(self.orders[c]) for c in columns if c in self.orders}
        if len(set(orders.values())) < 2:
            return []
        one, order = next(iter(orders.items()))
        other = next(column for column in orders if orders[column] != order)
        return [
            f"The columns {one!r} and {other!r} order their categories differently, "
            f"{list(order)} and {list(orders[other])}: the classes are in the order of "
            "the alphabet. Pass `class_names=[...]` in the order that is meant."
        ]

    def column(self, argument: str, column: Column) -> list[Any]:
        """Returns the values of a column: by name, by number, or a function of a row.

        Raises:
            AnnotationError: if there is no such column or the function fails.
        """
        if callable(column):
            return [
                self._call(argument, column, position)
                for position in range(len(self.rows))
            ]
        if isinstance(column, str):
            column = self._position[composed(column)]  # `check` has found it
        try:
            return [row[column] for row in self.rows]
        except IndexError:
            width = min(map(len, self.rows))
            raise AnnotationError(
                f"{self.name} has {width} columns, 0 to {width - 1}, but "
                f"`{argument}={column}`. Is the `separator` right?"
            ) from None

    @cached_property
    def _position(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.header)}

    def _call(self, argument: str, function: Callable, position: int) -> Any:
        row: Any = self.rows[position]
        if self.header is not None:
            row = _Row(zip(self.header, row, strict=True))
        try:
            return function(row)
        except Exception as error:
            raise AnnotationError(
                f"{self.name}, {self.word} {self.lines[position]}: the function "
                f"`{argument}` fails with {type(error).__name__}: {error}"
            ) from error

    def check(self, columns: Mapping[str, Any]) -> None:
        """Raises AnnotationError if one of argument -> column is missing or double."""
        wanted = {a: composed(c) for a, c in columns.items() if isinstance(c, str)}
        times = Counter(self.header)
        missing = [c for c in wanted.values() if c not in times]
        if missing:
            lacking = (
                f"{self.name} lacks the columns {missing}; it has "
                f"{some(map(repr, self.header), 12)}."
            )
            classes = self._class_columns() if "label" in wanted else []
            if classes:
                raise AnnotationError(
                    f"{lacking} Its numbers, such as those of {classes[0]!r} and "
                    f"{classes[1]!r}, look like counts or shares of classes, which are "
                    "read by `Annotations.from_counts`."
                )
            hints = []
            for argument, column in wanted.items():
                near = nearest(column, filter(None, self.header))
                if column in missing and near:
                    hints.append(f"`{argument}={near!r}`")
            hint = f"Did you mean {', '.join(hints)}? " if hints else ""
            unknown = " (`annotator=None` if it is not known)"
            arguments = ", ".join(f"`{a}=...`" for a in wanted if wanted[a] in missing)
            raise AnnotationError(
                f"{lacking} {hint}Say which to read with {arguments}"
                f"{unknown if 'annotator' in arguments else ''}. Without a header "
                "line, give all columns by number: 0, 1, ... A table with a column per "
                "annotator is read by `Annotations.from_wide`, one with a column per "
                "class by `Annotations.from_counts`."
            )
        for column in wanted.values():
            if times[column] > 1:
                raise AnnotationError(
                    f"{self.name} has more than one column {column!r}; rename one."
                )

    def _class_columns(self) -> list[str]:
        """Returns the columns if they seem to be one per class, beside the images.

        That is, numbers everywhere but in one column or two, and each image once.
        """
        titles = {name.casefold().replace(" ", "_") for name in self.header}
        if len(self.header) < 3 or titles & ANSWER_TITLES or not self.rows:
            return []
        columns = [
            [trimmed(str(cell)) for cell in cells]
            for cells in zip(*self.rows, strict=True)
        ]
        numbers = [
            any(cells) and all(number(cell) is not None for cell in cells if cell)
            for cells in columns
        ]
        numbers[0] = numbers[0] and False in numbers  # the first one names the image
        image = columns[numbers.index(False)]
        if numbers.count(False) > 2 or len(set(image)) < len(image):
            return []
        names = [
            n for n, is_number in zip(self.header, numbers, strict=True) if is_number
        ]
        return names if len(names) > 1 else []


class _Row(dict):
    """The cells of a row, by the names of columns in any Unicode form."""

    def __missing__(self, name: Any) -> Any:
        if isinstance(name, str) and composed(name) in self:
            return self[composed(name)]
        raise KeyError(name)


def composed_column(column: Any) -> Any:
    """Returns where a column is, its name with composed letters (NFC)."""
    return composed(column) if isinstance(column, str) else column


def number(text: str) -> float | None:
    """Returns the number of at least 0 that a cell holds; None if it is none.

    "60%" is 60, "0,5" is 0.5, "True" is 1.
    """
    text = text.strip().removesuffix("%").strip()
    if text.casefold() in _TRUTH:
        return _TRUTH[text.casefold()]
    if _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        value = float(text) if "_" not in text else -1.0
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None


def read_table(
    path: str | os.PathLike,
    *,
    columns: Mapping[str, Any],
    separator: str | None,
    encoding: str,
    skip: int,
    gaps: bool = True,
    reader: str = "Annotations.from_csv",
) -> Table:
    """Reads a table and checks that it has the columns asked for.

    Args:
        columns: argument -> name or number of a column, function of a row, or None.
            If one is a number, the file has no header line.
        separator: one character; None finds out.
        encoding: of the text.
        skip: lines to pass over.
        gaps: whether empty lines may stand among the others.
        reader: the call that this is, for messages.

    Raises:
        AnnotationError: if it is no table of such columns; it names the line.
    """
    numbered = has_numbers(columns)
    name = repr(os.fspath(path))
    takes_frames = reader.replace("from_csv", "from_frame")
    text = read_text(path, encoding, table=True, frame_reader=takes_frames)
    body = io.StringIO(text, newline="")
    for _ in range(skip):
        body.readline()
    declared = declared_separator(text[body.tell() :])
    if declared:
        body.readline()
        skip += 1
    if separator is None:
        separator = declared or sniff(text[body.tell() :], columns.values())
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(body, delimiter=separator, strict=True)
    line, empty = skip + 1, None
    try:
        for row in reader:
            if filled(row):
                if empty and rows and not gaps:
                    raise AnnotationError(
                        f"{name}, line {empty} is empty, but the number of the line "
                        "tells the image. Remove it, or say what is missing there."
                    )
                rows.append(row)
                lines.append(line)
            elif empty is None and rows:
                empty = line
            line = skip + reader.line_num + 1
    except csv.Error as error:
        raise AnnotationError(
            f"{name}, line {line}: this is no table ({error}). Is a quotation mark not "
            "closed, or the file cut off?"
        ) from error
    if not rows:
        raise AnnotationError(f"{name} is empty: it holds no annotation.")
    header = None if numbered else [composed(trimmed(cell)) for cell in rows[0]]
    first = 0 if numbered else first_with(columns.values(), rows)
    if first:
        raise AnnotationError(
            f"{name}: the header does not stand in line {lines[0]} but in line "
            f"{lines[first]}. Pass `skip={lines[first] - 1}` to pass over what is in "
            "front of it."
        )
    _check_width(name, rows, lines)
    if header is None:
        return Table(name, None, rows, lines)
    table = Table(name, header, rows[1:], lines[1:])
    table.check(columns)
    return table


def has_numbers(columns: Mapping[str, Any]) -> bool:
    """Returns whether columns are given by number.

    Raises:
        TypeError, ValueError: if one is neither a name, a number, nor a function, or
            names and numbers are mixed.
    """
    for argument, column in columns.items():
        known = column is None or callable(column) or isinstance(column, str | int)
        if not known or isinstance(column, bool) or column == "":
            raise TypeError(
                f"`{argument}` must be the name of a column, its number, or a function "
                f"of a row. Received: {argument}={column!r}"
            )
        if isinstance(column, int) and column < 0:
            raise ValueError(
                f"Columns are numbered from 0. Received: {argument}={column}"
            )
    numbers = [argument for argument, c in columns.items() if isinstance(c, int)]
    texts = [argument for argument, c in columns.items() if isinstance(c, str)]
    if numbers and texts:
        raise ValueError(
            "Give all columns by name, or all by number if there is no header line. "
            f"Received: {numbers[0]}={columns[numbers[0]]}, "
            f"{texts[0]}={columns[texts[0]]!r}"
        )
    return bool(numbers)


def check_reading(separator: str | None, skip: int) -> None:
    """Raises TypeError or ValueError for wrong arguments of `read_table`."""
    if separator is not None and (
        not isinstance(separator, str) or len(separator) != 1 or separator in '"\r\n'
    ):
        raise ValueError(
            "`separator` must be one character, such as ';' or a tab, or None to find "
            f"out. Received: separator={separator!r}"
        )
    if isinstance(skip, bool) or not isinstance(skip, int) or skip < 0:
        raise ValueError(
            f"`skip` must be a number of lines from 0 on. Received: skip={skip!r}"
        )


def _check_width(name: str, rows: list[list[str]], lines: list[int]) -> None:
    width = len(rows[0])
    for row, line in zip(rows, lines, strict=True):
        if len(row) > width and not any(row[width:]):
            del row[width:]
        if len(row) != width:
            front = row is rows[1] and len(row) > width
            comment = row[0].lstrip().startswith("#")
            raise AnnotationError(
                f"{name}, line {line}: there are {len(row)} cells instead of {width} "
                f"as in line {lines[0]}. "
                + (
                    f"If the table begins here, pass `skip={line - 1}`."
                    if front
                    else "Remove the comment."
                    if comment
                    else "Repair the line; text with a separator in it needs quotation "
                    "marks."
                )
            )


def with_index(frame: Any, image: Column | None) -> Any:
    """Returns a data frame, with its index as a column if this names the images."""
    index = [composed(str(name)) for name in frame.index.names if name is not None]
    image = composed_column(image)
    is_index = image in index and image not in map(composed, map(str, frame.columns))
    return frame.reset_index() if is_index else frame


def frame_table(frame: Any, columns: Mapping[str, Any]) -> Table:
    """Returns a pandas data frame as a table of text.

    Raises:
        AnnotationError: if a column is missing.
    """
    header = [composed(str(name)) for name in frame.columns]
    cells, orders = [], {}
    for position in range(len(header)):
        series = frame.iloc[:, position]
        if getattr(series.dtype, "ordered", False):
            orders[header[position]] = [
                str(as_text(name)) for name in series.dtype.categories.tolist()
            ]
        values = zip(series.tolist(), series.isna().tolist(), strict=True)
        cells.append(["" if is_missing else value for value, is_missing in values])
    rows = [list(row) for row in zip(*cells, strict=True)]
    lines = range(len(rows))
    table = Table("The data frame", header, rows, lines, "row", orders=orders)
    table.check(columns)
    return table
