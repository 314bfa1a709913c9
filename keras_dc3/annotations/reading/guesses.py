"""Every guess that is told in a warning, and its words: one list of rules.

A reader takes a table as what its call says. What a column, a number or a name may be
instead is a guess: it is told, and changes nothing. A new guess is one more `Rule`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._text import as_list, some
from keras_dc3.annotations.reading import (
    count_columns,
    headers,
    odd_names,
    people_columns,
    titles,
)


@dataclass(frozen=True)
class Rule:
    """A guess.

    Attributes:
        fires: looks at what was given and returns the words that `says` lacks, or
            whether there is something to tell; what is false tells nothing.
        says: what is told, with places for these words.
    """

    fires: Callable[..., Any]
    says: str

    def told(self, *given: Any) -> list[str]:
        """Returns what is told, if the rule fires."""
        words = self.fires(*given)
        if not words:
            return []
        return [self.says.format(**({} if words is True else words))]


def told(rules: Iterable[Rule], *given: Any) -> list[str]:
    """Returns what all rules tell that fire."""
    return [text for rule in rules for text in rule.told(*given)]


def first_told(rules: Iterable[Rule], *given: Any) -> list[str]:
    """Returns what the first rule tells that fires."""
    return next(filter(None, (rule.told(*given) for rule in rules)), [])


# -- Columns given by number: the table, and all columns that are read.

HEADER = Rule(
    headers.read_as_data,
    "{Word} {line} reads like a header ({cells}) but counts as an answer, as columns "
    "given by number have none. If it is one, pass `skip={line}`.",
)

# -- A row per answer: the table, the columns of image, annotator and label.

ANSWER_ROWS = (
    HEADER,
    Rule(
        count_columns.numbers_of_answers,
        "The numbers of the column {title!r} are not read: each {word} counts as one "
        "answer.{way_out}",
    ),
)

# -- A column per person: the table and the columns, then their filled cells.

ORDERS = Rule(
    people_columns.other_orders,
    "The columns {one!r} and {other!r} order their categories differently, {order} and "
    "{other_order}: the classes are in the order of the alphabet. Pass "
    "`class_names=[...]` in the order that is meant.",
)
PEOPLE_COLUMNS = (
    Rule(
        people_columns.several_questions,
        "The columns seem to hold answers to several questions: {groups}. All are read "
        "as answers to one; name the columns of one question, such as "
        "`annotators={first}`.",
    ),
    Rule(
        people_columns.numbers_alone,
        "All {number:,} cells of the columns {columns} are {what}. They are read as "
        "answers that people gave, each column a person. If each column is a class, "
        "with votes, one-hot labels or shares, use "
        "`Annotations.from_counts({arguments})`{written}; if they are people, say so "
        "with `annotators={all}`.",
    ),
)

# -- A column per class. Why one may be none, by its title.

_BY_TITLE = (
    Rule(titles.is_of_answers, "is called like a part of an answer"),
    Rule(titles.is_no_class, "has a name that is none of a class"),
)
# By its numbers (n,), if not by its title.
_BY_NUMBERS = Rule(
    count_columns.are_of_images,
    "holds whole numbers that are all different, as those of images",
)
_ARE_PEOPLE = "are called like people, whose answers `from_wide` reads"
# Which are unlike the others, by the numbers (n, k) of those that are odd by nothing
# else: positions.
_UNLIKE_THE_OTHERS = (
    Rule(count_columns.whole_beside_shares, "holds whole numbers beside shares"),
    Rule(count_columns.totals, "is the sum of the others"),
    Rule(count_columns.partial_totals, "is the sum of others"),
)
# Likewise, if none of these; by their titles besides.
_AT_LEAST_TOTALS = Rule(
    count_columns.at_least_totals, "is in no row less than the sum of the others"
)


def _no_classes(names: Sequence[str], counts: np.ndarray) -> dict | None:
    """Looks for columns (n, k) that may be no classes, for all reasons above."""
    if len(names) < 2:
        return None
    reasons: dict[str, list[str]] = {}
    for title, values in zip(names, counts.T, strict=True):
        for reason in first_told(_BY_TITLE, title) or _BY_NUMBERS.told(values):
            reasons.setdefault(reason, []).append(title)
    people = list(filter(titles.is_person, names))
    if len(people) > 1:
        reasons[_ARE_PEOPLE] = people
    odd = {title for found in reasons.values() for title in found}
    rest = [column for column, title in enumerate(names) if title not in odd]
    unlike = _unlike_the_others([names[column] for column in rest], counts[:, rest])
    reasons |= unlike
    odd.update(*unlike.values())
    if not odd:
        return None
    classes = [title for title in names if title not in odd]
    why = (f"{some(map(repr, found))} {reason}" for reason, found in reasons.items())
    answers = any(map(titles.is_of_answers, names))
    return {
        "why": "; ".join(why),
        "names": as_list(classes or names),
        "reader": "; a table with one answer per row is read by `Annotations.from_csv` "
        "(a data frame by `from_frame`)"
        if answers
        else "",
    }


def _unlike_the_others(names: Sequence[str], counts: np.ndarray) -> dict[str, list]:
    """Returns the first reason of these that holds, and the columns that it is of."""
    if len(names) < 3 or len(counts) < 2:
        return {}
    for rule in _UNLIKE_THE_OTHERS:
        if found := rule.fires(counts):
            return {rule.says: [names[column] for column in found]}
    found = _AT_LEAST_TOTALS.fires(names, counts)
    return {_AT_LEAST_TOTALS.says: [names[column] for column in found]} if found else {}


# The titles and numbers (n, k) of all columns; the first is told.
CLASS_COLUMNS = (
    Rule(
        _no_classes,
        "Columns that may be no classes are read as classes: {why}. If they are none, "
        "name the classes, such as `class_names={names}`{reader}. If they are, name "
        "them all there.",
    ),
    Rule(
        count_columns.class_numbers,
        "In {same:,} of {asked:,} rows the columns {columns} hold the same number, and "
        "their sums differ: they are read as classes, with the numbers of people who "
        "chose them. If each column is a person, and the numbers are classes, use "
        "`Annotations.from_wide`; if they are classes, name them with "
        "`class_names={names}`.",
    ),
)

# -- Counts: a dict of image -> class -> number; numbers (n, k) of a table, of anything.

LABELS_BY_PERSON = Rule(
    count_columns.labels_by_person,
    "The entries of each image, such as {row}, are read as class -> number of people. "
    "If they are person -> label, pass (image, person, label) of each to "
    "`Annotations.from_records`; if they are classes, name them with "
    "`class_names=[...]`.",
)
SEVERAL_CLASSES = Rule(
    count_columns.several_classes,
    "All numbers are 0 or 1, and some images ({number:,}) have more than one class: "
    "each class counts as the vote of one person. If an image can have several classes "
    "at once, this is no table of votes; keep one class per image.",
)
# The first is told.
SHARES = (
    Rule(
        count_columns.shares,
        "The numbers of each image add up to {sums}: they seem to be {what}. Soft "
        "labels are right, but it is not known how many people answered, and what is "
        "called annotations per image is this sum. Pass `annotators_per_image=` if you "
        "know.",
    ),
    Rule(
        count_columns.mostly_shares,
        "The numbers of {near:,} images add up to {sum}, as {what} do, but those of "
        "{off:,} do not, such as {first:g}. Each is divided by its sum; correct what "
        "is wrong.",
    ),
)

# -- Names: of images, with what is equal for spellings of one; of people and classes,
# with how often each was chosen.

SPELLINGS = Rule(
    odd_names.several_spellings,
    "{number:,} images are written with several Unicode forms or slashes, and each "
    "counts as one: {pairs}.",
)
EXTENSIONS = Rule(
    odd_names.extensions,
    "Names of images are written with an extension and without ({number:,}), such as "
    "{pair}, and count as two images each. If these are one, write them in one way, or "
    "read them with `image=` a function of the row that drops the extension.",
)
SAME_PEOPLE = Rule(
    odd_names.variants,
    "Annotators that differ only in {how}: {pairs}. They count as different people; if "
    "they are not, write each name in one way.",
)
SEVERAL_CHOICES = Rule(
    odd_names.several_choices,
    "Labels of several classes at once, such as {first!r}, count as classes of their "
    "own: {all}. If somebody chose several, keep one class per answer, with `label=` a "
    "function of the row; `rename_classes` gives them another name or, with None, "
    "leaves them out.",
)
# Also `no_answer`, and whether the data order the classes.
CLASS_NAMES = (
    Rule(
        odd_names.variants,
        "Classes that differ only in {how}: {pairs}. They stay different classes; to "
        "unite them, use `rename_classes({change})`{rest}.",
    ),
    Rule(
        odd_names.typing_slips,
        "Probably typing slips: {pairs}. They stay different classes; to unite them, "
        "use `rename_classes({change})`.",
    ),
    Rule(
        odd_names.no_answers,
        "{labels}. If {mean} that there is no answer, {way_out}; if {are} meant as "
        "{classes}, name all with `class_names=[...]`.",
    ),
)
