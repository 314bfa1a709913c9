"""Images of a review: found, hashed and made small. NumPy; Pillow to encode them."""

from __future__ import annotations

import base64
import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._folder_files import files_of
from keras_dc3._names import KnownNames
from keras_dc3.data.image_files import FolderReader
from keras_dc3.data.image_set import ImageSet
from keras_dc3.data.opened_images import ImageFileError

_BATCH = 256
_LOSSLESS = 64  # pixels; a JPEG of a smaller image is blurred and hardly smaller
_QUALITY = 85


class Picture(NamedTuple):
    """An image as it is shown, (h, w) or (h, w, 3) uint8, and its values as given."""

    shown: np.ndarray
    original: np.ndarray


Found = Iterator[tuple[str, "Picture | str"]]


def pillow() -> Any:
    """Returns `PIL.Image`.

    Raises:
        ImportError: if Pillow is not installed.
    """
    try:
        import PIL.Image
    except ImportError as error:
        raise ImportError(
            "A review sheet needs Pillow, which is not installed: "
            'pip install "keras_dc3[images]"'
        ) from error
    return PIL.Image


def find(images: Any, ids: Sequence[str]) -> Found:
    """Yields (id, `Picture`) for each id, or (id, why there is none).

    Args:
        images: (n, h, w, c), one for each id; id -> image; a set of images with `ids`
            and `read`; or the path of a folder to which the ids are relative, read as
            for training.
        ids: the images to find.

    Raises:
        ValueError, TypeError: if `images` are none of these.
    """
    if isinstance(images, str | os.PathLike):
        folder = os.path.abspath(os.fspath(images))
        if not os.path.isdir(folder):
            raise ValueError(
                f"`images` must be a folder, images with ids, or an array. Received: "
                f"images={os.fspath(images)!r}, where there is no folder."
            )
        return _in_folder(folder, ids)
    if hasattr(images, "ids") and hasattr(images, "read"):
        return _in_set(images, ids)
    if isinstance(images, Mapping):
        return _in_mapping(images, ids)
    if not hasattr(images, "__array__") and not isinstance(images, list | tuple):
        raise TypeError(
            "`images` must be an array (n, h, w, c), a dict of id -> image, a set of "
            "images with `ids`, such as `data.unlabeled`, or the path of a folder. "
            "Received: "
            f"{type(images).__name__}"
        )
    return _in_set(ImageSet(images, ids), ids)


def pixel_digest(image: np.ndarray) -> str:
    """Returns what tells this image from all others, whatever its dtype.

    The range of the values follows from the image alone, not from those around it.
    """
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.dtype != np.uint8:
        low, high = float(image.min()), float(image.max())
        known = [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0), (low, high)]
        if image.dtype.kind in "iu":
            known = known[2:]
        fits = next(r for r in known if r[0] <= low and high <= r[1])
        image = _bytes(image, fits)
    head = f"{image.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(image).tobytes()).hexdigest()


def data_url(image: np.ndarray, longest: int) -> str:
    """Returns the image as the text of an address.

    It is made smaller so that no side is above `longest` pixels, never larger. Up to 64
    pixels it is a PNG, which loses nothing, above a JPEG of quality 85.
    """
    picture = pillow().fromarray(image)
    picture.thumbnail((longest, longest), pillow().Resampling.LANCZOS)
    file = io.BytesIO()
    if max(picture.size) <= _LOSSLESS:
        kind = "png"
        picture.save(file, "PNG", optimize=True)
    else:
        kind = "jpeg"
        picture.save(file, "JPEG", quality=_QUALITY, optimize=True)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"


def _in_set(images: Any, ids: Sequence[str]) -> Found:
    position = {name: i for i, name in enumerate(images.ids)}
    known_ids, known = KnownNames(images.ids), []
    for name in ids:
        found = _only(name, known_ids)
        if found.one is None:
            yield name, found.why
        else:
            known.append((name, position[found.one]))
    for start in range(0, len(known), _BATCH):
        names, rows = zip(*known[start : start + _BATCH], strict=True)
        read = np.asarray(images.read(np.array(rows)))
        shown = _as_bytes(read, images.value_range)
        yield from zip(names, map(Picture, shown, read), strict=True)


def _in_mapping(images: Mapping[str, Any], ids: Sequence[str]) -> Found:
    """Images may differ in size; floating-point ones share one range of values."""
    known_ids = KnownNames(images)
    found = {name: _only(name, known_ids) for name in ids}
    ranges = [
        _checked(name, images[one]).value_range
        for name, (one, _) in found.items()
        if one is not None and np.asarray(images[one]).dtype.kind == "f"
    ]
    low = min((low for low, _ in ranges), default=0.0)
    high = max((high for _, high in ranges), default=1.0)
    for name, (one, why) in found.items():
        if one is None:
            yield name, why
            continue
        original = _checked(name, images[one]).images
        yield name, Picture(_as_bytes(original, (low, high))[0], original[0])


class _Only(NamedTuple):
    """The known name that an id means, or why there is none."""

    one: str | None
    why: str


def _only(name: str, known: KnownNames) -> _Only:
    found, _ = known.find(name)
    if len(found) > 1:
        return _Only(None, f"can be any of {', '.join(map(ascii, found[:3]))}")
    return _Only(found[0], "") if found else _Only(None, "is not among `images`")


def _checked(name: str, image: Any) -> ImageSet:
    try:
        return ImageSet(np.asarray(image)[None], [name])
    except (ValueError, TypeError) as error:
        raise type(error)(f"The image {name!r} of `images`: {error}") from error


def _as_bytes(read: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    """Returns (m, h, w) or (m, h, w, 3) uint8."""
    if read.ndim != 4 or read.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have 1 or 3 channels to be shown. Received: shape "
            f"{read.shape}"
        )
    if read.dtype != np.uint8:
        read = _bytes(read, value_range)
    return read[..., 0] if read.shape[-1] == 1 else read


def _bytes(values: np.ndarray, value_range: tuple[float, float]) -> np.ndarray:
    low, high = value_range
    scaled = (values.astype("float64") - low) / ((high - low) or 1.0)
    return np.round(scaled.clip(0.0, 1.0) * 255.0).astype("uint8")


def _in_folder(folder: str, ids: Sequence[str]) -> Found:
    reader = FolderReader(folder)
    for name, path, why in files_of(folder, ids):
        if path is None:
            yield name, why
        else:
            try:
                decoded = reader.read(path)  # as for training
            except ImageFileError as error:
                yield name, f"cannot be read ({error.reason})"
            else:
                shown = decoded[..., 0] if decoded.shape[-1] == 1 else decoded
                yield name, Picture(shown, decoded)
