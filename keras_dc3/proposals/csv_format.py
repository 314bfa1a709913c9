"""Proposals as a CSV file. NumPy only."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_dc3._formulas import escaped_to_restore, restored, warn_of_formulas
from keras_dc3._kinds import check_file, of_file, sentence
from keras_dc3._validation import check_choice
from keras_dc3._writing import file_path, whole_file
from keras_dc3.proposals.columns import (
    COLUMNS,
    class_names_of,
    columns_of,
    not_unicode,
    read_columns,
)
from keras_dc3.proposals.data import ProposalData

_OTHERWISE = (
    "give the file that `proposals.to_csv(...)` wrote; `Proposals.from_parquet` reads "
    "that of `to_parquet`"
)


def write(data: ProposalData, path: str | os.PathLike, escape_formulas: bool) -> None:
    """Writes one line per image. See `Proposals.to_csv`."""
    check_choice("escape_formulas", escape_formulas, (True, False))
    if not escape_formulas:
        names = (*data.ids, *data.class_names)
        warn_of_formulas(file_path(path), names, stacklevel=3)
    columns = columns_of(data)
    for name, values in columns.items():
        if name in ("id", "class"):
            columns[name] = [escaped_to_restore(v, escape_formulas) for v in values]
        elif isinstance(values, np.ndarray):
            columns[name] = map(repr, values.tolist())  # in full
    try:
        with whole_file(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
    except UnicodeEncodeError as error:
        raise not_unicode(error) from error


def read(path: str | os.PathLike) -> dict[str, Any]:
    """Reads what `write` wrote, as arguments of `Proposals.from_columns`.

    Raises:
        FileNotFoundError, ValueError: see `Proposals.from_csv`.
    """
    path = os.fspath(path)
    check_file(path)
    kind = of_file(path)
    if kind:
        raise ValueError(sentence(repr(path), kind, "", _OTHERWISE))
    with open(path, encoding="utf-8-sig", newline="") as file:
        records = _records(path, file)
        header = next(records, (1, None))[1]
        if header is None:
            raise ValueError(
                f"{path!r} is empty; write it with `proposals.to_csv(...)` again."
            )
        class_names = _class_names(path, header)
        lines, rows = [], []
        for line, record in records:
            if len(record) != len(header):
                raise ValueError(
                    f"{path!r}, line {line}: there are {len(record)} fields instead of "
                    f"{len(header)}, one per column. Repair or remove the line."
                )
            lines.append(line)
            rows.append(record)
    cells = {name: [row[i] for row in rows] for i, name in enumerate(header)}

    def numbers(column: str, whole: bool = False) -> np.ndarray:
        found = [
            _number(path, line, column, text, whole)
            for line, text in zip(lines, cells[column], strict=True)
        ]
        return np.array(found, "int64" if whole else "float64")

    return read_columns(
        path,
        lambda row: f"line {lines[row]}",
        class_names,
        lambda column: [restored(text) for text in cells[column]],
        numbers,
    )


def _records(path: str, file: Any) -> Iterator[tuple[int, list[str]]]:
    """Yields the number of the first line and the fields of each record."""
    reader = csv.reader(file, strict=True)
    line = 1
    try:
        for record in reader:
            if record:  # an empty line is no record
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"{path!r}, line {line}: this is no CSV ({error}). Is the file cut off?"
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(
            f'{path!r} is not UTF-8 ({error.reason}). Save it as "CSV UTF-8".'
        ) from error


def _class_names(path: str, header: list[str]) -> list[str]:
    if len(header) > len(COLUMNS) and not set(COLUMNS) & set(header):
        raise ValueError(
            f"{path!r} lacks its header line, which begins with "
            f"{','.join(COLUMNS[:4])}. Write it with `proposals.to_csv(...)` again."
        )
    separator = next((s for s in ";\t" if s in header[0]), None)
    hint = "It must be a file written by `proposals.to_csv(...)`."
    if separator and len(header) == 1:
        hint = f"The columns are separated by {separator!r}: save it with commas."
    return class_names_of(path, header, hint)


def _number(path: str, line: int, column: str, text: str, whole: bool) -> float:
    try:
        value = int(text) if whole else float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= (2**63 - 1 if whole else 1) or "_" in text:
        expected = "an integer from 0 on" if whole else "a number in 0..1"
        raise ValueError(
            f"{path!r}, line {line}: `{column}` must be {expected}. Received: {text!r}"
        )
    return value
