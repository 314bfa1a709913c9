"""Columns of a table of counts that are probably no classes: told. NumPy only."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from keras_dc3._text import some
from keras_dc3.annotations.reading.headers import ANSWER_TITLES
from keras_dc3.annotations.reading.questions import as_list, is_person

TOTALS = {"total", "sum", "n", "all", "count", "counts", "votes", "annotators", "num"}
TOTALS |= {"summe", "gesamt", "anzahl", "answers", "number", "raters"}
# Titles that say what a column is, where it is no class.
_TITLES = TOTALS | {
    *("id", "image_id", "img_id", "subject_id", "uid", "index", "row", "row_id", "nr"),
    *("width", "height", "ra", "dec", "lat", "lon", "latitude", "longitude", "depth"),
    *("year", "month", "day", "date", "timestamp", "fold", "page", "frame", "bytes"),
    *("size", "filesize", "file_size", "num_annotators", "num_votes", "n_votes"),
    *("n_annotators", "total_count", "total_votes", "vote_count", "entropy"),
    *("agreement", "confidence", "majority", "breite", "höhe", "zeile", "nummer"),
}
_NAMES_IMAGES = re.compile(r"(.*[ _.-])?(id|ids|index|nr|no|number|row|key)|.*[a-z]ID")
_MANY = 20  # rows in which whole numbers are not all different by chance
_FEW = 5  # rows in which they are not 1, 2, 3, ... by chance
_MOST_COMPARED = 300  # columns
_AGREEING = 0.3  # of the rows, in which votes do not tie between all classes by chance


def names_images(title: str, values: np.ndarray) -> bool:
    """Returns whether a column of numbers names images: by title and values.

    Args:
        title: of the column.
        values: (n,) float64.
    """
    return bool(all_different(values) and _NAMES_IMAGES.fullmatch(_words(title)))


def tell_columns(titles: Sequence[str], counts: np.ndarray) -> list[str]:
    """Returns what to tell of columns that may be no classes.

    Args:
        titles: k names, each of which would be a class.
        counts: (n, k), the numbers of the columns.
    """
    if len(titles) < 2:
        return []
    reasons: dict[str, list[str]] = {}
    for column, title in enumerate(titles):
        reason = _reason(title, counts[:, column])
        if reason:
            reasons.setdefault(reason, []).append(title)
    people = [title for title in titles if is_person(title)]
    if len(people) > 1:
        reasons["are called like people, whose answers `from_wide` reads"] = people
    odd = {title for found in reasons.values() for title in found}
    rest = [column for column, title in enumerate(titles) if title not in odd]
    for reason, columns in _beside_the_rest(counts[:, rest]):
        found = [titles[rest[column]] for column in columns]
        reasons.setdefault(reason, []).extend(found)
        odd.update(found)
    if not odd:
        return []
    told = "; ".join(
        f"{some(map(repr, found))} {reason}" for reason, found in reasons.items()
    )
    classes = [title for title in titles if title not in odd]
    way_out = f"name the classes, such as `class_names={as_list(classes or titles)}`"
    answers = {_words(title).casefold() for title in titles} & ANSWER_TITLES
    if answers:
        way_out += (
            "; a table with one answer per row is read by `Annotations.from_csv` (a "
            "data frame by `from_frame`)"
        )
    return [
        f"Columns that may be no classes are read as classes: {told}. If they are "
        f"none, {way_out}. If they are, name them all there."
    ]


def tell_class_numbers(titles: Sequence[str], counts: np.ndarray) -> list[str]:
    """Returns what to tell of columns that may be people, their cells class numbers.

    People agree, so that all columns often hold the same number; where an image has
    votes, the more of them one class has, the fewer are left for the others.

    Args:
        titles: k names, each of which would be a class.
        counts: (n, k), the numbers of the columns.
    """
    total = counts.sum(axis=1)
    asked, sums = counts[total > 0], set(total[total > 0])
    whole = (counts == np.round(counts)).all() and counts.max(initial=0) > 1
    if len(titles) < 2 or len(asked) < _FEW or not whole or len(sums) < 2:
        return []
    same = asked[(asked == asked[:, :1]).all(axis=1), 0]
    agree = len(same) >= _AGREEING * len(asked) and len(set(same)) > 1
    ratings = len(titles) > 2 and asked.all() and asked.max() <= _FEW
    if not agree and not ratings:
        return []
    return [
        f"In {len(same):,} of {len(asked):,} rows the columns "
        f"{some(map(repr, titles))} hold the same number, and their sums differ: they "
        "are read as classes, with the numbers of people who chose them. If each "
        "column is a person, and the numbers are classes, use "
        "`Annotations.from_wide`; if they are classes, name them with "
        f"`class_names={as_list(titles)}`."
    ]


def _reason(title: str, values: np.ndarray) -> str:
    """Returns why a column on its own is probably no class; "" if nothing says so."""
    words = _words(title).casefold()
    if words in ANSWER_TITLES:
        return "is called like a part of an answer"
    if words in _TITLES or re.fullmatch(r".*_(id|width|height)", words):
        return "has a name that is none of a class"
    if all_different(values):
        steps = np.diff(values)
        counting = len(values) >= _FEW and (steps == 1).all()
        if counting or len(values) >= _MANY:
            return "holds whole numbers that are all different, as those of images"
    return ""


def _beside_the_rest(counts: np.ndarray) -> list[tuple[str, list[int]]]:
    """Returns reasons and columns that are unlike the others."""
    if counts.shape[1] < 3 or len(counts) < 2:
        return []
    whole = (counts == np.round(counts)).all(axis=0)
    large = whole & (counts.max(axis=0, initial=0) > 1)
    if large.any() and not whole.all() and _are_shares(counts[:, ~whole]):
        columns = np.flatnonzero(large).tolist()
        return [("holds whole numbers beside shares", columns)]
    totals = _partial_totals(counts)
    if totals:
        return [("is the sum of others", totals)]
    return []


def _are_shares(counts: np.ndarray) -> bool:
    """Whether fractions are shares, and not the halves of people who are of two minds,
    of which the whole is a whole number other than 1."""
    total = counts.sum(axis=1)
    if (np.abs(total - 1) <= 0.02).all() or (np.abs(total - 100) <= 1.5).all():
        return True
    near_whole = np.abs(total - np.round(total)) <= 0.02
    return bool(near_whole.mean() < 0.5)


def _partial_totals(counts: np.ndarray) -> list[int]:
    """Returns columns that are the sum of all others but one."""
    k = counts.shape[1]
    rows = np.flatnonzero(counts.any(axis=1))
    if not 4 <= k <= _MOST_COMPARED or len(rows) < _FEW:
        return []
    rest = counts.sum(axis=1)[:, None] - 2 * counts
    found = []
    for column in range(k):
        left_out = np.flatnonzero(
            np.isclose(counts[rows[:_FEW]], rest[rows[:_FEW], column, None]).all(axis=0)
        )
        for other in left_out.tolist():
            if other == column or not counts[:, other].any():
                continue
            used = np.count_nonzero(counts[:, column]) > len(rows) // 2
            if used and np.allclose(counts[:, other], rest[:, column]):
                found.append(column)
                break
    return found


def all_different(values: np.ndarray) -> bool:
    """Returns whether numbers are whole and no two are equal."""
    return bool((values == np.round(values)).all()) and len(set(values)) == len(values)


def _words(title: str) -> str:
    return re.sub(r"[\s.-]+", "_", title.strip())
