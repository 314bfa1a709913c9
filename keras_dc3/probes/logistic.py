"""Logistic regressions with a penalty, on targets between 0 and 1. NumPy only."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_MOST_STEPS = 500
_TOLERANCE = 1e-7  # of the loss per image that another step may still gain


def softmax(logits: np.ndarray) -> np.ndarray:
    """Returns the distributions (n, k) of logits (n, k)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Returns the probabilities of logits."""
    return np.exp(-np.logaddexp(0.0, -logits))


def principal_axes(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns axes along which features of mean 0 do not vary together.

    Args:
        features: (n, d), each of mean 0.

    Returns:
        The axes, orthonormal columns (d, r), without those along which nothing varies;
        and the sum of squares along each, (r,).
    """
    n, d = features.shape
    gram = features.T @ features if d <= n else features @ features.T
    squares, axes = np.linalg.eigh(gram)
    kept = squares > 1e-10 * squares.max(initial=0.0)
    squares, axes = squares[kept], axes[:, kept]
    if d > n:
        axes = features.T @ axes / np.sqrt(squares)
    return axes, squares


def fit_softmax(
    inputs: np.ndarray,
    targets: np.ndarray,
    penalties: np.ndarray,
    squares: np.ndarray | None = None,
) -> np.ndarray:
    """Returns the weights of a multinomial regression, (d, k).

        min_W sum_i CE(targets_i, softmax(inputs_i W)) + 1/2 sum_dc penalties_d W_dc^2

    Args:
        inputs: (n, d).
        targets: distributions (n, k).
        penalties: of each input, (d,), at least 0.
        squares: of inputs along `principal_axes`, which are fitted far faster, the sums
            of squares, (d,): of these images, or of more that these are of.
    """

    def slope(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logits = inputs @ weights
        top = logits.max(axis=1, keepdims=True)
        total = np.log(np.exp(logits - top).sum(axis=1, keepdims=True)) + top
        errors = np.exp(logits - total) - targets
        return float((total[:, 0] - (targets * logits).sum(axis=1)).sum()), errors

    start = np.zeros((inputs.shape[1], targets.shape[1]))
    if squares is None:
        solve = _solver(0.5, inputs, penalties)
    else:
        solve = _along_axes(0.5 * squares + penalties)
    return _descend(slope, inputs, start, penalties, solve)


def fit_logistic(
    inputs: np.ndarray,
    targets: np.ndarray,
    penalties: np.ndarray,
    weights: np.ndarray,
    prior: np.ndarray,
) -> np.ndarray:
    """Returns the coefficients of a logistic regression, (d,).

        min_b sum_i weights_i BCE(targets_i, sigmoid(inputs_i b))
              + 1/2 sum_d penalties_d (b_d - prior_d)^2

    Args:
        inputs: (n, d).
        targets: in [0, 1], (n,).
        penalties: of each input, (d,), at least 0.
        weights: of each image, (n,), in [0, 1].
        prior: where the coefficients stay if nothing speaks against it, (d,).
    """
    expected = (inputs @ prior)[:, None]

    def slope(change: np.ndarray) -> tuple[float, np.ndarray]:
        logits = expected + inputs @ change
        losses = np.logaddexp(0.0, logits) - targets[:, None] * logits
        errors = sigmoid(logits) - targets[:, None]
        return float((weights[:, None] * losses).sum()), weights[:, None] * errors

    start = np.zeros((inputs.shape[1], 1))
    solve = _solver(0.25, inputs, penalties)
    return prior + _descend(slope, inputs, start, penalties, solve)[:, 0]


def _solver(
    most: float, inputs: np.ndarray, penalties: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    curvature = most * inputs.T @ inputs + np.diag(penalties)
    # Inputs that say the same twice leave a direction without curvature.
    curvature[np.diag_indices_from(curvature)] += 1e-9 * np.trace(curvature) + 1e-12
    inverse = np.linalg.inv(curvature)
    return lambda gradient: inverse @ gradient


def _along_axes(curvature: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda gradient: gradient / curvature[:, None]


def _descend(
    slope: Callable[[np.ndarray], tuple[float, np.ndarray]],
    inputs: np.ndarray,
    found: np.ndarray,
    penalties: np.ndarray,
    solve: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Minimizes a loss of `inputs @ found` plus a penalty.

    No second derivative of the loss by a logit is above 1/2 for a softmax, 1/4 for a
    sigmoid, so that a quadratic of that curvature lies above the loss, and its minimum
    is a step downhill (Boehning, 1992). Steps have momentum, and start without it where
    the loss went up.

    Args:
        slope: weights -> the loss, and its gradient by the logits.
        solve: gradient -> the step to the minimum of such a quadratic.
    """
    penalty = penalties[:, None]
    ahead, moment, last = found, 1.0, np.inf
    for _ in range(_MOST_STEPS):
        loss, errors = slope(ahead)
        loss += 0.5 * float((penalty * ahead**2).sum())
        if loss > last and moment > 1.0:
            ahead, moment = found, 1.0
            continue
        gradient = inputs.T @ errors + penalty * ahead
        step = solve(gradient)
        if float((gradient * step).sum()) < _TOLERANCE * len(inputs):
            return ahead - step
        following = (1 + np.sqrt(1 + 4 * moment**2)) / 2
        moved = ahead - step
        ahead = moved + (moment - 1) / following * (moved - found)
        found, moment, last = moved, following, loss
    return found
