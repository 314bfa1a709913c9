"""Mean and deviation of features, by which they are standardized. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

_NOTHING = 1e-6  # of the deviation of all: a feature that varies less is constant


class Moments(NamedTuple):
    """number: of images. mean, deviation: (d,) float32; 1 for constant features."""

    number: int
    mean: np.ndarray
    deviation: np.ndarray


def moments_of(batches: Iterable[np.ndarray]) -> Moments:
    """Returns the moments of all rows of some arrays (m, d); there is at least one.

    A batch's own moments are joined with those of the batches before (Chan et al.,
    1979), so that nothing is lost to rounding where means are large.
    """
    number, mean, squares = 0, np.zeros(()), np.zeros(())
    for batch in batches:
        batch = np.asarray(batch, "float64")
        if not len(batch):
            continue
        own = batch.mean(axis=0)
        total = number + len(batch)
        step = own - mean
        squares = squares + ((batch - own) ** 2).sum(axis=0)
        squares = squares + step**2 * (number * len(batch) / total)
        mean = mean + step * (len(batch) / total)
        number = total
    deviation = np.sqrt(squares / number)
    least = _NOTHING * float(np.sqrt(np.mean(squares / number + mean**2)))
    deviation = np.where(deviation > least, deviation, 1.0)
    return Moments(number, mean.astype("float32"), deviation.astype("float32"))
