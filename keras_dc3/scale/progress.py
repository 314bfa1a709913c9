"""How far a run is: a bar on a screen, a line a minute in a file."""

from __future__ import annotations

import sys
import time

import keras

_MINUTE = 60.0


class Progress:
    """Shows how many images are judged.

    Args:
        shown: whether to show anything.
        left: how many images are left; None if that is not known.
    """

    def __init__(self, shown: bool, left: int | None):
        self._lines = shown and not sys.stdout.isatty()
        self._left = left
        self._begun = self._told = time.monotonic()
        self._done = 0
        self._bar = None
        if shown and not self._lines:
            self._bar = keras.utils.Progbar(left, unit_name="image", interval=0.5)

    def add(self, images: int) -> None:
        """Counts further images."""
        self._done += images
        if self._bar is not None:
            self._bar.update(self._done, finalize=False)
        now = time.monotonic()
        if self._lines and now - self._told >= _MINUTE:
            self._told = now
            of = "" if self._left is None else f" of {self._left:,}"
            rate = self._done / (now - self._begun)
            print(f"{self._done:,}{of} images, {rate:,.0f} images/s", flush=True)

    def end(self) -> None:
        """Ends the line of the bar."""
        if self._bar is not None:
            self._bar.update(self._done, finalize=True)
