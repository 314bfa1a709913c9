"""Which images are ambiguous, by the confidence of a model. NumPy only."""

from __future__ import annotations

import warnings

import numpy as np

_HALF = 0.5


def ambiguity_of(probabilities: np.ndarray, prior: float) -> np.ndarray:
    """Returns p_a (n,) of class probabilities (n, k); see `Proposals.from_predictions`.

    Args:
        probabilities: (n, k), rows sum to 1.
        prior: share of the images to call ambiguous, in (0, 1).

    Raises:
        ValueError: if all images are equally certain.
    """
    u = 1.0 - probabilities.max(axis=1)
    ascending = np.sort(u)
    n = len(u)
    if n > 1 and ascending[0] == ascending[-1]:
        raise ValueError(
            f"The largest class probability of every image is {1 - u[0]:.4g}, so that "
            "nothing tells certain images from ambiguous ones. Give the probabilities "
            "(the output of the softmax), not the predicted classes."
        )
    # Images that are equally certain stay together.
    cuts = np.flatnonzero(np.diff(ascending, prepend=-1.0, append=2.0) > 0)
    wanted = (1.0 - prior) * n
    cut = int(cuts[np.abs(cuts - wanted).argmin()])
    if abs(cut - wanted) > max(1.0, 0.01 * n):
        warnings.warn(
            f"{1 - cut / n:.0%} of the images are called ambiguous instead of "
            f"{prior:.0%}, because many have the same largest class probability. "
            "Numbers with more digits, or in float32, tell them apart.",
            stacklevel=3,
        )
    certain = u < (ascending[cut] if cut < n else 2.0)
    below, above = ascending[max(cut - 1, 0)], ascending[min(cut, n - 1)]
    odds = u / ((below + above) / 2 or 1.0)
    p_a = odds / (1.0 + odds)
    # Rounding must not change sides.
    return np.where(
        certain, np.minimum(p_a, np.nextafter(_HALF, 0)), np.maximum(p_a, _HALF)
    )
