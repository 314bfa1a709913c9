"""Parquet and CSV files of paths, or of encoded images, as a source."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from keras_dc3.proposals.parquet_format import pyarrow
from keras_dc3.scale.sources.places import beside, open_file, stamp
from keras_dc3.scale.sources.source import (
    Item,
    Piece,
    Sought,
    Source,
    as_text,
    digest,
    named,
)

_IMAGES = ("image", "path", "file", "filename", "file_name", "image_path", "bytes")
_IDS = ("id", "image_id")
_AT_ONCE = 64  # rows of a Parquet file, which may hold images
_SEPARATORS = ",;\t"


def _id_column(given: str | None) -> Sought:
    return Sought("the ids of images", given, _IDS, "id_column")


class _Table(Source):
    """Files of rows that have an image, or the path of one, and an id.

    Without a column of ids, an image's id is its path as it stands in the table.
    """

    def __init__(
        self,
        files: Sequence[str],
        columns: Sequence[str],
        image_column: str | None,
        id_column: str | None,
    ):
        super().__init__()
        self._files, self.parts = list(files), len(files)
        place = repr(self._files[0])
        what = "the images or their paths"
        sought = Sought(what, image_column, _IMAGES, "image_column")
        self._image = sought.needed_among(columns, place)
        self._id = _id_column(id_column).among(columns, place)
        self.columns = {"image_column": self._image, "id_column": self._id}

    def fingerprint(self) -> str:
        """Returns what changes with names, sizes and times of the tables.

        Not of image files that they name.
        """
        return digest((os.path.basename(name), *stamp(name)) for name in self._files)

    def _item(self, table: str, image: Any, name: Any, number: int) -> Item:
        """Returns the image of a row.

        Args:
            table: the file.
            image: what stands there of it.
            name: its id.
            number: of the row, for images without an id.
        """
        if isinstance(image, dict):  # as data sets of Hugging Face have it
            image = image.get("bytes") or image.get("path")
        if self._id is None:
            name = image
        name, reason = as_text(name)
        if not image and not reason:
            reason = f"its {self._image!r} is empty"
        if isinstance(image, str):
            image = beside(table, image)
        name = name or f"{os.path.basename(table)}, row {number}"
        return Item(name, None if reason else image, reason)


class ParquetTable(_Table):
    """Rows of Parquet files, one after the other. Needs pyarrow.

    Args:
        files: paths or addresses, in order.
        image_column: of paths, or of the bytes of image files; None for usual names.
        id_column: of ids; likewise, and paths are their own ids.
    """

    kind = "Parquet files"

    def __init__(
        self, files: Sequence[str], image_column: str | None, id_column: str | None
    ):
        self.total, schema = 0, None
        for name in files:
            with open_file(name) as file:
                found = self._opened(name, file)
                self.total += found.metadata.num_rows
                schema = schema or found.schema_arrow
        super().__init__(files, schema.names, image_column, id_column)
        if self._id is None and self._holds_bytes(schema.field(self._image).type):
            raise _id_column(id_column).not_among(schema.names, repr(files[0]))

    def _opened(self, name: str, file: Any) -> Any:
        pa, pq = pyarrow()
        try:
            return pq.ParquetFile(file)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(
                f"{name!r} is no complete Parquet file ({error}). Is it cut off?"
            ) from error

    def _holds_bytes(self, kind: Any) -> bool:
        types = pyarrow()[0].types
        return not (types.is_string(kind) or types.is_large_string(kind))

    def items(self, start: int) -> Iterator[Item]:
        """Yields the images of all rows, from a position on."""
        for name in self._files:
            with open_file(name) as file:
                table = self._opened(name, file)
                rows = table.metadata.num_rows
                if start < rows:
                    yield from self._rows(name, table, start)
            start = max(0, start - rows)

    def pieces(self, part: int, size: int) -> Iterator[Piece]:
        """Yields groups of rows that hold images, several in a piece if they are small.

        Paths are short: rows of them are divided wherever it is.
        """
        name = self._files[part]
        with open_file(name) as file:
            table = self._opened(name, file)
            if not self._holds_bytes(table.schema_arrow.field(self._image).type):
                if table.metadata.num_rows:
                    yield from named(self._rows(name, table, 0), part, size)
                return
            start = rows = 0
            for group in range(table.num_row_groups):
                rows += table.metadata.row_group(group).num_rows
                if rows >= size or (rows and group == table.num_row_groups - 1):
                    yield Piece(part, start, rows, start)
                    start, rows = start + rows, 0

    def read(self, piece: Piece) -> Iterator[Item]:
        """Yields the images of the rows of a piece."""
        if isinstance(piece.where, tuple):
            yield from piece.where
            return
        name = self._files[piece.part]
        with open_file(name) as file:
            rows = self._rows(name, self._opened(name, file), piece.where)
            yield from islice(rows, piece.images)

    def _rows(self, name: str, table: Any, start: int) -> Iterator[Item]:
        """Yields the images of a file; groups of rows before `start` are not read."""
        group, number = 0, 0
        while number + table.metadata.row_group(group).num_rows <= start:
            number += table.metadata.row_group(group).num_rows
            group += 1
        columns = [self._image, *([] if self._id is None else [self._id])]
        batches = table.iter_batches(
            _AT_ONCE, row_groups=range(group, table.num_row_groups), columns=columns
        )
        for batch in _readable(name, batches):
            images = batch.column(self._image)
            names = images if self._id is None else batch.column(self._id)
            for row in range(max(0, start - number), len(batch)):
                image, given = images[row].as_py(), names[row].as_py()
                yield self._item(name, image, given, number + row)
            number += len(batch)


def _readable(name: str, batches: Iterator[Any]) -> Iterator[Any]:
    """Yields batches of a Parquet file; the error of a damaged one names it."""
    try:
        yield from batches
    except (pyarrow()[0].ArrowException, OSError) as error:
        raise ValueError(
            f"{name!r} cannot be read ({error}). Is it damaged?"
        ) from error


class CsvTable(_Table):
    """Rows of CSV files, one after the other, which begin with names of columns.

    Args:
        files: paths or addresses, in order.
        image_column: of paths; None for the usual names.
        id_column: of ids; likewise, and paths are their own ids.
    """

    kind = "CSV files"

    def __init__(
        self, files: Sequence[str], image_column: str | None, id_column: str | None
    ):
        with _text(files[0]) as file:
            columns = next(_reader(file), [])
        super().__init__(files, columns, image_column, id_column)

    def items(self, start: int) -> Iterator[Item]:
        """Yields the images of all rows, from a position on."""
        rows = (row for name in self._files for row in self._rows(name))
        for row in islice(rows, start, None):
            yield self._item(*row)

    def pieces(self, part: int, size: int) -> Iterator[Piece]:
        """Yields the rows of a file in pieces that name the images."""
        items = (self._item(*row) for row in self._rows(self._files[part]))
        return named(items, part, size)

    def read(self, piece: Piece) -> Iterator[Item]:
        """Yields the images that a piece names."""
        return iter(piece.where)

    def _rows(self, name: str) -> Iterator[tuple[str, str, str, int]]:
        """Yields (file, image, id, number) of each row of a file."""
        with _text(name) as file:
            reader = _reader(file)
            header = next(reader, [])
            image = self._place(name, header, self._image)
            own = image if self._id is None else self._place(name, header, self._id)
            for number, row in enumerate(row for row in reader if row):
                cells = [row[i] if i < len(row) else "" for i in (image, own)]
                yield name, *cells, number

    def _place(self, name: str, header: Sequence[str], column: str) -> int:
        if column not in header:
            raise ValueError(
                f"{name!r} has no column {column!r}, which {self._files[0]!r} has. "
                "Give tables of the same columns."
            )
        return header.index(column)


def _text(name: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(open_file(name), encoding="utf-8-sig", newline="")


def _reader(file: io.TextIOWrapper) -> Iterator[list[str]]:
    first = file.readline()
    separator = max(_SEPARATORS, key=first.count)
    yield next(csv.reader([first], delimiter=separator), [])
    yield from csv.reader(file, delimiter=separator)
