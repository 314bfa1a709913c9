"""Proposals as a Parquet file. pyarrow is imported when one is written or read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from keras_dc3._extras import optional
from keras_dc3._kinds import Kind, check_file, is_table, of_file, sentence
from keras_dc3._writing import whole_file
from keras_dc3.metrics import Verdict
from keras_dc3.proposals.columns import (
    class_names_of,
    columns_of,
    not_unicode,
    read_columns,
)
from keras_dc3.proposals.data import ProposalData

_EMBEDDING = "embedding"
_VERDICT = b"keras_dc3.verdict"  # key of the file's metadata
_OTHERWISE = "give the file that `proposals.to_parquet(...)` wrote"


def write(
    data: ProposalData,
    path: str | os.PathLike,
    kept: Mapping[bytes, bytes] | None = None,
) -> str:
    """Writes one row per image. See `Proposals.to_parquet`.

    Args:
        data: the rows.
        path: the file.
        kept: further metadata of the file.

    Returns:
        The SHA-256 of the file, of what was handed to the disk.
    """
    pa, pq = pyarrow()
    texts = {"id", "decision", "class"}
    try:
        columns = {
            name: pa.array(values, pa.string() if name in texts else None)
            for name, values in columns_of(data).items()
        }
        if data.embeddings is not None:
            flat = pa.array(data.embeddings.ravel())
            width = data.embeddings.shape[1]
            columns[_EMBEDDING] = pa.FixedSizeListArray.from_arrays(flat, width)
        table = pa.Table.from_arrays(list(columns.values()), list(columns))
    except UnicodeEncodeError as error:
        raise not_unicode(error) from error
    kept = dict(kept or {})
    if data.verdict is not None:
        kept[_VERDICT] = data.verdict.to_json().encode()
    if kept:
        table = table.replace_schema_metadata(kept)
    with whole_file(path, "wb") as file:
        summed = _Summed(file)
        pq.write_table(table, summed)
    return summed.checksum()


class _Summed:
    """A file that is written from front to back, and the SHA-256 of what it got."""

    closed = False

    def __init__(self, file: IO[bytes]):
        self._file, self._sum = file, hashlib.sha256()

    def write(self, data: Any) -> int:
        self._sum.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def checksum(self) -> str:
        return self._sum.hexdigest()


def read(path: str | os.PathLike) -> dict[str, Any]:
    """Reads what `write` wrote, as arguments of `Proposals.from_columns`.

    Raises:
        ImportError, FileNotFoundError, ValueError: see `Proposals.from_parquet`.
    """
    pa, pq = pyarrow()
    path = os.fspath(path)
    check_file(path)
    try:
        with open(path, "rb") as file:
            table = pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of `open`
        _refuse_others(path)
        raise ValueError(
            f"{path!r} is no complete Parquet file ({error}). Is it cut off?"
        ) from error
    return _Columns(pa, path, table).arguments()


def _refuse_others(path: str) -> None:
    """Raises ValueError if a file is of another kind, and says which."""
    kind = of_file(path)
    if kind is None:
        with open(path, encoding="utf-8", errors="replace") as file:
            if is_table(file.read(20_000)):
                kind = Kind("a table of text (CSV)", reader="Proposals.from_csv")
    if kind and "Parquet" not in kind.what:
        it = f"{path!r} is no complete Parquet file; it"
        raise ValueError(sentence(it, kind, "", _OTHERWISE))


class _Columns:
    """Checked columns of a table. Every error names the file, and the row if any."""

    def __init__(self, pa: Any, path: str, table: Any):
        self._pa, self._path, self._table = pa, path, table

    def arguments(self) -> dict[str, Any]:
        """Returns the arguments of `Proposals.from_columns`."""
        hint = "It must be a file written by `proposals.to_parquet(...)`."
        class_names = class_names_of(self._path, self._table.column_names, hint)
        found = read_columns(
            self._path,
            lambda row: f"row {row}",
            class_names,
            self._texts,
            self._numbers,
        )
        return {**found, "embeddings": self._embeddings(), "verdict": self._verdict()}

    def _verdict(self) -> Verdict | None:
        kept = (self._table.schema.metadata or {}).get(_VERDICT)
        try:
            return None if kept is None else Verdict.from_json(kept)
        except ValueError as error:
            raise ValueError(f"{self._path!r}: {error}") from error

    def _texts(self, name: str) -> list[str]:
        column = self._complete(name)
        kind = getattr(column.type, "value_type", column.type)  # of categories
        if not (self._pa.types.is_string(kind) or self._pa.types.is_large_string(kind)):
            raise ValueError(
                f"{self._path!r}: `{name}` must be text. Found: {column.type}. Numbers "
                "lose their leading zeros; write text."
            )
        return column.to_pylist()

    def _numbers(self, name: str, whole: bool = False) -> np.ndarray:
        column = self._complete(name)
        kind = self._pa.int64() if whole else self._pa.float64()
        try:
            return column.cast(kind).to_numpy()
        except (self._pa.ArrowInvalid, self._pa.ArrowNotImplementedError) as error:
            expected = "whole numbers" if whole else "numbers"
            raise ValueError(
                f"{self._path!r}: `{name}` must be {expected}. Found: {column.type} "
                f"({error})."
            ) from error

    def _embeddings(self) -> np.ndarray | None:
        if _EMBEDDING not in self._table.column_names:
            return None
        column = self._complete(_EMBEDDING)
        try:
            lists = column.cast(self._pa.list_(self._pa.float32())).combine_chunks()
        except (self._pa.ArrowInvalid, self._pa.ArrowNotImplementedError) as error:
            raise ValueError(
                f"{self._path!r}: `{_EMBEDDING}` must be lists of numbers. Found: "
                f"{column.type}."
            ) from error
        lengths = np.array([len(row) for row in lists], "int64")
        if not len(lengths):
            width = getattr(column.type, "list_size", 1)
            return np.zeros((0, max(1, width)), "float32")
        odd = np.flatnonzero(lengths != lengths[0])
        if odd.size:
            self._fail(
                int(odd[0]),
                f"`{_EMBEDDING}` has {lengths[odd[0]]} numbers, but {lengths[0]} in "
                "row 0.",
            )
        return lists.flatten().to_numpy().reshape(len(lengths), lengths[0])

    def _complete(self, name: str) -> Any:
        column = self._table.column(name)
        if column.null_count:
            missing = np.array(column.is_null().to_pylist())
            self._fail(int(missing.argmax()), f"`{name}` is missing; complete the row.")
        return column

    def _fail(self, row: int, problem: str) -> None:
        raise ValueError(f"{self._path!r}, row {row}: {problem}")


def pyarrow() -> tuple[Any, Any]:
    """Returns `pyarrow` and `pyarrow.parquet`; ImportError that names the extra."""
    needs = "Parquet files need pyarrow"
    return tuple(optional(m, needs, "parquet") for m in ("pyarrow", "pyarrow.parquet"))
