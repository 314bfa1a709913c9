"""Where an answer stands, for messages. Standard library only."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

from keras_dc3._text import some

_MOST_NAMED = 5


class Source:
    """Names the places of answers that were read one part after the other.

    Args:
        parts: for each file, its name and the numbers of the places of its answers.
        word: what the numbers number, such as "line"; "" if they say it themselves.
        name: of the whole. Default: the names of the files.
    """

    def __init__(
        self,
        parts: Sequence[tuple[str, Sequence[Any]]],
        word: str = "line",
        name: str | None = None,
    ):
        self._parts, self._word = list(parts), word
        self._ends = list(accumulate(len(numbers) for _, numbers in self._parts))
        self.name = some((part for part, _ in self._parts), 3) if name is None else name

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def at(self, position: int) -> str:
        """Returns such as "'annotations.csv', line 7"."""
        name, number = self._find(position)
        return f"{name}, {self._word} {number}" if self._word else f"{name}, {number}"

    def places(self, positions: Iterable[int]) -> str:
        """Returns such as "lines 6, 7", with the file where there are several."""
        positions = [int(p) for p in positions]
        named, rest = positions[:_MOST_NAMED], positions[_MOST_NAMED:]
        if len(self._parts) > 1:
            text = "; ".join(map(self.at, named))
        else:
            numbers = [str(self._find(p)[1]) for p in named]
            plural = "s" if len(positions) > 1 else ""
            words = f"{self._word}{plural} " if self._word else ""
            text = words + (", " if self._word else "; ").join(numbers)
        return text + (f" and {len(rest)} more" if rest else "")

    def _find(self, position: int) -> tuple[str, Any]:
        part = bisect_right(self._ends, position)
        name, numbers = self._parts[part]
        return name, numbers[position - (self._ends[part - 1] if part else 0)]
