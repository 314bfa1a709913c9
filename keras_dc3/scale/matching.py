"""Which images of a run somebody's answers can be of: a few of many. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from keras_dc3._names import plain
from keras_dc3.scale.blocks import Blocks


def rows_named(blocks: Blocks, names: Iterable[str]) -> np.ndarray:
    """Returns the positions of the images that can be meant by some names.

    That is, of all that `match_all` and `likely_meant` would find or tell, and some
    more: capital letters, extensions and folders that one of both lacks are no
    difference. It reads the ids of all files once.
    """
    given = {_key(name) for name in names}
    wanted = given.union(*map(_ends, given))
    found: list[int] = []
    for block in blocks.read(ids=True):
        for row, name in enumerate(block.ids.to_pylist(), block.start):
            key = _key(name)
            if key in wanted or any(end in given for end in _ends(key)):
                found.append(row)
    return np.array(found, "int64")


def _key(name: str) -> str:
    """Returns a path up to the first point in its last part."""
    folders, slash, last = plain(name).casefold().rpartition("/")
    return folders + slash + last.partition(".")[0]


def _ends(path: str) -> Iterator[str]:
    """Yields a path without its first folder, its first two, and so on."""
    while "/" in path:
        path = path.partition("/")[2]
        yield path
