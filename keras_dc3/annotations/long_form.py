"""Annotations with one answer per row: CSV files, data frames, records."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from keras_dc3.annotations.building import Answers, build, check_options
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.files import as_text
from keras_dc3.annotations.source import Source
from keras_dc3.annotations.tables import (
    Column,
    Table,
    check_reading,
    frame_table,
    has_numbers,
    read_table,
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
    missing: Sequence[str] = ("",),
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
        separator: one character. Default: found out among `,` `;` tab and `|`.
        encoding: of the text.
        skip: lines in front of the table to pass over.
        class_names: the classes, in the order that numbers them. Default: all labels
            found, in the order of `class_order`.
        missing: texts that mean that there is no answer; an empty cell always does.
        repeated: where somebody answered the same image again, "keep" lets all answers
            of this person weigh one together, "last" counts the last one, "error"
            refuses the file. The places are told in any case.
        max_seconds: longer times, and those of 0 or below, count as unknown.

    Returns:
        Annotations with records.

    Raises:
        FileNotFoundError: if there is no such file.
        AnnotationError: if the files are not as described; it names file and line.
        ValueError, TypeError: for other wrong arguments.

    Example:

    >>> annotations = Annotations.from_csv(
    ...     "answers.tsv", image=0, annotator=1, label=2, missing=["na"]
    ... )
    """
    paths = [path] if isinstance(path, str | os.PathLike) else list(path)
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
        parts.append(_answers(table, **columns, seconds=seconds))
    return cls(
        **build(
            _joined(parts, Source([(t.name, t.lines) for t in tables])),
            class_names=class_names,
            missing=missing,
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
    missing: Sequence[str] = ("",),
    repeated: str = "keep",
    max_seconds: float = _MAX_SECONDS,
) -> Annotations:
    """Takes a pandas data frame with one answer per row.

    Numbers become text, whole ones without ".0"; None, NaN and NaT are empty cells.
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
    table = frame_table(frame, named)
    answers = _answers(table, **columns, seconds=seconds)
    return cls(
        **build(
            _joined([answers], Source([(table.name, table.lines)], table.word)),
            class_names=class_names,
            missing=missing,
            repeated=repeated,
            max_seconds=max_seconds,
        )
    )


def from_records(
    cls: type[Annotations],
    records: Iterable[Sequence[Any]],
    *,
    class_names: Sequence[str] | None = None,
    missing: Sequence[str] = ("",),
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
    >>> Annotations.from_records(
    ...     (image, annotator, label)
    ...     for image, given in answers.items()
    ...     for annotator, label in given.items()
    ... )
    <Annotations of 2 images: 3 by 2 annotators, 2 classes, 50.0% ambiguous>
    """
    check_options(class_names, missing, repeated, max_seconds)
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
    answers = _answers(table, *header)
    return cls(
        **build(
            _joined([answers], Source([(table.name, table.lines)], table.word)),
            class_names=class_names,
            missing=missing,
            repeated=repeated,
            max_seconds=max_seconds,
        )
    )


def texts_of(table: Table, argument: str, column: Column | None) -> list[str]:
    """Returns a column as text; AnnotationError for anything else than text, numbers.

    The column None is that of empty cells, or for images the number of the row.
    """
    if column is None:
        if argument == "image":
            return [str(i) for i in range(len(table.rows))]
        return [""] * len(table.rows)
    values = table.column(argument, column)
    texts = [v if type(v) is str else as_text(v) for v in values]
    if None in texts:
        position = texts.index(None)
        raise AnnotationError(
            f"{table.name}, {table.word} {table.lines[position]}: `{argument}` must be "
            f"text or a number. Received: {values[position]!r}"
        )
    return texts


def seconds_of(table: Table, column: Column) -> list[float]:
    """Returns a column as numbers; AnnotationError if one is neither number nor gap."""
    seconds = []
    for position, text in enumerate(texts_of(table, "seconds", column)):
        try:
            if "_" in text:
                raise ValueError
            seconds.append(float(text) if text.strip() else float("nan"))
        except ValueError:
            raise AnnotationError(
                f"{table.name}, {table.word} {table.lines[position]}: `seconds` must "
                f"be a number or empty. Received: {text!r}. Pass `seconds=None`, or a "
                "function of the row that gives the number."
            ) from None
    return seconds


def _answers(
    table: Table,
    image: Column | None,
    annotator: Column | None,
    label: Column,
    seconds: Column | None,
) -> Answers:
    if seconds == "seconds" and "seconds" not in (table.header or ()):
        seconds = None
    labels = texts_of(table, "label", label)
    if not callable(label):
        _check_cells(table, labels)
    return Answers(
        image=texts_of(table, "image", image),
        annotator=texts_of(table, "annotator", annotator),
        label=labels,
        seconds=None if seconds is None else seconds_of(table, seconds),
        source=Source([(table.name, table.lines)], table.word),
    )


def _check_cells(table: Table, labels: list[str]) -> None:
    if "region_shape_attributes" in (table.header or ()):
        raise AnnotationError(
            f"{table.name} labels regions, not images: an image may have several, with "
            "different labels, and it is not said who gave them. Where one region "
            "stands for its image, pass `label=` a function of the row."
        )
    for position, text in enumerate(labels):
        if text.startswith(("{", "[{", '["')) and text.endswith(("}", "]")):
            raise AnnotationError(
                f"{table.name}, {table.word} {table.lines[position]}: the label is not "
                f"a class but {text!r}. Pass `label=` a function of the row that "
                "returns the class."
            )


def _joined(parts: list[Answers], source: Source) -> Answers:
    timed = any(part.seconds is not None for part in parts)
    return Answers(
        image=[text for part in parts for text in part.image],
        annotator=[text for part in parts for text in part.annotator],
        label=[text for part in parts for text in part.label],
        seconds=[
            value
            for part in parts
            for value in part.seconds or [float("nan")] * len(part.image)
        ]
        if timed
        else None,
        source=source,
    )


def _check_frame(frame: Any) -> None:
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        raise TypeError(
            "`frame` must be a pandas data frame. Received: "
            f"{type(frame).__name__}; for a file use `from_csv`."
        )
