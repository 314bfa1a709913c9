"""Images by id, ready to be drawn. NumPy; Pillow to read those of a folder."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from keras_dc3.data.image_set import fitting_range
from keras_dc3.data.images_by_id import find_images, to_show


def drawable(
    images: Any, ids: Iterable[str], of: Sequence[str] | None = None
) -> dict[str, np.ndarray]:
    """Returns some images as (h, w) or (h, w, 3) float in 0..1.

    Args:
        images: id -> image; or an object with `ids` and `images` (n, h, w, c), or
            `read(positions)` in its place; or an array (n, h, w[, c]), one for each of
            the ids `of`; or the path of a folder to which the ids are relative. An
            image is (h, w), (h, w, 1) or (h, w, 3). uint8 fills 0..255. Others fill
            `images.value_range` if there is one, else the first of 0..1, -1..1 and
            0..255 that holds all the images asked for, else their smallest and largest
            value.
        ids: of the images to return; only these are read.
        of: ids of all images, in the order of an array.

    Raises:
        ImportError: without Pillow, if `images` is a folder.
        ValueError: if one is missing, or is no such image.
        TypeError: if `images` is something else.
    """
    found, images = {}, to_show(images)
    for name, image in find_images(_by_id(images, of), ids):
        if isinstance(image, str):
            raise ValueError(_missing(images, name, image))
        found[name] = _checked(name, image)
    others = [image for image in found.values() if image.dtype != np.uint8]
    low, high = getattr(images, "value_range", None) or _value_range(others)
    return {
        name: image / 255.0
        if image.dtype == np.uint8
        else np.clip((image.astype("float64") - low) / ((high - low) or 1.0), 0.0, 1.0)
        for name, image in found.items()
    }


class _Rows(Mapping):
    """id -> image of an array, which is read where it is asked for."""

    def __init__(self, ids: Sequence[str], images: Any):
        self._row_of = {name: row for row, name in enumerate(ids)}
        self._images = images

    def __getitem__(self, name: str) -> Any:
        return self._images[self._row_of[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._row_of)

    def __len__(self) -> int:
        return len(self._row_of)


def _by_id(images: Any, of: Sequence[str] | None) -> Any:
    """Returns what `find_images` takes."""
    if isinstance(images, str | os.PathLike | Mapping):
        return images
    if hasattr(images, "ids") and hasattr(images, "read"):
        return images
    if hasattr(images, "ids") and hasattr(images, "images"):
        return _Rows(images.ids, images.images)
    if of is None or not hasattr(images, "__array__"):
        raise TypeError(
            "`images` must say which image is which: a dict of id -> image, an object "
            "with `ids` and `images`, such as `data.unlabeled`, an array with one "
            "image per proposal, or the path of a folder. Received: "
            f"{type(images).__name__}"
        )
    if len(np.shape(images)) < 3 or len(images) != len(of):
        raise ValueError(
            "An array of `images` must hold one image per proposal, in their order, "
            f"shape ({len(of)}, h, w, c). Received: {np.shape(images)}"
        )
    return _Rows(of, images)


def _missing(images: Any, name: str, why: str) -> str:
    if isinstance(images, str | os.PathLike):
        return (
            f"The image of the id {name!r} {why}. The folder is {os.fspath(images)!r}; "
            "pass the one of the images that the proposals were made for."
        )
    return (
        f"`images` hold no image of the id {name!r} (it {why}); pass the images that "
        "the proposals were made for."
    )


def _checked(name: str, image: Any) -> np.ndarray:
    image = np.asarray(image)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or not image.size:
        raise ValueError(
            "An image must have shape (h, w), (h, w, 1) or (h, w, 3). Received: "
            f"{image.shape} for the id {name!r}"
        )
    if image.dtype.kind not in "biuf" or not np.isfinite(image).all():
        raise ValueError(
            f"The image of the id {name!r} must be finite numbers; repair or remove "
            f"it. Received: dtype {image.dtype}"
        )
    return image


def _value_range(images: list[np.ndarray]) -> tuple[float, float]:
    if not images:
        return (0.0, 1.0)
    low = float(min(image.min() for image in images))
    high = float(max(image.max() for image in images))
    return fitting_range(low, high)
