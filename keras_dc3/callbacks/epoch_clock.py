"""Tells a data set which epoch begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


class EpochClock(keras.callbacks.Callback):
    """Tells a data set which epoch begins.

    The order of its batches is then a function of its seed and the epoch, also where
    training goes on after a restart.

    Args:
        set_epoch: called with the number of the epoch, counted from 0.

    Example:

    >>> epochs = []
    >>> keras_dc3.callbacks.EpochClock(epochs.append).on_epoch_begin(3)
    >>> epochs
    [3]
    """

    def __init__(self, set_epoch: Callable[[int], None]):
        super().__init__()
        self._set_epoch = set_epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._set_epoch(epoch)
