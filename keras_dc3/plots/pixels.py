"""Images by id, ready to be drawn. NumPy; Pillow to read those of a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_dc3._names import KnownNames


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
    if isinstance(images, str | os.PathLike):
        read = _read_folder(images, ids)
    else:
        read = _read(*_lookup(images, of), ids)
    found = {name: _checked(name, image) for name, image in read}
    others = [image for image in found.values() if image.dtype != np.uint8]
    low, high = getattr(images, "value_range", None) or _value_range(others)
    return {
        name: image / 255.0
        if image.dtype == np.uint8
        else np.clip((image.astype("float64") - low) / ((high - low) or 1.0), 0.0, 1.0)
        for name, image in found.items()
    }


def _lookup(
    images: Any, of: Sequence[str] | None
) -> tuple[Mapping[str, Any], Callable[[str], Any]]:
    """Returns a mapping from the known ids, and what gives the image of an id."""
    if isinstance(images, Mapping):
        return images, images.__getitem__
    if hasattr(images, "ids") and hasattr(images, "read"):
        known = {name: position for position, name in enumerate(images.ids)}
        return known, lambda name: images.read(np.array([known[name]]))[0]
    if hasattr(images, "ids") and hasattr(images, "images"):
        of, pixels = images.ids, images.images
    elif of is not None and hasattr(images, "__array__"):
        pixels = images
        if len(np.shape(pixels)) < 3 or len(pixels) != len(of):
            raise ValueError(
                "An array of `images` must hold one image per proposal, in their "
                f"order, shape ({len(of)}, h, w, c). Received: {np.shape(pixels)}"
            )
    else:
        raise TypeError(
            "`images` must say which image is which: a dict of id -> image, an object "
            "with `ids` and `images`, such as `data.unlabeled`, an array with one "
            "image per proposal, or the path of a folder. Received: "
            f"{type(images).__name__}"
        )
    known = {name: position for position, name in enumerate(of)}
    return known, lambda name: pixels[known[name]]


def _read_folder(folder: Any, ids: Iterable[str]) -> Iterable[tuple[str, Any]]:
    from keras_dc3.review import pictures

    for name, image in pictures.find(folder, tuple(ids)):
        if isinstance(image, str):
            raise ValueError(
                f"The image of the id {name!r} {image}. The folder is "
                f"{os.fspath(folder)!r}; pass the one of the images that the proposals "
                "were made for."
            )
        yield name, image.shown


def _read(
    known: Mapping[str, Any], get: Callable[[str], Any], ids: Iterable[str]
) -> Iterable[tuple[str, Any]]:
    names = KnownNames(known)
    for name in ids:
        found, _ = names.find(name)
        if len(found) != 1:
            several = f" but several, {found[:3]}" if found else ""
            raise ValueError(
                f"`images` hold no image of the id {name!r}{several}; pass the images "
                "that the proposals were made for."
            )
        yield name, get(found[0])


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
