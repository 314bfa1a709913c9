"""Images that a model can answer, but that more likely are scaled in another way."""

from __future__ import annotations

from keras_dc3.models.image_values import BYTES, INTERPOLATION, SYMMETRIC, ImageValues

_ROUNDING = 1e-3
# How far images may reach by chance beyond a range that was measured, as a share of it.
_CHANCE = 0.4


def doubt_about(
    values: ImageValues, low: float, high: float, several: bool
) -> str | None:
    """Returns what is unlikely about floating-point images that fit, else None.

    Unlike `ImageValues.fits` it looks at all images together, so that it can only be
    asked outside of graphs.

    Args:
        values: what the model was trained on.
        low, high: the smallest and the largest value of all images.
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
