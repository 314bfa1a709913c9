"""Images whose id stands in a source before them, found when all ids are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from keras_dc3.scale.beam.model_handler import Judged
from keras_dc3.scale.known_ids import TWICE
from keras_dc3.scale.reading import Batch


def later(images: tuple[bytes, Iterable[tuple[int, bool]]]) -> Iterator[int]:
    """Yields the positions of all images with an id but the first.

    Not of those which are known to have no row for another reason. One pass, so that
    memory does not grow with them.

    Args:
        images: the mark of an id, and (position, whether it is known to have no row) of
            each image with it.
    """
    first: tuple[int, bool] | None = None
    for one in images[1]:
        other = one
        if first is None or one < first:
            first, other = one, first
        if other is not None and not other[1]:
            yield other[0]


def without(judged: Judged, repeated: set[int]) -> tuple[Batch, dict[str, np.ndarray]]:
    """Returns a batch, and what is kept of the answer, without repeated images.

    Args:
        judged: the batch.
        repeated: positions in the source of images that are to have no row.
    """
    position, batch, rows = judged
    total = len(batch.ids) + len(batch.failed)
    out = {row for row in range(total) if position + row in repeated}
    if not out:
        return batch, rows
    others = sorted(set(range(total)) - set(batch.rows))
    failed = dict(zip(others, batch.failed, strict=True))
    names = dict(zip(batch.rows, batch.ids, strict=True))
    for row in out:
        failed[row] = (names[row] if row in names else failed[row][0], TWICE)
    kept = [place for place, row in enumerate(batch.rows) if row not in out]
    told = Batch(
        batch.shard,
        [batch.ids[place] for place in kept],
        batch.images,
        [failed[row] for row in sorted(failed)],
        [batch.rows[place] for place in kept],
    )
    return told, {name: values[kept] for name, values in rows.items()}
