"""A set of images with their ids and, where known, their annotation counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from keras_dc3._validation import check_counts, check_positive_int
from keras_dc3.data import labels

_CHUNK = 1024  # images looked at together, so that no check doubles the memory


class ReadableImages(Protocol):
    """All that a batch pipeline asks of a set of images, wherever they are kept.

    `read(indices)` returns (m, h, w, c) images of `dtype`, for (m,) positions in
    0..len - 1, which may repeat. It is called from several threads.
    """

    ids: tuple[str, ...]
    class_names: tuple[str, ...] | None
    image_shape: tuple[int, int, int]
    dtype: np.dtype
    value_range: tuple[float, float]

    def __len__(self) -> int: ...

    def read(self, indices: np.ndarray) -> np.ndarray: ...


class ImageSet:
    """Images in memory.

    Args:
        images: (n, h, w, c), or (n, h, w) for one channel. uint8 is kept as it is,
            other integers must lie in 0..255, floating-point images become float32
            and must be finite. The array is not copied where its type allows.
        ids: n different strings that name the images in proposals and annotations.
        counts: (n, k), how many annotators chose each class (see `data.labels`), or
            None if the images were never annotated.
        class_names: k different names. Default "0", "1", ... if `counts` are given.

    Raises:
        ValueError, TypeError: if a part does not fit; the message says how to fix it.
    """

    def __init__(
        self,
        images: Any,
        ids: Sequence[str],
        counts: Any = None,
        class_names: Sequence[str] | None = None,
    ):
        self._images = _checked_images(images)
        self._rows: np.ndarray | None = None
        self.ids = _checked_ids(ids, len(self._images))
        self.counts = None
        if counts is not None:
            self.counts = check_counts("counts", counts)
            if len(self.counts) != len(self._images):
                raise ValueError(
                    f"`counts` must have one row per image. Received: "
                    f"{len(self.counts)} rows for {len(self._images)} images."
                )
        self.class_names = _checked_class_names(class_names, self.counts)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return (
            f"<ImageSet of {len(self)} {self.dtype} images {self.image_shape}, "
            f"{self.num_classes or 'unknown'} classes, "
            f"{'no' if self.counts is None else 'with'} counts>"
        )

    @property
    def images(self) -> np.ndarray:
        """(n, h, w, c). For a subset this copies; `read` copies only what it reads."""
        return self._images if self._rows is None else self._images[self._rows]

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(h, w, c)."""
        return self._images.shape[1:]

    @property
    def dtype(self) -> np.dtype:
        """uint8 or float32."""
        return self._images.dtype

    @cached_property
    def value_range(self) -> tuple[float, float]:
        """The range that pixel values are meant to fill, (low, high).

        (0, 255) for uint8. For float images the first of (0, 1), (-1, 1) and (0, 255)
        that holds all values of this set (a subset asks its whole set); where none
        does, the smallest and largest value.
        """
        if self.dtype == np.uint8 or not len(self._images):
            return (0.0, 255.0) if self.dtype == np.uint8 else (0.0, 1.0)
        low, high = float(self._images.min()), float(self._images.max())
        for known in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
            if known[0] <= low and high <= known[1]:
                return known
        return low, high

    @property
    def num_classes(self) -> int | None:
        """k, or None if neither counts nor class names tell."""
        return None if self.class_names is None else len(self.class_names)

    @property
    def soft_labels(self) -> np.ndarray:
        """(n, k) float32; NaN rows where nobody annotated."""
        return labels.soft_labels(self._known_counts())

    @property
    def majority(self) -> np.ndarray:
        """(n,) int64; -1 where nobody annotated."""
        return labels.majority(self._known_counts())

    @property
    def ambiguous(self) -> np.ndarray:
        """(n,) bool: whether more than one class was chosen."""
        return labels.is_ambiguous(self._known_counts())

    def read(self, indices: Any) -> np.ndarray:
        """Returns (m, h, w, c), the images at (m,) positions, which may repeat."""
        indices = np.asarray(indices)
        return self._images[indices if self._rows is None else self._rows[indices]]

    def subset(self, indices: Any) -> ImageSet:
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
        part = object.__new__(ImageSet)
        part._images = self._images
        part._rows = indices if self._rows is None else self._rows[indices]
        part.ids = _checked_ids([self.ids[i] for i in indices], len(indices))
        part.counts = None if self.counts is None else self.counts[indices]
        part.class_names = self.class_names
        return part

    def image_batches(self, batch_size: int) -> Iterator[np.ndarray]:
        """Yields the images in order, (batch_size, h, w, c) and a rest."""
        check_positive_int("batch_size", batch_size)
        for start in range(0, len(self), batch_size):
            yield self.read(np.arange(start, min(start + batch_size, len(self))))

    def _known_counts(self) -> np.ndarray:
        if self.counts is None:
            raise ValueError(
                "These images carry no annotation counts. Pass `counts` to `ImageSet`."
            )
        return self.counts


def _checked_images(images: Any) -> np.ndarray:
    images = np.asarray(images)
    kind = images.dtype.kind
    if kind not in "iuf":
        raise TypeError(
            f"`images` must be uint8 or floating point. Received dtype {images.dtype}: "
            "images of different sizes or file names do not make one array; load and "
            "resize them first."
        )
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or 0 in images.shape[1:]:
        raise ValueError(
            "`images` must have shape (images, height, width, channels) or (images, "
            f"height, width). Received: {images.shape}"
        )
    if kind == "f":
        for start in range(0, len(images), _CHUNK):
            finite = np.isfinite(images[start : start + _CHUNK]).all(axis=(1, 2, 3))
            if not finite.all():
                raise ValueError(
                    "`images` hold NaN or infinity, first in the image at position "
                    f"{start + int(np.argmin(finite))}. Remove or repair it."
                )
        return images.astype("float32", copy=False)
    if images.dtype != np.uint8:
        if images.size and not 0 <= images.min() <= images.max() <= 255:
            raise ValueError(
                f"Integer images must hold 0 to 255. Received: {images.min()} to "
                f"{images.max()} ({images.dtype}). Scale them to uint8, or pass "
                "floating-point images."
            )
        return images.astype("uint8")
    return images


def _checked_ids(ids: Sequence[str], number: int) -> tuple[str, ...]:
    if isinstance(ids, str):
        raise TypeError(f"`ids` must be a list of strings. Received: {ids!r}")
    ids = tuple(ids)
    for position, name in enumerate(ids):
        if not isinstance(name, str) or not name:
            raise TypeError(
                "`ids` must be non-empty strings. Received: "
                f"{name!r} at position {position}; use str(...)."
            )
    if len(ids) != number:
        raise ValueError(
            f"`ids` must name each image. Received: {len(ids)} ids for {number} images."
        )
    if len(set(ids)) != len(ids):
        name, times = Counter(ids).most_common(1)[0]
        raise ValueError(
            f"`ids` must differ, but {name!r} occurs {times} times. Rename or remove "
            "the doubled images."
        )
    return tuple(str(name) for name in ids)


def _checked_class_names(
    names: Sequence[str] | None, counts: np.ndarray | None
) -> tuple[str, ...] | None:
    if names is None:
        return None if counts is None else tuple(map(str, range(counts.shape[1])))
    names = tuple(str(name) for name in names)
    if len(set(names)) != len(names):
        name = Counter(names).most_common(1)[0][0]
        raise ValueError(f"`class_names` must differ, but {name!r} occurs twice.")
    if counts is not None and counts.shape[1] != len(names):
        raise ValueError(
            f"`counts` must have one column per class. Received: {counts.shape[1]} "
            f"columns for {len(names)} class names {list(names)}."
        )
    return names
