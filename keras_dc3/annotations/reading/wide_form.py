"""Annotations with one row per image: columns of annotators, matrices."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_dc3._names import trimmed
from keras_dc3._validation import check_choice, check_names
from keras_dc3.annotations.errors import AnnotationError, no_name
from keras_dc3.annotations.reading.answers import Answers, Options
from keras_dc3.annotations.reading.columns import texts_of
from keras_dc3.annotations.reading.files import as_text, safe_repr
from keras_dc3.annotations.reading.guesses import (
    HEADER,
    ORDERS,
    PEOPLE_COLUMNS,
    told,
)
from keras_dc3.annotations.reading.people_columns import PeopleColumns
from keras_dc3.annotations.reading.source import Source
from keras_dc3.annotations.reading.table_files import (
    Layout,
    frame_table,
    has_numbers,
    is_frame,
    read_table,
)
from keras_dc3.annotations.reading.tables import Column, composed_column
from keras_dc3.annotations.reading.titles import is_unnamed


def read_wide(
    table: Any,
    image: Column | None,
    annotators: Sequence[str | int] | None,
    anonymous: bool,
    layout: Layout,
    options: Options,
) -> Answers:
    """Returns the answers of a table with a column per annotator; see `from_wide`."""
    class_names = options.class_names
    told_apart = annotators is not None or anonymous or class_names is not None
    if isinstance(annotators, str):
        raise TypeError(
            f"`annotators` must be a list of columns. Received: {annotators!r}"
        )
    image = composed_column(image)
    columns = {f"annotators[{i}]": c for i, c in enumerate(annotators or ())}
    columns = {"image": image, **columns}
    if has_numbers(columns) and not annotators:
        raise ValueError(
            "`annotators` must number the columns of the annotators where there is no "
            f"header line. Received: image={image}, annotators={annotators!r}"
        )
    if isinstance(table, str | os.PathLike):
        read = read_table(
            table,
            columns=columns,
            layout=layout,
            gaps=image is not None,
            reader="Annotations.from_wide",
        )
    elif is_frame(table):
        read = frame_table(table, image, columns)
    else:
        raise TypeError(
            "`table` must be a file or a pandas data frame. Received: "
            f"{type(table).__name__}"
        )
    if annotators is None:
        annotators = [
            name for name in read.header if name != image and not is_unnamed(name)
        ]
        read.check({f"annotators[{i}]": name for i, name in enumerate(annotators)})
    if not annotators:
        raise AnnotationError(f"{read.name} has no column of an annotator.")
    names = texts_of(read, "image", image)
    cells = [texts_of(read, str(column), column) for column in annotators]
    none = {"", *options.no_answer}
    notes = HEADER.told(read, image)
    if class_names is None:
        notes += ORDERS.told(read, list(map(composed_column, annotators)))
    if not told_apart:
        filled = {
            str(column): [text for text in map(trimmed, texts) if text not in none]
            for column, texts in zip(annotators, cells, strict=True)
        }
        notes += told(PEOPLE_COLUMNS, PeopleColumns(filled, table, image))
    asked = [
        (row, column)
        for row in range(len(names))
        for column in range(len(cells))
        if trimmed(cells[column][row]) not in none
    ]
    people = ["" if anonymous else str(column) for column in annotators]
    return Answers(
        image=[names[row] for row, _ in asked],
        annotator=[people[column] for _, column in asked],
        label=[cells[column][row] for row, column in asked],
        seconds=None,
        source=Source([(read.name, [read.lines[row] for row, _ in asked])], read.word),
        listed=_listed(read, names),
        notes=notes,
        order=read.order_of(annotators),
    )


def read_matrix(
    answers: Any,
    rows: str,
    ids: Sequence[str] | None,
    annotators: Sequence[str] | None,
    class_names: Sequence[str] | None,
    not_asked: Any,
) -> Answers:
    """Returns the answers of an array with gaps; see `Annotations.from_matrix`."""
    check_choice("rows", rows, ("images", "annotators"))
    masked = np.ma.getmaskarray(answers) if np.ma.isMaskedArray(answers) else False
    try:
        answers = np.asarray(answers)
    except ValueError as error:
        raise ValueError(
            "`answers` must have rows of one length, with a gap, such as -1, wherever "
            "an annotator was not asked. Received: rows of several lengths"
        ) from error
    if answers.ndim != 2 or answers.dtype.kind not in "biufUO":
        raise ValueError(
            "`answers` must be numbers or texts, shape (images, annotators) or "
            f"(annotators, images). Received: shape {answers.shape}, dtype "
            f"{answers.dtype}"
        )
    if answers.dtype.kind == "b":
        answers = answers.astype("int8")
    gap = _gaps(answers, not_asked) | masked
    if rows == "annotators":
        answers, gap = answers.T, gap.T
    ids = names_or_numbers("ids", ids, answers.shape[0])
    annotators = names_or_numbers("annotators", annotators, answers.shape[1])
    where = np.argwhere(~gap)
    values = [as_text(v) for v in answers[~gap].tolist()]
    positions = class_names is not None and answers.dtype.kind in "biuf"
    if positions and not all(name.isdecimal() for name in class_names):
        values = _named(values, class_names, where, ids, annotators)
    if None in values:
        row, column = where[values.index(None)]
        raise AnnotationError(
            f"The answer of {annotators[column]!r} to {ids[row]!r} must be a number "
            f"or text. Received: {safe_repr(answers[row, column])}"
        )
    kept = [i for i, text in enumerate(values) if text]
    cells = [where[i].tolist() for i in kept]
    return Answers(
        image=[ids[row] for row, _ in cells],
        annotator=[annotators[column] for _, column in cells],
        label=[values[i] for i in kept],
        seconds=None,
        source=Source([("The matrix", [row for row, _ in cells])], "image"),
        listed=ids,
    )


def _listed(table: Any, names: list[str]) -> list[str]:
    """The images of all lines, those without an answer too, in order."""
    listed = list(dict.fromkeys(map(trimmed, names)))
    if "" in listed:
        position = [trimmed(name) for name in names].index("")
        raise no_name(table.at(position))
    return listed


def names_or_numbers(
    name: str, values: Sequence[str] | None, number: int
) -> tuple[str, ...]:
    """Returns checked names, by default "0", "1", ..."""
    if values is None:
        return tuple(map(str, range(number)))
    values = check_names(name, values, clean=True)
    if len(values) != number:
        raise ValueError(
            f"There must be {number} `{name}`, one for each. Received: {len(values)}"
        )
    return values


def _gaps(answers: np.ndarray, not_asked: Any) -> np.ndarray:
    if answers.dtype.kind in "UO":
        gap = as_text(not_asked)
        gaps = [as_text(v) in ("", gap) for v in answers.ravel().tolist()]
        return np.array(gaps, bool).reshape(answers.shape)
    return (answers == not_asked) | np.isnan(answers)


def _named(
    values: list[str],
    class_names: Sequence[str],
    where: np.ndarray,
    images: Sequence[str],
    annotators: Sequence[str],
) -> list[str]:
    named = {str(i): name for i, name in enumerate(class_names)}
    wrong = [i for i, value in enumerate(values) if value not in named]
    if wrong:
        row, column = where[wrong[0]]
        raise AnnotationError(
            f"Answers must be positions 0..{len(class_names) - 1} in `class_names`, "
            f"but {len(wrong)} are not: the first is {values[wrong[0]]}, the answer of "
            f"{annotators[column]!r} to {images[row]!r}."
        )
    return [named[value] for value in values]
