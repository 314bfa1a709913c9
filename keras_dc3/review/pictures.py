"""Images of a review: hashed and made small. NumPy; Pillow to encode them."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._extras import optional
from keras_dc3.data.image_set import ImageSet, fitting_range
from keras_dc3.data.images_by_id import find_images, to_show

_LOSSLESS = 64  # pixels; a JPEG of a smaller image is blurred and hardly smaller
_QUALITY = 85
_STRIP = 4  # an image that is longer for its width keeps a width that can be seen


class Picture(NamedTuple):
    """An image as it is shown, (h, w) or (h, w, 3) uint8, and its values as given."""

    shown: np.ndarray
    original: np.ndarray


def pillow() -> Any:
    """Returns `PIL.Image`.

    Raises:
        ImportError: if Pillow is not installed.
    """
    return optional("PIL.Image", "A review sheet needs Pillow", "images")


def find_pictures(
    images: Any, ids: Sequence[str], chosen: Sequence[str] | None = None
) -> Iterator[tuple[str, Picture | str]]:
    """Yields (id, `Picture`) for each id, or (id, why there is none).

    Args:
        images: as for `data.images_by_id.find_images`, or (n, h, w, c), one for each
            id. Those of a mapping may differ in size; floating-point ones share one
            range of values.
        ids: of the images.
        chosen: those of them to find. Default: all.

    Raises:
        ValueError, TypeError: if `images` are none of these.
    """
    images = to_show(images)
    is_mapping = isinstance(images, Mapping)
    low, high = 0.0, 255.0
    if is_mapping:
        low, high = _common_range(images, ids)
    elif not isinstance(images, str | os.PathLike):
        images = _as_set(images, ids)
        low, high = images.value_range
    for name, image in find_images(images, ids if chosen is None else chosen):
        if isinstance(image, str):
            yield name, image
            continue
        if is_mapping:
            image = _checked(name, image).images[0]
        yield name, Picture(_as_bytes(image, low, high), image)


def pixel_digest(image: np.ndarray) -> str:
    """Returns what tells this image from all others, whatever its dtype.

    The range of the values follows from the image alone, not from those around it.
    """
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.dtype != np.uint8:
        least = 255.0 if image.dtype.kind in "iu" else 0.0
        ends = fitting_range(float(image.min()), float(image.max()), least)
        image = _bytes(image, *ends)
    head = f"{image.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(image).tobytes()).hexdigest()


def data_url(image: np.ndarray, longest: int) -> str:
    """Returns the image as the text of an address.

    It is made smaller, never larger, see `fitting`. Up to 64 pixels it is a PNG, which
    loses nothing, above a JPEG of quality 85.
    """
    picture = pillow().fromarray(image)
    size = fitting(picture.size, longest)
    if size != picture.size:
        picture = picture.resize(size, pillow().Resampling.LANCZOS, reducing_gap=2.0)
    file = io.BytesIO()
    if max(picture.size) <= _LOSSLESS:
        kind = "png"
        picture.save(file, "PNG", optimize=True)
    else:
        kind = "jpeg"
        picture.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def fitting(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Returns (width, height) of an image on a page, no larger than it is.

    No side is above `longest` pixels. Of an image that is more than four times as long
    as it is wide nothing could be seen then: its short side gets a quarter of
    `longest`, as far as the long one stays below eight times `longest`.

    Args:
        size: (width, height) of the image.
        longest: pixels.
    """
    long, short = max(size), min(size)
    scale = longest / long
    if long > _STRIP * short:
        scale = min(longest / _STRIP / short, 2 * _STRIP * scale)
    if scale >= 1.0:
        return size
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height


def _as_set(images: Any, ids: Sequence[str]) -> Any:
    if hasattr(images, "ids") and hasattr(images, "read"):
        return images
    if not hasattr(images, "__array__") and not isinstance(images, list | tuple):
        raise TypeError(
            "`images` must be an array (n, h, w, c), a dict of id -> image, a set of "
            "images with `ids`, such as `data.unlabeled`, or the path of a folder. "
            f"Received: {type(images).__name__}"
        )
    return ImageSet(images, ids)


def _common_range(images: Mapping[str, Any], ids: Sequence[str]) -> tuple[float, float]:
    ranges = [
        _checked(name, image).value_range
        for name, image in find_images(images, ids)
        if not isinstance(image, str) and image.dtype.kind == "f"
    ]
    low = min((low for low, _ in ranges), default=0.0)
    return low, max((high for _, high in ranges), default=1.0)


def _checked(name: str, image: np.ndarray) -> ImageSet:
    try:
        return ImageSet(image[None], [name])
    except (ValueError, TypeError) as error:
        raise type(error)(f"The image {name!r} of `images`: {error}") from error


def _as_bytes(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Returns (h, w) or (h, w, 3) uint8."""
    if image.ndim != 3 or image.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have 1 or 3 channels to be shown. Received: an image of "
            f"shape {image.shape}"
        )
    if image.dtype != np.uint8:
        image = _bytes(image, low, high)
    return image[..., 0] if image.shape[-1] == 1 else image


def _bytes(values: np.ndarray, low: float, high: float) -> np.ndarray:
    scaled = (values.astype("float64") - low) / ((high - low) or 1.0)
    return np.round(scaled.clip(0.0, 1.0) * 255.0).astype("uint8")
