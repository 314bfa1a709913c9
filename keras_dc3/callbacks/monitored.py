"""Callbacks that choose by a logged figure: which way is better, and where it is."""

from __future__ import annotations

import difflib
import math
import warnings
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import keras

# The figure that `DC3Model` documents for choosing among epochs.
BEST = "val_selective_score"
# Of the figures that Keras knows no direction of. The losses are added by the caller.
DIRECTIONS = {
    "selective_score": "max",
    "f1": "max",
    "d": "min",
    "d_minus_f1": "min",
    "degenerated": "min",
}
# Figures of a part of the images, which the model itself chooses.
_OF_A_PART = {
    "val_f1": "the images called certain",
    "val_d": "the images called ambiguous",
    "val_d_minus_f1": "the images called certain, and of those called ambiguous",
}


class WhereFinite:
    """A callback that is told of an epoch only where its figure is a finite number.

    Keras' own take an epoch without the figure (as of `validation_freq=2`) for the
    best, and never find a better one than NaN.

    Args:
        callback: what is told of everything else as it comes.
        missing: a warning for a training that has not logged its figure; None: none.
    """

    def __init__(self, callback: keras.callbacks.Callback, missing: str | None = None):
        self._callback = callback
        self._missing = missing
        self._seen = self._told = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._callback, name)

    def on_train_begin(self, logs: Any = None) -> None:
        self._seen = self._told = False
        self._callback.on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        value = (logs or {}).get(self._callback.monitor)
        self._seen |= value is not None
        if value is not None and math.isfinite(value):
            self._told = True
            self._callback.on_epoch_end(epoch, logs)

    def on_train_end(self, logs: Any = None) -> None:
        if self._seen and not self._told:
            warnings.warn(
                f"`{self._callback.monitor}` was NaN in every epoch, so that "
                f"`{_name(self._callback)}` has chosen none. Monitor `{BEST}`.",
                stacklevel=2,
            )
        if self._missing and not self._seen:
            warnings.warn(self._missing, stacklevel=2)
        self._callback.on_train_end(logs)


def _name(callback: Any) -> str:
    return type(callback).__name__


def monitored(
    callbacks: Iterable[Any],
    logged: Collection[str],
    directions: Mapping[str, str | None],
    *,
    complete: bool,
    chooses: bool,
) -> list[Any]:
    """Returns the callbacks, those that monitor a figure checked and told which way.

    Args:
        callbacks: those of `fit`.
        logged: the names that training will log.
        directions: name -> `"min"`, `"max"`, or None where neither is better. Without
            `val_`. What stands not in it is left to Keras.
        complete: whether nothing else can be logged, as by a callback of a user's own.
        chooses: whether the model calls images ambiguous at all.

    Raises:
        ValueError: for a figure that is not logged, or that has no direction while
            the callback has no `mode`.
    """
    result = []
    for callback in callbacks:
        name = getattr(callback, "monitor", None)
        if not isinstance(name, str) or not hasattr(callback, "mode"):
            result.append(callback)
            continue
        missing = None
        direction = directions.get(name.removeprefix("val_"))
        if not getattr(callback, "save_best_only", True):
            if callback.mode == "auto":  # Keras asks for it, and never looks at it
                callback.mode = direction or "min"
            result.append(callback)
            continue
        if name not in logged:
            missing = _tell_missing(callback, logged, complete)
        elif callback.mode == "auto" and name.removeprefix("val_") in directions:
            if direction is None:
                raise ValueError(
                    f"`{_name(callback)}` monitors `{name}`, of which neither more nor "
                    f'less is better: pass `mode="min"` or `mode="max"`, or monitor '
                    f'another figure: `{_name(callback)}(..., monitor="{BEST}")`.'
                )
            callback.mode = direction
        if chooses and name in _OF_A_PART:
            warnings.warn(
                f"`{_name(callback)}` monitors `{name}`, which is that of "
                f"{_OF_A_PART[name]} alone: an epoch in which nearly all images are "
                "on one side can win by a few, and it is NaN where none is left. Over "
                f'all images: `{_name(callback)}(..., monitor="{BEST}")`.',
                stacklevel=5,
            )
        result.append(WhereFinite(callback, missing))
    return result


def _tell_missing(callback: Any, logged: Collection[str], complete: bool) -> str | None:
    """Raises ValueError for a figure that is not logged, or warns where it may be.

    Returns a warning for the end of training where it is known which way is better: as
    it seems, a callback of the user's own logs the figure.
    """
    name = callback.monitor
    similar = difflib.get_close_matches(name, logged, n=3)
    hint = f"Did you mean {' or '.join(f'`{s}`' for s in similar)}? " if similar else ""
    if name.startswith("val_") and not any(n.startswith("val_") for n in logged):
        hint = "There is no validation data: pass `validation_data`. "
    elif name in ("val_d", "val_d_minus_f1"):
        hint = "It needs soft validation labels, (n, classes). "
    message = (
        f"`{_name(callback)}` monitors `{name}`, which this training does not log. "
        f"{hint}It logs {', '.join(f'`{n}`' for n in sorted(logged))}."
    )
    if complete:
        raise ValueError(message)
    if callback.mode != "auto":
        return message
    warnings.warn(message, stacklevel=6)
    return None
