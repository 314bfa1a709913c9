"""TFRecord files of encoded images as a source."""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import IO, Any

from keras_dc3.scale.sources.places import open_file, stamp
from keras_dc3.scale.sources.source import (
    Item,
    Piece,
    Sought,
    Source,
    as_text,
    digest,
)

_IMAGES = ("image", "image/encoded", "image_raw", "image_bytes", "encoded")
_IDS = ("id", "image/id", "image_id", "key", "image/filename", "filename", "file_name")
_HEAD, _TAIL = 12, 4  # bytes before and behind a record: its length, and checksums
_MOST = 1 << 31  # bytes of a record


def _crc_table() -> list[int]:
    """Returns what CRC-32C adds for each byte."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


class Records(Source):
    """Images in `tf.train.Example`s of TFRecord files, one after the other.

    The checksum of each record's length is looked at; a damaged image shows when it is
    decoded. Where a file is cut off, that counts as one more image that cannot be read.

    Args:
        files: paths or addresses, in order.
        image_column: the feature with the encoded image; None for the usual names.
        id_column: the feature with the id; likewise.
    """

    kind = "TFRecord files"

    def __init__(
        self, files: Sequence[str], image_column: str | None, id_column: str | None
    ):
        super().__init__()
        self.files, self.parts = list(files), len(files)
        name, first = self._first_record()
        place = repr(name)
        features = sorted(_features(first))
        self._image, self._id = (
            sought.needed_among(features, place)
            for sought in (
                Sought("the encoded image", image_column, _IMAGES, "image_column"),
                Sought("the id of an image", id_column, _IDS, "id_column"),
            )
        )
        self.columns = {"image_column": self._image, "id_column": self._id}

    def _first_record(self) -> tuple[str, bytes]:
        """Returns the first record that can be read, and its file; others are empty."""
        for name in self.files:
            with open_file(name) as file:
                first = next(_records(file), None)
            if isinstance(first, bytes):
                return name, first
        raise ValueError(
            f"There is no record in {self.files[0]!r} that can be read; name another "
            "file."
        )

    def fingerprint(self) -> str:
        """Returns what changes with names, sizes and times of the files."""
        return digest((os.path.basename(name), *stamp(name)) for name in self.files)

    def items(self, start: int) -> Iterator[Item]:
        """Yields the images of all records, from a position on."""
        position = 0
        for name in self.files:
            with open_file(name) as file:
                number = -1
                for number, record in enumerate(_records(file, start - position)):
                    if record is not None:
                        place = f"{os.path.basename(name)}, record {number}"
                        yield self._item(record, place)
            position += number + 1

    def pieces(self, part: int, size: int) -> Iterator[Piece]:
        """Yields where in a file each so many records begin; none of them is read."""
        start = place = count = 0
        with open_file(self.files[part]) as file:
            for count, _ in enumerate(_records(file, sys.maxsize), 1):
                if count - start == size:
                    yield Piece(part, start, size, place)
                    start, place = count, file.tell()
        if count > start:
            yield Piece(part, start, count - start, place)

    def read(self, piece: Piece) -> Iterator[Item]:
        """Yields the images of the records of a piece."""
        name = self.files[piece.part]
        with open_file(name) as file:
            file.seek(piece.where)
            records = islice(_records(file), piece.images)
            for number, record in enumerate(records, piece.start):
                yield self._item(record, f"{os.path.basename(name)}, record {number}")

    def _item(self, record: bytes | str, place: str) -> Item:
        if isinstance(record, str):
            return Item(place, None, record)
        try:
            features = _features(record)
        except ValueError as error:
            return Item(place, None, str(error))
        name, reason = as_text(_value(features, self._id))
        image = _value(features, self._image)
        if image is not None and not isinstance(image, bytes):
            image, reason = None, f"its {self._image!r} holds numbers, no bytes"
        elif image is None:
            reason = reason or f"its {self._image!r} is missing"
        return Item(name or place, None if reason else image, reason)


def is_records(head: bytes) -> bool:
    """Whether a file with these first 12 bytes is one of TFRecords."""
    return len(head) == _HEAD and _length(head) is not None


def _records(file: IO[bytes], skip: int = 0) -> Iterator[bytes | str | None]:
    """Yields the records of a file: None for the first `skip`, which are not read.

    Where it cannot be read further, a text says why, and is the last.
    """
    number = 0
    while head := file.read(_HEAD):
        length = _length(head) if len(head) == _HEAD else None
        if length is None:
            yield "the file is cut off or damaged here; what follows in it is lost"
            return
        if number < skip:
            file.seek(length + _TAIL, os.SEEK_CUR)
            yield None
        else:
            body = file.read(length + _TAIL)
            if len(body) < length + _TAIL:
                yield "the file is cut off here; what follows in it is lost"
                return
            yield body[:length]
        number += 1


def _length(head: bytes) -> int | None:
    """Returns the length of a record; None if its checksum does not fit."""
    length, found = struct.unpack("<QI", head)
    state = 0xFFFFFFFF
    for byte in head[:8]:
        state = (state >> 8) ^ _TABLE[(state ^ byte) & 0xFF]
    state ^= 0xFFFFFFFF
    masked = (((state >> 15) | (state << 17)) + 0xA282EAD8) & 0xFFFFFFFF
    return length if masked == found and length < _MOST else None


def _features(record: bytes) -> Any:
    """Returns the features of a record; ValueError if it is no `tf.train.Example`."""
    import tensorflow as tf

    try:
        return tf.train.Example.FromString(record).features.feature
    except Exception as error:  # of the library behind it, whichever that is
        raise ValueError(f"its record is no `tf.train.Example` ({error})") from error


def _value(features: Any, name: str) -> bytes | int | float | None:
    """Returns the first value of a feature; None without one."""
    if name not in features:
        return None
    feature = features[name]
    kind = feature.WhichOneof("kind")
    values = getattr(feature, kind).value if kind else ()
    return values[0] if len(values) else None
