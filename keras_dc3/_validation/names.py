"""Checks of names of images, classes and people."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, MappingView, Set
from numbers import Real
from typing import Any

from keras_dc3._names import composed, trimmed


def check_ordered(name: str, values: Any) -> None:
    """Raises TypeError for one text, or for what has no order of its own.

    Names of classes and images belong to columns and rows by their order alone.
    """
    if isinstance(values, str | bytes):
        raise TypeError(
            f"`{name}` must be a list of strings, not one text. Received: {values!r}"
        )
    if isinstance(values, Set | Mapping | MappingView):
        raise TypeError(
            f"`{name}` must be a list, in the order of the images or classes: a "
            f"{type(values).__name__} does not say which name belongs to which. "
            f"Received: {repr(values)[:200]}"
        )
    if not isinstance(values, Iterable) or getattr(values, "ndim", 1) != 1:
        raise TypeError(
            f"`{name}` must be a list of strings. Received: {repr(values)[:200]}"
        )


def check_names(name: str, values: Any, *, clean: bool = False) -> tuple[str, ...]:
    """Returns `values` as a tuple of plain strings.

    Args:
        name: of the argument, for messages.
        values: different names.
        clean: whether blanks around a name are refused.

    Raises:
        TypeError: unless they are non-empty strings, in an order of their own.
        ValueError: if one occurs twice.
    """
    check_ordered(name, values)
    first: dict[str, int] = {}
    for position, value in enumerate(values):
        if not isinstance(value, str) or not value:
            raise TypeError(
                f"`{name}` must be non-empty strings; use str(...). Received: "
                f"{value!r} at position {position}"
            )
        if first.setdefault(str(value), position) != position:
            raise ValueError(
                f"`{name}` must differ, but {str(value)!r} stands at positions "
                f"{first[value]} and {position}. Rename or remove one."
            )
    for value in first if clean else ():
        if (without := trimmed(value)) != value:
            instead = f": write {without!r}" if without else ""
            raise ValueError(
                f"`{name}` must have no outer blanks, which tables do not keep"
                f"{instead}. Received: {value!r}"
            )
    return tuple(first)


def check_ids(name: str, values: Any, stacklevel: int = 3) -> tuple[str, ...]:
    """Returns names of images as `check_names` does.

    Warns of names that differ in their Unicode form (NFC or NFD) alone: they are
    different images here, and tables name them alike.
    """
    values = check_names(name, values)
    first: dict[str, str] = {}
    for value in values:
        other = first.setdefault(composed(value), value)
        if other != value:
            warnings.warn(
                f"`{name}` holds {other!a} and {value!a}, which differ only "
                "in their Unicode form (NFC or NFD) and count as two images. If they "
                "are one, remove one of them.",
                stacklevel=stacklevel,
            )
            break
    return values


def check_given_classes(name: str, values: Any) -> tuple[str, ...]:
    """Returns class names that somebody gives for a model or data, as text.

    Numbers are names, too. Blanks around a name are refused, as by annotations: tables
    do not keep them, so that answers would name other classes.

    Raises:
        TypeError, ValueError: as `check_class_names`; also for what is no text.
    """
    check_ordered(name, values)
    values = list(values)
    for position, value in enumerate(values):
        is_name = isinstance(value, str) or (isinstance(value, Real) and value == value)
        if not is_name:
            raise TypeError(
                f"`{name}` must be texts, or numbers as their names. Received: "
                f"{value!r} at position {position}"
            )
    return check_class_names(name, list(map(str, values)), clean=True)


def check_class_names(
    name: str, values: Any, *, clean: bool = False
) -> tuple[str, ...]:
    """Returns class names as `check_names` does, with composed letters (NFC).

    So that a class is one class in whatever Unicode form a system writes it.

    Raises:
        TypeError, ValueError: as `check_names`; also if two differ in that form alone.
    """
    values = check_names(name, values, clean=clean)
    return check_names(name, list(map(composed, values)), clean=clean)
