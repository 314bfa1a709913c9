"""How the numbers that image files store become 8 bits. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

_LEAST_OF_255 = 16  # the largest fraction that can be meant as 0..255
_LEVELS = 20  # gray values that an image is to keep
_SHARE = 0.25  # of the images that may keep fewer
_QUANTILES = 513  # of an image, that stand for its values
_MOST_SORTED = 100_000  # values of an image, spread evenly, that these are found from
_ENDS = (0.02, 0.98)  # of all values, where a few odd ones stretch the scale
_STRETCHED = 10  # how much wider the scale then is at least


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

    quantiles: values spread evenly over the sorted ones of the image, or over its range
    where they are not known.
    """

    low: float
    high: float
    fractions: bool
    whole: bool
    quantiles: np.ndarray | None = None

    @property
    def values(self) -> np.ndarray:
        """Sorted values that stand for those of the image."""
        if self.quantiles is None:
            return np.linspace(self.low, self.high, _QUANTILES)
        return self.quantiles


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
    return Extremes(
        float(values.min()),
        float(values.max()),
        fractions,
        whole,
        _quantiles(values.ravel()),
    )


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
    of the stored ones, which tells small values apart as well; not where some are
    negative, or all fit into bytes.

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
    chosen = ValueRange(low, high)
    return chosen._replace(root=many_flat(images, chosen))


def many_flat(images: Sequence[Extremes], chosen: ValueRange) -> bool:
    """Whether more than a quarter of the images is left with few gray values.

    With fewer than 20, and fewer than half as many as it has values; counted over its
    quantiles, so that a few odd pixels do not make an image rich.
    """
    flat = 0
    for found in images:
        stored = len(np.unique(found.values))
        kept = len(np.unique(scaled(found.values, chosen)))
        flat += kept < min(_LEVELS, max(stored / 2, min(stored, 2)))
    return flat > _SHARE * len(images)


def stretched_by_few(
    images: Sequence[Extremes], chosen: ValueRange
) -> tuple[float, float] | None:
    """Returns where most values lie, if a few odd ones make the scale far wider.

    Such as hot pixels, or a number that stands for "no value". The smallest and the
    largest value of all are not counted, nor 2% on either side of the others.
    """
    values = np.concatenate([found.values for found in images])
    inner = values[(values > values.min()) & (values < values.max())]
    if not inner.size:
        return None
    low, high = map(float, np.quantile(inner, _ENDS))
    if low >= high or (high - low) * _STRETCHED > chosen.high - chosen.low:
        return None
    return low, high


def _quantiles(values: np.ndarray) -> np.ndarray:
    some = np.sort(values[:: -(-len(values) // _MOST_SORTED)])
    places = np.linspace(0, len(some) - 1, min(len(some), _QUANTILES))
    return some[np.rint(places).astype(int)].astype("float64")


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
