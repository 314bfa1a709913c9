"""95% intervals: what chance in the choice of the images may have done to a score.

They are over images only. Another training, with other seeds, may differ by more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

Interval = tuple[float, float]
NO_INTERVAL: Interval = (math.nan, math.nan)
_Z = 1.959963984540054  # of the normal distribution, for 95%
_MOST, _LEAST = 1000, 200  # resamples of few and of many images
_TOTAL = 5 * 10**6  # images in all resamples
_AT_ONCE = 2**20  # of these


def bootstrap(
    scores: Callable[[np.ndarray], Mapping[str, np.ndarray]], images: int, seed: int
) -> dict[str, np.ndarray]:
    """Computes scores of images drawn with replacement, as many as there are.

    Args:
        scores: takes weights (n, b), see `image_weights`, and gives name -> (b,). All
            scores see the same resamples, so that differences of them are paired.
        images: n.
        seed: of the draws.

    Returns:
        name -> (resamples,): 1,000; of more than 5,000 images fewer, at least 200.
    """
    resamples = int(np.clip(_TOTAL // max(images, 1), _LEAST, _MOST))
    step = int(np.clip(_AT_ONCE // max(images, 1), 1, resamples))
    rng = np.random.default_rng(seed)
    found: dict[str, list[np.ndarray]] = {}
    for start in range(0, resamples, step):
        size = min(step, resamples - start)
        drawn = rng.integers(0, max(images, 1), (images, size)) * size
        drawn += np.arange(size)
        weights = np.bincount(drawn.ravel(), minlength=images * size)
        weights = weights.reshape(images, size).astype("float32")
        for name, values in scores(weights).items():
            found.setdefault(name, []).append(values)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def spread(value: float, resampled: np.ndarray) -> Interval:
    """Returns the interval of a score by the spread of its resamples.

    It is the middle 95% of them, moved so that their mean is the score: drawing images
    twice makes clusters look tighter than they are.
    """
    resampled = resampled[np.isfinite(resampled)]
    if math.isnan(value) or not resampled.size:
        return NO_INTERVAL
    low, high = np.quantile(resampled, [0.025, 0.975]) - resampled.mean() + value
    return float(min(low, value)), float(max(high, value))


def wilson(share: float, images: float) -> Interval:
    """Returns Wilson's interval of a share of so many images.

    Reference:
        Wilson, "Probable inference, the law of succession, and statistical inference",
        Journal of the American Statistical Association 22, 1927.
    """
    if not images or math.isnan(share):
        return NO_INTERVAL
    z2 = _Z**2
    middle = (share + z2 / (2 * images)) / (1 + z2 / images)
    half = math.sqrt(share * (1 - share) / images + z2 / (4 * images**2))
    half *= _Z / (1 + z2 / images)
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def of_area_under_roc(area: float, positives: int, negatives: int) -> Interval:
    """Returns the interval of an area under the ROC curve by its numbers of images.

    The areas from which the measured one lies less than 1.96 standard errors away; by
    Hanley and McNeil's error of exponential scores, with (positives + negatives) / 2
    in it for both numbers (Newcombe's method 5).

    Reference:
        Newcombe, "Confidence intervals for an effect size measure based on the
        Mann-Whitney statistic. Part 2", Statistics in Medicine 25, 2006.
    """
    if not positives or not negatives or math.isnan(area):
        return NO_INTERVAL
    others = (positives + negatives) / 2 - 1

    def possible(t: float) -> bool:
        q = t * (1 - t) * (1 + others * ((1 - t) / (2 - t) + t / (1 + t)))
        return (t - area) ** 2 <= _Z**2 * max(q, 0.0) / (positives * negatives)

    ends = []
    for outside in (0.0, 1.0):
        inside = area
        if possible(outside) and area != outside:
            inside = outside
        for _ in range(40):
            middle = (inside + outside) / 2
            inside, outside = (
                (middle, outside) if possible(middle) else (inside, middle)
            )
        ends.append(inside)
    return ends[0], ends[1]


def of_paired_difference(differences: np.ndarray, images: float) -> Interval:
    """Returns the interval of the sum of differences in -1..1, by `images`.

    Half an image is added to each of four counts: won, lost, and level ones of either
    kind. So a difference of 0 among few images is not taken for a sure one.

    Reference:
        Agresti and Min, "Simple improved confidence intervals for comparing matched
        proportions", Statistics in Medicine 24, 2005.
    """
    if not images:
        return NO_INTERVAL
    won = float(differences[differences > 0].sum()) + 0.5
    lost = -float(differences[differences < 0].sum()) + 0.5
    total = images + 2.0
    middle = (won - lost) / total
    half = _Z * math.sqrt(max(won + lost - (won - lost) ** 2 / total, 0.0)) / total
    return max(-1.0, middle - half), min(1.0, middle + half)


def wider(first: Interval, second: Interval) -> Interval:
    """Returns the least interval around two; one that is not there is passed over."""
    return float(np.fmin(first[0], second[0])), float(np.fmax(first[1], second[1]))


def within(interval: Interval, low: float, high: float) -> Interval:
    """Returns the part of an interval in the range of a score."""
    return max(interval[0], low), min(interval[1], high)
