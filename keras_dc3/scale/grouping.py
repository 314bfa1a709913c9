"""The groups of a run, made of some passes over its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

from keras_dc3._text import number_of
from keras_dc3.proposals import Proposals
from keras_dc3.proposals.groups import (
    CLUSTER,
    MEDOIDS,
    Near,
    ProposalGroup,
    are_alike,
    distances_to,
    group_of,
    near_groups,
    suggest,
    title_of,
    typical,
)
from keras_dc3.scale.blocks import Block, Blocks
from keras_dc3.scale.distant_ids import DistantIds
from keras_dc3.scale.layout import KEPT, Layout, means_of, parts_of, probability_of

_FLOAT32, _WORK = 4, 32  # bytes of a number of an embedding, read and worked on


class Order(NamedTuple):
    """How the images of a group are in order.

    medoids: positions. first, last: those of up to 100 images. place: (d,) float64, the
    embedding of the first medoid; None without.
    """

    medoids: np.ndarray
    first: np.ndarray
    last: np.ndarray
    place: np.ndarray | None = None


class Grouping:
    """The groups of a run.

    Args:
        blocks: its files.
        memory: bytes that embeddings may take at once.
    """

    def __init__(self, blocks: Blocks, memory: int):
        self._blocks, self._memory = blocks, memory
        self._orders: dict[int, Order] = {}
        self._last_read: tuple[int, tuple[str, ...]] | None = None

    @cached_property
    def layout(self) -> Layout:
        """What one pass over all files counts."""
        return Layout.of(self._blocks)

    @cached_property
    def _near(self) -> Near:
        return near_groups(self.layout.keys, means_of(self._blocks, self.layout))

    @cached_property
    def groups(self) -> tuple[ProposalGroup, ...]:
        """The groups, as `Proposals.groups` has them."""
        layout = self.layout
        suggestions = dict(self._work(range(len(layout.keys)), suggestions=True))
        ends = self._ids_at_hand()
        return tuple(
            group_of(
                key,
                self._blocks.class_names,
                layout.mixtures[number],
                self._ids(number, ends),
                tuple(ends[row] for row in self._orders[number].medoids),
                tuple((*layout.keys[i], far) for i, far in self._near.groups[number]),
                suggestions[number],
            )
            for number, key in enumerate(layout.keys)
        )

    def order_values(
        self, number: int, rows: np.ndarray, some: Block | Proposals
    ) -> np.ndarray:
        """Returns (m,), by which images of a group are in order, the least value first.

        Args:
            number: of the group.
            rows: (m,) positions of the images.
            some: has the values of these images, as `Proposals` and blocks do.
        """
        if not self._blocks.has_embeddings:
            return -probability_of(self.layout.keys[number], some)
        order = self._orders[number]
        points = some.embeddings.astype("float64")
        return distances_to(order.place, points, rows == order.medoids[0])

    def find_medoids(self, numbers: Iterable[int]) -> None:
        """Finds what `order_values` needs to know of some groups."""
        missing = [number for number in numbers if number not in self._orders]
        for _ in self._work(missing, suggestions=False):
            pass

    def _ids_at_hand(self) -> dict[int, str]:
        """Returns position -> id, of the ends of all groups."""
        orders = self._orders.values()
        parts = [rows for order in orders for rows in order[:3]] or [np.empty(0, int)]
        rows = np.unique(np.concatenate(parts))
        return dict(zip(rows.tolist(), self._blocks.ids_at(rows), strict=True))

    def _ids(self, number: int, ends: dict[int, str]) -> DistantIds:
        order = self._orders[number]
        return DistantIds(
            self.layout.sizes[number],
            [ends[row] for row in order.first],
            [ends[row] for row in order.last],
            lambda: self._read_ids(number),
        )

    def _read_ids(self, number: int) -> tuple[str, ...]:
        """Returns all ids of a group; those of the last one are kept."""
        if self._last_read is None or self._last_read[0] != number:
            values, rows = [], []
            for block in self._blocks.read(embeddings=True):
                inside = dict(parts_of(block)).get(self.layout.keys[number])
                if inside is not None:
                    rows.append(block.rows[inside])
                    part = block.part(inside)
                    values.append(self.order_values(number, rows[-1], part))
            order = np.argsort(np.concatenate(values), kind="stable")
            found = self._blocks.ids_at(np.concatenate(rows)[order])
            self._last_read = (number, tuple(found))
        return self._last_read[1]

    def _work(
        self, numbers: Iterable[int], suggestions: bool
    ) -> Iterator[tuple[int, str | None]]:
        """Finds the orders of some groups, and yields (number, suggestion) of each."""
        if self._blocks.has_embeddings:
            for batch in self._batches(numbers, suggestions):
                yield from self._of_batch(batch, suggestions)
            return
        for number in numbers:
            ends = self.layout.ends[number]
            self._orders[number] = Order(ends.first[:MEDOIDS], ends.first, ends.last)
            yield number, None

    def _of_batch(
        self, batch: dict[int, set[int]], suggestions: bool
    ) -> Iterator[tuple[int, str | None]]:
        layout = self.layout
        found = self._gathered(set().union(*batch.values()))

        def points_of(number: int) -> np.ndarray:
            return found[number][1].astype("float64") - layout.middle

        for number in batch:
            rows, points = found[number]
            order, inner = typical(None, points)
            place = points[inner[0]].astype("float64")
            ends = (rows[order[:KEPT]], rows[order[-KEPT:]])
            self._orders[number] = Order(rows[inner], *ends, place)
            told = None
            if suggestions and layout.keys[number][0] == CLUSTER:
                near = self._near.clusters[number]
                told = suggest(number, near, layout.keys, layout.mixtures, points_of)
            yield number, told

    def _batches(
        self, numbers: Iterable[int], suggestions: bool
    ) -> Iterator[dict[int, set[int]]]:
        """Yields (number -> numbers whose embeddings it needs) of what fits together.

        Raises:
            ValueError: if a group alone does not fit.
        """
        batch: dict[int, set[int]] = {}
        for number in numbers:
            needed = {number}
            if suggestions and self.layout.keys[number][0] == CLUSTER:
                near = self._near.clusters[number]
                alike = (are_alike(self.layout.mixtures, number, one) for one in near)
                needed |= {one for one, is_it in zip(near, alike, strict=True) if is_it}
            if self._bytes(needed) > self._memory:
                self._refuse(number, needed)
            if batch and self._bytes(needed.union(*batch.values())) > self._memory:
                yield batch
                batch = {}
            batch[number] = needed
        if batch:
            yield batch

    def _bytes(self, numbers: set[int]) -> int:
        sizes = [self.layout.sizes[number] for number in numbers]
        return self._blocks.width * (_FLOAT32 * sum(sizes) + _WORK * max(sizes))

    def _refuse(self, number: int, needed: set[int]) -> None:
        title = title_of(self.layout.keys[number], self._blocks.class_names)
        images = number_of(self.layout.sizes[number], "image")
        takes, has = self._bytes(needed) / 2**20, self._memory / 2**20
        raise ValueError(
            f"To order the {images} of {title!r} by their embeddings of "
            f"{self._blocks.width:,} numbers takes {takes:,.0f} MiB of memory, and "
            f"`memory` allows {has:,.0f} MiB. Allow more, or pass `embeddings=False`, "
            "by which images are ordered by their probabilities."
        )

    def _gathered(self, numbers: set[int]) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """Returns number -> (positions (m,), embeddings (m, d)) of some groups."""
        layout, width = self.layout, self._blocks.width
        number_of_key = {layout.keys[number]: number for number in numbers}
        found = {
            number: (
                np.empty(layout.sizes[number], "int64"),
                np.empty((layout.sizes[number], width), "float32"),
            )
            for number in numbers
        }
        filled = dict.fromkeys(numbers, 0)
        for block in self._blocks.read(embeddings=True):
            for key, inside in parts_of(block):
                number = number_of_key.get(key)
                if number is None:
                    continue
                part = slice(filled[number], filled[number] + len(inside))
                found[number][0][part] = block.rows[inside]
                found[number][1][part] = block.embeddings[inside]
                filled[number] = part.stop
        return found
