"""Columns that are no annotators of one question: told. Standard library only."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from keras_dc3.annotations.source import some
from keras_dc3.annotations.tables import number

_PEOPLE = re.compile(
    r"(annotator|annotation|ann|rater|rating|expert|user|worker|person|observer|coder|"
    r"reader|judge|reviewer|student|doctor|grader|participant|subject|p)"
    r"[ _.-]?([0-9]{1,4}|[a-z])",
    re.IGNORECASE,
)
_QUESTION = re.compile(r"(q|question|frage|aufgabe|item|task)[ _.-]?[0-9]+", re.I)
_BETWEEN = re.compile(r"[ _.:/-]+")
_MANY = 5  # answers in which people do not disagree on everything by chance


def tell_numbers(
    cells: Mapping[str, Sequence[str]], table: Any, image: Any
) -> list[str]:
    """Returns what to tell of columns that hold numbers alone.

    Args:
        cells: column -> its filled cells.
        table: what was read, the path of a file or a data frame.
        image: the column of the images.
    """
    texts = [text for column in cells.values() for text in column]
    numbers = [number(text) for text in texts]
    if len(cells) < 2 or not texts or None in numbers:
        return []
    whole = all(value == int(value) for value in numbers)
    if whole and all(map(_PEOPLE.fullmatch, cells)):
        return []
    path = repr(os.fspath(table)) if isinstance(table, str | os.PathLike) else "frame"
    where = "" if image == "image" else f", image={image!r}"
    names = some(map(repr, cells))
    return [
        f"All {len(texts):,} cells of the columns {names} are numbers. They are read "
        "as class numbers that people gave, each column a person. If each column is a "
        "class, with votes, one-hot labels or shares, use "
        f"`Annotations.from_counts({path}{where})`; if they are people, say so with "
        f"`annotators={_listed(cells)}`."
    ]


def tell_questions(cells: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns what to tell of columns that seem to belong to several questions.

    Their answers have nothing in common, or their names are such as "Q1" and "Q2", or
    made of questions and people, such as "sex_anna", "sex_ben", "age_anna".
    """
    cells = {name: column for name, column in cells.items() if column}
    if len(cells) < 2:
        return []
    groups = _without_common_answers(cells)
    named = _by_name(list(cells))
    if len(groups) < 2 or (not named and min(map(len, map(cells.get, cells))) < _MANY):
        groups = named
    if len(groups) < 2:
        return []
    shown = " and ".join(
        f"{some(map(repr, group), 3)} ({some(_answers(cells, group), 3)})"
        for group in groups[:3]
    )
    more = f" and {len(groups) - 3} more" if len(groups) > 3 else ""
    return [
        f"The columns seem to hold answers to several questions: {shown}{more}. All "
        "are read as answers to one; name the columns of one question, such as "
        f"`annotators={_listed(groups[0])}`."
    ]


def _answers(cells: Mapping[str, Sequence[str]], group: Sequence[str]) -> list[str]:
    return [
        repr(a) for a in dict.fromkeys(text for name in group for text in cells[name])
    ]


def _without_common_answers(cells: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Groups of columns of which no answer of one stands in another."""
    leader: dict[str, str] = {}  # of a column: another one of its group, or itself
    first_with: dict[str, str] = {}  # answer -> column

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = name = leader[leader[name]]
        return name

    for name, column in cells.items():
        leader[name] = name
        for answer in {text.casefold() for text in column}:
            leader[find(name)] = find(first_with.setdefault(answer, name))
    groups: dict[str, list[str]] = {}
    for name in cells:
        groups.setdefault(find(name), []).append(name)
    return list(groups.values())


def _by_name(columns: Sequence[str]) -> list[list[str]]:
    """Groups of columns whose names tell of several questions; [] if they do not."""
    if all(map(_QUESTION.fullmatch, columns)):
        return [[name] for name in columns]
    for first in (True, False):
        parts = [_BETWEEN.split(name) for name in columns]
        if any(len(part) < 2 for part in parts):
            return []
        questions: dict[str, list[str]] = {}
        people: dict[str, int] = {}
        for name, part in zip(columns, parts, strict=True):
            question, person = (
                (part[0], "_".join(part[1:]))
                if first
                else (part[-1], "_".join(part[:-1]))
            )
            questions.setdefault(question.casefold(), []).append(name)
            people[person.casefold()] = people.get(person.casefold(), 0) + 1
        shared = max(people.values()) > 1 and max(map(len, questions.values())) > 1
        if len(questions) > 1 and shared:
            return list(questions.values())
    return []


def _listed(names: Any) -> str:
    names = list(names)
    return f"[{', '.join(map(repr, names[:5]))}{', ...' if len(names) > 5 else ''}]"
