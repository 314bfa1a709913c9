"""The files of a run one after the other, of each the columns that are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from keras_dc3.metrics import Verdict
from keras_dc3.proposals import Proposals, parquet_format, shards

_NUMBERS = ("ambiguity", "cluster_probability")
_AGAIN = "Call `keras-dc3 score` with this folder again: it writes that file anew."


@dataclass(frozen=True, eq=False)
class Block:
    """Rows of one file, with the values that `Proposals` would have.

    Attributes:
        start: position of the first row among all.
        class_probabilities: (n, k) float64. ambiguity, cluster_probability: (n,)
            float64. cluster: (n,) int64.
        embeddings: (n, d) float32; None if there are none, or they were not read.
        ids: an Arrow column of n; None if they were not read.
    """

    start: int
    class_probabilities: np.ndarray
    ambiguity: np.ndarray
    cluster: np.ndarray
    cluster_probability: np.ndarray
    embeddings: np.ndarray | None = None
    ids: Any = None

    def __len__(self) -> int:
        return len(self.ambiguity)

    @property
    def rows(self) -> np.ndarray:
        """(n,) positions among all, of a whole file."""
        return self.start + np.arange(len(self))

    def part(self, inside: np.ndarray) -> Block:
        """Returns some of the rows, without ids."""
        places = self.embeddings
        return Block(
            self.start,
            self.class_probabilities[inside],
            self.ambiguity[inside],
            self.cluster[inside],
            self.cluster_probability[inside],
            None if places is None else places[inside],
        )

    @cached_property
    def class_index(self) -> np.ndarray:
        """(n,) the class of the largest probability."""
        return self.class_probabilities.argmax(axis=1)

    @cached_property
    def class_probability(self) -> np.ndarray:
        """(n,) that of it."""
        return self.class_probabilities.max(axis=1)


class Blocks:
    """A folder of files that `score` has finished.

    Args:
        folder: of the run.
        embeddings: whether its embeddings are of interest.

    Attributes:
        class_names: tuple of k. verdict: on the model, or None.
        has_embeddings: whether there are some, and they are of interest.
        width: numbers of an embedding; 0 without any.

    Raises:
        ImportError: without pyarrow.
        ValueError: if the run is not finished, files are missing or of several runs.
    """

    def __init__(self, folder: str, embeddings: bool):
        self.folder = folder
        found = shards.of_one_run(folder)
        sizes = [shard.images - len(shard.failed) for shard in found]
        self._starts = np.concatenate([[0], np.cumsum(sizes, dtype="int64")])
        self._checksums = [shard.checksum for shard in found]
        self._unchecked = True
        first = next(shards.parts_of(folder, found))
        self.class_names: tuple[str, ...] = tuple(first["class_names"])
        self.verdict: Verdict | None = first["verdict"]
        self.has_embeddings = embeddings and first["embeddings"] is not None
        self.width = first["embeddings"].shape[1] if self.has_embeddings else 0

    def __len__(self) -> int:
        return int(self._starts[-1])

    def _path(self, number: int) -> str:
        return os.path.join(self.folder, shards.name_of(number))

    def __iter__(self) -> Iterator[Block]:
        """Yields all files, without ids and embeddings."""
        return self.read()

    def read(self, ids: bool = False, embeddings: bool = False) -> Iterator[Block]:
        """Yields the files, the first time after each was compared with its checksum.

        Args:
            ids, embeddings: whether to read these, too.

        Raises:
            ValueError: if one is damaged, or has other classes.
        """
        for number in range(len(self._checksums)):
            if self._unchecked:
                self._check(number)
            yield self._block(number, ids, embeddings and self.has_embeddings)
        self._unchecked = False

    def at(self, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yields (file, positions in it, places in `rows`) where there are some."""
        order = np.argsort(rows, kind="stable")
        cuts = np.searchsorted(rows[order], self._starts)
        for number, (begin, end) in enumerate(pairwise(cuts)):
            places = order[begin:end]
            if len(places):
                yield number, rows[places] - self._starts[number], places

    def ids_at(self, rows: Sequence[int] | np.ndarray) -> list[str]:
        """Returns the ids at some positions, in their order."""
        rows = np.asarray(rows, "int64")
        names = np.empty(len(rows), object)
        for number, inside, places in self.at(rows):
            column = self._table(number, ["id"]).column("id")
            names[places] = column.take(inside).to_pylist()
        return names.tolist()

    def take(self, rows: Sequence[int] | np.ndarray) -> Proposals:
        """Returns the proposals at some positions, in their order."""
        rows = np.asarray(rows, "int64")
        n = len(rows)
        names = np.empty(n, object)
        p = np.empty((n, len(self.class_names)))
        numbers = {name: np.empty(n) for name in _NUMBERS}
        cluster = np.empty(n, "int64")
        embeddings = None
        if self.has_embeddings:
            embeddings = np.empty((n, self.width), "float32")
        for number, inside, places in self.at(rows):
            block = self._block(number, True, self.has_embeddings)
            names[places] = block.ids.take(inside).to_pylist()
            p[places] = block.class_probabilities[inside]
            cluster[places] = block.cluster[inside]
            for name, values in numbers.items():
                values[places] = getattr(block, name)[inside]
            if embeddings is not None:
                embeddings[places] = block.embeddings[inside]
        return Proposals.from_columns(
            names.tolist(),
            numbers["ambiguity"],
            p,
            cluster,
            numbers["cluster_probability"],
            self.class_names,
            embeddings,
            self.verdict,
        )

    def _check(self, number: int) -> None:
        """Raises ValueError unless a file is what was written."""
        path, checksum = self._path(number), self._checksums[number]
        if checksum:
            shards.check(path, checksum)
        else:  # an earlier version has written it: its rows are looked at
            parquet_format.read(path)
        shards.check_classes(self.folder, number, self.class_names)

    def _table(self, number: int, columns: Sequence[str]) -> Any:
        pa, pq = parquet_format.pyarrow()
        path = self._path(number)
        try:
            with open(path, "rb") as file:
                found = pq.ParquetFile(file).read(list(columns))
        except FileNotFoundError as error:
            raise ValueError(f"{path!r} is missing. {_AGAIN}") from error
        except (pa.ArrowException, OSError) as error:
            raise ValueError(f"{path!r} is damaged ({error}). {_AGAIN}") from error
        expected = self._starts[number + 1] - self._starts[number]
        if found.num_rows != expected or found.num_columns != len(columns):
            raise ValueError(
                f"{path!r} has changed since it was opened. Open the folder again."
            )
        return found

    def _block(self, number: int, ids: bool, embeddings: bool) -> Block:
        pa, _ = parquet_format.pyarrow()
        named = [f"p({name})" for name in self.class_names]
        further = ["id"] * ids + ["embedding"] * embeddings
        table = self._table(number, [*named, *_NUMBERS, "cluster", *further])
        float64 = pa.float64()
        unit = {
            name: table.column(name).cast(float64).to_numpy().clip(0.0, 1.0)
            for name in (*named, *_NUMBERS)
        }
        places = None
        if embeddings:
            column = table.column("embedding").combine_chunks()
            places = column.flatten().to_numpy().reshape(table.num_rows, self.width)
        return Block(
            int(self._starts[number]),
            np.stack([unit[name] for name in named], axis=1),
            unit["ambiguity"],
            table.column("cluster").cast(pa.int64()).to_numpy(),
            unit["cluster_probability"],
            places,
            table.column("id") if ids else None,
        )
