"""What further answers will do to labels, in the order in which they are asked for.

NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dc3.agreement.concentrations import Moments

_MOST = 20  # further answers to one image


@dataclass(frozen=True)
class Order:
    """Which image is asked about first.

    Attributes:
        urgency: (n,), higher is asked first; -inf: not asked about.
        decays: whether the urgency of an image falls as the gain of its answers does,
            for each further one; else by 1.
    """

    urgency: np.ndarray
    decays: bool


def distances(
    moments: Moments, order: Order, weights: np.ndarray, answers: np.ndarray
) -> np.ndarray:
    """Returns how far labels are expected to be, in points, after further answers.

    One more answer to image i lowers its error V by its gain. Of further ones it is
    taken to behave as a single Dirichlet distribution of size A = V / gain - 1, of
    which this is true: after j answers the error is V A / (A + j).

    Args:
        moments: of n images.
        order: of the questions.
        weights: (n,), how often each image counts.
        answers: (q,) numbers of further answers to all images, ascending.

    Returns:
        (q,), 100 sqrt(mean error / 2).
    """
    total = weights.sum()
    error = (weights * moments.error).sum() / total
    rows = np.flatnonzero((weights > 0) & np.isfinite(order.urgency))
    gained, paid = np.zeros(1), np.zeros(1)
    if rows.size:
        step = np.arange(_MOST)
        gain, value = moments.gain[rows, None], moments.error[rows, None]
        size = value / np.maximum(gain, 1e-300) - 1
        # The first step gives the gain itself.
        falls = size * (size + 1) / ((size + step) * (size + step + 1))
        falls = np.where(gain > 0, falls, 0.0)
        urgency = order.urgency[rows, None]
        urgency = urgency * falls if order.decays else urgency - step
        of = np.argsort(-urgency.ravel(), kind="stable")
        cost = np.repeat(weights[rows], _MOST)[of]
        gains = (gain * falls).ravel()[of] * cost
        if not order.decays:  # equals come in any order: each brings their mean
            _, group = np.unique(-urgency.ravel()[of], return_inverse=True)
            gains = (np.bincount(group, gains) / np.bincount(group, cost))[group] * cost
        gained = np.concatenate([gained, gains.cumsum()])
        paid = np.concatenate([paid, cost.cumsum()])
    left = error - np.interp(answers, paid, gained) / total
    return 100 * np.sqrt(left.clip(0.0) / 2)
