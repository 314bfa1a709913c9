"""How the numbers that image files store become 8 bits. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

_LEAST_OF_255 = 16  # the largest fraction that can be meant as 0..255
_LEVELS = 20  # gray values that an image is to keep
_SHARE = 0.25  # of the images that may keep fewer


class ValueRange(NamedTuple):
    """What becomes black and what becomes white; other values lie between them.

    low, high: the stored values. root: whether in proportion to the square root of a
    value's distance from `low`, not to the distance itself.
    """

    low: float
    high: float
    root: bool = False


class Extremes(NamedTuple):
    """The smallest and largest value of an image; whether they are stored as fractions,
    and whether all are whole numbers.
    """

    low: float
    high: float
    fractions: bool
    whole: bool


def checked_range(value_range: Any) -> ValueRange | None:
    """Returns a pair (low, high), or a `ValueRange`, as one; ValueError if it is none.

    None stays None.
    """
    if value_range is None:
        return None
    wrong = (
        "`value_range` must be a pair (low, high) of stored values that become black "
        "and white, such as (0, 4095) for images of 12 bits. Received: "
        f"value_range={value_range!r}"
    )
    if not isinstance(value_range, Sequence | np.ndarray) or len(value_range) not in (
        2,
        3,
    ):
        raise ValueError(wrong)
    low, high, *root = value_range
    for value in (low, high):
        number = isinstance(value, int | float | np.number)
        if not number or isinstance(value, bool) or not np.isfinite(value):
            raise ValueError(wrong)
    if not low < high:
        raise ValueError(wrong)
    return ValueRange(float(low), float(high), bool(root and root[0]))


def extremes(values: np.ndarray) -> Extremes:
    """Returns the extremes of stored values; ValueError for NaN or infinity."""
    if not np.isfinite(values).all():
        raise ValueError("it holds NaN or infinity")
    fractions = values.dtype.kind == "f"
    whole = not fractions or bool((values == np.rint(values)).all())
    return Extremes(float(values.min()), float(values.max()), fractions, whole)


def range_of_one(found: Extremes) -> ValueRange:
    """Returns the range for a single image, by the rule of `data.read_image`."""
    low, high = found.low, found.high
    if low < 0:
        return ValueRange(low, high)
    if not found.fractions:
        return ValueRange(0.0, 2.0 ** max(8, int(high).bit_length()) - 1)
    if high <= 1:
        return ValueRange(0.0, 1.0)
    if high <= 255:
        meant = high >= _LEAST_OF_255 or found.whole
        return ValueRange(0.0, 255.0 if meant else high)
    return ValueRange(low, high)


def range_of_all(images: Sequence[Extremes]) -> ValueRange:
    """Returns the one range for a set of images.

    That of an image that held all their values. Where more than a quarter of the images
    would be left with fewer than 20 gray values, the gray values follow the square root
    of the stored ones, which tells small values apart as well.

    Args:
        images: the extremes of each; of one kind, fractions or whole numbers.
    """
    together = Extremes(
        min(found.low for found in images),
        max(found.high for found in images),
        images[0].fractions,
        all(found.whole for found in images),
    )
    low, high, _ = range_of_one(together)
    if together.low < 0 or high <= 255:
        return ValueRange(low, high)
    levels = [255 * (found.high - found.low) / (high - low) for found in images]
    few = sum(level < _LEVELS for level in levels)
    return ValueRange(low, high, few > _SHARE * len(levels))


def scaled(values: np.ndarray, value_range: ValueRange | None) -> np.ndarray:
    """Returns numbers of any size as uint8; by `range_of_one` where no range is given.

    Raises:
        ValueError: for NaN or infinity.
    """
    found = extremes(values)
    low, high, root = value_range or range_of_one(found)
    # In float64, since unsigned numbers below `low` would turn around.
    share = (values - np.float64(low)) * (1.0 / (high - low) if high > low else 0.0)
    if root:
        share = np.sqrt(share.clip(0, 1))
    return np.rint((share * 255).clip(0, 255)).astype("uint8")
