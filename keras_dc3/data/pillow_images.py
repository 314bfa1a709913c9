"""Pillow's images of every kind as 8-bit gray or RGB. Pillow is imported when called.

Whoever calls this expects any exception: Pillow's decoders raise nearly all kinds on a
damaged file.
"""

from __future__ import annotations

import re
import sys
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from keras_dc3.data.stored_values import Extremes, ValueRange, extremes, scaled

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION = 0x0112  # the EXIF tag
_PHOTOMETRIC, _SAMPLE_FORMAT = 262, 339  # tags of TIFF
_LOWER_BYTES = (np.arange(256) * 97 % 256).astype("uint16")  # each once, mixed
_SIXTEEN_BITS = ValueRange(0.0, 65535.0)
# How a decoder is told to take the upper byte of each value of 16 bits.
_DEEP_COLOR = re.compile(r"(RGB|RGBA|RGBX);16([BLN])")


def orientation(image: Image.Image) -> int | None:
    """Returns what turns the image upright, a method of Pillow's `transpose`.

    Args:
        image: decoded or not. Of a PNG that is not, what stands behind its pixels is
            not looked for.
    """
    from PIL.Image import Transpose

    if image.format == "TIFF":
        return None  # Pillow turns it by itself
    if image.format == "PNG" and image.tile and "exif" not in image.info:
        return None  # Pillow would decode it first
    try:
        tag = image.getexif().get(_ORIENTATION)
    except Exception:  # damaged EXIF data are no reason to lose the image
        return None
    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }.get(tag)


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Returns (h, w) of the image once it is turned upright."""
    from PIL.Image import Transpose

    keeps = (
        None,
        Transpose.FLIP_LEFT_RIGHT,
        Transpose.ROTATE_180,
        Transpose.FLIP_TOP_BOTTOM,
    )
    width, height = image.size
    return (height, width) if orientation(image) in keeps else (width, height)


def is_gray(image: Image.Image) -> bool:
    """Whether the image, not decoded yet, can hold nothing but gray."""
    if image.mode in ("P", "PA"):
        colors = np.array(image.getpalette() or [0, 0, 0], "uint8").reshape(-1, 3)
        return bool((colors == colors[:, :1]).all())
    if _is_deep_gray_alpha(image):
        return True  # which Pillow makes RGBA of
    return image.mode in ("1", "L", "LA", "La") or _is_deep_gray(image)


def is_measured(image: Image.Image) -> bool:
    """Whether the values of the image, not decoded yet, are more than bytes.

    They have more than 8 bits, or a sign.
    """
    return (
        _is_deep_gray(image)
        or _has_signed_bytes(image)
        or _is_deep_gray_alpha(image)
        or any(map(_deep_raw_mode, image.tile))
    )


def extremes_of(image: Image.Image) -> Extremes | None:
    """Returns the extremes of the stored values; None if they are bytes.

    Args:
        image: not decoded yet.
    """
    if _is_deep_gray(image) or _has_signed_bytes(image):
        return extremes(_deep_gray(image))
    if _is_deep_gray_alpha(image):
        return extremes(_deep_gray_alpha(image)[0])
    if not any(map(_deep_raw_mode, image.tile)):
        return None
    image.load()
    upper = np.asarray(image)[..., :3].astype("uint16") * 256
    lower = np.resize(_LOWER_BYTES, upper.shape)  # unseen, so taken as any
    found = extremes(upper + lower)
    return found._replace(low=float(upper.min()), high=float(upper.max()) + 255)


def eight_bits(
    image: Image.Image, file: IO[bytes], value_range: ValueRange | None
) -> Image.Image:
    """Returns the image with 8 bits per value.

    Args:
        image: not decoded yet.
        file: what it was opened from.
        value_range: what becomes black and white, where values are more than bytes;
            None for the rule of `data.read_image`.
    """
    from PIL import Image

    if _is_deep_gray(image) or _has_signed_bytes(image):
        return _of_deep_gray(image, value_range)
    if _is_deep_gray_alpha(image):
        gray, alpha = _deep_gray_alpha(image)
        pixels = scaled(gray, value_range)
        return Image.fromarray(np.stack([pixels, alpha], axis=-1))
    if not any(map(_deep_raw_mode, image.tile)):
        image.load()
        return image
    tiles = image.tile
    image.load()
    upper = np.asarray(image)
    colors = 3  # transparency behind them keeps its upper 8 bits
    transparent = image.info.get("transparency")
    all_bits = value_range == _SIXTEEN_BITS or (
        value_range is None and upper[..., :colors].max() >= 128
    )
    if all_bits and transparent is None:
        return image  # the upper 8 bits are what is wanted
    file.seek(0)
    again = Image.open(file, formats=[image.format])
    again.tile = [_lower_bytes(tile) for tile in tiles]
    again.load()
    values = upper.astype("uint16") * 256 + np.asarray(again)
    pixels = upper.copy()
    pixels[..., :colors] = scaled(values[..., :colors], value_range)
    if transparent is None:
        return Image.fromarray(pixels, image.mode)
    opaque = (values != transparent).any(axis=-1, keepdims=True)
    return Image.fromarray(np.concatenate([pixels, _as_alpha(opaque)], axis=-1))


def one_kind(
    image: Image.Image, channels: int, background: tuple[int, int, int]
) -> Image.Image:
    """Returns an 8-bit image as gray ("L") or "RGB", transparency laid over a color.

    Args:
        image: of any mode with 8 bits.
        channels: 1 or 3.
        background: (red, green, blue).
    """
    from PIL import Image

    if image.has_transparency_data:
        below = Image.new("RGBA", image.size, (*background, 255))
        image = Image.alpha_composite(below, image.convert("RGBA"))
    return image.convert("L" if channels == 1 else "RGB")


def fitted(
    image: Image.Image, size: tuple[int, int], fit: str, background: tuple[int, ...]
) -> Image.Image:
    """Returns the image in a size (h, w); see `data.ImageFormat`."""
    from PIL import Image

    wanted = size[1], size[0]
    if image.size == wanted:
        return image
    bilinear = Image.Resampling.BILINEAR
    ratios = [new / old for new, old in zip(wanted, image.size, strict=True)]
    if fit == "resize":
        return image.resize(wanted, bilinear)
    if fit == "crop":
        sides = [new / max(ratios) for new in wanted]
        left, top = [
            (old - side) / 2 for old, side in zip(image.size, sides, strict=True)
        ]
        box = (left, top, left + sides[0], top + sides[1])
        return image.resize(wanted, bilinear, box=box)
    inner = [max(1, round(old * min(ratios))) for old in image.size]
    color = Image.new("RGB", (1, 1), background).convert(image.mode).getpixel((0, 0))
    padded = Image.new(image.mode, wanted, color)
    left, top = [(new - side) // 2 for new, side in zip(wanted, inner, strict=True)]
    padded.paste(image.resize(inner, bilinear), (left, top))
    return padded


def _is_deep_gray(image: Image.Image) -> bool:
    return image.mode.startswith(("I", "F"))


def _is_deep_gray_alpha(image: Image.Image) -> bool:
    return any(_raw_mode(tile) == "LA;16B" for tile in image.tile)


def _has_signed_bytes(image: Image.Image) -> bool:
    """Whether the image, not decoded yet, has bytes that Pillow takes as unsigned."""
    is_gray = image.format == "TIFF" and image.mode == "L"
    return is_gray and image.tag_v2.get(_SAMPLE_FORMAT) in (2, (2,))


def _deep_gray(image: Image.Image) -> np.ndarray:
    """Returns the values (h, w) of a gray image, decoded, as they are stored."""
    stored = None  # as what, where Pillow has another type
    if _has_signed_bytes(image):
        stored = "int8"
    elif any(_raw_mode(tile) == "I;32N" for tile in image.tile):
        stored = "uint32"
    image.load()
    values = np.asarray(image)
    return values if stored is None else values.view(stored)


def _of_deep_gray(image: Image.Image, value_range: ValueRange | None) -> Image.Image:
    from PIL import Image

    is_tiff = image.format == "TIFF"
    white_is_zero = is_tiff and image.tag_v2.get(_PHOTOMETRIC) == 0
    values = _deep_gray(image)
    pixels = scaled(values, value_range)
    if white_is_zero:
        pixels = 255 - pixels
    transparent = image.info.get("transparency")
    if transparent is None:
        return Image.fromarray(pixels)
    alpha = _as_alpha(values != transparent)
    return Image.fromarray(np.stack([pixels, alpha], axis=-1))


def _deep_gray_alpha(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Returns gray values (h, w) uint16 and transparency (h, w) uint8."""
    # As if its four bytes were four colors: Pillow itself keeps the upper ones alone.
    image.tile = [tile._replace(args="RGBA") for tile in image.tile]
    image.load()
    parts = np.asarray(image)
    return parts[..., 0].astype("uint16") * 256 + parts[..., 1], parts[..., 2]


def _as_alpha(opaque: np.ndarray) -> np.ndarray:
    return opaque.astype("uint8") * 255


def _raw_mode(tile: Any) -> str:
    """Returns how the values of a tile are stored, "" where that is not told."""
    arguments = tile.args
    mode = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return mode if isinstance(mode, str) else ""


def _deep_raw_mode(tile: Any) -> re.Match | None:
    """Returns the raw mode of a tile of color with 16 bits per value."""
    return _DEEP_COLOR.fullmatch(_raw_mode(tile))


def _lower_bytes(tile: Any) -> Any:
    """Returns a tile that is read as if its bytes stood in the other order."""
    found = _deep_raw_mode(tile)
    order = "BL"[sys.byteorder == "little"] if found[2] == "N" else found[2]
    mode = f"{found[1]};16{'L' if order == 'B' else 'B'}"
    rest = tile.args[1:] if isinstance(tile.args, tuple) else None
    return tile._replace(args=mode if rest is None else (mode, *rest))
