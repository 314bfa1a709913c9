"""Which kind of source is meant by what a user names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from keras_dc3._kinds import of_file, sentence
from keras_dc3.scale.sources import places
from keras_dc3.scale.sources.folder import Folder, RemoteFolder
from keras_dc3.scale.sources.from_tfds import TfdsSplit
from keras_dc3.scale.sources.source import Source
from keras_dc3.scale.sources.tables import CsvTable, ParquetTable
from keras_dc3.scale.sources.tfrecords import Records, is_records

TFDS = "tfds:"  # begins the name of a data set
_KNOWN = (
    "Name a folder of images; files of TFRecords, Parquet or CSV, or a pattern of them "
    "such as 'fish-*.tfrecord'; or 'tfds:NAME'."
)


def open_source(
    source: Any,
    image_shape: tuple[int, int, int],
    image_column: str | None = None,
    id_column: str | None = None,
    split: str | None = None,
) -> Source:
    """Returns the source that is meant.

    Args:
        source: as for `scale.score`.
        image_shape: (h, w, c) that the model takes.
        image_column, id_column, split: likewise.

    Raises:
        TypeError, ValueError, OSError: if there is none; the message says what is.
    """
    names = _names(source)
    if names[0].startswith(TFDS) and len(names) == 1:
        name = names[0].removeprefix(TFDS)
        return TfdsSplit(name, split or "train", image_shape, image_column, id_column)
    if split is not None:
        raise ValueError(
            "`split` is of a data set of TensorFlow Datasets, 'tfds:NAME'. Received: "
            f"split={split!r} for {names[0]!r}"
        )
    if len(names) == 1 and places.is_folder(names[0]):
        for option, value in (("image_column", image_column), ("id_column", id_column)):
            if value is not None:
                raise ValueError(
                    f"A folder of images has no columns. Received: {option}={value!r}"
                )
        folder = names[0]
        return RemoteFolder(folder) if places.is_address(folder) else Folder(folder)
    files = [file for name in names for file in _files_of(name)]
    kinds = {_kind_of(file): file for file in files}
    if set(kinds) == {Records, None}:
        del kinds[None]  # files of no record
    if None in kinds:
        raise ValueError(f"{kinds[None]!r} is empty, a file of 0 bytes. Leave it out.")
    if len(kinds) > 1:
        told = " and ".join(f"{name!r}" for name in kinds.values())
        raise ValueError(
            f"All files of a source must be of one kind, but {told} are of different "
            "ones. Name files of one kind."
        )
    (kind,) = kinds
    return kind(files, image_column, id_column)


def _names(source: Any) -> list[str]:
    """Returns what a user names, as texts."""
    one = isinstance(source, str | os.PathLike)
    given = [source] if one else source
    if not isinstance(given, Sequence) or not given or isinstance(given, bytes):
        raise TypeError(
            f"A source of images must be named. {_KNOWN} Received: {source!r}"
        )
    names = []
    for name in given:
        if not isinstance(name, str | os.PathLike):
            raise TypeError(f"{_KNOWN} Received: {name!r}")
        if not os.fspath(name):
            raise ValueError(f"The name of the source is empty. {_KNOWN}")
        names.append(os.fspath(name))
    if len(set(names)) < len(names):
        double = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{double!r} stands twice among the files; name it once.")
    return names


def _files_of(name: str) -> list[str]:
    if places.is_file(name):
        return [name]
    if places.is_folder(name):
        raise ValueError(
            f"{name!r} is a folder. One folder of images is a source by itself; "
            "beside others, name files."
        )
    found = places.expanded(name) if any(letter in name for letter in "*?[") else []
    if not found:
        raise FileNotFoundError(f"There is no {name!r}. {_KNOWN}")
    return found


def _kind_of(file: str) -> type[Records] | type[ParquetTable] | type[CsvTable] | None:
    """Returns the source for a file of this kind; None for an empty file."""
    with places.open_file(file) as opened:
        head = opened.read(12)
    if not head:
        return None
    if head.startswith(b"PAR1"):
        return ParquetTable
    if is_records(head):
        return Records
    if file.lower().endswith((".csv", ".tsv", ".txt")):
        return CsvTable
    kind = None if places.is_address(file) else of_file(file)
    if kind is not None:
        known = f"{_KNOWN[0].lower()}{_KNOWN[1:-1]}"  # within a sentence
        raise ValueError(sentence(repr(file), kind, "", known))
    raise ValueError(
        f"{file!r} holds neither TFRecords nor Parquet, and is not called .csv. If its "
        f"TFRecords are packed, unpack them. {_KNOWN}"
    )
