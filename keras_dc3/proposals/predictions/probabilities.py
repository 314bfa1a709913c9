"""Whether numbers are class probabilities, and what they are instead. NumPy only."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

_EXACT, _ROUNDED, _PERCENT = 1e-3, 0.02, 1.5  # how far sums are from 1, or from 100
_ROUNDING = 1e-6  # how far a probability may lie outside of 0..1
_MOST = 0.6  # share of the rows that tells what was meant by all

Place = Callable[[int], str]


def sums_fit(values: np.ndarray) -> bool:
    """Whether each row of (n, k) is a distribution, rounded, or in percent."""
    return _are_shares(values, 1, _ROUNDED) or _are_shares(values, 100, _PERCENT)


def as_probabilities(values: np.ndarray, logits: bool, place: Place) -> np.ndarray:
    """Returns class probabilities (n, k) that sum to 1.

    Args:
        values: (n, k) float64, probabilities, or logits.
        logits: whether they are logits, which the softmax turns into probabilities.
        place: position of a row -> what to call it, such as "'p.csv', line 7".

    Raises:
        ValueError: if they are none; it says what they look like, and what to do.
    """
    if values.shape[1] < 2:
        raise ValueError(
            "Predictions need a probability of each class, of two at least, but there "
            f"is {values.shape[1]} column of them. Of a yes-or-no model give both, p "
            "and 1 - p, in a column each."
        )
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise ValueError(
            f"{place(row)}: {_shown(values[row])} holds NaN or infinity, or a cell is "
            f"empty, as in {int((~finite).sum()):,} of {len(values):,} rows. Predict "
            "these images again, or remove their rows."
        )
    exact = _are_shares(values, 1, _EXACT)
    if logits:
        if exact:
            raise ValueError(
                "`logits=True`, but each row is in 0..1 and sums to 1: these are "
                "probabilities already. Leave `logits` out."
            )
        values = np.exp(values - values.max(axis=1, keepdims=True))
        return values / values.sum(axis=1, keepdims=True)
    if exact:
        return values.clip(0.0, 1.0)
    totals = values.sum(axis=1)
    low, high = f"{totals.min():.4g}", f"{totals.max():.4g}"
    sums = f"sum to {low}" if low == high else f"sum to between {low} and {high}"
    if _are_shares(values, 1, _ROUNDED):
        told = f"The class probabilities {sums}"
    elif _are_shares(values, 100, _PERCENT):
        told = f"The predictions {sums} and are read as percent"
    else:
        _refuse(values, totals, place)
    warnings.warn(f"{told}; each row was divided by its sum.", stacklevel=4)
    values = values.clip(0.0)
    return values / values.sum(axis=1, keepdims=True)


def _are_shares(values: np.ndarray, total: float, slack: float) -> bool:
    good = (values >= -_ROUNDING * total) & (values <= total * (1 + _ROUNDING) + slack)
    near = np.abs(values.sum(axis=1) - total) <= slack
    return bool(len(values) and good.all() and near.all())


def _refuse(values: np.ndarray, totals: np.ndarray, place: Place) -> None:
    inside = ((values >= -_ROUNDING) & (values <= 1 + _ROUNDING)).all(axis=1)
    good = inside & (np.abs(totals - 1) <= _ROUNDED)
    row = int(np.argmin(good))
    where = f"{place(row)}: the class probabilities {_shown(values[row])}"
    if good.mean() > _MOST:
        raise ValueError(
            f"{where} must be in 0..1 and sum to 1, but sum to {totals[row]:.4g}; "
            f"{int((~good).sum()):,} of {len(values):,} rows are wrong. Predict these "
            "images again, or remove their rows."
        )
    if (values <= 0).all() and np.abs(np.exp(values).sum(axis=1) - 1).max() < _ROUNDED:
        raise ValueError(
            f"{where} look like logarithms of probabilities (none is above 0). Pass "
            "`logits=True`, which turns them into probabilities."
        )
    whole = (values == np.round(values)).all() and values.min() >= 0
    if whole and values.max() > 1:
        raise ValueError(
            f"{where} are whole numbers, as of people who chose a class. Answers of "
            "people are read by `Annotations.from_counts`; of logits pass "
            "`logits=True`."
        )
    if not inside.all():
        raise ValueError(
            f"{where} must be in 0..1 and sum to 1, but all lie between "
            f"{values.min():.4g} and {values.max():.4g}, as logits do, the output of a "
            "network before its softmax. If they are, pass `logits=True`; if some "
            "columns are no classes, name those that are: `class_names=[...]`."
        )
    raise ValueError(
        f"{where} sum to {totals[row]:.4g} and not to 1. If some columns are no "
        "classes, name those that are: `class_names=[...]`. If these are scores of "
        "a sigmoid, each between 0 and 1 for itself, and one class alone is right, "
        "divide each row by its sum: `p / p.sum(axis=1, keepdims=True)`."
    )


def _shown(row: np.ndarray) -> str:
    numbers = [f"{value:.4g}" for value in row[:4]]
    return f"[{', '.join(numbers)}{', ...' if len(row) > 4 else ''}]"
