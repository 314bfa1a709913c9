"""What a page tells beside its images: probabilities, and labeled examples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_dc3.review.examples import Examples

_CLASSES = 5  # of which an image's probabilities are told, at most
_BYTES = 40  # that these take for an image, about


class Beside:
    """Tells of images in groups; of others nothing, as nothing is proposed for them.

    Args:
        ids: of all images of the review.
        probabilities: (n, k), of the classes of each image.
        embeddings: (n, d), or None.
        examples: labeled images, or None.
        size: longest side of their pictures, pixels.
    """

    def __init__(
        self,
        ids: Sequence[str],
        probabilities: np.ndarray,
        embeddings: np.ndarray | None,
        examples: Examples | None,
        size: int,
    ):
        self._row_of = {name: row for row, name in enumerate(ids)}
        self._likely = [_told(row) for row in probabilities]
        self._typical: dict[int, list[int]] = {}
        self._near: list[list[tuple[int, list[int]]]] = []
        self._addresses: dict[int, str] = {}
        if examples is None:
            return
        # What is asked about must not stand there with its class.
        examples = examples.without(self._row_of)
        if examples.embeddings is not None:
            if embeddings is None:
                raise ValueError(
                    "`example_embeddings` are compared with the `embeddings` of the "
                    "proposals, but these have none. Leave them out."
                )
            top = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
            self._near = examples.nearest(embeddings, top.tolist())
        typical = examples.typical()
        rows = {row for rows in typical.values() for row in rows}
        rows |= {row for near in self._near for _, rows in near for row in rows}
        self._addresses = examples.addresses(sorted(rows), size)
        self._typical = {c: self._there(rows) for c, rows in typical.items()}
        self._near = [[(c, self._there(r)) for c, r in e] for e in self._near]

    def _there(self, rows: Sequence[int]) -> list[int]:
        return [row for row in rows if row in self._addresses]

    def size_of(self, grouped: Sequence[str]) -> int:
        """Returns the bytes that this takes on a page with these images in groups."""
        rows = self._rows_on(grouped)
        return sum(len(self._addresses[row]) for row in rows) + _BYTES * len(grouped)

    def _rows_on(self, grouped: Sequence[str]) -> list[int]:
        """Returns the rows of the examples on a page."""
        rows = {row for rows in self._typical.values() for row in rows}
        if self._near:
            of = (self._near[self._row_of[name]] for name in grouped)
            rows |= {row for near in of for _, rows in near for row in rows}
        return sorted(rows)

    def content(self, images: Sequence[str], grouped: Sequence[str]) -> dict[str, Any]:
        """Returns what stands in the page, by the position of an image in `images`.

        Args:
            images: of the page.
            grouped: those of them that come in groups.
        """
        position = {name: number for number, name in enumerate(images)}
        rows = self._rows_on(grouped)
        number = {row: n for n, row in enumerate(rows)}
        near = {}
        if self._near:
            for name in grouped:
                found = self._near[self._row_of[name]]
                near[position[name]] = [
                    [label, [number[row] for row in rows]] for label, rows in found
                ]
        return {
            # [class, percent, class, percent, ...], the likeliest first.
            "likely": {
                position[name]: self._likely[self._row_of[name]] for name in grouped
            },
            "examples": [self._addresses[row] for row in rows],
            "typical": {
                label: [number[row] for row in rows]
                for label, rows in self._typical.items()
            },
            "near": near,
        }


def _told(probabilities: np.ndarray) -> list[int]:
    percent = np.round(100 * probabilities).astype("int64")
    order = np.argsort(-probabilities, kind="stable")[:_CLASSES]
    kept = [label for n, label in enumerate(order.tolist()) if percent[label] or not n]
    return [value for label in kept for value in (label, int(percent[label]))]
