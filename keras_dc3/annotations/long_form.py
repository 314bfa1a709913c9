"""Annotations with one answer per row: CSV files, data frames, records."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from keras_dc3.annotations.building import build, check_options
from keras_dc3.annotations.columns import answers_of, joined
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.source import Source
from keras_dc3.annotations.tables import (
    Column,
    Table,
    check_reading,
    frame_table,
    has_numbers,
    read_table,
    with_index,
)

if TYPE_CHECKING:
    from keras_dc3.annotations.annotations import Annotations

_MAX_SECONDS = 3600.0


def from_csv(
    cls: type[Annotations],
    path: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    image: Column | None = "image",
    annotator: Column | None = "annotator",
    label: Column = "label",
    seconds: Column | None = "seconds",
    separator: str | None = None,
    encoding: str = "utf-8",
    skip: int = 0,
    class_names: Sequence[str] | None = None,
    no_answer: Sequence[str] = ("",),
    repeated: str = "keep",
    max_seconds: float = _MAX_SECONDS,
) -> Annotations:
    """Reads tables with one answer per line.

    Everything stays the text it is ("007" is not 7); only outer blanks are removed.
    What is odd is told in one warning and kept in `notes`.

    Args:
        path: a file, also packed (`.gz`), or a list of files, such as one per person.
            Lines may end as on any system, a byte order mark may stand in front.
        image, annotator, label, seconds: where to find these: the name of a column; its
            number, from 0 on, if the file has no header line; or a function of the row
            (a dict of column -> text, or the list of cells where there is no header).
            `image=None`: the number of the line is the image. `annotator=None`: nobody
            knows who answered. `seconds=None`: no times; the default need not exist.
        separator: one character. Default: found out among `,` `;` tab and `|`, or what
            a first line such as `sep=;` says, which Excel writes.
        encoding: of the text.
        skip: lines in front of the table to pass over.
        class_names: the classes, in the order that numbers them. Default: all labels
            found, in the order of `class_order`.
        no_answer: texts that mean that there is no answer; an empty cell always does.
        repeated: where somebody answered the same image again, "keep" lets all answers
            of this person weigh one together, "last" counts the last one, "error"
            refuses the file. The places are told in any case.
        max_seconds: longer times, and those of 0 or below, count as unknown.

    Returns:
        Annotations with records.

    Raises:
        FileNotFoundError, OSError: if there is no such file or it cannot be opened.
        AnnotationError: if the files are not as described; it names file and line.
        ValueError, TypeError: for other wrong arguments.

    Example:

    >>> annotations = keras_dc3.Annotations.from_csv(
    ...     "answers.tsv", image=0, annotator=1, label=2, no_answer=["na"]
    ... )
    """
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
    check_reading(separator, skip)
    columns = {"image": image, "annotator": annotator, "label": label}
    if label is None:
        raise TypeError("`label` must say where the labels are. Received: label=None")
    named = {**columns, "seconds": None if seconds == "seconds" else seconds}
    has_numbers(named)
    tables, parts = [], []
    for one in paths:
        table = read_table(
            one,
            columns=named,
            separator=separator,
            encoding=encoding,
            skip=skip,
            gaps=image is not None,
        )
        tables.append(table)
        parts.append(answers_of(table, **columns, seconds=seconds))
    return cls(
        **build(
            joined(parts, Source([(t.name, t.lines) for t in tables])),
            class_names=class_names,
            no_answer=no_answer,
            repeated=repeated,
            max_seconds=max_seconds,
        )
    )


def from_frame(
    cls: type[Annotations],
    frame: Any,
    *,
    image: Column = "image",
    annotator: Column | None = "annotator",
    label: Column = "label",
    seconds: Column | None = "seconds",
    class_names: Sequence[str] | None = None,
    no_answer: Sequence[str] = ("",),
    repeated: str = "keep",
    max_seconds: float = _MAX_SECONDS,
) -> Annotations:
    """Takes a pandas data frame with one answer per row.

    Numbers become text, whole ones without ".0"; None, NaN and NaT are empty cells.
    Labels that are an ordered Categorical give the classes and their order.
    Leading zeros are lost where pandas has read text as numbers: read such files with
    `from_csv`, or with `pandas.read_csv(..., dtype=str)`.

    Args:
        frame: the data frame.

    All other arguments and the errors are those of `from_csv`.
    """
    columns = {"image": image, "annotator": annotator, "label": label}
    named = {**columns, "seconds": None if seconds == "seconds" else seconds}
    has_numbers(named)
    _check_frame(frame)
    table = frame_table(with_index(frame, image), named)
    answers = answers_of(table, **columns, seconds=seconds)
    return cls(
        **build(
            joined([answers], Source([(table.name, table.lines)], table.word)),
            class_names=class_names,
            no_answer=no_answer,
            repeated=repeated,
            max_seconds=max_seconds,
        )
    )


def from_records(
    cls: type[Annotations],
    records: Iterable[Sequence[Any]],
    *,
    class_names: Sequence[str] | None = None,
    no_answer: Sequence[str] = ("",),
    repeated: str = "keep",
    max_seconds: float = _MAX_SECONDS,
) -> Annotations:
    """Takes single answers, for example from a loop over JSON of your own form.

    Args:
        records: tuples (image, annotator, label) or (image, annotator, label, seconds)
            of text or numbers. None is an unknown annotator, no answer, no time.

    All other arguments and the errors are those of `from_csv`.

    Example:

    >>> answers = {"a.png": {"ann1": "cat", "ann2": "dog"}, "b.png": {"ann1": "cat"}}
    >>> keras_dc3.Annotations.from_records(
    ...     (image, annotator, label)
    ...     for image, given in answers.items()
    ...     for annotator, label in given.items()
    ... )
    <Annotations of 2 images: 3 by 2 annotators, 2 classes, 50.0% ambiguous>
    """
    check_options(class_names, no_answer, repeated, max_seconds)
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
    answers = answers_of(table, *header)
    return cls(
        **build(
            joined([answers], Source([(table.name, table.lines)], table.word)),
            class_names=class_names,
            no_answer=no_answer,
            repeated=repeated,
            max_seconds=max_seconds,
        )
    )


def _check_frame(frame: Any) -> None:
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        raise TypeError(
            "`frame` must be a pandas data frame. Received: "
            f"{type(frame).__name__}; for a file use `from_csv`."
        )
