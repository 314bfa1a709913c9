"""What a source of images is, and what is known of one image before it is decoded."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._names import trimmed


class Item(NamedTuple):
    """One image that is not decoded yet.

    id: its name. image: the path or address of its file, the bytes of one, or decoded
    pixels (h, w, c); None if it is known that it cannot be had, and `reason` says why.
    """

    id: str
    image: str | bytes | np.ndarray | None
    reason: str = ""


class Piece(NamedTuple):
    """Some images in a row of a source, that one machine of many reads.

    part: which of the source's parts they are in. start: the place of the first of them
    in it. images: how many they are. where: what the source finds them by: themselves,
    where they are names alone, or a place in a file.
    """

    part: int
    start: int
    images: int
    where: Any


class Source(ABC):
    """Images in an order that never changes while the source does not.

    One that can be read in pieces goes to other machines by `pickle`, without a listing
    that grows with its images.

    Attributes:
        kind: in words, such as "folder of images".
        total: how many images there are; None if that is not known before the end.
        ids_differ: whether it is certain that no id stands there twice.
        columns: which columns or features were chosen, to be kept with the run.
        parts: of how many parts, such as files, its images are, one after the other.
        files: tables or records that it reads; none where it reads a folder.
        folder: of its images; None where files or a data set name them.
    """

    kind: str
    total: int | None = None
    ids_differ = False
    parts = 1
    files: Sequence[str] = ()
    folder: str | None = None
    columns: dict[str, str | None]

    def __init__(self):
        self.columns = {}

    @abstractmethod
    def fingerprint(self) -> str:
        """Returns what changes when images come, go, or are written anew."""

    @abstractmethod
    def items(self, start: int) -> Iterator[Item]:
        """Yields the images in order, from a position on."""

    def pieces(self, part: int, size: int) -> Iterator[Piece]:
        """Yields all images of a part in pieces, without decoding any.

        Args:
            part: its number.
            size: about how many images a piece is to have.
        """
        raise NotImplementedError(f"A {self.kind} is read by one machine.")

    def read(self, piece: Piece) -> Iterator[Item]:
        """Yields the images of a piece, in order."""
        raise NotImplementedError(f"A {self.kind} is read by one machine.")


def named(items: Iterable[Item], part: int, size: int) -> Iterator[Piece]:
    """Yields the images of a part in pieces that hold them, as names alone are short.

    Args:
        items: paths or addresses, not contents.
        part: its number.
        size: how many a piece has.
    """
    start, items = 0, iter(items)
    while some := tuple(islice(items, size)):
        yield Piece(part, start, len(some), some)
        start += len(some)


def digest(lines: Iterable[Any]) -> str:
    """Returns a fingerprint of a listing."""
    content = hashlib.sha256()
    for line in lines:
        content.update(f"{line}\n".encode("utf-8", "surrogatepass"))
    return content.hexdigest()


def as_text(name: Any) -> tuple[str, str]:
    """Returns an id as text, and why it is none ("" if it is one)."""
    if name is None:
        return "", "it has no id"
    if isinstance(name, bytes):
        try:
            name = name.decode("utf-8")
        except UnicodeDecodeError:
            return repr(name), "its id is no text in UTF-8"
    name = str(name)
    return name, "" if name else "its id is empty"


class Sought(NamedTuple):
    """A column to be found among those of a source.

    what: it holds, for messages. given: what the user says. usual: how such a column is
    called, where the user says nothing. option: which argument says it.
    """

    what: str
    given: str | None
    usual: tuple[str, ...]
    option: str

    def among(self, columns: Iterable[str], place: str) -> str | None:
        """Returns the column; None if none was given and none fits.

        Args:
            columns: those that there are.
            place: where, for messages.

        Raises:
            ValueError: if there is no such column, or several could be meant.
        """
        columns, what = list(columns), self.what
        if self.given is not None:
            if self.given in columns:
                return self._single(self.given, columns, place)
            raise ValueError(
                f"{place} has no column {self.given!r} with {what}; it has "
                f"{_listed(columns)}. Name one of them as `{self.option}`."
            )
        found = [c for c in dict.fromkeys(columns) if _letters(c) in self.usual]
        if len(found) > 1:
            raise ValueError(
                f"{place} has several columns that may hold {what}: {_listed(found)}. "
                f"Name one of them as `{self.option}`."
            )
        return self._single(found[0], columns, place) if found else None

    def _single(self, name: str, columns: list[str], place: str) -> str:
        if columns.count(name) > 1:
            raise ValueError(
                f"{place} has {columns.count(name)} columns {name!r}, of which nobody "
                f"knows which one holds {self.what}. Rename or remove the others."
            )
        return name

    def needed_among(self, columns: Iterable[str], place: str) -> str:
        """Returns the column, as `among`, but never None.

        Raises:
            ValueError: also if there is none.
        """
        columns = list(columns)
        found = self.among(columns, place)
        if found is None:
            raise self.not_among(columns, place)
        return found

    def not_among(self, columns: Iterable[str], place: str) -> ValueError:
        """Returns the error for a column that must be there and cannot be found."""
        return ValueError(
            f"It is not known which column of {place} holds {self.what}; it has "
            f"{_listed(columns)}. Name it as `{self.option}`."
        )


def _letters(column: str) -> str:
    return trimmed(column).lower()


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(map(repr, columns)) or "none"
