"""Which ids a run has seen, in eight bytes each. NumPy only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

TWICE = "an image before it has the same id"  # why the later ones have no row


class KnownIds:
    """Finds ids that stand in a source twice.

    It keeps 64 bits of a fingerprint of each. That two different ids of ten million
    have the same is a matter of one in hundreds of thousands.
    """

    def __init__(self):
        self._sorted = np.empty(0, "uint64")
        self._new: list[np.ndarray] = []

    def repeated(self, ids: Sequence[str]) -> np.ndarray:
        """Returns (n,) bool, whether each id was given before, and remembers all."""
        marks = np.fromiter(map(mark, ids), "uint64", len(ids))
        first = np.zeros(len(ids), bool)
        first[np.unique(marks, return_index=True)[1]] = True
        known = ~first
        for part in (self._sorted, *self._new):
            known |= _stands_in(part, marks)
        self._new.append(np.unique(marks))
        if sum(map(len, self._new)) > max(10_000, len(self._sorted) // 8):
            self._sorted = np.unique(np.concatenate([self._sorted, *self._new]))
            self._new = []
        return known


def _stands_in(part: np.ndarray, marks: np.ndarray) -> np.ndarray:
    if not len(part):
        return np.zeros(len(marks), bool)
    places = np.searchsorted(part, marks)
    return part[np.minimum(places, len(part) - 1)] == marks


def mark(name: str) -> int:
    """Returns 64 bits that nearly always tell an id from all others."""
    raw = name.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "little")
