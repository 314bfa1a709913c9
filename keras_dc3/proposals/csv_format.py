"""Proposals as a CSV file, from and to plain arrays. NumPy only."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn

import numpy as np

from keras_dc3._file_kinds import check_file, sentence
from keras_dc3._formulas import escaped_to_restore, restored, warn_of_formulas
from keras_dc3._text_kinds import of_file
from keras_dc3._validation import check_choice
from keras_dc3._writing import file_path, whole_file

COLUMNS = (
    "id",
    "ambiguity",
    "decision",
    "class",
    "class_probability",
    "cluster",
    "cluster_probability",
)
_OTHERWISE = (
    "give the file that `proposals.to_csv(...)` wrote; `Proposals.from_parquet` reads "
    "that of `to_parquet`"
)
TOLERANCE = 1e-3  # of sums and copies of probabilities, for tables that were rounded


def write(
    path: str | os.PathLike,
    *,
    ids: Sequence[str],
    ambiguity: np.ndarray,
    decision: np.ndarray,
    class_name: np.ndarray,
    class_probability: np.ndarray,
    cluster: np.ndarray,
    cluster_probability: np.ndarray,
    class_probabilities: np.ndarray,
    class_names: Sequence[str],
    escape_formulas: bool = False,
) -> None:
    """Writes the arrays, one line per image. See `Proposals.to_csv`."""
    check_choice("escape_formulas", escape_formulas, (True, False))
    if not escape_formulas:
        warn_of_formulas(file_path(path), (*ids, *class_names), stacklevel=3)

    def texts(names: Iterable[str]) -> list[str]:
        return [escaped_to_restore(name, escape_formulas) for name in names]

    columns: list[Any] = [
        texts(ids),
        map(repr, ambiguity.tolist()),
        decision.tolist(),
        texts(class_name.tolist()),
        map(repr, class_probability.tolist()),
        cluster.tolist(),
        map(repr, cluster_probability.tolist()),
        *(map(repr, column.tolist()) for column in class_probabilities.T),
    ]
    try:
        with whole_file(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([*COLUMNS, *(f"p({name})" for name in class_names)])
            writer.writerows(zip(*columns, strict=True))
    except UnicodeEncodeError as error:
        raise ValueError(
            "Ids and class names must be valid Unicode text to be written as UTF-8, "
            f"but one holds {error.object[error.start : error.end]!r}. Rename it."
        ) from error


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
        columns = _columns(path, header)
        names = [h[2:-1] for h in header if h.startswith("p(") and h.endswith(")")]
        rows = _Rows(path, columns, names)
        for line, record in records:
            if len(record) != len(header):
                raise ValueError(
                    f"{path!r}, line {line}: there are {len(record)} fields instead of "
                    f"{len(header)}, one per column. Repair or remove the line."
                )
            rows.add(line, record)
    return rows.arrays()


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


def _columns(path: str, header: list[str]) -> dict[str, int]:
    if len(header) > len(COLUMNS) and not set(COLUMNS) & set(header):
        raise ValueError(
            f"{path!r} lacks its header line, which begins with "
            f"{','.join(COLUMNS[:4])}. Write it with `proposals.to_csv(...)` again."
        )
    doubled = {name for name in header if header.count(name) > 1}
    if doubled:
        raise ValueError(
            f"{path!r} has more than one column {sorted(doubled)[0]!r}; remove one."
        )
    missing = [name for name in COLUMNS if name not in header]
    if not any(h.startswith("p(") and h.endswith(")") for h in header):
        missing.append("p(<class name>)")
    if missing:
        separator = next((s for s in ";\t" if s in header[0]), None)
        hint = (
            f"The columns are separated by {separator!r}: save it with commas."
            if separator and len(header) == 1
            else "It must be a file written by `proposals.to_csv(...)`."
        )
        raise ValueError(f"{path!r} lacks the columns {missing}. {hint}")
    return {name: position for position, name in enumerate(header)}


class _Rows:
    """Collects checked rows. Every error names the line."""

    def __init__(self, path: str, columns: dict[str, int], class_names: list[str]):
        self._path, self._columns, self._class_names = path, columns, class_names
        self._positions = [columns[f"p({name})"] for name in class_names]
        self._line_of: dict[str, int] = {}
        self._collected: dict[str, list[Any]] = {
            "ambiguity": [],
            "class_probabilities": [],
            "cluster": [],
            "cluster_probability": [],
        }

    def add(self, line: int, record: list[str]) -> None:
        def fail(problem: str) -> NoReturn:
            raise ValueError(f"{self._path!r}, line {line}: {problem}")

        def text(column: str) -> str:
            return record[self._columns[column]]

        def number(column: str, convert: Callable[[str], Any] = float) -> Any:
            written = text(column)
            try:
                value = convert(written)
            except ValueError:
                value = math.nan
            high = 1.0 if convert is float else 2**63 - 1
            if not 0 <= value <= high or "_" in written:
                expected = "a number in 0..1" if high == 1 else "an integer from 0 on"
                fail(f"`{column}` must be {expected}. Received: {written!r}")
            return value

        name = restored(text("id"))
        if not name:
            fail("`id` is empty; name the image.")
        if name in self._line_of:
            fail(f"the id {name!r} stands in line {self._line_of[name]} already.")
        self._line_of[name] = line
        probabilities = [number(f"p({name})") for name in self._class_names]
        total = sum(probabilities)
        if abs(total - 1.0) > TOLERANCE:
            fail(f"the class probabilities sum to {total:.4g} and not to 1.")
        ambiguity = number("ambiguity")
        decision = "certain" if ambiguity < 0.5 else "ambiguous"
        if text("decision") != decision:
            fail(
                f"`decision` is {text('decision')!r}, but with an ambiguity of "
                f"{text('ambiguity')} it must be {decision!r}. Correct one of them."
            )
        likeliest = probabilities.index(max(probabilities))
        if restored(text("class")) != self._class_names[likeliest]:
            fail(
                f"`class` is {text('class')!r}, but the largest probability is that of "
                f"{self._class_names[likeliest]!r}. This file holds proposals; put "
                "corrected labels into a file of annotations."
            )
        if abs(number("class_probability") - probabilities[likeliest]) > TOLERANCE:
            fail(
                f"`class_probability` is {text('class_probability')}, but "
                f"`p({restored(text('class'))})` is {probabilities[likeliest]}; they "
                "must agree."
            )
        for key, value in (
            ("ambiguity", ambiguity),
            ("class_probabilities", probabilities),
            ("cluster", number("cluster", int)),
            ("cluster_probability", number("cluster_probability")),
        ):
            self._collected[key].append(value)

    def arrays(self) -> dict[str, Any]:
        arrays = {
            name: np.array(values, dtype="int64" if name == "cluster" else "float64")
            for name, values in self._collected.items()
        }
        arrays["class_probabilities"] = arrays["class_probabilities"].reshape(
            -1, len(self._class_names)
        )
        return {
            "ids": list(self._line_of),
            **arrays,
            "class_names": self._class_names,
        }
