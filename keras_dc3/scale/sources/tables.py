"""Parquet and CSV files of paths, or of encoded images, as a source."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from keras_dc3._names import is_picture, trimmed
from keras_dc3._text import number_of
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
        self.files, self.parts = list(files), len(files)
        place = repr(self.files[0])
        what = "the images or their paths"
        sought = Sought(what, image_column, _IMAGES, "image_column")
        self._image = sought.needed_among(columns, place)
        self._id = _id_column(id_column).among(columns, place)
        self.columns = {"image_column": self._image, "id_column": self._id}

    def _check_same(self, name: str, columns: Sequence[str]) -> None:
        """Raises ValueError if a further file lacks a chosen column, or has two."""
        for column in filter(None, (self._image, self._id)):
            number = columns.count(column)
            if number != 1:
                raise ValueError(
                    f"{name!r} has {number or 'no'} "
                    f"column {column!r}, of which {self.files[0]!r} has one. Give "
                    "tables of the same columns."
                )

    def fingerprint(self) -> str:
        """Returns what changes with names, sizes and times of the tables.

        Not of image files that they name.
        """
        return digest((os.path.basename(name), *stamp(name)) for name in self.files)

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
        total, schemas = 0, []
        for name in files:
            with open_file(name) as file:
                found = self._opened(name, file)
                total += found.metadata.num_rows
                schemas.append(found.schema_arrow)
        super().__init__(files, schemas[0].names, image_column, id_column)
        self.total = total
        for name, schema in zip(files, schemas, strict=True):
            self._check_same(name, schema.names)
            self._check_types(name, schema)

    def _opened(self, name: str, file: Any) -> Any:
        pa, pq = pyarrow()
        try:
            return pq.ParquetFile(file)
        except (pa.ArrowException, OSError) as error:
            raise ValueError(
                f"{name!r} is no complete Parquet file ({error}). Is it cut off?"
            ) from error

    def _check_types(self, name: str, schema: Any) -> None:
        """Raises ValueError for columns that can hold neither images nor ids."""
        types = pyarrow()[0].types
        image = _values(schema.field(self._image).type)
        of_dicts = types.is_struct(image)  # as data sets of Hugging Face have it
        parts = {field.name for field in image} if of_dicts else set()
        if not (_is_text(image) or _is_bytes(image) or types.is_null(image)) and not (
            {"bytes", "path"} & parts
        ):
            raise ValueError(
                f"The column {self._image!r} of {name!r} holds {image}, where paths or "
                "encoded images are expected: texts, bytes, or both as Hugging Face "
                "stores them. Name another as `image_column`."
            )
        if self._id is None:
            if self._holds_bytes(image):
                raise _id_column(None).not_among(schema.names, repr(name))
            return
        named = _values(schema.field(self._id).type)
        if not (
            _is_text(named)
            or _is_bytes(named)
            or types.is_integer(named)
            or types.is_null(named)
        ):
            raise ValueError(
                f"The column {self._id!r} of {name!r} holds {named}, where ids are "
                "expected: texts or whole numbers. Store them so, or name another as "
                "`id_column`."
            )

    def _holds_bytes(self, kind: Any) -> bool:
        kind = _values(kind)
        return not (_is_text(kind) or pyarrow()[0].types.is_null(kind))

    def items(self, start: int) -> Iterator[Item]:
        """Yields the images of all rows, from a position on."""
        for name in self.files:
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
        name = self.files[part]
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
        name = self.files[piece.part]
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


def _values(kind: Any) -> Any:
    """Returns the type of the values of a column that lists each of them once."""
    return kind.value_type if pyarrow()[0].types.is_dictionary(kind) else kind


def _is_text(kind: Any) -> bool:
    return str(kind) in ("string", "large_string", "string_view")


def _is_bytes(kind: Any) -> bool:
    return str(kind).partition("[")[0] in (
        "binary",
        "large_binary",
        "binary_view",
        "fixed_size_binary",
    )


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
        headers = [_header(name) for name in files]
        super().__init__(files, headers[0], image_column, id_column)
        for name, header in zip(files, headers, strict=True):
            self._check_same(name, header)

    def items(self, start: int) -> Iterator[Item]:
        """Yields the images of all rows, from a position on."""
        items = (item for name in self.files for item in self._items(name))
        yield from islice(items, start, None)

    def pieces(self, part: int, size: int) -> Iterator[Piece]:
        """Yields the rows of a file in pieces that name the images."""
        return named(self._items(self.files[part]), part, size)

    def read(self, piece: Piece) -> Iterator[Item]:
        """Yields the images that a piece names."""
        return iter(piece.where)

    def _items(self, name: str) -> Iterator[Item]:
        """Yields the images of a file."""
        rows = _rows(name)
        header = next(rows, [])
        image = header.index(self._image)
        own = image if self._id is None else header.index(self._id)
        for number, row in enumerate(row for row in rows if any(row)):
            cells = [row[i] if i < len(row) else "" for i in (image, own)]
            item = self._item(name, *cells, number)
            if any(row[len(header) :]):  # which cells are meant nobody knows
                place = f"{os.path.basename(name)}, row {number}"
                reason = (
                    f"its row has {number_of(len(row), 'cell')} below "
                    f"{number_of(len(header), 'column')}; cells that hold a separator "
                    "need quotation marks"
                )
                item = Item(place, None, reason)
            yield item


def _header(name: str) -> list[str]:
    """Returns the names of the columns of a CSV file.

    Raises:
        ValueError: if it begins with a path.
    """
    header = next(_rows(name), [])
    pictures = list(filter(is_picture, header))
    if pictures:
        raise ValueError(
            f"{name!r} begins with {pictures[0]!r}, where the names of its columns are "
            "expected. Write a first line with these, such as path or path,id."
        )
    return header


def _rows(name: str) -> Iterator[list[str]]:
    """Yields the rows of a CSV file, names of columns first; empty lines are empty.

    Blanks around a cell are no part of it, as in tables of annotations.

    Raises:
        ValueError: where it cannot be read further.
    """
    number = 0
    with io.TextIOWrapper(open_file(name), encoding="utf-8-sig", newline="") as file:
        try:
            first = file.readline()
            separator = max(_SEPARATORS, key=first.count)
            lines = chain([first], file)
            for row in csv.reader(
                lines, delimiter=separator, skipinitialspace=True, strict=True
            ):
                number += 1
                yield list(map(trimmed, row))
        except (UnicodeDecodeError, csv.Error) as error:
            reason, remedy = str(error), "Is a quotation mark left open?"
            if isinstance(error, UnicodeDecodeError):
                reason, remedy = "it is no text in UTF-8", "Save it as UTF-8."
            raise ValueError(
                f"{name!r} cannot be read beyond row {number:,} ({reason}). {remedy}"
            ) from error
