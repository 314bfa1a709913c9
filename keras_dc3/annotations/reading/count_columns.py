"""What columns of counts may be instead, and what their numbers may be. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from keras_dc3._text import as_list, some
from keras_dc3.annotations.reading import titles
from keras_dc3.annotations.reading.files import as_text
from keras_dc3.annotations.reading.tables import Column, Table, number

SUMS = ((1, 0.02, "shares"), (100, 1.5, "percentages"))  # of a row, how nearly
_MANY = 20  # rows in which whole numbers are not all different by chance
_FEW = 5  # rows in which they are not 1, 2, 3, ... by chance
_MOST_COMPARED = 300  # columns
_ALL_VOTED = 0.1  # of the rows, in which all who saw an image vote, at the least
_AGREEING = 0.3  # of the rows, in which votes do not tie between all classes by chance


def all_different(values: np.ndarray) -> bool:
    """Whether numbers (n,) are whole and no two are equal."""
    return bool((values == np.round(values)).all()) and len(set(values)) == len(values)


def are_of_images(values: np.ndarray) -> bool:
    """Whether numbers (n,) are those of images: all different, and not by chance."""
    if not all_different(values):
        return False
    counting = len(values) >= _FEW and (np.diff(values) == 1).all()
    return bool(counting or len(values) >= _MANY)


def whole_beside_shares(counts: np.ndarray) -> list[int]:
    """Returns columns of whole numbers, if the others of (n, k) are shares."""
    whole = (counts == np.round(counts)).all(axis=0)
    large = whole & (counts.max(axis=0, initial=0) > 1)
    if not large.any() or whole.all():
        return []
    total = counts[:, ~whole].sum(axis=1)
    shares = any((np.abs(total - sum_) <= slack).all() for sum_, slack, _ in SUMS)
    # The halves of people who are of two minds add up to a whole number other than 1.
    near_whole = np.abs(total - np.round(total)) <= 0.02
    return np.flatnonzero(large).tolist() if shares or near_whole.mean() < 0.5 else []


def partial_totals(counts: np.ndarray) -> list[int]:
    """Returns columns of (n, k) that are the sum of all others but one."""
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


def totals(counts: np.ndarray) -> list[int]:
    """Returns columns of (n, k) that are the sum of all others."""
    rows = counts[counts.any(axis=1)]
    is_sum = np.isclose(2 * rows, rows.sum(axis=1, keepdims=True)).all(axis=0)
    return np.flatnonzero(is_sum).tolist() if len(rows) >= _FEW else []


def at_least_totals(names: Sequence[str], counts: np.ndarray) -> list[int]:
    """Returns columns of (n, k) that are in no row less than the sum of the others.

    They may tell how many people saw an image: then they are the very sum where all of
    these voted, which the votes for a frequent class hardly are. In a few rows that is
    chance; there, all others must begin alike, as "votes_cod" and "votes_eel".
    """
    rows = counts[counts.any(axis=1)]
    total = rows.sum(axis=1, keepdims=True)
    at_least = (2 * rows >= total).all(axis=0)
    often = np.isclose(2 * rows, total).mean(axis=0) >= _ALL_VOTED
    if len(rows) < 2 or np.count_nonzero(rows.any(axis=0)) < 3:
        return []  # two classes, of which one is always the more frequent
    alone = titles.without_prefix(names)
    found = np.flatnonzero(at_least).tolist()
    many = len(rows) >= _MANY
    return [c for c in found if (many and often[c]) or names[c] == alone]


def class_numbers(names: Sequence[str], counts: np.ndarray) -> dict | None:
    """Looks for columns (n, k) that may be people, their cells numbers of classes.

    People agree, so that all columns often hold the same number; where an image has
    votes, the more of them one class has, the fewer are left for the others.
    """
    total = counts.sum(axis=1)
    asked, sums = counts[total > 0], set(total[total > 0])
    whole = (counts == np.round(counts)).all() and counts.max(initial=0) > 1
    if len(names) < 2 or len(asked) < _FEW or not whole or len(sums) < 2:
        return None
    same = asked[(asked == asked[:, :1]).all(axis=1), 0]
    agree = len(same) >= _AGREEING * len(asked) and len(set(same)) > 1
    ratings = len(names) > 2 and asked.all() and asked.max() <= _FEW
    if not agree and not ratings:
        return None
    columns = {"columns": some(map(repr, names)), "names": as_list(names)}
    return {"same": len(same), "asked": len(asked), **columns}


def several_classes(counts: np.ndarray) -> dict | None:
    """Looks for numbers (n, k) of 0 and 1 that are not one-hot."""
    several = int((counts.sum(axis=1) > 1).sum())
    return {"number": several} if several and np.isin(counts, (0, 1)).all() else None


def shares(counts: np.ndarray) -> dict | None:
    """Looks for counts (n, k) that are shares by all appearance."""
    for total, near, _, what in _near_sums(counts):
        if near.all():
            low, high = total.min(), total.max()
            sums = f"{low:g} to {high:g}" if high > low else f"{low:g}"
            return {"sums": sums, "what": what}
    return None


def mostly_shares(counts: np.ndarray) -> dict | None:
    """Looks for counts (n, k) that are shares in most rows, and not in others."""
    for total, near, sum_, what in _near_sums(counts):
        off = total[~near]
        if off.size and near.mean() > 0.6 and near.sum() > 1:
            words = {"near": int(near.sum()), "sum": sum_, "what": what}
            return {**words, "off": off.size, "first": off[0]}
    return None


def _near_sums(counts: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, int, str]]:
    """Yields the sums of rows, where they are near 1 or 100, this sum and its name."""
    total = counts.sum(axis=1)
    total = total[total > 0]
    if counts.dtype.kind != "f" or not total.size:
        return
    whole = (counts == np.round(counts)).all()  # those that add up to 1 are one-hot
    for sum_, slack, what in SUMS[1:] if whole else SUMS:
        yield total, abs(total - sum_) <= slack, sum_, what


def labels_by_person(
    counts: Mapping[str, Mapping[str, float]],
) -> dict | None:
    """Looks for image -> class -> number that may be image -> person -> label.

    Classes that nobody chose are left out, or stand everywhere with 0: where both
    occurs, or classes are called like people or by numbers, the numbers may be labels.
    """
    rows = [row for row in counts.values() if isinstance(row, Mapping) and row]
    values = {value for row in rows for value in row.values()}
    names = list(dict.fromkeys(str(name) for row in rows for name in row))
    if len(rows) < 2 or not values or not all(isinstance(v, int) for v in values):
        return None
    gaps = any(len(row) < len(names) for row in rows)
    people = len(names) > 1 and all(map(titles.is_person, names))
    return {"row": dict(rows[0])} if people or (gaps and 0 in values) else None


def numbers_of_answers(
    table: Table, image: Column | None, annotator: Column | None, label: Column
) -> dict | None:
    """Looks for a column that says how often an answer was given."""
    if annotator is not None or not isinstance(image, str) or not table.rows:
        return None
    for position, title in enumerate(table.header or ()):
        if title in (image, label) or not titles.says_how_often(title):
            continue
        cells = [as_text(row[position]) or "" for row in table.rows]
        numbers = {number(cell) for cell in cells if cell.strip()}
        if not numbers or None in numbers or numbers == {1.0}:
            continue
        way_out = ""
        if isinstance(label, str):
            way_out = (
                " If it tells how many people gave an answer, pass "
                f"`frame.pivot_table(index={image!r}, columns={label!r}, "
                f"values={title!r}, aggfunc='sum', fill_value=0)` of a data frame to "
                "`Annotations.from_counts`"
                + ("." if image == "image" else f", with `image={image!r}`.")
            )
        return {"title": title, "word": table.word, "way_out": way_out}
    return None
