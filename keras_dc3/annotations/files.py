"""The text of files, and values as text."""

from __future__ import annotations

import codecs
import gzip
import json
import os
import zlib
from typing import Any

import numpy as np

from keras_dc3.annotations.errors import AnnotationError


def read_text(path: str | os.PathLike, encoding: str = "utf-8") -> str:
    """Returns the text of a file, unpacked if it is a gzip file, without a BOM.

    Raises:
        FileNotFoundError, OSError: if there is no such file or it cannot be opened.
        ValueError: if the encoding is unknown.
        AnnotationError: if it is damaged or in another encoding; it names the line.
    """
    path = os.fspath(path)
    with open(path, "rb") as file:
        raw = file.read()
    if raw.startswith(b"\x1f\x8b"):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise AnnotationError(
                f"{path!r} is damaged ({error}); copy or download it again."
            ) from error
    try:
        text = raw.decode(codecs.lookup(encoding).name)
    except LookupError as error:
        raise ValueError(
            "`encoding` must be the name of a text encoding, such as 'utf-8' or "
            f"'cp1252'. Received: encoding={encoding!r}"
        ) from error
    except UnicodeError as error:
        line = raw.count(b"\n", 0, getattr(error, "start", 0)) + 1
        other = (
            "'utf-16'"
            if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            else ("'cp1252' (Western Windows) or 'latin-1'")
        )
        raise AnnotationError(
            f"{path!r}, line {line}: this is not {encoding} "
            f"({getattr(error, 'reason', error)}). Save the file as UTF-8, or pass its "
            f"`encoding`, probably {other}."
        ) from error
    return text.removeprefix("\ufeff")


def read_json(path: str | os.PathLike) -> Any:
    """Returns the content of a JSON file; the errors are those of `read_text`."""
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise AnnotationError(
            f"{os.fspath(path)!r}, line {error.lineno}: this is no JSON ({error.msg}). "
            "Is the file cut off?"
        ) from error
    except (ValueError, RecursionError) as error:
        raise AnnotationError(
            f"{os.fspath(path)!r}: this JSON cannot be read ({error})."
        ) from error


def as_text(value: Any) -> str | None:
    """Returns what stands in a table as text; None if it is no text or number.

    Whole numbers lose their ".0", as gaps turn a column of integers into floats.
    Nothing, and NaN, are "".
    """
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float | np.floating):
        if value != value:
            return ""
        whole = np.isfinite(value) and value == np.floor(value)
        return str(int(value)) if whole else str(value)
    if isinstance(value, bool | int | np.integer | np.bool_):
        return str(value)
    if isinstance(value, os.PathLike):
        return as_text(os.fspath(value))
    return None
