"""Images in memory, and images of several sets as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import check_channels_last, check_ids
from keras_dc3.annotations import SparseCounts
from keras_dc3.data.annotated_images import AnnotatedImages

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


class ImageSet(AnnotatedImages):
    """Images in memory.

    Args:
        images: (n, h, w, c), or (n, h, w) for one channel. uint8 is kept as it is,
            other integers must lie in 0..255, floating-point images become float32
            and must be finite. The array is not copied where its type allows.
        ids: n different strings that name the images in proposals and annotations.
        counts: (n, k), how many annotators chose each class, or None if the images
            were never annotated.
        class_names: k different names. Default "0", "1", ... if `counts` are given.

    Raises:
        ValueError, TypeError: if a part does not fit; the message says how to fix it.

    Example:

    >>> images, counts = np.zeros((2, 8, 8, 3), "uint8"), [[2, 1], [0, 3]]
    >>> part = keras_dc3.data.ImageSet(images, ["a", "b"], counts, ["cod", "eel"])
    >>> part.image_shape, part.soft_labels[1].tolist()
    ((8, 8, 3), [0.0, 1.0])
    """

    def __init__(
        self,
        images: ArrayLike,
        ids: Sequence[str],
        counts: ArrayLike | SparseCounts | None = None,
        class_names: Sequence[str] | None = None,
    ):
        self._images = _checked_images(images)
        super().__init__(check_ids("ids", ids), counts, class_names)
        if len(self.ids) != len(self._images):
            raise ValueError(
                f"`ids` must name each image. Received: {len(self.ids)} ids for "
                f"{len(self._images)} images."
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
        return fitting_range(float(self._images.min()), float(self._images.max()))

    def read(self, indices: ArrayLike) -> np.ndarray:
        """Returns (m, h, w, c), the images at (m,) positions, which may repeat."""
        indices = np.asarray(indices)
        return self._images[indices if self._rows is None else self._rows[indices]]


def fitting_range(low: float, high: float, least: float = 0.0) -> tuple[float, float]:
    """Returns the range of pixel values that images from `low` to `high` fill.

    It is the first of 0..1, -1..1 and 0..255 that holds both, else low..high.

    Args:
        least: the smallest end of a range; 255 for whole numbers.
    """
    known = [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)]
    holds = (r for r in known if r[0] <= low and high <= r[1] and r[1] >= least)
    return next(holds, (low, high))


def _checked_images(images: ArrayLike) -> np.ndarray:
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
    check_channels_last("given", images.shape)
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


class JoinedImages(AnnotatedImages):
    """The images of several sets, one set after the other.

    They stay where their sets keep them. A set that is joined itself gives its own
    sets, so that joining again and again reads no slower.

    Args:
        sets: at least one, of equal `image_shape` and `dtype`, and no id in two.
        counts, class_names: see `AnnotatedImages`; of all images in their order.

    Raises:
        ValueError: if the sets do not fit together.
    """

    def __init__(
        self,
        sets: Sequence[ReadableImages],
        counts: ArrayLike | SparseCounts | None = None,
        class_names: Sequence[str] | None = None,
    ):
        first = sets[0]
        for other in sets:
            for what in ("image_shape", "dtype"):
                if getattr(other, what) != getattr(first, what):
                    raise ValueError(
                        f"Joined images must have the same {what}, but there are "
                        f"{getattr(first, what)} and {getattr(other, what)}. Convert "
                        "or resize them."
                    )
        super().__init__(
            [name for part in sets for name in part.ids], counts, class_names
        )
        self._sets: list[ReadableImages] = []
        set_of, row_of = [], []
        for part in sets:
            at = np.arange(len(part))
            if isinstance(part, JoinedImages):
                at = at if part._rows is None else part._rows
                set_of.append(part._set_of[at] + len(self._sets))
                row_of.append(part._row_of[at])
                self._sets += part._sets
            else:
                set_of.append(np.full(len(part), len(self._sets)))
                row_of.append(at)
                self._sets.append(part)
        self._set_of = np.concatenate(set_of)
        self._row_of = np.concatenate(row_of)

    def _described(self) -> str:
        return f"{super()._described()} of {len(self._sets)} sets"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(h, w, c)."""
        return self._sets[0].image_shape

    @property
    def dtype(self) -> np.dtype:
        """uint8 or float32."""
        return self._sets[0].dtype

    @property
    def value_range(self) -> tuple[float, float]:
        """(low, high) of pixel values, over all sets."""
        lows, highs = zip(*(part.value_range for part in self._sets), strict=True)
        return min(lows), max(highs)

    def read(self, indices: ArrayLike) -> np.ndarray:
        """Returns (m, h, w, c), the images at (m,) positions, which may repeat."""
        return self._gathered(indices, lambda part, rows: part.read(rows))

    def marks(self, indices: ArrayLike) -> np.ndarray:
        """Returns (m,) uint32, numbers that change with the pixels of the images."""
        return self._gathered(
            indices, lambda part, rows: part.marks(rows), (), "uint32"
        )

    def _gathered(
        self,
        indices: ArrayLike,
        read: Callable[[Any, np.ndarray], np.ndarray],
        shape: tuple[int, ...] | None = None,
        dtype: Any = None,
    ) -> np.ndarray:
        """Returns what `read(set, rows)` gives, in the order of the positions.

        Args:
            indices: the positions.
            read: reads from one set.
            shape, dtype: of what it gives for an image; None: those of an image.
        """
        indices = np.asarray(indices, "int64")
        at = indices if self._rows is None else self._rows[indices]
        set_of, row_of = self._set_of[at], self._row_of[at]
        shape = self.image_shape if shape is None else shape
        images = np.empty((len(at), *shape), dtype or self.dtype)
        for number in np.unique(set_of):
            mine = set_of == number
            images[mine] = read(self._sets[number], row_of[mine])
        return images
