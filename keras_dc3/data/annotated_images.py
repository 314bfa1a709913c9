"""What a set of images knows about its images, wherever these are kept."""

from __future__ import annotations

import copy
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._text import number_of
from keras_dc3._validation import (
    check_counts,
    check_given_classes,
    check_names,
    check_positive_int,
    check_seed,
)
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.annotations.counted_labels import CountedLabels
from keras_dc3.annotations.sparse_counts import SparseCounts


class AnnotatedImages(CountedLabels, ABC):
    """Ids, class names and annotation counts of images; a subclass reads these.

    Args:
        ids: n different strings that name the images in proposals and annotations.
        counts: (n, k), how many annotators chose each class, as an array or as
            `annotations.SparseCounts`; None if the images were never annotated.
        class_names: k different names. Default "0", "1", ... if `counts` are given.

    Raises:
        ValueError, TypeError: if a part does not fit; the message says how to fix it.

    Attributes:
        holds_features: whether `read` gives features (m, d) instead of images.
    """

    holds_features = False

    def __init__(
        self,
        ids: Sequence[str],
        counts: ArrayLike | SparseCounts | None = None,
        class_names: Sequence[str] | None = None,
    ):
        self.ids = check_names("ids", ids)
        self._counts: np.ndarray | SparseCounts | None = None
        if counts is not None:
            sparse = isinstance(counts, SparseCounts)
            self._counts = counts if sparse else check_counts("counts", counts)
            if len(self._counts) != len(self.ids):
                raise ValueError(
                    f"`counts` must have one row per image. Received: "
                    f"{len(self._counts)} rows for {len(self.ids)} images."
                )
        self.class_names = _checked_class_names(class_names, self._counts)
        self._rows: np.ndarray | None = None  # of a subset, in the set it is of

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} of {len(self)} {self._described()}, "
            f"{self.num_classes or 'unknown'} classes, "
            f"{'with' if self.has_counts else 'no'} counts>"
        )

    def _described(self) -> str:
        return f"{self.dtype} images {self.image_shape}"

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, ...]:
        """(h, w, c); of features (d,)."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype:
        """uint8 or float32."""

    @abstractmethod
    def read(self, indices: ArrayLike) -> np.ndarray:
        """Returns (m, h, w, c), the images at (m,) positions, which may repeat."""

    @property
    def num_classes(self) -> int | None:
        """k, or None if neither counts nor class names tell."""
        return None if self.class_names is None else len(self.class_names)

    @property
    def has_counts(self) -> bool:
        """Whether there are `counts`."""
        return self._counts is not None

    @property
    def counts(self) -> np.ndarray | None:
        """(n, k), how many annotators chose each class; None if never annotated."""
        counts = self._counts
        return counts.dense() if isinstance(counts, SparseCounts) else counts

    def sample_hard_labels(self, seed: int) -> np.ndarray:
        """Draws (n,) int64 classes, each from a soft label.

        Raises:
            ValueError: if an image has no annotation.
        """
        check_seed(seed)
        empty = np.flatnonzero(~self.annotated)
        if empty.size:
            raise ValueError(
                "A hard label can only be sampled for an annotated image, but nobody "
                f"annotated {empty.size} of {len(self)}: the first is "
                f"{self.ids[empty[0]]!r}. Leave those images unlabeled."
            )
        return super().sample_hard_labels(seed)

    def subset(self, indices: ArrayLike) -> Self:
        """Returns the images at (m,) positions, sharing this set's memory."""
        indices = np.asarray(indices)
        if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
            raise ValueError(
                "`indices` must be a list of integer positions (use np.flatnonzero on "
                f"a mask). Received: shape {indices.shape}, dtype {indices.dtype}"
            )
        indices = indices.astype("int64")
        if indices.size and not 0 <= indices.min() <= indices.max() < len(self):
            raise ValueError(
                f"`indices` must lie in 0..{len(self) - 1}. Received: "
                f"{indices.min()} to {indices.max()}"
            )
        part = copy.copy(self)
        part._rows = indices if self._rows is None else self._rows[indices]
        part.ids = check_names("ids", [self.ids[i] for i in indices])
        if isinstance(self._counts, SparseCounts):
            part._counts = self._counts.rows(indices)
        elif self._counts is not None:
            part._counts = self._counts[indices]
        return part

    def of_classes(self, change: ClassChange) -> Self:
        """Returns the same images, annotated with other classes.

        Args:
            change: of the classes of these images; those of a set that does not know
                its classes stay unknown.
        """
        part = copy.copy(self)
        if self.class_names is not None:
            part.class_names = change.after
        if isinstance(self._counts, SparseCounts):
            part._counts = self._counts.of_classes(change.becomes, len(change.after))
        elif self._counts is not None:
            part._counts = change.of_values(self._counts)
        return part

    def image_batches(self, batch_size: int) -> Iterator[np.ndarray]:
        """Yields the images in order, (batch_size, h, w, c) and a rest."""
        check_positive_int("batch_size", batch_size)
        for start in range(0, len(self), batch_size):
            yield self.read(np.arange(start, min(start + batch_size, len(self))))

    def marks(self, indices: ArrayLike) -> np.ndarray:
        """Returns (m,) uint32, numbers that change with the pixels of the images."""
        sums = [zlib.crc32(np.ascontiguousarray(image)) for image in self.read(indices)]
        return np.array(sums, "uint32")

    def _kept_counts(self) -> np.ndarray | SparseCounts:
        if self._counts is None:
            raise ValueError(
                "These images carry no annotation counts. Pass `counts` to "
                f"`{type(self).__name__}`."
            )
        return self._counts


def _checked_class_names(
    names: Sequence[str] | None, counts: np.ndarray | SparseCounts | None
) -> tuple[str, ...] | None:
    if names is None:
        return None if counts is None else tuple(map(str, range(counts.shape[1])))
    names = check_given_classes("class_names", names)
    if counts is not None and counts.shape[1] != len(names):
        raise ValueError(
            f"`counts` must have one column per class. Received: "
            f"{number_of(counts.shape[1], 'column')} for "
            f"{number_of(len(names), 'class name')} {list(names)}."
        )
    return names
