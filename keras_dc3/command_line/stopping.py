"""Waits until somebody ends the program. Standard library only."""

from __future__ import annotations

import contextlib
import signal
import threading
from types import FrameType


def until_stopped() -> None:
    """Returns after Ctrl-C, or once the system asks the program to end (SIGTERM)."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    before = {}
    with contextlib.suppress(ValueError):  # only the main thread hears of signals
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, end)
    try:
        while not ended.wait(1.0):  # Windows hears of Ctrl-C between two waits only
            pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
