"""What the library advises in Python, as `keras-dc3` has it: flags and commands.

One rule is one line below. Errors, warnings and what is printed all pass through here.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from io import TextIOBase
from typing import Any, TextIO

_COLUMNS = ("image", "annotator", "label")  # of the table that `init` reads
_OTHERWISE = {"start_from": "from"}  # argument of Python -> flag
_ARGUMENT = re.compile(r"`(\w+)=([^`]*)`")
_SAYS = re.compile(r"`fit\(data, epochs=\.\.\.\)`")
_RENAMES = re.compile(r"`(?:annotations\.)?rename_classes(?:\((.*?)\))?`")
_OF_PYTHON = re.compile(r"`Annotations\.(from_(?:wide|counts|records)[^`]*)`")

# What a command line has no words for: what stands there, and what is said instead.
_PHRASES = {
    ", for example with `image=` a function of the row": "",
    "For other tables use `Annotations.from_csv`.": (
        "Another table of answers is given to `keras-dc3 init --answers FILE`."
    ),
    " to the reader, such as `Annotations.from_csv`, or use ": " to `keras-dc3 init`, "
    "or use ",
    "pass `label=` a function of the row that returns the class": (
        "give the class alone in this column"
    ),
    "Pass `label=` a function of the row that returns the class": (
        "Give the class alone in this column"
    ),
    "pass `label=` a function of the row": "give the class in a column of its own",
    "with `label=` a function of the row; ": "in a column of its own; ",
    'and, if they are not to be stretched, `fit="pad"` or "crop"': (
        "and, if they are not to be stretched, `--fit pad` or `--fit crop`"
    ),
    "`image_size=(height, width)`": "`--image_size HEIGHT,WIDTH`",
    'missing="drop"': "--drop_missing",
    "a folder of images is read by `keras_dc3.datasets.from_directory`": (
        "a folder of images is given as `--images`"
    ),
}


def in_flags(text: str, flags: Collection[str]) -> str:
    """Returns what the library says with the flags and commands of `keras-dc3`.

    Args:
        text: an error, a warning, or what is printed.
        flags: names of those of the command.

    Example:

    >>> in_flags("`epochs` must be above 0; use `rename_classes({'hores': 'horse'})`.",
    ...          ["epochs"])
    '`--epochs` must be above 0; use `keras-dc3 classes --rename hores=horse`.'
    """
    if "`" not in text:
        return text
    for phrase, instead in _PHRASES.items():
        text = text.replace(phrase, instead)
    text = _SAYS.sub("`--epochs`", text)
    text = _RENAMES.sub(lambda match: _rename(match[1]), text)
    text = _OF_PYTHON.sub(r"`keras_dc3.Annotations.\1` of Python", text)
    text = _ARGUMENT.sub(lambda match: _argument(match, flags), text)
    for name in sorted(flags, key=len, reverse=True):
        text = text.replace(f"`{name}`", f"`--{name}`")
    for name in _COLUMNS if "image_column" in flags else ():
        text = text.replace(f"`{name}`", f"`--{name}_column`")
        text = text.replace(f"`{name}=`", f"`--{name}_column`")
    return text


def _rename(written: str | None) -> str:
    """Returns the command that renames classes, where a dict of Python says which."""
    try:
        change = ast.literal_eval(written or "")
    except (SyntaxError, ValueError):
        change = None
    if not isinstance(change, Mapping) or None in change.values():
        return "`keras-dc3 classes --rename OLD=NEW`"
    pairs = ",".join(f"{old}={new}" for old, new in change.items())
    return f"`keras-dc3 classes --rename {quoted(pairs)}`"


def _argument(match: re.Match[str], flags: Collection[str]) -> str:
    """Returns an argument of Python with its value as a flag; as it is without one."""
    name, written = match[1], match[2]
    if name in _COLUMNS and "image_column" in flags:
        name = f"{name}_column"
    name = _OTHERWISE.get(name, name)
    if name not in flags:
        return match[0]
    if written in ("", "..."):
        return f"`--{name}`" if not written else f"`--{name} ...`"
    try:
        value = ast.literal_eval(written.replace("[...]", "'...'"))
    except (SyntaxError, ValueError):
        return f"`--{name}`"
    if isinstance(value, bool):
        return f"`--{name}`" if value else f"`--no{name}`"
    return f"`--{name}{_value(value)}`"


def _value(value: Any) -> str:
    if value is None:
        return "="
    if isinstance(value, Sequence) and not isinstance(value, str):
        value = ",".join(map(str, filter(None, value)))
    return f" {quoted(str(value))}"


def quoted(text: str) -> str:
    """Returns a word for any shell; double quotes are known to all of them."""
    if shlex.quote(text) == text:
        return text
    plain = not set(text) & set('"$`\\!%')
    return f'"{text}"' if plain else shlex.quote(text)


class Translated(TextIOBase):
    """A stream whose lines pass through a function before they are written.

    Args:
        stream: to write to.
        change: what is written -> what is written instead.
    """

    def __init__(self, stream: TextIO, change: Callable[[str], str]):
        self._stream, self._change = stream, change

    def write(self, text: str) -> int:
        self._stream.write(self._change(text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    @property
    def encoding(self) -> str:
        return self._stream.encoding
