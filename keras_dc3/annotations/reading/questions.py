"""Columns that are no annotators of one question: told. Standard library only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from keras_dc3._text import some
from keras_dc3.annotations.names import meaning_no_answer
from keras_dc3.annotations.reading.tables import number

_PEOPLE = re.compile(
    r"(annotator|annotation|ann|rater|rating|expert|user|worker|person|observer|coder|"
    r"reader|judge|reviewer|student|doctor|grader|participant|subject|p)"
    r"[ _.-]?([0-9]{1,4}|[a-z])",
    re.IGNORECASE,
)
# "rating_1" can be the first rater, and as well how often one star was given.
_RATING = re.compile(r"(rating|p)[ _.-]?([0-9]+|[a-z])", re.IGNORECASE)
_QUESTION = re.compile(r"(q|question|frage|aufgabe|item|task)[ _.-]?[0-9]+", re.I)
_MARKS = tuple(
    set(words.split())
    for words in (
        "x \u2713 \u2714 \u2717 \u2718",
        "yes no 1 0",
        "y n",
        "true false t f 1 0",
        "ja nein j n",
        "oui non",
        "si s\u00ed no",
    )
)
# "9/10", "9 of 10" and "9 (90%)"
_OF_ALL = re.compile(
    r"[0-9]+ ?(/|of|von) ?[0-9]+|[0-9]+ ?\([0-9.,]+ ?%\)", re.IGNORECASE
)
_SITE = re.compile(
    r"(lab|site|cent(er|re)|clinic|klinik|hospital|group|gruppe|team|round|batch|"
    r"institute?|school|city)[0-9a-z]?[0-9]*",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[ _.:/-]+")
_MANY = 5  # answers in which people do not disagree on everything by chance


def is_person(title: str) -> bool:
    """Returns whether a column is called like a person: "rater 1", "ann_b"."""
    return bool(_PEOPLE.fullmatch(title)) and not _RATING.fullmatch(title)


def number_columns(cells: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns the columns that hold numbers, or marks such as "x" and "yes", alone.

    What means no answer, such as "?", plays no part. "9/10" is a number, too.

    Args:
        cells: column -> its filled cells.
    """
    return [name for name, column in cells.items() if _kind(column) is not None]


def all_numbers(cells: Mapping[str, Sequence[str]]) -> bool:
    """Returns whether all columns hold numbers alone."""
    return all(_kind(column) == "numbers" for column in cells.values())


def _kind(column: Sequence[str]) -> str | None:
    different = list(dict.fromkeys(column))
    no_answer = set(meaning_no_answer(different))
    texts = [text for text in different if text not in no_answer]
    if texts and all(number(t) is not None or _OF_ALL.fullmatch(t) for t in texts):
        return "numbers"
    folded = {text.casefold() for text in texts}
    if texts and any(folded <= marks for marks in _MARKS):
        return "marks"
    return None


def tell_numbers(
    cells: Mapping[str, Sequence[str]], table: Any, image: Any
) -> list[str]:
    """Returns what to tell of columns that hold numbers or marks alone.

    Args:
        cells: column -> its filled cells.
        table: what was read, the path of a file or a data frame.
        image: the column of the images.
    """
    columns = number_columns(cells)
    if len(columns) < 2 or all(map(is_person, columns)):
        return []
    kinds = {_kind(cells[name]) for name in columns}
    rating = all(map(_PEOPLE.fullmatch, columns)) and "marks" not in kinds
    if rating and not _like_votes([cells[name] for name in columns]):
        return []
    what = "numbers" if kinds == {"numbers"} else "numbers or marks of yes and no"
    path = repr(os.fspath(table)) if isinstance(table, str | os.PathLike) else "frame"
    where = "" if image == "image" else f", image={image!r}"
    beside = f", class_names={as_list(columns)}" if len(columns) < len(cells) else ""
    total = sum(len(cells[name]) for name in columns)
    marks = "" if what == "numbers" else ", marks written as 1 and 0"
    return [
        f"All {total:,} cells of the columns {some(map(repr, columns))} are {what}. "
        "They are read as answers that people gave, each column a person. If each "
        "column is a class, with votes, one-hot labels or shares, use "
        f"`Annotations.from_counts({path}{where}{beside})`{marks}; if they are people, "
        f"say so with `annotators={as_list(cells)}`."
    ]


def _like_votes(columns: Sequence[Sequence[str]]) -> bool:
    """Whether numbers are votes by all appearance: all rows have the same sum."""
    numbers = [[number(text) or 0.0 for text in column] for column in columns]
    if len({len(column) for column in numbers}) > 1 or len(numbers[0]) < 3:
        return False
    rows = list(zip(*numbers, strict=True))
    return len(set(map(sum, rows))) == 1 and len(set(rows)) > 1


def tell_questions(cells: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns what to tell of columns that seem to belong to several questions.

    Their answers have nothing in common, or their names are such as "Q1" and "Q2", or
    made of questions and people, such as "sex_anna", "sex_ben", "age_anna".
    """
    cells = {name: column for name, column in cells.items() if column}
    if len(cells) < 2:
        return []
    groups, named = _without_common_answers(cells), _by_name(cells)
    few = min(map(len, cells.values())) < _MANY
    if len(groups) < 2 or (not named and few) or number_columns(cells):
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
        f"`annotators={as_list(groups[0])}`."
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


def _by_name(cells: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Groups of columns whose names tell of several questions; [] if they do not."""
    columns = list(cells)
    if all(map(_QUESTION.fullmatch, columns)):
        return [[name] for name in columns]
    parts = [_BETWEEN.split(name) for name in columns]
    for end in (0, -1):
        if all(_SITE.fullmatch(part[end]) for part in parts):
            return []
    if any(len(part) < 2 for part in parts):
        return []
    for first in (True, False):
        questions: dict[str, list[str]] = {}
        people: dict[str, list[str]] = {}
        for name, part in zip(columns, parts, strict=True):
            at, rest = (part[0], part[1:]) if first else (part[-1], part[:-1])
            questions.setdefault(at.casefold(), []).append(name)
            people.setdefault("_".join(rest).casefold(), []).append(at.casefold())
        several = max(map(len, people.values())) > 1
        if len(questions) < 2 or not several or max(map(len, questions.values())) < 2:
            continue
        # People of several families are called like this, too: they answer one
        # question in the same words, and not each name goes with each family.
        crossed = all(len(asked) == len(questions) for asked in people.values())
        if crossed:
            return list(questions.values())
        answers = [
            {text.casefold() for name in group for text in cells[name]}
            for group in questions.values()
        ]
        if len(set.union(*answers)) == sum(map(len, answers)):
            return list(questions.values())
    return []


def as_list(names: Iterable[str]) -> str:
    """Returns names as a list of Python, of which the first are shown."""
    return f"[{some(map(repr, names), etc=True)}]"
