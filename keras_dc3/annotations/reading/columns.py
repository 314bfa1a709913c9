"""From the columns of a table with one answer per row to answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from keras_dc3._names import (
    FORM,
    one_spelling,
    plain,
    tell_folders,
    tell_lacking,
    trimmed,
)
from keras_dc3._text import some
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.reading.answers import Answers
from keras_dc3.annotations.reading.files import as_text, safe_repr
from keras_dc3.annotations.reading.guesses import ANSWER_ROWS, told
from keras_dc3.annotations.reading.source import Source
from keras_dc3.annotations.reading.table_files import has_numbers
from keras_dc3.annotations.reading.tables import Column, Table, composed_column
from keras_dc3.annotations.records import REASONS

# Columns that `Annotations.to_csv` writes where an answer needs them: why it names no
# class; the other class of an answer that is split, and the share of the first.
FURTHER = ("no_answer", "second_label", "first_share")


@dataclass(frozen=True)
class AnswerColumns:
    """Where image, annotator, label and seconds stand in a table.

    Each by name, by number, or as a function of a row; None where there is none, see
    `Annotations.from_csv`. A column "seconds" need not exist.
    """

    image: Column | None
    annotator: Column | None
    label: Column
    seconds: Column | None

    def needed(self) -> dict[str, Column | None]:
        """Returns argument -> column that must exist.

        Raises:
            TypeError, ValueError: if one is no column; see `has_numbers`.
        """
        seconds = None if self.seconds == "seconds" else self.seconds
        named = {**vars(self), "seconds": seconds}
        has_numbers(named)
        return named


def answers_of(table: Table, columns: AnswerColumns) -> Answers:
    """Returns the answers of a table with one per row.

    Raises:
        AnnotationError: if there is no such column, or a cell is none of an answer.
    """
    image, annotator, label = map(
        composed_column, (columns.image, columns.annotator, columns.label)
    )
    seconds = columns.seconds
    if seconds == "seconds" and "seconds" not in (table.header or ()):
        seconds = None
    elif seconds == "seconds":
        table.check({"seconds": seconds})
    labels = texts_of(table, "label", label)
    if not callable(label):
        _check_cells(table, labels)
    further, left_out = _further(table)
    return Answers(
        image=texts_of(table, "image", image),
        annotator=texts_of(table, "annotator", annotator),
        label=labels,
        seconds=None if seconds is None else _seconds_of(table, seconds),
        source=Source([(table.name, table.lines)], table.word),
        notes=[
            *table.notes,
            *told(ANSWER_ROWS, table, image, annotator, label),
            *left_out,
        ],
        order=table.order_of([label]),
        **further,
    )


def _further(table: Table) -> tuple[dict[str, list], list[str]]:
    """Returns what `to_csv` writes beside, and what is told of what is not read."""
    found, notes = {}, []
    reason, *split = FURTHER
    there = [name for name in FURTHER if name in (table.header or ())]
    if reason in there:
        texts = [trimmed(text) for text in texts_of(table, reason, reason)]
        odd = [text for text in texts if text and text not in REASONS]
        if odd and len(there) < len(FURTHER):  # a column of the user's own
            notes.append(
                f"The column {reason!r} is not read: {odd[0]!r} is no reason for "
                f"having no class, as {some(map(repr, REASONS[1:]))} are."
            )
        else:
            found["reason"] = texts
    second, share = split
    if second in there and share in there:
        found["second"] = texts_of(table, second, second)
        found["share"] = numbers_of(table, share, share)
    elif second in there or share in there:
        notes.append(
            f"An answer that is split between two classes has the columns {second!r} "
            f"and {share!r}; one of them alone is not read."
        )
    return found, notes


def joined(parts: list[Answers], source: Source) -> Answers:
    """Returns the answers of several tables together.

    Names of images match as for `merge`: an image is written as in the first table.

    Raises:
        AnnotationError: if a name can be several images of the tables before.
    """
    parts, spelling = _in_one_spelling(parts)
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
        notes=[*(note for part in parts for note in part.notes), *spelling],
        order=parts[0].order if len(parts) == 1 else (),
        reason=_together(parts, "reason", ""),
        second=_together(parts, "second", ""),
        share=_together(parts, "share", math.nan),
    )


def _together(parts: list[Answers], name: str, nothing: Any) -> list[Any] | None:
    """Returns a column of several tables, of which some may lack it; None if all do."""
    if all(getattr(part, name) is None for part in parts):
        return None
    return [
        value
        for part in parts
        for value in getattr(part, name) or [nothing] * len(part.image)
    ]


def _in_one_spelling(parts: list[Answers]) -> tuple[list[Answers], list[str]]:
    """Returns answers whose images are written as in the first part, and notes."""
    if len(parts) < 2:
        return parts, []
    names = []
    for part in parts:
        first: dict[str, str] = {}
        for text in dict.fromkeys(part.image):
            first.setdefault(plain(trimmed(text)), trimmed(text))
        names.append([name for name in first.values() if name])
    spelled, lacking = one_spelling(names, AnnotationError)
    lacking.pop(FORM, None)  # told of all spellings together
    changed = []
    for part, old, new in zip(parts, names, spelled, strict=True):
        name = {
            plain(o): n for o, n in zip(old, new, strict=True) if plain(o) != plain(n)
        }
        image = [name.get(plain(trimmed(text)), text) for text in part.image]
        changed.append(replace(part, image=image))
    notes = tell_lacking(lacking, "first spelling")
    return changed, notes + tell_folders(spelled)


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
            f"{table.at(position)}: `{argument}` must be text or a number. Received: "
            f"{safe_repr(values[position])}"
        )
    return texts


def numbers_of(
    table: Table, argument: str, column: Column, way_out: str = "Correct it."
) -> list[float]:
    """Returns a column as numbers; AnnotationError if one is neither number nor gap.

    Args:
        table: its rows.
        argument: what the column is for, as the error names it.
        column: which one.
        way_out: what the error tells to do.
    """
    numbers = []
    for position, text in enumerate(texts_of(table, argument, column)):
        try:
            if "_" in text:
                raise ValueError
            numbers.append(float(text) if text.strip() else float("nan"))
        except ValueError:
            raise AnnotationError(
                f"{table.at(position)}: `{argument}` must be a number or empty. "
                f"Received: {text!r}. {way_out}"
            ) from None
    return numbers


def _seconds_of(table: Table, column: Column) -> list[float]:
    way_out = "Pass `seconds=None`, or a function of the row that gives the number."
    return numbers_of(table, "seconds", column, way_out)


def _check_cells(table: Table, labels: list[str]) -> None:
    if "region_shape_attributes" in (table.header or ()):
        raise AnnotationError(
            f"{table.name} labels regions, not images: an image may have several, with "
            "different labels, and it is not said who gave them. Where one region "
            "stands for its image, pass `label=` a function of the row."
        )
    for position, text in enumerate(labels):
        if text.startswith(("{", "[{", '["', "['", "('")) and text.endswith(
            ("}", "]", ")")
        ):
            raise AnnotationError(
                f"{table.at(position)}: the label is not a class but {text!r}. Pass "
                "`label=` a function of the row that returns the class."
            )
