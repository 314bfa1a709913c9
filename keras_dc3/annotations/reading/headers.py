"""Where a table begins, and what separates its columns. Standard library only."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from keras_dc3._names import composed, trimmed
from keras_dc3.annotations.reading.tables import Table
from keras_dc3.annotations.reading.titles import is_of_answers, is_of_images

_SEPARATORS = ",;\t|"
_SEARCHED = 20  # lines in which a header is looked for


def declared_separator(text: str) -> str | None:
    """Returns what a first line such as "sep=;" says, as Excel writes it."""
    line = re.match('"?sep=([^"\r\n])"?(?=[\r\n])', text)
    return line[1] if line else None


def numbered_rows(
    name: str,
    text: str,
    separator: str | None = None,
    wanted: Iterable[Any] = (),
    skip: int = 0,
    error: type[ValueError] = ValueError,
) -> Iterator[tuple[int, list[str]]]:
    """Yields the rows of a table of text, each with the number of its first line.

    Args:
        name: of the table, for messages.
        text: of it.
        separator: between columns; None finds out.
        wanted: as for `sniff`.
        skip: lines to pass over.
        error: what is raised for text that is no table.
    """
    body = io.StringIO(text, newline="")
    for _ in range(skip):
        body.readline()
    declared = declared_separator(text[body.tell() :])
    if declared:
        body.readline()
        skip += 1
    if separator is None:
        separator = declared or sniff(text[body.tell() :], wanted)
    reader = csv.reader(body, delimiter=separator, strict=True)
    line = skip + 1
    try:
        for row in reader:
            yield line, row
            line = skip + reader.line_num + 1
    except csv.Error as reason:
        raise error(
            f"{name}, line {line}: this is no table ({reason}). Is a quotation mark "
            "not closed, or the file cut off?"
        ) from reason


def filled(row: Sequence[str]) -> bool:
    """Returns whether there is more than blanks in a row."""
    return any(row) and any(map(str.strip, row))


def sniff(text: str, wanted: Iterable[Any]) -> str:
    """Returns the separator that splits the first line best.

    Args:
        text: of the table.
        wanted: the columns; names among them should be in the first line, or in one of
            the next.
    """
    found: dict[str, list[list[str]]] = {}
    for separator in _SEPARATORS:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        found[separator] = []
        try:
            found[separator].extend(islice(filter(filled, reader), _SEARCHED))
        except csv.Error:
            continue
    columns = list(wanted)
    header = {s: first_with(columns, rows) for s, rows in found.items()}
    named = {s: first for s, first in header.items() if first is not None}
    if named:
        return min(named, key=named.__getitem__)
    return max(found, key=lambda s: len(found[s][0]) if found[s] else 0)


def first_with(wanted: Iterable[Any], rows: Sequence[Sequence[str]]) -> int | None:
    """Returns which of the first rows holds the names of all columns, if one does."""
    names = {composed(column) for column in wanted if isinstance(column, str)}
    if names:
        for position, row in enumerate(rows[:_SEARCHED]):
            sure = not position or len(names) > 1 or len(row) > len(rows[0])
            if sure and names <= {composed(trimmed(cell)) for cell in row}:
                return position
    return None


def read_as_data(table: Table, *columns: str | int | Callable | None) -> dict | None:
    """Looks for a first row that may be a header, but was read as data.

    Args:
        table: what was read.
        *columns: of image, annotator and label; those given by number are looked at.
    """
    numbers = [c for c in columns if isinstance(c, int)]
    if table.header is not None or not numbers or len(table.rows) < 2:
        return None
    cells = [trimmed(table.rows[0][c]) for c in numbers]
    found = sum(is_of_answers(cell) or is_of_images(cell) for cell in cells)
    if found < min(2, len(cells)) and not _stands_out(table.rows, columns):
        return None
    place = {"Word": table.word.capitalize(), "line": table.lines[0]}
    return {**place, "cells": ", ".join(map(repr, cells))}


def _stands_out(rows: Sequence[Sequence[str]], columns: Sequence[Any]) -> bool:
    """Whether image, annotator and label of the first row are in no other, where all
    other annotators and labels are."""
    if len(columns) < 3 or not all(isinstance(c, int) for c in columns):
        return False
    image, annotator, label = (Counter(row[c] for row in rows) for c in columns)
    first = [rows[0][c] for c in columns]
    if image[first[0]] > 1:
        return False
    for frequency, cell in ((annotator, first[1]), (label, first[2])):
        if [name for name, times in frequency.items() if times == 1] != [cell]:
            return False
    return True
