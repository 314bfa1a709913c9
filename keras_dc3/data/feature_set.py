"""Features that some network has computed of images, in the place of the images."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import as_floats, check_features, check_finite, check_ids
from keras_dc3.annotations import SparseCounts
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.image_set import ImageSet, JoinedImages

VIEWS = ("weak", "strong")  # that can be stored
_COMPARED = 256  # images whose views are compared with their features
_ROWS = 8192  # looked at together
# Images that are compared, at most and at least.
_LOOKED_AT, _FEWEST = 4096, 16


class FeatureSet(AnnotatedImages):
    """Features of images. Takes the place of `ImageSet`.

    Whatever trains on images trains on these, with a backbone that takes features, such
    as `keras_dc3.backbones.feature_mlp`. `image_shape` is (d,).

    Args:
        features: (n, d) in floating point and finite. float16 and float32 are kept as
            they are, memory-mapped where the array is (`np.load(..., mmap_mode="r")`);
            they are read as float32.
        ids: n different strings that name the images in proposals and annotations.
        counts: (n, k), how many annotators chose each class, or None if the images
            were never annotated.
        class_names: k different names. Default "0", "1", ... if `counts` are given.
        weak: (v, n, d), features of v weakly augmented views of each image, of which
            training draws one at random; None for none.
        strong: (s, n, d), likewise of strongly augmented views.
        images: the images themselves, for people to look at in plots and review pages:
            the path of a folder to which the ids are relative, id -> image, a set with
            ids, or an array (n, h, w, c). Nothing is trained on them.
        source: a text that tells the network which computed them from others, so that
            features of two are not mixed; None: not known.

    Attributes:
        views: name -> (v, n, d), the stored views, "weak" and "strong", of the whole
            set that this one may be a subset of.

    Raises:
        FileNotFoundError: if there is no such folder of images.
        ValueError, TypeError: if a part does not fit; the message says how to fix it.

    Example:

    >>> features = np.random.default_rng(0).normal(size=(2, 64)).astype("float16")
    >>> part = keras_dc3.data.FeatureSet(features, ["a", "b"], [[2, 1], [0, 3]])
    >>> part.image_shape, part.read([1]).dtype.name
    ((64,), 'float32')
    """

    holds_features = True
    value_range = None  # features fill none

    def __init__(
        self,
        features: ArrayLike,
        ids: Sequence[str],
        counts: ArrayLike | SparseCounts | None = None,
        class_names: Sequence[str] | None = None,
        *,
        weak: ArrayLike | None = None,
        strong: ArrayLike | None = None,
        images: Any = None,
        source: str | None = None,
    ):
        self._features = check_features("features", features)
        ids = check_ids("ids", ids)
        if len(ids) != len(self._features):
            hint = ""
            if self._features.shape[1] == len(ids):
                hint = " They seem to be transposed: pass `features.T`."
            raise ValueError(
                f"`ids` must name each image. Received: {len(ids)} ids for features of "
                f"{len(self._features)} images.{hint}"
            )
        if not _tell_empty_rows(self._features, ids):
            _tell_same_rows(self._features)
        super().__init__(ids, counts, class_names)
        given = {"weak": weak, "strong": strong}
        self.views = {
            name: _checked_views(name, views, self._features)
            for name, views in given.items()
            if views is not None
        }
        self._pictures = _pictures(images, self.ids)
        self.source = source

    def _described(self) -> str:
        views = [f"{len(stored)} {name}" for name, stored in self.views.items()]
        told = f", {' and '.join(views)} views of each" if views else ""
        return f"images' {self._features.dtype} features {self.image_shape}{told}"

    @property
    def image_shape(self) -> tuple[int]:
        """(d,), how many features an image has."""
        return self._features.shape[1:]

    @property
    def dtype(self) -> np.dtype:
        """float32, as which they are read."""
        return np.dtype("float32")

    @property
    def features(self) -> np.ndarray:
        """(n, d) as stored. For a subset this copies; `read` copies what it reads."""
        return self._features if self._rows is None else self._features[self._rows]

    @property
    def pictures(self) -> Any:
        """The images for people to look at, as a source by id; None for none."""
        return self._pictures

    def read(self, indices: ArrayLike) -> np.ndarray:
        """Returns (m, d) float32, the features at (m,) positions, which may repeat."""
        return self._features[self._at(indices)].astype("float32")

    def read_views(
        self, name: str, indices: ArrayLike, rng: np.random.Generator
    ) -> np.ndarray:
        """Returns (m, d) float32: of each image one stored view, drawn at random.

        Where only one is stored, the features without augmentation are the second.

        Args:
            name: "weak" or "strong", one of `views`.
            indices: (m,) positions, which may repeat.
            rng: draws.
        """
        stored, at = self.views[name], self._at(indices)
        drawn = rng.integers(max(len(stored), 2), size=len(at))
        if len(stored) > 1:
            return stored[drawn, at].astype("float32")
        pair = stored[0][at], self._features[at]
        return np.where(drawn[:, None], *pair).astype("float32")

    def _at(self, indices: ArrayLike) -> np.ndarray:
        indices = np.asarray(indices, "int64")
        return indices if self._rows is None else self._rows[indices]


def _tell_same_rows(features: np.ndarray) -> None:
    """Warns where most images have the features of another image, to the bit."""
    step = max(1, len(features) // _LOOKED_AT)
    some_rows = np.ascontiguousarray(features[::step])
    own = len({row.tobytes() for row in some_rows})
    if len(some_rows) >= _FEWEST and own < len(some_rows) / 2:
        warnings.warn(
            f"Among the features of {len(some_rows):,} images there are {own:,} "
            "different ones: most images have exactly the features of another. If one "
            "was written for many by mistake, compute them again.",
            stacklevel=4,
        )


def _tell_empty_rows(features: np.ndarray, ids: Sequence[str]) -> bool:
    """Warns of images whose features are one number throughout, as if never computed.

    Where there are more than one of them: an image that is black may have zeros.

    Returns:
        Whether there are.
    """
    if features.shape[1] < 2:
        return False
    empty = 0
    for start in range(0, len(features), _ROWS):
        chunk = features[start : start + _ROWS]
        found = np.flatnonzero((chunk == chunk[:, :1]).all(axis=1))
        if len(found) and not empty:
            first = start + int(found[0])
        empty += len(found)
    if empty > 1:
        warnings.warn(
            f"The features of {empty:,} of {len(features):,} images are one number "
            f"throughout ({features[first, 0]:g}), first those of {ids[first]!r} at "
            f"position {first:,}. If they were never computed, compute them or leave "
            "these images out.",
            stacklevel=4,
        )
    return empty > 1


def _checked_views(name: str, views: Any, features: np.ndarray) -> np.ndarray:
    """Returns stored views (v, n, d) of features (n, d)."""
    views = as_floats(name, views)
    if views.shape == features.shape:
        views = views[None]
    n, d = features.shape
    if views.ndim != 3 or views.shape[1:] != (n, d) or not len(views):
        hint = ""
        if views.ndim == 3 and views.shape[0] == n and views.shape[2] == d:
            hint = f" The views stand second: pass `np.moveaxis({name}, 1, 0)`."
        raise ValueError(
            f"`{name}` must hold the features of some views of each image, shape "
            f"(views, {n}, {d}). Received: shape {views.shape}.{hint}"
        )
    for view in views:
        check_finite(name, view)
    return views


def check_order_of_views(name: str, view: np.ndarray, features: np.ndarray) -> None:
    """Raises ValueError where a view (n, d) is not of the images in this order.

    Features are more like a view of their own image than like one of another: for how
    many pairs of images that holds, is compared with chance, half of them.
    """
    n = len(features)
    if n < 8:
        return
    rows = np.unique(np.linspace(0, n - 1, min(n, _COMPARED)).astype("int64"))
    own, other = features[rows].astype("float64"), view[rows].astype("float64")
    own, other = own - own.mean(axis=0), other - other.mean(axis=0)
    other /= np.maximum(np.linalg.norm(other, axis=1, keepdims=True), 1e-12)
    cosines = own @ other.T
    nearer = (np.diag(cosines)[:, None] > cosines).sum() / (len(rows) * (len(rows) - 1))
    chance = 0.5 + 3.0 / np.sqrt(12.0 * len(rows))  # and three deviations of it
    if nearer < chance and own.any():
        raise ValueError(
            f"The views `{name}` do not belong to `features` image by image: they are "
            "no more like their own image than like the next. Put both into the same "
            "order, and compute both by the same network."
        )


def _pictures(images: Any, ids: tuple[str, ...]) -> Any:
    if isinstance(images, str | os.PathLike) and not os.path.isdir(images):
        raise FileNotFoundError(
            "`images` must be a folder, to which the ids are relative. Received: "
            f"images={os.fspath(images)!r}, where there is no folder."
        )
    if images is None or isinstance(images, str | os.PathLike | Mapping):
        return images
    if hasattr(images, "ids") and hasattr(images, "read"):
        return images
    if not hasattr(images, "__array__"):
        raise TypeError(
            "`images` must be a folder, a dict of id -> image, a set of images with "
            "`ids`, or an array of one image per id, (n, h, w, c). Received: "
            f"{type(images).__name__}"
        )
    return ImageSet(images, list(ids))


class JoinedFeatures(JoinedImages):
    """The features of several sets, one set after the other; see `JoinedImages`."""

    holds_features = True
    value_range = None

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the views that all sets have stored."""
        return tuple(n for n in VIEWS if all(n in part.views for part in self._sets))

    @property
    def pictures(self) -> Any:
        """The images for people to look at; None where the sets have not the same."""
        return self._common("pictures")

    @property
    def source(self) -> str | None:
        """What computed the features; None where that is not known, or not the same."""
        return self._common("source")

    def _common(self, what: str) -> Any:
        first, *others = (getattr(part, what) for part in self._sets)
        return first if all(other is first for other in others) else None

    def read_views(
        self, name: str, indices: ArrayLike, rng: np.random.Generator
    ) -> np.ndarray:
        """Returns (m, d) float32; see `FeatureSet.read_views`."""
        return self._gathered(
            indices, lambda part, rows: part.read_views(name, rows, rng)
        )


def joined(
    sets: Sequence[Any],
    counts: ArrayLike | SparseCounts | None = None,
    class_names: Sequence[str] | None = None,
) -> JoinedImages:
    """Returns several sets as one, of images or of features; see `JoinedImages`."""
    kind = JoinedFeatures if sets[0].holds_features else JoinedImages
    return kind(sets, counts, class_names)
