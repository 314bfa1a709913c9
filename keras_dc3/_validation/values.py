"""Checks of single values, and of a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np


def is_number(value: Any) -> bool:
    """Whether `value` is a number, and not a bool."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raises ValueError unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {list(choices)}. Received: {name}={value!r}"
        )


def check_probability(name: str, value: Any) -> None:
    """Raises ValueError unless `value` is a number in [0, 1]."""
    if not (is_number(value) and 0.0 <= value <= 1.0):
        raise ValueError(
            f"`{name}` must be a number in [0, 1]. Received: {name}={value!r}"
        )


def check_open_probability(name: str, value: Any) -> None:
    """Raises ValueError unless `value` is a number above 0 and below 1."""
    if not (is_number(value) and 0.0 < value < 1.0):
        raise ValueError(
            f"`{name}` must be a number above 0 and below 1. Received: {name}={value!r}"
        )


def check_not_negative(name: str, value: Any) -> None:
    """Raises ValueError unless `value` is a finite number of at least 0."""
    if not (is_number(value) and np.isfinite(value) and value >= 0):
        raise ValueError(
            f"`{name}` must be a finite number of at least 0. "
            f"Received: {name}={value!r}"
        )


def check_positive_number(name: str, value: Any) -> None:
    """Raises ValueError unless `value` is a finite number above 0."""
    check_not_negative(name, value)
    if value == 0:
        raise ValueError(f"`{name}` must be above 0. Received: {name}={value!r}")


def check_positive_int(name: str, value: Any, least: int = 1) -> None:
    """Raises ValueError unless `value` is an integer of at least `least`."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | np.integer)
        or value < least
    ):
        raise ValueError(
            f"`{name}` must be an integer of at least {least}. "
            f"Received: {name}={value!r}"
        )


def check_seed(seed: Any) -> None:
    """Raises ValueError unless `seed` is an integer of at least 0."""
    check_positive_int("seed", seed, least=0)


def check_writable_folder(path: str | os.PathLike) -> None:
    """Raises OSError unless files can be written into `path`; creates the folder.

    For the start of long work: the folder is tried with a real file, because
    permission bits say nothing for an administrator or a full or read-only disk.
    """
    path = os.fspath(path)
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"1")
    except OSError as error:
        raise OSError(
            f"The output folder {path!r} cannot be written to "
            f"({error.strerror or error}). Name another folder or free this one."
        ) from error
