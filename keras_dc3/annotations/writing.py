"""Annotations as tables for people and for other packages."""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_dc3._extras import optional
from keras_dc3._formulas import escaped, warn_of_formulas
from keras_dc3._validation import check_choice
from keras_dc3._writing import file_path, whole_file
from keras_dc3.annotations.reading.columns import FURTHER
from keras_dc3.annotations.records import REASONS, Records, last_answers

if TYPE_CHECKING:
    from keras_dc3.annotations.annotations import Annotations

COLUMNS = ("image", "annotator", "label", "seconds")
FORMS = ("long", "crowdkit", "cleanlab")


def to_csv(
    annotations: Annotations,
    path: str | os.PathLike,
    escape_formulas: bool,
) -> None:
    """See `Annotations.to_csv`."""
    check_choice("escape_formulas", escape_formulas, (True, False))
    rows = list(_rows(annotations))
    if escape_formulas:
        rows = [tuple(map(escaped, row)) for row in rows]
    else:
        used = (annotations.ids, annotations.annotators, annotations.class_names)
        warn_of_formulas(file_path(path), itertools.chain(*used), stacklevel=3)
    try:
        with whole_file(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_titles(annotations.records))
            writer.writerows(rows)
    except UnicodeEncodeError as error:
        raise ValueError(
            "Images, annotators and classes must be valid Unicode text to be written "
            f"as UTF-8, but one holds {error.object[error.start : error.end]!r}. "
            "Rename it."
        ) from error


def to_frame(annotations: Annotations, form: str) -> Any:
    """See `Annotations.to_frame`."""
    check_choice("form", form, FORMS)
    if annotations.records is None:
        raise ValueError(
            "Only counts are known of these annotations, not who gave which answer. "
            "Read them from a table with one line per answer."
        )
    pd = optional("pandas", "`to_frame` needs pandas", "pandas")
    if form == "long":
        titles = _titles(annotations.records)
        return _columns(pd, annotations, annotations.records, titles)
    records = annotations.records.take(annotations.records.label >= 0)
    records, people = _persons(last_answers(records), annotations.annotators)
    if form == "crowdkit":
        names = ["task", "worker", "label"]
        return _columns(pd, annotations, records, names, people)
    rows, row = np.unique(records.image, return_inverse=True)
    table = np.full((len(rows), len(people)), np.nan)
    table[row, records.annotator] = records.label
    used = ~np.isnan(table).all(axis=0)
    return pd.DataFrame(
        table[:, used],
        index=pd.Index([annotations.ids[i] for i in rows], name="image"),
        columns=[name for name, has in zip(people, used, strict=True) if has],
    )


def _persons(
    records: Records, annotators: tuple[str, ...]
) -> tuple[Records, tuple[str, ...]]:
    """Makes each answer of unknown annotators that of a further person."""
    unknown = np.flatnonzero(records.annotator < 0)
    names, number = [], 0
    while len(names) < len(unknown):
        number += 1
        if f"unknown {number}" not in annotators:
            names.append(f"unknown {number}")
    person = records.annotator.copy()
    person[unknown] = len(annotators) + np.arange(len(unknown))
    return replace(records, annotator=person), (*annotators, *names)


def _columns(
    pd: Any,
    annotations: Annotations,
    records: Records,
    names: list[str],
    people: tuple[str, ...] | None = None,
) -> Any:
    people = annotations.annotators if people is None else people
    columns = [
        _named(annotations.ids, records.image),
        _named(people, records.annotator),
        _named(annotations.class_names, records.label),
        records.seconds,
        _named(REASONS[1:], records.reason - 1),
        _named(annotations.class_names, records.second),
        np.where(records.is_split, records.share, np.nan),
    ]
    return pd.DataFrame(dict(zip(names, columns, strict=False)))


def _titles(records: Records | None) -> list[str]:
    """Returns the titles of the columns that answers need."""
    if records is None or not (records.reason.any() or records.is_split.any()):
        return list(COLUMNS)
    return [*COLUMNS, *FURTHER]


def _named(names: tuple[str, ...], positions: np.ndarray) -> np.ndarray:
    return np.array([*names, None], dtype=object)[positions]


def _rows(annotations: Annotations) -> Iterator[tuple[str, ...]]:
    records = annotations.records
    if records is None:
        if annotations.counts.dtype.kind == "f":
            raise ValueError(
                "These counts are fractions, which a table with one line per "
                "annotation cannot hold. Keep the array `counts` itself, with "
                "`numpy.savez`."
            )
        records = Records.of_counts(annotations.counts)
    width = len(_titles(records))
    people, names = (*annotations.annotators, ""), (*annotations.class_names, "")
    ends = np.searchsorted(records.image, np.arange(len(annotations)), side="right")
    answers = zip(
        records.annotator.tolist(),
        records.label.tolist(),
        records.seconds.tolist(),
        _named(("", *REASONS[1:]), records.reason),
        _named(names, records.second),
        np.where(records.is_split, records.share, np.nan).tolist(),
        strict=True,
    )
    start = 0
    for image, end in zip(annotations.ids, ends.tolist(), strict=True):
        if start == end:
            yield (image, *[""] * (width - 1))
        for _ in range(start, end):
            person, label, seconds, *further, share = next(answers)
            found = (image, people[person], names[label], _number(seconds))
            yield (*found, *further, _number(share))[:width]
        start = end


def _number(value: float) -> str:
    return repr(value) if value == value else ""
