"""Pillow's images of every kind as 8-bit gray or RGB. Pillow is imported when called.

Whoever calls this expects any exception: Pillow's decoders raise nearly all kinds on a
damaged file.
"""

from __future__ import annotations

import re
import sys
from typing import IO, TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL import Image

_ORIENTATION = 0x0112  # the EXIF tag
_PHOTOMETRIC, _SAMPLE_FORMAT = 262, 339  # tags of TIFF
_LEAST_OF_255 = 16  # the largest fraction of an image that can be meant as 0..255
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


def is_deep(image: Image.Image) -> bool:
    """Whether a value of the image, not decoded yet, has more than 8 bits."""
    return (
        _is_deep_gray(image)
        or _is_deep_gray_alpha(image)
        or any(map(_deep_raw_mode, image.tile))
    )


def eight_bits(
    image: Image.Image, file: IO[bytes], max_value: float | None
) -> Image.Image:
    """Returns the image with 8 bits per value, by the rule of `data.read_image`.

    Args:
        image: not decoded yet.
        file: what it was opened from.
        max_value: as for `data.ImageFormat`.
    """
    from PIL import Image

    if _is_deep_gray(image) or _has_signed_bytes(image):
        return _of_deep_gray(image, max_value)
    if _is_deep_gray_alpha(image):
        return _of_deep_gray_alpha(image, max_value)
    if not any(map(_deep_raw_mode, image.tile)):
        image.load()
        return image
    tiles = image.tile
    image.load()
    upper = np.asarray(image)
    colors = 3  # transparency behind them keeps its upper 8 bits
    transparent = image.info.get("transparency")
    if max_value is None and upper[..., :colors].max() >= 128 and transparent is None:
        return image  # all 16 bits are needed, and the upper 8 are what is wanted
    file.seek(0)
    again = Image.open(file, formats=[image.format])
    again.tile = [_lower_bytes(tile) for tile in tiles]
    again.load()
    values = upper.astype("uint16") * 256 + np.asarray(again)
    pixels = upper.copy()
    pixels[..., :colors] = scaled(values[..., :colors], max_value)
    if transparent is None:
        return Image.fromarray(pixels, image.mode)
    opaque = (values != transparent).any(axis=-1, keepdims=True)
    return Image.fromarray(np.concatenate([pixels, _as_alpha(opaque)], axis=-1))


def scaled(values: np.ndarray, max_value: float | None) -> np.ndarray:
    """Returns numbers of any size as uint8, by the rule of `data.read_image`."""
    if not np.isfinite(values).all():
        raise ValueError("it holds NaN or infinity")
    low, high = float(values.min()), float(values.max())
    if max_value is not None:
        low, high = 0.0, float(max_value)
    elif low < 0:
        pass
    elif values.dtype.kind != "f":
        low, high = 0.0, 2.0 ** max(8, int(high).bit_length()) - 1
    elif high <= 1:
        low, high = 0.0, 1.0
    elif high <= 255:
        meant = high >= _LEAST_OF_255 or (values == np.rint(values)).all()
        low, high = 0.0, 255.0 if meant else high
    scale = 255 / (high - low) if high > low else 0.0
    return np.rint(((values - low) * scale).clip(0, 255)).astype("uint8")


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


def _of_deep_gray(image: Image.Image, max_value: float | None) -> Image.Image:
    from PIL import Image

    is_tiff = image.format == "TIFF"
    white_is_zero = is_tiff and image.tag_v2.get(_PHOTOMETRIC) == 0
    stored = None  # as what, where Pillow has another type
    if _has_signed_bytes(image):
        stored = "int8"
    elif any(_raw_mode(tile) == "I;32N" for tile in image.tile):
        stored = "uint32"
    image.load()
    values = np.asarray(image)
    if stored is not None:
        values = values.view(stored)
    pixels = scaled(values, max_value)
    if white_is_zero:
        pixels = 255 - pixels
    transparent = image.info.get("transparency")
    if transparent is None:
        return Image.fromarray(pixels)
    alpha = _as_alpha(values != transparent)
    return Image.fromarray(np.stack([pixels, alpha], axis=-1))


def _of_deep_gray_alpha(image: Image.Image, max_value: float | None) -> Image.Image:
    from PIL import Image

    # As if its four bytes were four colors: Pillow itself keeps the upper ones alone.
    image.tile = [tile._replace(args="RGBA") for tile in image.tile]
    image.load()
    parts = np.asarray(image)
    pixels = scaled(parts[..., 0].astype("uint16") * 256 + parts[..., 1], max_value)
    return Image.fromarray(np.stack([pixels, parts[..., 2]], axis=-1))


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
