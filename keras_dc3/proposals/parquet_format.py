"""Proposals as a Parquet file. pyarrow is imported when one is written or read."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_dc3._file_kinds import Kind, check_file, sentence
from keras_dc3._text_kinds import is_table, of_file
from keras_dc3._writing import whole_file
from keras_dc3.metrics import Verdict
from keras_dc3.proposals.csv_format import COLUMNS, TOLERANCE
from keras_dc3.proposals.proposal import AMBIGUOUS, CERTAIN, THRESHOLD

if TYPE_CHECKING:
    from keras_dc3.proposals.proposals import Proposals

EMBEDDING = "embedding"
_VERDICT = b"keras_dc3.verdict"  # key of the file's metadata
_OTHERWISE = "give the file that `proposals.to_parquet(...)` wrote"


def to_parquet(proposals: Proposals, path: str | os.PathLike) -> None:
    """Writes one row per image to a Parquet file.

    The columns are those of `to_csv`, then `embedding`, a list of float32, if the
    proposals have any. The metadata hold the verdict, if there is one. The file is
    complete or not there.

    Args:
        path: the file. Its folder is created if missing; an old file is replaced.

    Raises:
        ImportError: without pyarrow.
        OSError: if it cannot be written.
        ValueError: if an id or class name is no valid Unicode text.
    """
    pa, pq = _pyarrow()
    arrays = [
        list(proposals.ids),
        proposals.ambiguity,
        proposals.decision.tolist(),
        proposals.class_name.tolist(),
        proposals.class_probability,
        proposals.cluster,
        proposals.cluster_probability,
        *np.ascontiguousarray(proposals.class_probabilities.T),
    ]
    names = [*COLUMNS, *(f"p({name})" for name in proposals.class_names)]
    texts = {"id", "decision", "class"}
    try:
        columns = [
            pa.array(values, pa.string() if name in texts else None)
            for name, values in zip(names, arrays, strict=True)
        ]
        if proposals.embeddings is not None:
            names.append(EMBEDDING)
            flat = pa.array(proposals.embeddings.ravel())
            width = proposals.embeddings.shape[1]
            columns.append(pa.FixedSizeListArray.from_arrays(flat, width))
        table = pa.Table.from_arrays(columns, names)
    except UnicodeEncodeError as error:
        raise ValueError(
            "Ids and class names must be valid Unicode text to be written as UTF-8, "
            f"but one holds {error.object[error.start : error.end]!r}. Rename it."
        ) from error
    if proposals.verdict is not None:
        kept = {_VERDICT: proposals.verdict.to_json().encode()}
        table = table.replace_schema_metadata(kept)
    with whole_file(path, "wb") as file:
        pq.write_table(table, file)


def from_parquet(cls: type[Proposals], path: str | os.PathLike) -> Proposals:
    """Reads proposals that `to_parquet` wrote, or another program since.

    Further columns are ignored, the order of the columns is free, and `embedding` may
    be missing. `cluster_probabilities` is None, as after `from_csv`.

    Args:
        path: the file.

    Raises:
        ImportError: without pyarrow.
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not what `to_parquet` writes: it names the row, from
            0 on.
    """
    pa, pq = _pyarrow()
    name = os.fspath(path)
    check_file(name)
    try:
        with open(name, "rb") as file:
            table = pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of `open`
        _refuse_others(name)
        raise ValueError(
            f"{name!r} is no complete Parquet file ({error}). Is it cut off?"
        ) from error
    columns = _Columns(pa, name, table)
    try:
        return cls.from_columns(**columns.arguments())
    except ValueError as error:
        if str(error).startswith(repr(name)):
            raise
        raise ValueError(f"{name!r}: {error}") from error


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
        names = table.column_names
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(
                f"{path!r} has more than one column {doubled[0]!r}; remove one."
            )
        missing = [name for name in COLUMNS if name not in names]
        self._probabilities = [n for n in names if n.startswith("p(") and n[-1] == ")"]
        if not self._probabilities:
            missing.append("p(<class name>)")
        if missing:
            raise ValueError(
                f"{path!r} lacks the columns {missing}. It must be a file written by "
                "`proposals.to_parquet(...)`."
            )

    def arguments(self) -> dict[str, Any]:
        """Returns the arguments of `Proposals.from_columns`."""
        pa = self._pa
        ids = self._texts("id")
        class_names = [name[2:-1] for name in self._probabilities]
        p = np.stack([self._numbers(n, pa.float64()) for n in self._probabilities], 1)
        ambiguity = self._numbers("ambiguity", pa.float64())
        first: dict[str, int] = {}
        for row, name in enumerate(ids):
            if not name:
                self._fail(row, "`id` is empty; name the image.")
            if first.setdefault(name, row) != row:
                self._fail(row, f"the id {name!r} stands in row {first[name]} already.")
        totals = p.sum(axis=1)
        self._refuse(
            ~(np.abs(totals - 1.0) <= TOLERANCE),
            lambda i: f"the class probabilities sum to {totals[i]:.4g} and not to 1.",
        )
        self._refuse(
            ~((ambiguity >= 0) & (ambiguity <= 1)),
            lambda i: f"`ambiguity` must be a number in 0..1. Found: {ambiguity[i]}",
        )
        decision = np.where(ambiguity < THRESHOLD, CERTAIN, AMBIGUOUS)
        written = np.array(self._texts("decision"), object)
        self._refuse(
            written != decision,
            lambda i: (
                f"`decision` is {written[i]!r}, but with an ambiguity of "
                f"{ambiguity[i]} it must be {str(decision[i])!r}. Correct one of them."
            ),
        )
        likeliest = np.array(class_names, object)[p.argmax(axis=1)]
        named = np.array(self._texts("class"), object)
        self._refuse(
            named != likeliest,
            lambda i: (
                f"`class` is {named[i]!r}, but the largest probability is that of "
                f"{likeliest[i]!r}. This file holds proposals; put corrected labels "
                "into a file of annotations."
            ),
        )
        of_class = self._numbers("class_probability", pa.float64())
        self._refuse(
            ~(np.abs(of_class - p.max(axis=1)) <= TOLERANCE),
            lambda i: (
                f"`class_probability` is {of_class[i]}, but `p({named[i]})` is "
                f"{p[i].max()}; they must agree."
            ),
        )
        return {
            "ids": ids,
            "ambiguity": ambiguity,
            "class_probabilities": p,
            "cluster": self._numbers("cluster", pa.int64()),
            "cluster_probability": self._numbers("cluster_probability", pa.float64()),
            "class_names": class_names,
            "embeddings": self._embeddings(),
            "verdict": self._verdict(),
        }

    def _verdict(self) -> Verdict | None:
        kept = (self._table.schema.metadata or {}).get(_VERDICT)
        return None if kept is None else Verdict.from_json(kept)

    def _texts(self, name: str) -> list[str]:
        column = self._complete(name)
        kind = getattr(column.type, "value_type", column.type)  # of categories
        if not (self._pa.types.is_string(kind) or self._pa.types.is_large_string(kind)):
            raise ValueError(
                f"{self._path!r}: `{name}` must be text. Found: {column.type}. Numbers "
                "lose their leading zeros; write text."
            )
        return column.to_pylist()

    def _numbers(self, name: str, kind: Any) -> np.ndarray:
        column = self._complete(name)
        try:
            return column.cast(kind).to_numpy()
        except (self._pa.ArrowInvalid, self._pa.ArrowNotImplementedError) as error:
            expected = "whole numbers" if kind == self._pa.int64() else "numbers"
            raise ValueError(
                f"{self._path!r}: `{name}` must be {expected}. Found: {column.type} "
                f"({error})."
            ) from error

    def _embeddings(self) -> np.ndarray | None:
        if EMBEDDING not in self._table.column_names:
            return None
        column = self._complete(EMBEDDING)
        try:
            lists = column.cast(self._pa.list_(self._pa.float32())).combine_chunks()
        except (self._pa.ArrowInvalid, self._pa.ArrowNotImplementedError) as error:
            raise ValueError(
                f"{self._path!r}: `{EMBEDDING}` must be lists of numbers. Found: "
                f"{column.type}."
            ) from error
        lengths = np.array([len(row) for row in lists], "int64")
        if not len(lengths):
            width = getattr(column.type, "list_size", 1)
            return np.zeros((0, max(1, width)), "float32")
        self._refuse(
            lengths != lengths[0],
            lambda i: (
                f"`{EMBEDDING}` has {lengths[i]} numbers, but {lengths[0]} in row 0."
            ),
        )
        return lists.flatten().to_numpy().reshape(len(lengths), lengths[0])

    def _complete(self, name: str) -> Any:
        column = self._table.column(name)
        if column.null_count:
            missing = np.array(column.is_null().to_pylist())
            self._fail(int(missing.argmax()), f"`{name}` is missing; complete the row.")
        return column

    def _refuse(self, bad: np.ndarray, problem: Callable[[int], str]) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            self._fail(row, problem(row))

    def _fail(self, row: int, problem: str) -> None:
        raise ValueError(f"{self._path!r}, row {row}: {problem}")


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            "Parquet files need pyarrow, which is not installed: "
            'pip install "keras_dc3[parquet]"'
        ) from error
    return pyarrow, pyarrow.parquet
