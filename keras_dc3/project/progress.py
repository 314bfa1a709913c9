"""How a training in a project goes on, in few figures, and what time is left."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import keras

# Of all that is logged: name -> what is shown. The others are in the record of a round.
_SHOWN = {"loss": "loss", "val_f1": "F1 of certain validation images"}


def in_words(seconds: float) -> str:
    """Returns a time for people: "40 s", "5 min" or "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


class TimeLeft(keras.callbacks.ProgbarLogger):
    """Shows how far a training is, and after each epoch how long it will go on.

    It takes the place of the progress bar of Keras, with a bar where `verbose` is 1 and
    a line after each epoch where it is 2.

    Args:
        limit: seconds that training may take; None for none.
    """

    def __init__(self, limit: float | None = None):
        super().__init__()
        self._limit = math.inf if limit is None else limit

    def on_train_begin(self, logs: Any = None) -> None:
        super().on_train_begin(logs)
        self._start, self._first = time.perf_counter(), None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._first is None:
            self._first = epoch  # not 0 where a training goes on
        if self.verbose != 2:
            super().on_epoch_begin(epoch, logs)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.verbose != 2:
            super().on_train_batch_end(batch, _few(logs))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        left = self._left(epoch)
        if self.verbose != 2:
            super().on_epoch_end(epoch, _few(logs))
            if left:
                print(left)  # in a line of its own, as the bar has ended
            return
        figures = [f"{what} {logs[n]:.3f}" for n, what in _SHOWN.items() if n in logs]
        told = f"Epoch {epoch + 1}/{self.epochs}: {', '.join(figures)}."
        print(f"{told} {left}".rstrip(), flush=True)

    def _left(self, epoch: int) -> str:
        """Returns how long training will go on, in a sentence; "" at its end."""
        left = self.epochs - epoch - 1
        if left <= 0:
            return ""
        taken = time.perf_counter() - self._start
        seconds = taken / (epoch + 1 - self._first) * left
        seconds = min(seconds, max(self._limit - taken, 0.0))
        return f"About {in_words(seconds)} of training left."


def _few(logs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns those of all logged figures that are shown."""
    return {name: value for name, value in (logs or {}).items() if name in _SHOWN}
