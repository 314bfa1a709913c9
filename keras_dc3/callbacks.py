"""Callbacks that `DC3Model.fit` adds by itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras


class EpochClock(keras.callbacks.Callback):
    """Tells a data set which epoch begins.

    The order of its batches is then a function of its seed and the epoch, also where
    training goes on after a restart.

    Args:
        set_epoch: called with the number of the epoch, counted from 0.
    """

    def __init__(self, set_epoch: Callable[[int], None]):
        super().__init__()
        self._set_epoch = set_epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._set_epoch(epoch)


class MaskMonitor(keras.callbacks.Callback):
    """Warns when a strategy's mask lets no unlabeled image through, or every one.

    Once per kind and `fit`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: set[str] = set()

    def _tell(self, kind: str, message: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            warnings.warn(message, stacklevel=2)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        rate = (logs or {}).get("mask_rate")
        name = type(self.model.strategy).__name__
        if rate == 0.0:
            self._tell(
                "none",
                f"Epoch {epoch + 1}: no pseudo-label was used (mask_rate 0.0): no "
                f"unlabeled image passed the mask of `{name}`, so its unlabeled loss "
                "was 0. This is usual in the first epochs; if it lasts, lower the "
                "threshold.",
            )
        elif rate == 1.0:
            self._tell(
                "all",
                f"Epoch {epoch + 1}: every pseudo-label was used (mask_rate 1.0): all "
                f"unlabeled images passed the mask of `{name}`, wrong ones too. Raise "
                "the threshold if this is not meant.",
            )
