"""Images by id, ready to be drawn. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def drawable(images: Any, ids: Iterable[str]) -> dict[str, np.ndarray]:
    """Returns some images as (h, w) or (h, w, 3) float in 0..1.

    Args:
        images: id -> image, or an object with `ids` and `images` (n, h, w, c), or
            `read(positions)` in its place. An image is (h, w), (h, w, 1) or (h, w, 3).
            uint8 fills 0..255. Others fill `images.value_range` if there is one, else
            the first of 0..1, -1..1 and 0..255 that holds all the images asked for,
            else their smallest and largest value.
        ids: of the images to return; only these are read.

    Raises:
        ValueError: if one is missing, or is no such image.
        TypeError: if `images` is something else.
    """
    found = {name: _checked(name, image) for name, image in _read(images, ids)}
    others = [image for image in found.values() if image.dtype != np.uint8]
    low, high = getattr(images, "value_range", None) or _value_range(others)
    return {
        name: image / 255.0
        if image.dtype == np.uint8
        else np.clip((image.astype("float64") - low) / ((high - low) or 1.0), 0.0, 1.0)
        for name, image in found.items()
    }


def _read(images: Any, ids: Iterable[str]) -> Iterable[tuple[str, Any]]:
    if isinstance(images, Mapping):
        get = images.__getitem__
        known = images
    elif hasattr(images, "ids") and (
        hasattr(images, "read") or hasattr(images, "images")
    ):
        known = {name: position for position, name in enumerate(images.ids)}
        pixels = None if hasattr(images, "read") else images.images

        def get(name: str) -> Any:
            if pixels is None:
                return images.read(np.array([known[name]]))[0]
            return pixels[known[name]]
    else:
        raise TypeError(
            "`images` must say which image is which: a dict of id -> image, or an "
            f"object with `ids` and `images`, such as `data.unlabeled`. Received: "
            f"{type(images).__name__}"
        )
    for name in ids:
        if name not in known:
            raise ValueError(
                f"`images` hold no image of the id {name!r}; pass the images that the "
                "proposals were made for."
            )
        yield name, get(name)


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
    for known in ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)):
        if known[0] <= low and high <= known[1]:
            return known
    return low, high
