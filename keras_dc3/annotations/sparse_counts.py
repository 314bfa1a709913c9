"""Annotation counts that take memory for the annotations alone. NumPy only."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import check_class_labels, check_counts


class SparseCounts:
    """Counts (n, k), of which only those above 0 are kept.

    A million images of a thousand classes with one annotation each take 20 MB; the
    full array would take 8 GB. Takes the place of that array in `FileImages`.

    Args:
        starts: (n + 1,) int; those of image i stand at `starts[i]` to `starts[i + 1]`.
        classes: (m,) int in 0..k - 1, ascending within an image.
        values: (m,) counts above 0.
        num_classes: k.

    Make one by `from_rows` or `from_labels`.
    """

    def __init__(
        self,
        starts: np.ndarray,
        classes: np.ndarray,
        values: np.ndarray,
        num_classes: int,
    ):
        self._starts, self._classes, self._values = starts, classes, values
        self.shape = (len(starts) - 1, num_classes)
        self.dtype = values.dtype

    @classmethod
    def from_rows(
        cls, counts: ArrayLike, positions: ArrayLike, number: int
    ) -> SparseCounts:
        """Returns the counts of n images, of which some are given.

        Args:
            counts: (m, k), how many annotators chose each class.
            positions: (m,) different positions in 0..n - 1, whose counts these are.
            number: n. The others have no annotation.
        """
        counts = check_counts("counts", counts)
        positions = np.asarray(positions, "int64")
        order = np.argsort(positions, kind="stable")
        rows, classes = np.nonzero(counts[order])
        numbers = np.bincount(positions[order][rows], minlength=number)
        return cls(
            _starts(numbers),
            classes.astype("int32"),
            counts[order][rows, classes],
            counts.shape[1],
        )

    @classmethod
    def from_labels(cls, labels: ArrayLike, num_classes: int) -> SparseCounts:
        """Returns the counts of one annotation per image.

        Args:
            labels: (n,) int in 0..k - 1, or -1 for none.
            num_classes: k.
        """
        labels = np.asarray(labels, "int64")
        classes = labels[labels != -1]
        check_class_labels("labels", classes, num_classes)
        return cls(
            _starts(labels != -1),
            classes.astype("int32"),
            np.ones(len(classes), "int64"),
            num_classes,
        )

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def annotated(self) -> np.ndarray:
        """(n,) bool: whether anybody annotated the image."""
        return np.diff(self._starts) > 0

    def rows(self, indices: np.ndarray) -> SparseCounts:
        """Returns the counts of the images at (m,) positions."""
        numbers = np.diff(self._starts)[indices]
        starts = _starts(numbers)
        shift = np.repeat(self._starts[:-1][indices] - starts[:-1], numbers)
        kept = shift + np.arange(starts[-1])
        return SparseCounts(
            starts, self._classes[kept], self._values[kept], self.shape[1]
        )

    def of_classes(self, becomes: ArrayLike, num_classes: int) -> SparseCounts:
        """Returns the counts of other classes: those of one new class added up.

        Args:
            becomes: (k,) int in 0..num_classes - 1, the new class of each; -1 for none.
            num_classes: how many there are then.
        """
        rows = np.repeat(np.arange(len(self)), np.diff(self._starts))
        new = np.asarray(becomes, "int64")[self._classes]
        kept = new >= 0
        cells, place = np.unique(
            rows[kept] * num_classes + new[kept], return_inverse=True
        )
        values = np.zeros(len(cells), self.dtype)
        np.add.at(values, place, self._values[kept])
        numbers = np.bincount(cells // num_classes, minlength=len(self))
        classes = (cells % num_classes).astype("int32")
        return SparseCounts(_starts(numbers), classes, values, num_classes)

    def dense(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Returns the counts as (n, k), or those of images `start` to `stop`."""
        starts = self._starts[start : len(self) + 1 if stop is None else stop + 1]
        counts = np.zeros((len(starts) - 1, self.shape[1]), self._values.dtype)
        rows = np.repeat(np.arange(len(counts)), np.diff(starts))
        kept = slice(starts[0], starts[-1])
        counts[rows, self._classes[kept]] = self._values[kept]
        return counts


def _starts(numbers: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(numbers, dtype="int64")])
