"""Whether columns that are read as people hold answers to one question."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from keras_dc3._names import grouped
from keras_dc3._text import as_list, some
from keras_dc3.annotations.names import meaning_no_answer
from keras_dc3.annotations.reading import titles
from keras_dc3.annotations.reading.tables import Table, number

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
_BETWEEN = re.compile(r"[ _.:/-]+")
_MANY = 5  # answers in which people do not disagree on everything by chance

Groups = list[list[str]]


@dataclass(frozen=True)
class PeopleColumns:
    """Columns of which each is read as a person.

    Attributes:
        cells: column -> its filled cells.
        table: what was read, the path of a file or a data frame.
        image: the column of the images.
    """

    cells: Mapping[str, Sequence[str]]
    table: Any
    image: Any

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Column -> what it holds alone, "numbers" or "marks" such as "x" and "yes".

        What means no answer, such as "?", plays no part. "9/10" is a number, too.
        """
        kinds = {name: _kind(column) for name, column in self.cells.items()}
        return {name: kind for name, kind in kinds.items() if kind}

    @cached_property
    def questions(self) -> Groups:
        """Columns by question; [] if all seem to belong to one.

        The answers of different questions have nothing in common, or the names of the
        columns are such as "Q1" and "Q2", or made of questions and people, such as
        "sex_anna", "sex_ben", "age_anna".
        """
        cells = {name: column for name, column in self.cells.items() if column}
        if len(cells) < 2:
            return []
        groups, named = _without_common_answers(cells), _by_name(cells)
        few = min(map(len, cells.values())) < _MANY
        if len(groups) < 2 or (not named and few) or self.kinds:
            groups = named
        return groups if len(groups) > 1 else []


def several_questions(columns: PeopleColumns) -> dict | None:
    """Looks for answers to several questions."""
    groups = columns.questions
    if not groups:
        return None
    shown = " and ".join(
        f"{some(map(repr, group), 3)} ({some(_answers(columns.cells, group), 3)})"
        for group in groups[:3]
    )
    more = f" and {len(groups) - 3} more" if len(groups) > 3 else ""
    return {"groups": shown + more, "first": as_list(groups[0])}


def numbers_alone(columns: PeopleColumns) -> dict | None:
    """Looks for numbers or marks that may be votes, one-hot labels or shares."""
    cells, kinds = columns.cells, columns.kinds
    all_numbers = list(kinds.values()) == ["numbers"] * len(cells)
    if len(kinds) < 2 or all(map(titles.is_person, kinds)):
        return None
    if columns.questions and not all_numbers:  # these are what is told
        return None
    found = [cells[name] for name in kinds]
    marks = "marks" in kinds.values()
    rating = all(map(titles.may_be_person, kinds)) and not marks
    if rating and not _like_votes(found):
        return None
    is_file = isinstance(columns.table, str | os.PathLike)
    arguments = [repr(os.fspath(columns.table)) if is_file else "frame"]
    if columns.image != "image":
        arguments.append(f"image={columns.image!r}")
    if len(kinds) < len(cells):
        arguments.append(f"class_names={as_list(kinds)}")
    return {
        "number": sum(map(len, found)),
        "columns": some(map(repr, kinds)),
        "what": "numbers or marks of yes and no" if marks else "numbers",
        "arguments": ", ".join(arguments),
        "written": ", marks written as 1 and 0" if marks else "",
        "all": as_list(cells),
    }


def other_orders(table: Table, columns: Sequence[Any]) -> dict | None:
    """Looks for columns that order their classes differently."""
    orders = {c: list(table.orders[c]) for c in columns if c in table.orders}
    for other in orders:
        one = next(iter(orders))
        if orders[other] != orders[one]:
            words = {"one": one, "order": orders[one], "other": other}
            return {**words, "other_order": orders[other]}
    return None


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


def _like_votes(columns: Sequence[Sequence[str]]) -> bool:
    """Whether numbers are votes by all appearance: all rows have the same sum."""
    numbers = [[number(text) or 0.0 for text in column] for column in columns]
    if len({len(column) for column in numbers}) > 1 or len(numbers[0]) < 3:
        return False
    rows = list(zip(*numbers, strict=True))
    return len(set(map(sum, rows))) == 1 and len(set(rows)) > 1


def _answers(cells: Mapping[str, Sequence[str]], group: Sequence[str]) -> Iterator[str]:
    return map(repr, dict.fromkeys(text for name in group for text in cells[name]))


def _without_common_answers(cells: Mapping[str, Sequence[str]]) -> Groups:
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
    return list(grouped(cells, find).values())


def _by_name(cells: Mapping[str, Sequence[str]]) -> Groups:
    """Groups of columns whose names tell of several questions; [] if they do not."""
    if all(map(titles.is_question, cells)):
        return [[name] for name in cells]
    parts = {name: _BETWEEN.split(name.casefold()) for name in cells}
    for end in (0, -1):
        if all(titles.is_place(part[end]) for part in parts.values()):
            return []
    if any(len(part) < 2 for part in parts.values()):
        return []
    for first in (True, False):
        asked = {name: part[0 if first else -1] for name, part in parts.items()}
        person = {n: tuple(p[1:] if first else p[:-1]) for n, p in parts.items()}
        questions = list(grouped(cells, asked.__getitem__).values())
        people = list(grouped(cells, person.__getitem__).values())
        several = max(map(len, people)) > 1 and max(map(len, questions)) > 1
        if len(questions) < 2 or not several:
            continue
        # People of several families are called like this, too: they answer one
        # question in the same words, and not each name goes with each family.
        crossed = all(len(columns) == len(questions) for columns in people)
        answers = [
            {text.casefold() for name in group for text in cells[name]}
            for group in questions
        ]
        if crossed or len(set.union(*answers)) == sum(map(len, answers)):
            return questions
    return []
