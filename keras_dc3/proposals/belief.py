"""What is believed of people's answers, and what one more would tell. NumPy only."""

from __future__ import annotations

import numpy as np

_DOUBT = 0.1  # share of the uniform distribution in the prior; networks are too sure


def beliefs(
    p: np.ndarray, counts: np.ndarray, model_weight: float | None = None
) -> np.ndarray:
    """Returns (n, k), the parameters of Dirichlet distributions.

    They are what is believed of the distribution of people's answers to each image:
    the class probabilities, a tenth of them spread evenly, and the answers so far.

    Args:
        p: (n, k) class probabilities.
        counts: (n, k) answers.
        model_weight: how many answers `p` counts as; None to fit it.
    """
    prior = prior_of(p)
    if model_weight is None:
        model_weight = fit_weight(prior, counts)
    return model_weight * prior + counts


def prior_of(p: np.ndarray) -> np.ndarray:
    """Returns class probabilities (n, k), a tenth of them spread evenly."""
    return (1 - _DOUBT) * p + _DOUBT / p.shape[1]


def fit_weight(prior: np.ndarray, counts: np.ndarray) -> float:
    """Returns the weight of `prior` (n, k) under which `counts` (n, k) are likeliest.

    Of 1/16, 1/8, ..., 64; 1 is preferred where the answers hardly tell: ln w has a
    Gaussian prior with the standard deviation 1.5 ln 2.
    """
    several = counts.sum(axis=1) > 1
    row, column = np.nonzero(counts * several[:, None])
    mean, number = prior[row, column], counts[row, column]
    total = counts[several].sum(axis=1)
    powers = np.arange(-4, 7)
    found = [
        -0.5 * (power / 1.5) ** 2
        + (log_gamma(w * mean + number) - log_gamma(w * mean)).sum()
        - (log_gamma(w + total) - log_gamma(np.array([w]))).sum()
        for power, w in zip(powers, 2.0**powers, strict=True)
    ]
    return float(2.0 ** powers[np.argmax(found)])


def guess_of(belief: np.ndarray) -> np.ndarray:
    """Returns (n, k), the means of Dirichlet distributions of these parameters."""
    return belief / belief.sum(axis=1, keepdims=True)


def answer_gain(belief: np.ndarray) -> np.ndarray:
    """Returns (n,), the gain of one more answer in nats.

    It is the expected decrease of the KL divergence from the true distribution to the
    mean of the belief; `Proposals.next` has the formula.

    Args:
        belief: (n, k) above 0, the parameters of Dirichlet distributions.
    """
    total = belief.sum(axis=1)
    same = belief * (belief + 1) / (total * (total + 1))[:, None]
    nearer = np.log(total / (total + 1))
    gain = nearer + (same * np.log1p(1 / belief)).sum(axis=1)
    return gain.clip(0.0)


def log_gamma(x: np.ndarray) -> np.ndarray:
    """ln of the gamma function by Stirling's series, for x above 0."""
    steps = 8
    low = sum(np.log(x + step) for step in range(steps))
    y = x + steps
    series = 1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5)
    return (y - 0.5) * np.log(y) - y + 0.5 * np.log(2 * np.pi) + series - low
