"""Predictions in files: text tables, Parquet, .npz and .npy, told by their content."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_dc3._array_files import IDS, load_npz, load_numpy, load_parquet, only_one
from keras_dc3._kinds import check_file, of_file, sentence
from keras_dc3._names import composed, trimmed
from keras_dc3.annotations.reading.files import read_text
from keras_dc3.annotations.reading.headers import filled, numbered_rows
from keras_dc3.proposals.predictions.tables import Columns

PROBABILITIES = ("probabilities", "predictions", "probs", "logits", "scores", "p")
EMBEDDINGS = ("embeddings", "features", "embedding")
_CLASSES = ("class_names", "classes")
_READER = "Proposals.from_predictions"
_OTHERWISE = (
    "give a table of text (CSV), a Parquet or .npz file, or the array of probabilities "
    "with `ids` and `class_names`"
)


def read_file(path: str | os.PathLike, encoding: str) -> Columns | dict[str, Any]:
    """Returns the columns of a table, or the arrays of an .npz or .npy file by name.

    Arrays are called as the arguments of `Proposals.from_predictions`.

    Raises:
        FileNotFoundError, ValueError: if there is none, or it is another file.
        ImportError: for Parquet without pyarrow.
    """
    path = os.fspath(path)
    check_file(path)
    with open(path, "rb") as file:
        head = file.read(8)
    if not head:
        raise ValueError(f"{path!r} is empty; write the predictions again.")
    if head.startswith(b"\x93NUMPY"):
        return {"predictions": load_numpy(path)}
    if head.startswith(b"PAR1"):
        return _parquet(path)
    kind = None if head.startswith(b"\x1f\x8b") else of_file(path)
    if kind and ".npz" in kind.what:
        return _npz(path)
    if kind and not kind.frame:
        raise ValueError(sentence(repr(path), kind, "", _OTHERWISE))
    return _text(path, read_text(path, encoding, table=True, frame_reader=_READER))


def _text(path: str, text: str) -> Columns:
    rows = numbered_rows(repr(path), text)
    found = [(line, row) for line, row in rows if filled(row)]
    titles = tuple(composed(trimmed(cell)) for cell in found[0][1]) if found else ()
    for line, row in found:
        _check_width(path, line, row, titles)
    if len(found) < 2:
        raise ValueError(
            f"{path!r} must have a line that names the columns, and one line per image "
            f"below. It has {len(found)}."
        )
    if sum(_is_number(title) for title in titles) > 1:
        raise ValueError(
            f"{path!r}, line {found[0][0]}: the first line must name the columns, but "
            f"holds numbers, such as {next(filter(_is_number, titles))!r}. Write a "
            "line like image,cat,dog in front."
        )
    lines, rows = zip(*found[1:], strict=True)
    cells = tuple(zip(*rows, strict=True))
    return Columns(repr(path), titles, cells, lambda i: f"{path!r}, line {lines[i]}")


def _check_width(path: str, line: int, row: list[str], titles: tuple) -> None:
    width = len(titles)
    if len(row) > width and not any(row[width:]):
        del row[width:]
    if len(row) != width:
        fix = "Repair the line; text with a separator in it needs quotation marks."
        if len(row) == 2 * width - 1:
            fix = (
                'If numbers are written as "0,5", separate the columns by semicolons, '
                "or put each number into quotation marks."
            )
        raise ValueError(
            f"{path!r}, line {line}: there are {len(row)} cells instead of {width}, "
            f"one per column. {fix}"
        )


def _is_number(text: str) -> bool:
    try:
        return "." in text and float(text) >= 0
    except ValueError:
        return False


def of_frame(frame: Any) -> Columns:
    """Returns the columns of a pandas data frame."""
    titles = tuple(composed(str(name)) for name in frame.columns)
    series = [frame.iloc[:, position] for position in range(len(titles))]
    cells = tuple(
        one.to_numpy() if one.dtype.kind in "iuf" else one.tolist() for one in series
    )
    counted = type(frame.index).__name__ == "RangeIndex"
    return Columns(
        "The data frame",
        titles,
        cells,
        lambda row: f"The data frame, row {row}",
        None if counted else frame.index.tolist(),
    )


def _parquet(path: str) -> Columns | dict[str, Any]:
    pa, table = load_parquet(path)
    titles, cells = [], []
    for field in table.schema:
        column, kind = table.column(field.name), field.type
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            values = column.cast(pa.float64()).to_numpy()
        elif pa.types.is_integer(kind) and not column.null_count:
            values = column.to_numpy()
        else:
            values = column.to_pylist()
        titles.append(composed(field.name))
        cells.append(values)
    place = f"{path!r}, row "
    return Columns(repr(path), tuple(titles), tuple(cells), lambda row: f"{place}{row}")


def _npz(path: str) -> dict[str, Any]:
    arrays = load_npz(path)
    apart = {*EMBEDDINGS, "weak", "strong"}
    flat = [n for n, a in arrays.items() if a.ndim == 2 and n not in apart]
    flat = [name for name in flat if arrays[name].dtype.kind in "iuf"]
    what = f"(images, classes), called {PROBABILITIES[0]!r}"
    return {
        "predictions": only_one(path, arrays, PROBABILITIES, flat, what),
        "ids": _first(arrays, IDS),
        "class_names": _first(arrays, _CLASSES),
        "embeddings": _first(arrays, EMBEDDINGS),
    }


def _first(arrays: Mapping[str, np.ndarray], names: tuple[str, ...]) -> Any:
    return next((arrays[name] for name in names if name in arrays), None)
