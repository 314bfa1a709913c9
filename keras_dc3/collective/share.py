"""Which rows of a global batch belong to whom."""

from __future__ import annotations

from typing import NamedTuple


class Share(NamedTuple):
    """Some of the equal parts of each batch: one for each replica of a worker.

    The parts are cut in order, and differ by one row at most; where there are fewer
    rows than parts, some have none.

    first: the number of the first of them.
    parts: how many there are.
    of: how many parts a batch has.

    Example:

    >>> keras_dc3.collective.Share(1, 1, of=3).rows(7)
    [slice(2, 4, None)]
    """

    first: int = 0
    parts: int = 1
    of: int = 1

    def rows(self, size: int) -> list[slice]:
        """Returns the rows of each of these parts, in a batch of this size."""
        numbers = range(self.first, self.first + self.parts)
        return [slice(size * i // self.of, size * (i + 1) // self.of) for i in numbers]

    def all_rows(self, size: int) -> slice:
        """Returns the rows of all these parts together."""
        parts = self.rows(size)
        return slice(parts[0].start, parts[-1].stop)
