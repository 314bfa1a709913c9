"""Class probabilities as sure as they are right, by a temperature. NumPy only."""

from __future__ import annotations

import numpy as np

_TEMPERATURES = 2.0 ** np.arange(-2, 5.01, 1 / 16)
_SPREAD = 1.0  # of ln T before any image was seen: a Gaussian prior around T = 1
_LEAST = 1e-12


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Returns p^(1 / T), rows summing to 1: (n, k).

    The most probable class stays the same; T above 1 makes it less probable.

    Args:
        probabilities: (n, k), rows sum to 1.
        temperature: T, above 0.
    """
    logits = np.log(np.maximum(probabilities, _LEAST)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(probabilities: np.ndarray, soft_labels: np.ndarray) -> float:
    """Returns the temperature under which people's answers are likeliest.

    That is, the T of which the cross entropy with the soft labels, summed over the
    images, and (ln T)^2 / 2, by which few images leave it near 1, is lowest (Guo et
    al., 2017, "On Calibration of Modern Neural Networks"). T is at least 1/4 and at
    most 32.

    Args:
        probabilities: (n, k) of images that the model was not trained on.
        soft_labels: (n, k) of these images, rows sum to 1.
    """
    losses = [
        -(soft_labels * np.log(np.maximum(tempered(probabilities, t), _LEAST))).sum()
        + 0.5 * (np.log(t) / _SPREAD) ** 2
        for t in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])
