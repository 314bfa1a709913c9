"""Ids of a group that are read from the files where more than its ends is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any


class DistantIds(Sequence[str]):
    """The ids of a group, of which the first and last are at hand.

    What it gives is what a tuple of all would; only those in the middle take a pass
    over the files. Slices are tuples.

    Args:
        number: of ids.
        first, last: those at hand; all, if there are no more.
        read: returns all, as a tuple.
    """

    def __init__(
        self,
        number: int,
        first: Sequence[str],
        last: Sequence[str],
        read: Callable[[], tuple[str, ...]],
    ):
        self._number, self._read = number, read
        self._first, self._last = tuple(first), tuple(last)

    def __len__(self) -> int:
        return self._number

    def __getitem__(self, asked: Any) -> Any:
        if isinstance(asked, slice):
            return self._at(range(self._number)[asked])
        return self._at([range(self._number)[asked]])[0]

    def _at(self, positions: Sequence[int]) -> tuple[str, ...]:
        begin = self._number - len(self._last)
        if all(i < len(self._first) or i >= begin for i in positions):
            first, last = self._first, self._last
            return tuple(
                first[i] if i < len(first) else last[i - begin] for i in positions
            )
        every = self._read()
        return tuple(every[i] for i in positions)

    def __iter__(self) -> Iterator[str]:
        return iter(self[:])

    def __contains__(self, name: object) -> bool:
        return name in self[:]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and self[:] == tuple(other)

    def __hash__(self) -> int:
        return hash(self[:])

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self._first[:3]))
        return f"<{self._number:,} ids: {shown}{', ...' if self._number > 3 else ''}>"
