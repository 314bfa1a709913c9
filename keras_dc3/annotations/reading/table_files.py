"""Tables of text from files and data frames. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keras_dc3._names import composed, trimmed
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.reading.files import as_text, read_text
from keras_dc3.annotations.reading.headers import filled, first_with, numbered_rows
from keras_dc3.annotations.reading.tables import Column, Table, composed_column


@dataclass(frozen=True)
class Layout:
    """How tables of text are written; see `Annotations.from_csv`.

    Attributes:
        separator: one character; None finds out.
        encoding: of the text.
        skip: lines to pass over.

    Raises:
        ValueError: for wrong arguments.
    """

    separator: str | None = None
    encoding: str = "utf-8"
    skip: int = 0

    def __post_init__(self):
        separator, skip = self.separator, self.skip
        if separator is not None and (
            not isinstance(separator, str)
            or len(separator) != 1
            or separator in '"\r\n'
        ):
            raise ValueError(
                "`separator` must be one character, such as ';' or a tab, or None to "
                f"find out. Received: separator={separator!r}"
            )
        if isinstance(skip, bool) or not isinstance(skip, int) or skip < 0:
            raise ValueError(
                f"`skip` must be a number of lines from 0 on. Received: skip={skip!r}"
            )


def read_table(
    path: str | os.PathLike,
    *,
    columns: Mapping[str, Any],
    layout: Layout,
    gaps: bool = True,
    reader: str = "Annotations.from_csv",
) -> Table:
    """Reads a table and checks that it has the columns asked for.

    Args:
        columns: argument -> name or number of a column, function of a row, or None.
            If one is a number, the file has no header line.
        layout: how it is written.
        gaps: whether empty lines may stand among the others.
        reader: the call that this is, for messages.

    Raises:
        AnnotationError: if it is no table of such columns; it names the line.
    """
    numbered = has_numbers(columns)
    name = repr(os.fspath(path))
    takes_frames = reader.replace("from_csv", "from_frame")
    text = read_text(path, layout.encoding, table=True, frame_reader=takes_frames)
    rows: list[list[str]] = []
    lines: list[int] = []
    empty = None
    for line, row in numbered_rows(
        name, text, layout.separator, columns.values(), layout.skip, AnnotationError
    ):
        if filled(row):
            if empty and rows and not gaps:
                raise AnnotationError(
                    f"{name}, line {empty} is empty, but the number of the line tells "
                    "the image. Remove it, or say what is missing there."
                )
            rows.append(row)
            lines.append(line)
        elif empty is None and rows:
            empty = line
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


def is_frame(given: Any) -> bool:
    """Whether something is a pandas data frame."""
    return hasattr(given, "columns") and hasattr(given, "iloc")


def frame_table(frame: Any, image: Column | None, columns: Mapping[str, Any]) -> Table:
    """Returns a pandas data frame as a table of text.

    Its index is a column if it is that of the images.

    Args:
        frame: the data frame.
        image: the column of the images.
        columns: argument -> column that must exist.

    Raises:
        AnnotationError: if a column is missing.
    """
    index = [composed(str(name)) for name in frame.index.names if name is not None]
    image = composed_column(image)
    if image in index and image not in map(composed, map(str, frame.columns)):
        frame = frame.reset_index()
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
