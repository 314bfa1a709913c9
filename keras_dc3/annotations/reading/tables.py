"""Tables of text; of columns that lack, which are meant, or which other reader."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from typing import Any

from keras_dc3._names import composed, trimmed
from keras_dc3._text import some
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.names import nearest
from keras_dc3.annotations.reading.titles import is_of_answers

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

    def at(self, position: int) -> str:
        """Returns where a row stands, such as "'annotations.csv', line 7"."""
        return f"{self.name}, {self.word} {self.lines[position]}"

    def order_of(self, columns: Sequence[Any]) -> Sequence[str]:
        """Returns the classes in the order that all columns give them; () if none."""
        found = [self.orders.get(c, ()) if isinstance(c, str) else () for c in columns]
        return found[0] if all(order == found[0] for order in found) else ()

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
                f"{self.at(position)}: the function `{argument}` fails with "
                f"{type(error).__name__}: {error}"
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

    def cells(self) -> list[list[str]]:
        """Returns the cells of each column as text, without outer blanks."""
        columns = zip(*self.rows, strict=True) if self.rows else [()] * len(self.header)
        return [[trimmed(str(cell)) for cell in column] for column in columns]

    def _class_columns(self) -> list[str]:
        """Returns the columns if they seem to be one per class, beside the images.

        That is, numbers everywhere but in one column or two, and each image once.
        """
        of_answers = any(map(is_of_answers, self.header))
        if len(self.header) < 3 or of_answers or not self.rows:
            return []
        cells = self.cells()
        numbers = list(map(are_numbers, cells))
        numbers[0] = numbers[0] and False in numbers  # the first one names the image
        image = cells[numbers.index(False)]
        if numbers.count(False) > 2 or len(set(image)) < len(image):
            return []
        names = list(compress(self.header, numbers))
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


def are_numbers(cells: Sequence[str]) -> bool:
    """Returns whether all filled cells are numbers, one at least."""
    return any(cells) and all(number(cell) is not None for cell in cells if cell)
