"""Which columns of a table are class probabilities, and which names the images.

NumPy only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._names import composed
from keras_dc3._text import number_of, some
from keras_dc3.annotations.names import nearest
from keras_dc3.annotations.reading import titles
from keras_dc3.annotations.reading.files import as_text
from keras_dc3.proposals.columns import COLUMNS
from keras_dc3.proposals.predictions.probabilities import sums_fit

_P = re.compile(r"p\((.+)\)")
_PREFIX = re.compile(
    r"(p|prob|proba|probs|probability|pred|prediction|score|logits?|softmax)[ _.:-]+"
    r"(?=.)",
    re.IGNORECASE,
)
_COMMA = re.compile(r"([+-]?[0-9]*),([0-9]+(?:[eE][+-]?[0-9]+)?)")
_NONE = {"", "na", "n/a", "nan", "null", "none", "-"}
_MOSTLY = 0.5  # share of the filled cells that are numbers, if a column means to be


@dataclass(frozen=True)
class Columns:
    """A table of predictions, as it was read.

    Attributes:
        name: of the file, in quotation marks, for messages.
        titles: of the columns.
        cells: of each column, text or numbers.
        place: position of a row -> what to call it.
        index: names of the rows of a data frame, if it has any.
    """

    name: str
    titles: tuple[str, ...]
    cells: tuple[Sequence[Any], ...]
    place: Callable[[int], str]
    index: Sequence[Any] | None = None


@dataclass(frozen=True)
class Chosen:
    """What a table of predictions says.

    Attributes:
        ids: of the images; None if it names none.
        class_names: of its columns of classes.
        values: (n, k) float64, NaN where a cell is empty.
        notes: what is to be told, one sentence each.
    """

    ids: list[str] | None
    class_names: list[str]
    values: np.ndarray
    notes: list[str]


def choose(
    table: Columns,
    id_column: str | None,
    class_names: Sequence[str] | None,
    *,
    named: bool,
    logits: bool,
) -> Chosen:
    """Returns what a table says.

    Args:
        table: to read.
        id_column: the column that names the images; None to find it.
        class_names: the columns of classes; None to find them.
        named: whether the images are named already, by other means.
        logits: whether the numbers are logits.

    Raises:
        ValueError: if its columns are not clear; it says which argument tells.
    """
    if set(COLUMNS) <= set(table.titles):
        raise ValueError(
            f"{table.name} holds proposals: read it with `Proposals.from_csv`, or "
            "`Proposals.from_parquet` if it is a Parquet file."
        )
    doubled = sorted({t for t in table.titles if t and table.titles.count(t) > 1})
    if doubled:
        raise ValueError(
            f"{table.name} has more than one column {doubled[0]!r}; rename one."
        )
    found = {
        title: values
        for title, cells in zip(table.titles, table.cells, strict=True)
        if (values := numbers_of(table, title, cells)) is not None
    }
    ids = None
    if not named:
        column, ids = _ids(table, id_column, found)
        found.pop(column, None)
    numbers = {t: values for t, values in found.items() if not titles.is_unnamed(t)}
    if class_names is None:
        chosen = _classes(table, numbers, logits)
        names, notes = _names_of(chosen)
        left = [title for title in numbers if title not in chosen]
        if left:
            notes.append(
                f"Columns that are no class probabilities were left out: "
                f"{some(map(repr, left))}."
            )
    else:
        chosen = [_column(table, name, numbers) for name in class_names]
        names, notes = list(class_names), []
    values = [numbers[title] for title in chosen]
    shape = (len(table.cells[0]) if table.cells else 0, 0)
    return Chosen(
        ids, names, np.stack(values, axis=1) if values else np.empty(shape), notes
    )


def numbers_of(table: Columns, title: str, cells: Sequence[Any]) -> np.ndarray | None:
    """Returns the numbers of a column (n,), NaN for gaps; None if it holds others.

    Raises:
        ValueError: if most of its cells are numbers, and others are not.
    """
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "iuf":
        return cells.astype("float64")
    found, odd, filled = [], None, 0
    for row, cell in enumerate(cells):
        value = _number(cell)
        found.append(np.nan if value is None else value)
        missing = value is None and (as_text(cell) or "").strip().lower() in _NONE
        filled += not missing
        if value is None and not missing and odd is None:
            odd = row
    known = [value for value in found if np.isfinite(value)]
    if odd is not None:
        fractions = any(value != round(value) for value in known)
        if fractions and len(known) > _MOSTLY * filled:
            raise ValueError(
                f"{table.place(odd)}: `{title}` must be a number. Found: "
                f"{as_text(cells[odd])!r}"
            )
        return None
    return np.array(found, "float64") if known else None


def _number(cell: Any) -> float | None:
    """Returns the number in a cell; "0,5" is 0.5, "60%" is 60."""
    if isinstance(cell, bool | np.bool_):
        return None
    if isinstance(cell, int | float | np.number):
        return float(cell)
    text = (as_text(cell) or "").strip().removesuffix("%").strip()
    comma = _COMMA.fullmatch(text)
    if comma:
        text = f"{comma[1]}.{comma[2]}"
    try:
        return float(text) if "_" not in text and text.lower() not in _NONE else None
    except ValueError:
        return None


def _ids(
    table: Columns, id_column: str | None, found: dict[str, np.ndarray]
) -> tuple[str | None, list[str]]:
    """Returns the column that names the images, None if the index does, and names."""
    texts = [t for t in table.titles if t not in found]
    if id_column is None:
        by_title = [t for t in table.titles if titles.is_of_images(t)]
        texts = [t for t in texts if _all_different(_cells(table, t))]
        candidates = by_title or texts
        if not by_title and table.index is not None:
            return None, [as_text(name) or "" for name in table.index]
        if len(candidates) != 1:
            several = some(map(repr, candidates or table.titles), 8)
            raise ValueError(
                f"{table.name} does not say which column names the images"
                f"{': it can be any of' if candidates else '; it has'} {several}. Pass "
                "its name as `id_column`, or the names themselves as `ids`."
            )
        id_column = candidates[0]
    elif composed(id_column) not in table.titles:
        near = nearest(id_column, filter(None, table.titles))
        raise ValueError(
            f"{table.name} has no column {id_column!r}, as `id_column` says. "
            + (f"Did you mean {near!r}? " if near else "")
            + f"Its columns: {some(map(repr, table.titles), 8)}."
        )
    column = composed(id_column)
    return column, [(as_text(cell) or "").strip() for cell in _cells(table, column)]


def _cells(table: Columns, title: str) -> Sequence[Any]:
    return table.cells[table.titles.index(title)]


def _all_different(cells: Sequence[Any]) -> bool:
    texts = [as_text(cell) for cell in cells]
    return all(texts) and len(set(texts)) == len(texts)


def _classes(table: Columns, numbers: dict[str, np.ndarray], logits: bool) -> list[str]:
    """Returns the columns of classes: the first of a few choices whose rows sum to 1.

    Raises:
        ValueError: if nothing tells which columns these are.
    """
    every = list(numbers)
    if not every:
        raise ValueError(
            f"{table.name} has no column of numbers. It must have a column of "
            "probabilities for each class; its columns: "
            f"{some(map(repr, table.titles), 8)}."
        )
    by_form = [title for title in every if _P.fullmatch(title)]
    by_prefix = [title for title in every if _PREFIX.match(title)]
    others = [title for title in every if not _is_other(title)]
    choices = [c for c in (by_form, by_prefix, others) if 2 <= len(c) < len(every)]
    if logits:
        return (choices or [every])[0]
    choices = [every, *choices]
    small = [t for t in others if ((numbers[t] >= 0) & (numbers[t] <= 1)).all()]
    for one in [*choices, small]:
        if len(one) > 1 and sums_fit(_stacked(numbers, one)):
            return one
    without = [
        one
        for most in (every, small)
        for one in (_without_one(most, numbers) if len(most) > 2 else ())
    ]
    if without and all(one == without[0] for one in without):
        return without[0]
    return choices[-1]


def _without_one(
    every: Sequence[str], numbers: dict[str, np.ndarray]
) -> Iterator[list[str]]:
    """Yields all columns but one, whose rows then sum to 1."""
    values = _stacked(numbers, every)
    for column, rest in enumerate((values.sum(axis=1)[:, None] - values).T):
        if sums_fit(rest[:, None]) and sums_fit(np.delete(values, column, axis=1)):
            yield [title for title in every if title != every[column]]


def _is_other(title: str) -> bool:
    return titles.is_no_class(title) or titles.is_of_answers(title)


def _stacked(numbers: dict[str, np.ndarray], chosen: Sequence[str]) -> np.ndarray:
    return np.stack([numbers[title] for title in chosen], axis=1)


def _names_of(chosen: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the classes that columns are called by, and what to tell of them."""
    inner = [_P.fullmatch(title) for title in chosen]
    if all(inner):
        return [found[1] for found in inner], []
    starts = {match[0] if (match := _PREFIX.match(t)) else "" for t in chosen}
    if len(chosen) > 1 and len(starts) == 1 and "" not in starts:
        start = starts.pop()
        names = [title[len(start) :] for title in chosen]
        told = f"The classes are the columns without {start!r}: {some(names)}."
        return names, [told]
    return list(chosen), []


def _column(table: Columns, name: str, numbers: dict[str, np.ndarray]) -> str:
    for title in (name, f"p({name})"):
        if title in numbers:
            return title
    near = nearest(name, numbers)
    raise ValueError(
        f"{table.name} has no column of numbers called {name!r}, as `class_names` says."
        + (f" Did you mean {near!r}?" if near else "")
        + f" It has {number_of(len(numbers), 'column')} of numbers: "
        f"{some(map(repr, numbers), 8)}."
    )
