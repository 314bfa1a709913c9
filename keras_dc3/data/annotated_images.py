"""What a set of images knows about its images, wherever these are kept."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np

from keras_dc3._validation import (
    check_class_names,
    check_counts,
    check_names,
    check_ordered,
    check_positive_int,
    check_seed,
)
from keras_dc3.data import labels
from keras_dc3.data.sparse_counts import SparseCounts

_CELLS = 1 << 20  # counts looked at together, so that no full array is needed


class AnnotatedImages(ABC):
    """Ids, class names and annotation counts of images; a subclass reads these.

    Args:
        ids: n different strings that name the images in proposals and annotations.
        counts: (n, k), how many annotators chose each class (see `data.labels`), as
            an array or as `SparseCounts`; None if the images were never annotated.
        class_names: k different names. Default "0", "1", ... if `counts` are given.

    Raises:
        ValueError, TypeError: if a part does not fit; the message says how to fix it.
    """

    def __init__(
        self,
        ids: Sequence[str],
        counts: Any = None,
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

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """(h, w, c)."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype:
        """uint8 or float32."""

    @abstractmethod
    def read(self, indices: Any) -> np.ndarray:
        """Returns (m, h, w, c), the images at (m,) positions, which may repeat."""

    def __len__(self) -> int:
        return len(self.ids)

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

    @property
    def annotated(self) -> np.ndarray:
        """(n,) bool: whether anybody annotated the image."""
        return self._by_labels(labels.is_annotated, "bool")

    @property
    def annotations_per_image(self) -> np.ndarray:
        """(n,) float64, the sum of the counts."""
        return self._by_labels(lambda rows: rows.sum(axis=1), "float64")

    @property
    def soft_labels(self) -> np.ndarray:
        """(n, k) float32; NaN rows where nobody annotated."""
        return self._by_labels(labels.soft_labels, "float32", (self.num_classes,))

    @property
    def targets(self) -> np.ndarray:
        """What to validate on: soft labels, or (n,) int64 classes.

        Classes where no image got more than one answer: they say nothing about how much
        people differ, so that no distance of soft labels is to be had from them.
        """
        counts = self.annotations_per_image
        if (counts == 1).all() and not self.ambiguous.any():
            return self._most_chosen
        return self.soft_labels

    @property
    def majority(self) -> np.ndarray:
        """(n,) int64; -1 where nobody annotated.

        Where several classes tie, the first of them in the order of `class_names`,
        which is told by a warning; `tied` says where.
        """
        labels.warn_of_ties(self.tied)
        return self._most_chosen

    @property
    def _most_chosen(self) -> np.ndarray:
        """`majority`, where it does not matter how ties are broken."""
        return self._by_labels(labels.majority, "int64")

    @property
    def tied(self) -> np.ndarray:
        """(n,) bool: whether several classes were chosen most often, equally."""
        return self._by_labels(labels.is_tied, "bool")

    @property
    def ambiguous(self) -> np.ndarray:
        """(n,) bool: whether more than one class was chosen."""
        return self._by_labels(labels.is_ambiguous, "bool")

    def sample_hard_labels(self, seed: int) -> np.ndarray:
        """Draws (n,) classes from the soft labels; see `data.sample_hard_labels`."""
        check_seed(seed)
        empty = np.flatnonzero(~self.annotated)
        if empty.size:
            raise ValueError(
                "A hard label can only be sampled for an annotated image, but nobody "
                f"annotated {empty.size} of {len(self)}: the first is "
                f"{self.ids[empty[0]]!r}. Leave those images unlabeled."
            )
        draws = np.random.default_rng(seed)
        return self._by_labels(
            lambda counts: labels.sample_hard_labels(counts, draws), "int64"
        )

    def subset(self, indices: Any) -> Self:
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

    def image_batches(self, batch_size: int) -> Iterator[np.ndarray]:
        """Yields the images in order, (batch_size, h, w, c) and a rest."""
        check_positive_int("batch_size", batch_size)
        for start in range(0, len(self), batch_size):
            yield self.read(np.arange(start, min(start + batch_size, len(self))))

    def _known_counts(self) -> np.ndarray | SparseCounts:
        if self._counts is None:
            raise ValueError(
                "These images carry no annotation counts. Pass `counts` to "
                f"`{type(self).__name__}`."
            )
        return self._counts

    def _by_labels(
        self,
        function: Callable[[np.ndarray], np.ndarray],
        dtype: str,
        shape: tuple[int, ...] = (),
    ) -> np.ndarray:
        """Returns what a function of `data.labels` says of the counts, row by row."""
        counts = self._known_counts()
        result = np.empty((len(self), *shape), dtype)
        step = max(1, _CELLS // counts.shape[1])
        for start in range(0, len(self), step):
            stop = min(start + step, len(self))
            sparse = isinstance(counts, SparseCounts)
            rows = counts.dense(start, stop) if sparse else counts[start:stop]
            result[start:stop] = function(rows)
        return result


def _checked_class_names(
    names: Sequence[str] | None, counts: np.ndarray | SparseCounts | None
) -> tuple[str, ...] | None:
    if names is None:
        return None if counts is None else tuple(map(str, range(counts.shape[1])))
    check_ordered("class_names", names)
    names = check_class_names("class_names", [str(name) for name in names])
    if counts is not None and counts.shape[1] != len(names):
        raise ValueError(
            f"`counts` must have one column per class. Received: {counts.shape[1]} "
            f"columns for {len(names)} class names {list(names)}."
        )
    return names
