"""How many images each group has, and of which classes: sums over all files. NumPy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from keras_dc3._decision import is_certain
from keras_dc3.proposals import Proposals
from keras_dc3.proposals.geometry import total
from keras_dc3.proposals.groups import CLASS, CLUSTER, members_of, proposed_class
from keras_dc3.proposals.summary import Tally
from keras_dc3.scale.blocks import Block, Blocks

KEPT = 100  # images of each end of a group whose ids are at hand


class _Sums:
    """Of one group: images, sums of probabilities, and the ends of its order."""

    def __init__(self, k: int):
        self.number = 0
        self.of_classes = np.zeros(k, "int64")
        self.p: np.ndarray | None = None
        self.place: np.ndarray | None = None
        self.ends = Ends()

    def add(self, block: Block, rows: np.ndarray) -> None:
        self.number += len(rows)
        self.of_classes += np.bincount(
            block.class_index[rows], minlength=self.of_classes.size
        )
        self.p = total(block.class_probabilities[rows], self.p)


class Ends:
    """The first and the last images of a group, by values that begin with the least.

    Attributes:
        first, last: positions of up to 100 images, in order.
    """

    def __init__(self):
        self._first = self._last = (np.empty(0), np.empty(0, "int64"))

    def add(self, values: np.ndarray, rows: np.ndarray) -> None:
        """Adds images, whose positions are above those before."""
        for part, name in (
            (slice(None, KEPT), "_first"),
            (slice(-KEPT, None), "_last"),
        ):
            before = getattr(self, name)
            both = [
                np.concatenate(pair)
                for pair in zip(before, (values, rows), strict=True)
            ]
            order = np.argsort(both[0], kind="stable")[part]
            setattr(self, name, (both[0][order], both[1][order]))

    @property
    def first(self) -> np.ndarray:
        return self._first[1]

    @property
    def last(self) -> np.ndarray:
        return self._last[1]


@dataclass(frozen=True, eq=False)
class Layout:
    """The groups of a run, in the order of `Proposals.groups`.

    Attributes:
        keys: (kind, index) of each. sizes: images of each.
        mixtures: of each, the mean of the class probabilities (k,).
        ends: of each, its first and last images, by probability.
        tally: what `Proposals.summary` counts.
        middle: (d,), the mean of all embeddings; None without.
    """

    keys: list[tuple[str, int]]
    sizes: list[int]
    mixtures: list[np.ndarray]
    ends: list[Ends]
    tally: Tally
    middle: np.ndarray | None

    @classmethod
    def of(cls, blocks: Blocks) -> Layout:
        """Reads all files once."""
        k = len(blocks.class_names)
        sums: dict[tuple[str, int], _Sums] = {}
        places: np.ndarray | None = None
        for block in blocks.read(embeddings=True):
            if block.embeddings is not None and len(block):
                places = total(block.embeddings.astype("float64"), places)
            for key, rows in parts_of(block):
                one = sums.setdefault(key, _Sums(k))
                one.add(block, rows)
                if not blocks.has_embeddings:
                    one.ends.add(-probability_of(key, block)[rows], block.rows[rows])
        keys = sorted(
            sums, key=lambda key: (key[0] != CLASS, -sums[key].number, key[1])
        )
        found = [sums[key] for key in keys]
        return cls(
            keys,
            [one.number for one in found],
            [one.p / one.number for one in found],
            [one.ends for one in found],
            _tally(sums, k),
            None if places is None else places / len(blocks),
        )

    @cached_property
    def proposed(self) -> np.ndarray:
        """The class that each group proposes, int (g,)."""
        pairs = zip(self.keys, self.mixtures, strict=True)
        return np.array([proposed_class(*pair) for pair in pairs], "int64")

    @cached_property
    def _numbers(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Kind -> its indices in rising order, and the numbers of these groups."""
        found = {}
        for kind in (CLASS, CLUSTER):
            pairs = sorted(
                (index, n) for n, (of, index) in enumerate(self.keys) if of == kind
            )
            indices, numbers = np.array(pairs, "int64").reshape(-1, 2).T
            found[kind] = (indices, numbers)
        return found

    def number_of(self, block: Block) -> np.ndarray:
        """Returns (n,), the number of the group of each image."""
        certain = is_certain(block.ambiguity)
        numbers = np.empty(len(block), "int64")
        for kind, chosen, of in (
            (CLASS, certain, block.class_index),
            (CLUSTER, ~certain, block.cluster),
        ):
            indices, of_kind = self._numbers[kind]
            numbers[chosen] = of_kind[np.searchsorted(indices, of[chosen])]
        return numbers


def parts_of(block: Block) -> Iterable[tuple[tuple[str, int], np.ndarray]]:
    """Yields ((kind, index), rows within the block) of each group in it."""
    certain = is_certain(block.ambiguity)
    for kind, index, rows in (
        *members_of(CLASS, certain, block.class_index),
        *members_of(CLUSTER, ~certain, block.cluster),
    ):
        yield (kind, index), rows


def probability_of(key: tuple[str, int], block: Block | Proposals) -> np.ndarray:
    """Returns (n,), by which images of such a group are in order, the largest first."""
    is_class = key[0] == CLASS
    return block.class_probability if is_class else block.cluster_probability


def means_of(blocks: Blocks, layout: Layout) -> Sequence[np.ndarray]:
    """Returns the mean (d,) of each group's embeddings around that of all.

    Without embeddings, those of the class probabilities. It reads all files once.
    """
    if layout.middle is None:
        return layout.mixtures
    sums: dict[tuple[str, int], np.ndarray] = {}
    for block in blocks.read(embeddings=True):
        places = block.embeddings.astype("float64") - layout.middle
        for key, rows in parts_of(block):
            sums[key] = total(places[rows], sums.get(key))
    pairs = zip(layout.keys, layout.sizes, strict=True)
    return [sums[key] / size for key, size in pairs]


def _tally(sums: dict[tuple[str, int], _Sums], k: int) -> Tally:
    per_class = np.zeros(k, "int64")
    for (kind, index), one in sums.items():
        if kind == CLASS:
            per_class[index] = one.number
    clusters = sorted(index for kind, index in sums if kind == CLUSTER)
    per_cluster = [sums[CLUSTER, index].of_classes for index in clusters]
    return Tally(
        per_class,
        np.array(clusters, "int64"),
        np.array(per_cluster, "int64").reshape(len(clusters), k),
    )
