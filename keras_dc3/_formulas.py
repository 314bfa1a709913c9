"""Cells of a CSV file that a spreadsheet program would take for formulas."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable

_FORMULA = re.compile(r"[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


def escaped(text: str) -> str:
    """Returns a text that is shown as it is: with an apostrophe before a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def escaped_to_restore(text: str, formulas: bool) -> str:
    """Returns a text from which `restored` makes `text` again.

    What looks as if it had been escaped gets an apostrophe, too.

    Args:
        formulas: whether to escape those.
    """
    return f"'{text}" if _ESCAPED.match(text) else escaped(text) if formulas else text


def restored(text: str) -> str:
    """Returns the text that `escaped_to_restore` was given."""
    return text[1:] if _ESCAPED.match(text) else text


def warn_of_formulas(
    path: str | os.PathLike, texts: Iterable[str], stacklevel: int
) -> None:
    """Warns once if any text that is written as it is looks like a formula."""
    found = sorted({text for text in texts if _FORMULA.match(text)})
    if found:
        warnings.warn(
            f"{len(found):,} of the names in {os.fspath(path)!r} begin with '=', '+', "
            f"'-', '@', a tab or a line end, such as {found[0]!r}: a spreadsheet "
            "program takes them for formulas and runs them. If people open the file in "
            "one, pass `escape_formulas=True`.",
            stacklevel=stacklevel + 1,
        )
