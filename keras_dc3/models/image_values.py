"""What the numbers of images mean: the range that a model was trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

KINDS = ("integers", "floats")
BYTES, UNIT, SYMMETRIC = (0.0, 255.0), (0.0, 1.0), (-1.0, 1.0)
_ROUNDING = 1e-3
# How far interpolation may reach beyond a range, as a share of its extent.
INTERPOLATION = 0.15
# How far images may reach by chance beyond a range that was measured, as a share of it.
_CHANCE = 0.4
# Fractions below this are no image of 0..255, unless a black one.
_LEAST_OF_255 = 16.0


@dataclass(frozen=True)
class ImageValues:
    """The kind and range of the images that a model was trained on.

    One image has one answer, however it is stored: its 0..255 as integers or as
    floating-point numbers, or the numbers of the training range.

    Args:
        kind: `"integers"`, which hold 0..255, or `"floats"`.
        low: where the range begins that floats are meant to fill. 0..1, -1..1 and
            0..255 are known: what an integer image of 0..255 is in them, is certain. In
            any other range, integer images are refused.
        high: where it ends.

    Raises:
        ValueError: if the kind is another, the range is empty or not finite, or
            integers do not hold 0..255.

    Example:

    >>> keras_dc3.models.ImageValues("floats", 0.0, 1.0).range
    (0.0, 1.0)
    """

    kind: str
    low: float = 0.0
    high: float = 255.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(
                f"`kind` must be one of {list(KINDS)}. Received: kind={self.kind!r}"
            )
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))
        if not -math.inf < self.low <= self.high < math.inf:
            raise ValueError(
                "`low` and `high` must be finite, the lower first. Received: "
                f"low={self.low}, high={self.high}"
            )
        if self.kind == "integers" and self.range != BYTES:
            raise ValueError(
                "Integer images hold 0 to 255. Received: "
                f"low={self.low}, high={self.high}"
            )

    @property
    def range(self) -> tuple[float, float]:
        """(low, high)."""
        return self.low, self.high

    @property
    def takes_bytes(self) -> bool:
        """Whether it is certain what an integer image of 0..255 is in this range."""
        return self.range in (BYTES, UNIT, SYMMETRIC)

    def takes_bytes_by(self, rescale: bool | None) -> bool:
        """Whether it is known what integer images of 0..255 are to the backbone.

        Args:
            rescale: what the user says, None for nothing. It holds unless training
                shows that it does not.
        """
        if self.takes_bytes or rescale is None:
            return self.takes_bytes
        return self.lies_in(ImageValues("floats", *(SYMMETRIC if rescale else BYTES)))

    def lies_in(self, other: ImageValues) -> bool:
        """Whether it can be a part of another range, and is not a tiny one of it."""
        extent = other.high - other.low
        margin = INTERPOLATION * extent
        is_inside = self.low >= other.low - margin and self.high <= other.high + margin
        return is_inside and self.high - self.low >= extent / 10

    def __str__(self) -> str:
        return f"{self.kind} of {self.low:.4g} to {self.high:.4g}"

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, as plain values."""
        return {"kind": self.kind, "low": self.low, "high": self.high}

    def fits(self, low: Any, high: Any, has_fractions: Any) -> Any:
        """Returns whether floating-point images can be of this range.

        It looks at each image alone, so that its answer does not depend on the images
        beside it, and is generous: it is False only for what is certainly scaled in
        another way, or cannot be told from it.

        Args:
            low: the smallest value of each image.
            high: the largest.
            has_fractions: whether some value of it is no whole number.

        All of them NumPy arrays or tensors of one shape, which the result has, too.
        """
        if self.range == UNIT:
            return (low >= -0.5) & (high <= 1.5)
        if self.range == SYMMETRIC:
            return (low >= -2.0) & (high <= 2.0)
        if self.range == BYTES:
            # Interpolation goes a little below 0, a raised contrast further, but both
            # leave something bright. Images with their mean subtracted do not.
            is_undershoot = (high >= _LEAST_OF_255) & (low >= -high / 4.0)
            is_contrast = (high > 160.0) & (low >= -128.0)
            # Fractions of 0 to 1, and a little more, are scaled or all but black.
            is_scaled = (high <= 1.5) & has_fractions
            not_negative = (low >= 0.0) & ~is_scaled
            return (not_negative | is_undershoot | is_contrast) & (high <= 510.0)
        largest, extent = max(abs(self.low), abs(self.high)), self.high - self.low
        if largest > _LEAST_OF_255:
            # What lies in -3..3 is standardised or scaled, or flat.
            is_scaled = (high <= 3.0) & (low >= -3.0) & (has_fractions | (low < 0.0))
            in_reach = (low >= self.low - extent) & (high <= self.high + extent)
            return ~is_scaled & in_reach
        return (low >= -16.0 * largest) & (high <= 16.0 * largest)


def meant_range(low: float, high: float, has_fractions: bool) -> tuple[float, float]:
    """Returns the range that floating-point images are meant to fill.

    One of 0..1, -1..1 and 0..255 where it is certain, else what was measured.

    Args:
        low: the smallest of all values.
        high: the largest.
        has_fractions: whether some value is no whole number.
    """
    if low >= -_ROUNDING and high <= 1.0 + _ROUNDING:
        return UNIT
    if low >= -1.0 - _ROUNDING and high <= 1.0 + _ROUNDING:
        # Half of it may be a range of its own, -0.5..0.5.
        wide = low < -0.5 - _ROUNDING or high > 0.5 + _ROUNDING
        return SYMMETRIC if wide else (low, high)
    if low >= 0.0 and high <= 255.0 and (high >= _LEAST_OF_255 or not has_fractions):
        return BYTES
    if low >= -64.0 and 128.0 < high <= 320.0:  # interpolation goes beyond the ends
        return BYTES
    return low, high


def doubt_about(
    values: ImageValues, low: float, high: float, several: bool
) -> str | None:
    """Returns what is unlikely about floating-point images that fit, else None.

    Unlike `ImageValues.fits` it looks at all images together, so that it can only be
    asked outside of graphs.

    Args:
        values: what the model was trained on.
        low: the smallest value of all images.
        high: the largest.
        several: whether there is more than one image.
    """
    if values.range == BYTES and 0 < high <= 1:
        return "are black, if they hold 0 to 255"
    if values.range == SYMMETRIC and low >= 0 and high <= 1:
        return "are bright throughout, if they hold -1 to 1"
    extent = values.high - values.low
    if not extent:
        return None
    beyond = extent * (INTERPOLATION if values.takes_bytes else _CHANCE)
    if low < values.low - beyond or high > values.high + beyond:
        return "reach far beyond those in training"
    if values.takes_bytes or low == high:
        return None
    is_at_zero = abs(low) <= _ROUNDING
    if values.low < -extent / 4 and low >= 0 and (several or is_at_zero):
        return "hold nothing below 0, unlike those in training"
    if not several:
        return None
    if max(-values.low, values.high) > 1.2 and _fill_symmetric(low, high):
        return "end at -1 or 1, unlike those in training"
    if high - low < extent / 5:
        return "hold less than a fifth of the range in training"
    return None


def _fill_symmetric(low: float, high: float) -> bool:
    if max(-low, high) > 1.0 + _ROUNDING:
        return False
    return low <= -1.0 + _ROUNDING or high >= 1.0 - _ROUNDING
