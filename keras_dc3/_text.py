"""Words for messages, tables and pictures. Standard library only."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any


def some(items: Iterable[Any], most: int = 5, *, etc: bool = False) -> str:
    """Returns the first items, such as "1, 2 and 3 more"; with `etc` "1, 2, ..."."""
    items = list(items)
    text = ", ".join(map(str, items[:most]))
    if len(items) <= most:
        return text
    return text + (", ..." if etc else f" and {len(items) - most:,} more")


def as_list(names: Iterable[str]) -> str:
    """Returns names as a list of Python, of which the first are shown."""
    return f"[{some(map(repr, names), etc=True)}]"


def number_of(number: int, noun: str, many: str = "") -> str:
    """Returns such as "1 image" or "1,234 images".

    Args:
        number: how many.
        noun: for one; further words, such as a verb, may follow it.
        many: for several; default: the noun with an s.
    """
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def tell(heading: str, notes: Iterable[str], stacklevel: int = 2) -> None:
    """Warns once of all notes, in a line each; not at all if there are none.

    Args:
        heading: what stands above them.
        notes: to tell.
        stacklevel: as for `warnings.warn`.
    """
    notes = list(notes)
    if notes:
        text = "\n  ".join([heading, *notes])
        warnings.warn(text, stacklevel=stacklevel + 1)


def one_line(text: str) -> str:
    """Returns a text without line ends, tabs and double blanks."""
    return " ".join(text.split())


def cut(text: str, length: int) -> str:
    """Returns a text in one line of at most so many characters."""
    text = one_line(text)
    return text if len(text) <= length else text[: length - 3].rstrip() + "..."
