"""The text of files, and values as text."""

from __future__ import annotations

import codecs
import json
import os
import zlib
from typing import Any

import numpy as np

from keras_dc3._kinds import (
    Kind,
    check_file,
    is_table,
    of_bytes,
    of_json,
    of_text,
    sentence,
)
from keras_dc3._unpacking import UnpackingError, gunzip
from keras_dc3.annotations.errors import AnnotationError

_FRAMES = "Annotations.from_frame"
_TABLE = Kind("a table of text (CSV)", reader="Annotations.from_csv")


def read_text(
    path: str | os.PathLike,
    encoding: str = "utf-8",
    *,
    table: bool = False,
    frame_reader: str = "",
    otherwise: str = "",
) -> str:
    """Returns the text of a file, unpacked if it is a gzip file, without a BOM.

    Args:
        path: the file.
        encoding: of the text.
        table: whether it must be a table, no JSON, XML and the like.
        frame_reader: what takes a data frame at this door, for messages.
        otherwise: what to give instead of another kind of file, for messages.

    Raises:
        FileNotFoundError, OSError: if there is no such file or it cannot be opened.
        ValueError: if the encoding is unknown.
        AnnotationError: if it is damaged, in another encoding, or of another kind,
            which is named with the call that takes it; it names the line.
    """

    def refuse(kind: Kind | None) -> None:
        if kind:
            told = sentence(repr(path), kind, frame_reader, otherwise)
            raise AnnotationError(told)

    codec = _codec(encoding)
    raw = _content(path)
    path = os.fspath(path)
    refuse(of_bytes(raw))
    if raw.startswith(b"\x1f\x8b"):
        try:
            raw = gunzip(raw, path)
        except UnpackingError as error:
            raise AnnotationError(str(error)) from error
        except (OSError, EOFError, zlib.error) as error:
            raise AnnotationError(
                f"{path!r} is damaged ({error}); copy or download it again."
            ) from error
        refuse(of_bytes(raw))
    try:
        text = raw.decode(codec)
    except UnicodeError as error:
        line = raw.count(b"\n", 0, getattr(error, "start", 0)) + 1
        if table:
            refuse(_of_other_encoding(raw))
        other = _wide_encoding(raw) or "'cp1252' (Western Windows) or 'latin-1'"
        raise AnnotationError(
            f"{path!r}, line {line}: this is not {encoding} "
            f"({getattr(error, 'reason', error)}). Save the file as UTF-8, or pass its "
            f"`encoding`, probably {other}."
        ) from error
    if "\0" in text and (other := _wide_encoding(raw)):
        if table:
            refuse(_of_other_encoding(raw))
        raise AnnotationError(
            f"{path!r}, line 1: this is not {encoding} (it is full of zero bytes). "
            f"Save the file as UTF-8, or pass its `encoding`, probably {other}."
        )
    if table:
        refuse(of_text(text))
    return text.removeprefix("\ufeff")


def _of_other_encoding(raw: bytes) -> Kind | None:
    """Returns the kind of a text that is in another encoding than it was said to be."""
    wide = _wide_encoding(raw)
    text = raw.decode(wide.strip("'") if wide else "latin-1", "replace")
    kind = of_text(text)
    return None if kind is None or kind.generic else kind


def _codec(encoding: Any) -> str:
    wrong = (
        "`encoding` must be the name of a text encoding, such as 'utf-8' or 'cp1252'. "
        f"Received: encoding={encoding!r}"
    )
    if not isinstance(encoding, str):
        raise TypeError(wrong)
    try:
        name = codecs.lookup(encoding).name
        "a".encode(name)  # fails for those of bytes, such as "hex"
    except (LookupError, ValueError) as error:
        raise ValueError(wrong) from error
    return name


def _content(path: Any) -> bytes:
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"`path` must be the name of a file. Received: {type(path).__name__}"
        )
    check_file(
        path,
        "Name the file in it; a folder of images is read by "
        "`keras_dc3.datasets.from_directory`",
    )
    with open(path, "rb") as file:
        return file.read()


def _wide_encoding(raw: bytes) -> str | None:
    """Returns the encoding of two or four bytes per letter that this may be."""
    if raw.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "'utf-32'"
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "'utf-16'"
    first = raw[:4000]
    zeros = [first[i::4].count(0) / max(len(first[i::4]), 1) for i in range(4)]
    often = tuple(share > 0.5 for share in zeros)
    return {
        (False, True, True, True): "'utf-32-le'",
        (True, True, True, False): "'utf-32-be'",
        (False, True, False, True): "'utf-16-le'",
        (True, False, True, False): "'utf-16-be'",
    }.get(often)


def read_json(path: str | os.PathLike, reader: str = "", otherwise: str = "") -> Any:
    """Returns the content of a JSON file; the errors are those of `read_text`.

    Args:
        path: the file.
        reader: the call that this is, such as "Annotations.from_dcic": files that
            others take are refused with their name. "": all are taken.
        otherwise: what to give instead, for messages.
    """
    name = repr(os.fspath(path)) if isinstance(path, str | os.PathLike) else ""
    frames = _FRAMES if reader.startswith("Annotations.") else ""
    try:
        text = read_text(path, frame_reader=frames, otherwise=otherwise)
    except AnnotationError as error:
        if "`encoding`" not in str(error):
            raise
        raise AnnotationError(
            f"{os.fspath(path)!r} is not in UTF-8, as JSON must be. Save it as UTF-8, "
            "or export it again."
        ) from error
    if not text.strip():
        raise AnnotationError(f"{name} is empty: {otherwise or 'export it again'}.")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        kind = of_text(text) or (_TABLE if is_table(text) else None)
        if kind and not kind.generic:
            told = sentence(name, kind, frames, otherwise)
            raise AnnotationError(told) from error
        raise AnnotationError(
            f"{os.fspath(path)!r}, line {error.lineno}: this is no JSON ({error.msg}). "
            "Is the file cut off?"
        ) from error
    except (ValueError, RecursionError) as error:
        raise AnnotationError(
            f"{os.fspath(path)!r}: this JSON cannot be read ({error})."
        ) from error
    kind = of_json(found)
    if reader and not kind.generic and kind.reader != reader:
        raise AnnotationError(sentence(name, kind, frames, otherwise))
    return found


def refuse_other_kinds(path: str | os.PathLike, text: str, otherwise: str) -> None:
    """Raises AnnotationError, which names its kind, if a text is no table.

    Args:
        path: of its file.
        text: what it holds.
        otherwise: what to give instead.
    """
    kind = of_text(text)
    if kind:
        raise AnnotationError(sentence(repr(os.fspath(path)), kind, "", otherwise))


def as_text(value: Any) -> str | None:
    """Returns what stands in a table as text; None if it is no text or number.

    Whole numbers lose their ".0", as gaps turn a column of integers into floats.
    Nothing, NaN and the gaps of pandas are "".
    """
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return None
    if isinstance(value, float | np.floating):
        if value != value:
            return ""
        whole = np.isfinite(value) and value == np.floor(value)
        return str(int(value)) if whole else str(value)
    if isinstance(value, bool | int | np.integer | np.bool_):
        try:
            return str(value)
        except ValueError:  # more digits than Python writes
            return None
    if type(value).__name__ in ("NAType", "NaTType"):  # the gaps of pandas
        return ""
    if isinstance(value, os.PathLike):
        return as_text(os.fspath(value))
    return None


def safe_repr(value: Any) -> str:
    """Returns `repr`, also of what Python refuses to write or writes at length."""
    try:
        text = repr(value)
    except ValueError:
        return f"a number of type {type(value).__name__} with thousands of digits"
    return text if len(text) <= 200 else f"{text[:200]}..."
