"""A figure with its interval, and resampling of images. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keras_dc3._text import number_of

_BLOCK = 32  # resamples at a time


@dataclass(frozen=True)
class Estimate:
    """A figure with a 95% interval.

    Attributes:
        value: the figure; NaN where it is not defined, and `note` says why.
        low: where the interval begins; NaN where there is none.
        high: where it ends.
        images: on how many images it rests.
        note: on what it rests, or why there is no figure; "" if nothing is to say.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    images: int = 0
    note: str = ""

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return self.format(".3f")

    def format(self, spec: str) -> str:
        """Returns such as "0.519 (0.401 to 0.640)"; "-" where there is no figure.

        Where an interval has no width, as that of images which all say the same, it
        is told on how many images the figure rests: "1.000 (from 10 images)".
        """
        if math.isnan(self.value):
            return "-"
        if math.isnan(self.low):
            return f"{self.value:{spec}}"
        low, high = f"{self.low:{spec}}", f"{self.high:{spec}}"
        if low == high and self.images:
            return f"{self.value:{spec}} (from {number_of(self.images, 'image')})"
        return f"{self.value:{spec}} ({low} to {high})"


def resample(
    evaluate: Callable[[np.ndarray], np.ndarray],
    num_images: int,
    resamples: int,
    seed: int,
) -> np.ndarray:
    """Returns (resamples, q), figures of images drawn with replacement.

    Args:
        evaluate: (b, num_images) float64, how often each image was drawn, to (b, q).
        num_images: how many images there are.
        resamples: how often they are drawn.
        seed: the same seed gives the same result.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for start in range(0, resamples, _BLOCK):
        weights = np.empty((min(_BLOCK, resamples - start), num_images))
        for row in weights:
            drawn = rng.integers(0, num_images, num_images)
            row[:] = np.bincount(drawn, minlength=num_images)
        parts.append(evaluate(weights))
    return np.concatenate(parts)


def estimate(
    value: float,
    draws: np.ndarray,
    images: int,
    note: str = "",
    limit: float | None = None,
) -> Estimate:
    """Returns a figure with the percentile interval of its resamples.

    There is no interval on fewer than two images, or where more than half of the
    resamples are not defined.

    Args:
        value: the figure.
        draws: (resamples,) the same of drawn images.
        images: how many it rests on.
        note: see `Estimate`.
        limit: of a kappa of pairs, 1, or a difference of these, 2: the interval is
            moved by the difference between the figure and the mean of its resamples,
            and cut off there. Kappa of a pair with few images is lower where
            images are drawn repeatedly, and its mean over many pairs lies outside of
            an interval that is left where it is.
    """
    value, images = float(value), int(images)
    known = draws[np.isfinite(draws)]
    if not math.isfinite(value):
        return Estimate(math.nan, images=images, note=note)
    if images < 2 or not known.size or 2 * known.size < draws.size:
        return Estimate(value, images=images, note=note)
    low, high = np.percentile(known, (2.5, 97.5))
    if limit is not None:
        shift = value - known.mean()
        low, high = np.clip([low + shift, high + shift], -limit, limit)
    return Estimate(value, float(low), float(high), images, note)


def ratio(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Returns upper / lower, NaN where `lower` is 0."""
    upper, lower = np.broadcast_arrays(upper, lower)
    result = np.full(lower.shape, math.nan)
    np.divide(upper, lower, out=result, where=lower > 0)
    return result
