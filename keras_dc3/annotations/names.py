"""The order of class names, and names that may mean the same. Standard library only."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
_MEANS_NO_ANSWER = {"na", "n/a", "n.a.", "nan", "null", "none", "nil", "-", "?", "-1"}
_MOST_COMPARED = 200  # classes compared pair by pair in search of typing slips


def trimmed(text: str) -> str:
    """Returns `text` without outer blanks: no-break and zero-width ones, too."""
    before = None
    while before != text:
        before, text = text, text.strip().strip(_INVISIBLE)
    return text


def class_order(names: Iterable[str]) -> tuple[str, ...]:
    """Returns class names in the order that numbers their classes.

    Folders and tables with the same classes get the same list. Numbers in names count
    as numbers ("2" comes before "10", "grade 2" before "grade 10"), all else is in the
    order of its characters (capitals first).

    Args:
        names: class names; doubled ones count once.

    Example:

    >>> keras_dc3.annotations.class_order(["10", "1", "2"])
    ('1', '2', '10')
    """
    names = set(names)
    if all(map(_NUMBER.fullmatch, names)):
        return tuple(sorted(names, key=lambda name: (float(name), name)))
    return tuple(sorted(names, key=_natural))


def _natural(name: str) -> tuple[Any, ...]:
    parts: list[Any] = re.split("([0-9]+)", name)
    for i, digits in enumerate(parts[1::2]):
        significant = digits.lstrip("0")
        parts[2 * i + 1] = (len(significant), significant)  # orders as its number does
    return parts, name


def variants(frequency: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Returns groups of names that differ only in case, blanks or number format.

    Args:
        frequency: name -> how often it was chosen. The name chosen most often is the
            last one of its group.
    """
    groups = defaultdict(list)
    for name in frequency:
        groups[_essence(name)].append(name)
    return [
        tuple(sorted(group, key=lambda name: (frequency[name], name)))
        for group in groups.values()
        if len(group) > 1
    ]


def _essence(name: str) -> Any:
    if _NUMBER.fullmatch(name):
        return float(name)
    folded = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s_\-]+", "", folded) or name


def typing_slips(frequency: Mapping[str, int]) -> list[tuple[str, str]]:
    """Returns pairs of a rare name and the frequent one that it may be meant to be.

    Args:
        frequency: name -> how often it was chosen.
    """
    words = [n for n in frequency if len(n) >= 4 and not re.search("[0-9]", n)]
    if len(words) > _MOST_COMPARED:
        return []
    pairs = []
    for rare in words:
        common = [n for n in words if frequency[n] >= 20 * frequency[rare]]
        near = difflib.get_close_matches(rare, common, n=1, cutoff=0.8)
        if near and _essence(near[0]) != _essence(rare):
            pairs.append((rare, near[0]))
    return pairs


def meaning_no_answer(names: Iterable[str]) -> list[str]:
    """Returns the names that other tools write where there is no answer."""
    return [name for name in names if name.casefold() in _MEANS_NO_ANSWER]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that `name` was probably meant to be, else None."""
    known = list(known)
    same = [
        known_name for known_name in known if _essence(known_name) == _essence(name)
    ]
    if same:
        return same[0]
    folded = {known_name.casefold(): known_name for known_name in known}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=1)
    return folded[near[0]] if near else None
