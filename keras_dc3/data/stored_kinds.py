"""Image files whose values Pillow does not read as they are stored, or rescales.

Pillow is imported when called.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

_WIDTH, _HEIGHT, _BITS, _STRIPS, _SAMPLES = 256, 257, 258, 273, 277  # tags of TIFF
_STRIP_BYTES, _PLANES, _TILES, _TILE_BYTES, _FORMAT = 279, 284, 324, 325, 339
_NUMBERS = {1: "whole numbers", 2: "signed whole numbers", 3: "fractions"}
CONVERT = "Convert it, such as to a PNG or a contiguous TIFF of 8 or 16 bits."


def as_stored(image: Image.Image) -> str | None:
    """Makes an image, not decoded yet, be decoded to the values that are stored.

    Pillow would stretch those of a PGM or PPM of, say, 12 bits to 16 or to 8 bits.

    Returns:
        Why it cannot be read as stored, or None if it can.
    """
    if image.format == "TIFF":
        bits, samples = _first(image.tag_v2.get(_BITS)), image.tag_v2.get(_SAMPLES)
        if image.tag_v2.get(_PLANES) == 2 and (samples or 1) > 1 and (bits or 1) > 8:
            return (
                f"it is a TIFF of {bits} bits per value with each color in a plane of "
                "its own, which Pillow takes as 8 bits"
            )
    if image.format == "PPM":
        return _ppm_as_stored(image)
    return None


def why_no_kind(file: IO[bytes]) -> str | None:
    """Returns what an intact TIFF holds that Pillow does not read; None if damaged."""
    from PIL import TiffImagePlugin

    try:
        file.seek(0)
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        starts = _all(tags.get(_STRIPS) or tags.get(_TILES))
        sizes = _all(tags.get(_STRIP_BYTES) or tags.get(_TILE_BYTES))
        end = max(map(sum, zip(starts, sizes, strict=True)))
        whole = end <= os.fstat(file.fileno()).st_size and min(sizes) > 0
        if not (whole and tags.get(_WIDTH) and tags.get(_HEIGHT)):
            return None
        bits, kind = _first(tags.get(_BITS)), _first(tags.get(_FORMAT)) or 1
        samples = tags.get(_SAMPLES) or 1
    except Exception:  # nearly anything, of a damaged file
        return None
    channels = "" if samples == 1 else f" and {samples} values per pixel"
    return (
        f"it is a TIFF of {bits or 1} bits per value, "
        f"{_NUMBERS.get(kind, 'numbers of another kind')}{channels}, which Pillow does "
        "not read"
    )


def _ppm_as_stored(image: Image.Image) -> str | None:
    tile = image.tile[0]
    arguments = tile.args
    if not isinstance(arguments, tuple) or len(arguments) != 2:
        return None
    mode, most = arguments
    if tile.codec_name not in ("ppm", "ppm_plain") or most <= 255:
        return None
    if tile.codec_name == "ppm":  # two bytes per value, the upper one first
        raw = "I;16B" if image.mode == "I" else "RGB;16B"
        image.tile = [tile._replace(codec_name="raw", args=raw)]
    elif image.mode == "I":
        image.tile = [tile._replace(args=(mode, 65535))]
    else:
        return (
            f"it is a PPM of color written as text, of values up to {most}, which "
            "Pillow makes 8 bits"
        )
    return None


def _all(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _first(value: Any) -> Any:
    return _all(value)[0]
