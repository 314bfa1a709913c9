"""Images of several sets as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.image_set import ReadableImages


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
        counts: Any = None,
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

    def __repr__(self) -> str:
        return (
            f"<JoinedImages of {len(self)} {self.dtype} images {self.image_shape} of "
            f"{len(self._sets)} sets, {self.num_classes or 'unknown'} classes, "
            f"{'with' if self.has_counts else 'no'} counts>"
        )

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

    def read(self, indices: Any) -> np.ndarray:
        """Returns (m, h, w, c), the images at (m,) positions, which may repeat."""
        indices = np.asarray(indices, "int64")
        at = indices if self._rows is None else self._rows[indices]
        set_of, row_of = self._set_of[at], self._row_of[at]
        images = np.empty((len(at), *self.image_shape), self.dtype)
        for number in np.unique(set_of):
            mine = set_of == number
            images[mine] = self._sets[number].read(row_of[mine])
        return images
