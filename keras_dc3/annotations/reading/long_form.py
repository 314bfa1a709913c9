"""Annotations with one answer per row: CSV files, data frames, records."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.reading.answers import Answers
from keras_dc3.annotations.reading.columns import AnswerColumns, answers_of, joined
from keras_dc3.annotations.reading.source import Source
from keras_dc3.annotations.reading.table_files import (
    Layout,
    frame_table,
    is_frame,
    read_table,
)
from keras_dc3.annotations.reading.tables import Table


def read_csv(
    path: str | os.PathLike | Sequence[str | os.PathLike],
    columns: AnswerColumns,
    layout: Layout,
) -> Answers:
    """Returns the answers of files; see `Annotations.from_csv`."""
    paths = [path] if isinstance(path, str | os.PathLike) else path
    if not isinstance(paths, list | tuple) or not all(
        isinstance(one, str | os.PathLike) for one in paths
    ):
        frame = "; for a data frame use `from_frame`" if hasattr(path, "iloc") else ""
        raise TypeError(
            "`path` must be the name of a file, or a list of names. Received: "
            f"{type(path).__name__}{frame}."
        )
    if not paths or len({os.path.realpath(os.fspath(p)) for p in paths}) < len(paths):
        raise ValueError(
            f"`path` must name one file or more, each once. Received: {path!r}"
        )
    if columns.label is None:
        raise TypeError("`label` must say where the labels are. Received: label=None")
    tables, parts = [], []
    for one in paths:
        table = read_table(
            one,
            columns=columns.needed(),
            layout=layout,
            gaps=columns.image is not None,
        )
        tables.append(table)
        parts.append(answers_of(table, columns))
    return joined(parts, Source([(t.name, t.lines) for t in tables]))


def read_frame(frame: Any, columns: AnswerColumns) -> Answers:
    """Returns the answers of a data frame; see `Annotations.from_frame`."""
    needed = columns.needed()
    if not is_frame(frame):
        raise TypeError(
            "`frame` must be a pandas data frame. Received: "
            f"{type(frame).__name__}; for a file use `from_csv`."
        )
    table = frame_table(frame, columns.image, needed)
    answers = answers_of(table, columns)
    return joined([answers], Source([(table.name, table.lines)], table.word))


def read_records(records: Iterable[Sequence[Any]]) -> Answers:
    """Returns the answers of tuples; see `Annotations.from_records`."""
    if not isinstance(records, Iterable):
        raise TypeError(
            "`records` must be a list, or another iterable, of tuples (image, "
            f"annotator, label). Received: {records!r}"
        )
    rows: list[list[Any]] = []
    for position, record in enumerate(records):
        if not isinstance(record, tuple | list) or len(record) not in (3, 4):
            raise AnnotationError(
                "A record must be (image, annotator, label) or (image, annotator, "
                f"label, seconds). Received: {record!r} at position {position}"
            )
        rows.append([*record, None] if len(record) == 3 else list(record))
    header = ["image", "annotator", "label", "seconds"]
    table = Table("The records", header, rows, range(len(rows)), "position")
    answers = answers_of(table, AnswerColumns(*header))
    return joined([answers], Source([(table.name, table.lines)], table.word))
