"""Annotations with one row per image: columns of annotators, matrices."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_dc3._validation import check_choice
from keras_dc3.annotations.building import (
    Answers,
    build,
    check_clean_names,
    check_options,
)
from keras_dc3.annotations.columns import texts_of
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.files import as_text, safe_repr
from keras_dc3.annotations.headers import tell_header
from keras_dc3.annotations.names import trimmed
from keras_dc3.annotations.questions import all_numbers, tell_numbers, tell_questions
from keras_dc3.annotations.source import Source
from keras_dc3.annotations.tables import (
    Column,
    check_reading,
    composed_column,
    frame_table,
    has_numbers,
    read_table,
    with_index,
)

if TYPE_CHECKING:
    from keras_dc3.annotations.annotations import Annotations

_UNNAMED = re.compile(r"Unnamed: [0-9]+(_level_[0-9]+)?")  # pandas on no name
_NO_LIMIT = 1.0  # there are no times here


def from_wide(
    cls: type[Annotations],
    table: Any,
    *,
    image: Column | None = "image",
    annotators: Sequence[str | int] | None = None,
    anonymous: bool = False,
    separator: str | None = None,
    encoding: str = "utf-8",
    skip: int = 0,
    class_names: Sequence[str] | None = None,
    no_answer: Sequence[str] = ("",),
    repeated: str = "keep",
) -> Annotations:
    """Reads a table with one line per image and one column per annotator.

    Args:
        table: a file, or a pandas data frame.
        image: the column of the images, as for `from_csv`.
        annotators: the columns of the annotators, by name or all by number. Default:
            all other columns with a name ("Unnamed: 0", which pandas writes, is none).
        anonymous: True if a column is a place and no person, as where the first,
            second and third answer stand side by side: nobody knows who answered.

    All other arguments and the errors are those of `from_csv`. A cell with a text of
    `no_answer`, or nothing, is one where nobody was asked. A table of numbers alone, as
    with a column per class (see `from_counts`), and columns that seem to hold answers
    to several questions are told, unless `annotators`, `anonymous` or `class_names` say
    what they are.

    Example:

    >>> annotations = keras_dc3.Annotations.from_wide("votes.csv", image="file")
    """
    check_reading(separator, skip)
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
            separator=separator,
            encoding=encoding,
            skip=skip,
            gaps=image is not None,
            reader="Annotations.from_wide",
        )
    elif hasattr(table, "columns") and hasattr(table, "iloc"):
        read = frame_table(with_index(table, image), columns)
    else:
        raise TypeError(
            "`table` must be a file or a pandas data frame. Received: "
            f"{type(table).__name__}"
        )
    if annotators is None:
        annotators = [
            name
            for name in read.header
            if name != image and name and not _UNNAMED.fullmatch(name)
        ]
        read.check({f"annotators[{i}]": name for i, name in enumerate(annotators)})
    if not annotators:
        raise AnnotationError(f"{read.name} has no column of an annotator.")
    names = texts_of(read, "image", image)
    cells = [texts_of(read, str(column), column) for column in annotators]
    none = {"", *no_answer}
    notes = tell_header(read, image)
    if class_names is None:
        notes += read.tell_orders(list(map(composed_column, annotators)))
    if not told_apart:
        filled = {
            str(column): [text for text in map(trimmed, texts) if text not in none]
            for column, texts in zip(annotators, cells, strict=True)
        }
        questions = tell_questions(filled)
        notes += questions
        if not questions or all_numbers(filled):
            notes += tell_numbers(filled, table, image)
    asked = [
        (row, column)
        for row in range(len(names))
        for column in range(len(cells))
        if trimmed(cells[column][row]) not in none
    ]
    people = ["" if anonymous else str(column) for column in annotators]
    return cls(
        **build(
            Answers(
                image=[names[row] for row, _ in asked],
                annotator=[people[column] for _, column in asked],
                label=[cells[column][row] for row, column in asked],
                seconds=None,
                source=Source(
                    [(read.name, [read.lines[row] for row, _ in asked])], read.word
                ),
                listed=_listed(read, names),
                notes=notes,
                order=read.order_of(annotators),
            ),
            class_names=class_names,
            no_answer=no_answer,
            repeated=repeated,
            max_seconds=_NO_LIMIT,
        )
    )


def from_matrix(
    cls: type[Annotations],
    answers: Any,
    *,
    rows: str,
    images: Sequence[str] | None = None,
    annotators: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    not_asked: Any = -1,
    no_answer: Sequence[str] = ("",),
) -> Annotations:
    """Takes the answers of all annotators to all images, with gaps.

    Args:
        answers: (n, m) or (m, n) for n images and m annotators: numbers or texts. NaN,
            None, "", the gaps of pandas and what is masked are gaps, too.
        rows: "images" if each row is an image, "annotators" if each is an annotator.
        images: n names. Default: "0", "1", ...
        annotators: m names. Default: "0", "1", ...
        class_names: k names. A number is a position among them, unless they are
            numbers themselves: then it is a name. Default: all answers found, each
            number a class of that name, in the order of `class_order`.
        not_asked: the value where an annotator was not asked; -1 is also -1.0 or "-1".
        no_answer: texts that mean that there is no answer, as for `from_csv`.

    Raises:
        AnnotationError: if an answer is no class, or there is no answer.
        ValueError, TypeError: if the shapes do not fit.

    Example:

    >>> answers = [[0, 1, 0], [1, -1, 1]]  # two images, three people, -1 for none
    >>> keras_dc3.Annotations.from_matrix(answers, rows="images").majority
    array([0, 1])
    """
    check_choice("rows", rows, ("images", "annotators"))
    class_names = check_options(class_names, no_answer, "keep", _NO_LIMIT)
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
    images = names_or_numbers("images", images, answers.shape[0])
    annotators = names_or_numbers("annotators", annotators, answers.shape[1])
    where = np.argwhere(~gap)
    values = [as_text(v) for v in answers[~gap].tolist()]
    positions = class_names is not None and answers.dtype.kind in "biuf"
    if positions and not all(name.isdecimal() for name in class_names):
        values = _named(values, class_names, where, images, annotators)
    if None in values:
        row, column = where[values.index(None)]
        raise AnnotationError(
            f"The answer of {annotators[column]!r} to {images[row]!r} must be a number "
            f"or text. Received: {safe_repr(answers[row, column])}"
        )
    kept = [i for i, text in enumerate(values) if text]
    cells = [where[i].tolist() for i in kept]
    return cls(
        **build(
            Answers(
                image=[images[row] for row, _ in cells],
                annotator=[annotators[column] for _, column in cells],
                label=[values[i] for i in kept],
                seconds=None,
                source=Source([("The matrix", [row for row, _ in cells])], "image"),
                listed=images,
            ),
            class_names=class_names,
            no_answer=no_answer,
            repeated="keep",
            max_seconds=_NO_LIMIT,
        )
    )


def _listed(table: Any, names: list[str]) -> list[str]:
    """The images of all lines, those without an answer too, in order."""
    listed = list(dict.fromkeys(map(trimmed, names)))
    if "" in listed:
        position = [trimmed(name) for name in names].index("")
        raise AnnotationError(
            f"{table.name}, {table.word} {table.lines[position]}: the image has no "
            "name. Name it or remove the line."
        )
    return listed


def names_or_numbers(
    name: str, values: Sequence[str] | None, number: int
) -> tuple[str, ...]:
    """Returns checked names, by default "0", "1", ..."""
    if values is None:
        return tuple(map(str, range(number)))
    values = check_clean_names(name, values)
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
