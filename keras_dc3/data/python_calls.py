"""Calls of Python by the threads of tf.data, which the end of Python waits for."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from typing import Any


class _Calls:
    """The calls under way.

    A pipeline whose thread is in Python code when the interpreter goes away never gets
    an answer, and the process never ends: as after an error in training, or Ctrl-C.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._under_way, self._last, self._closed = 0, 0.0, False

    def run(self, call: Callable[..., Any], given: tuple) -> Any:
        """Returns what a call returns."""
        with self._lock:
            self._under_way += 1
        try:
            if self._closed:
                raise RuntimeError("Python is about to end; no batch is made.")
            return call(*given)
        finally:
            with self._lock:
                self._under_way -= 1
                self._last = time.monotonic()

    def close(self) -> None:
        """Waits until there was no call for a while: until all buffers are full."""
        self._closed = True
        end = time.monotonic() + 10.0
        while time.monotonic() < end and (
            self._under_way or time.monotonic() - self._last < 0.2
        ):
            time.sleep(0.02)


_CALLS = _Calls()
atexit.register(_CALLS.close)


def awaited(call: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that does the same, and that the end of Python waits for."""
    return lambda *given: _CALLS.run(call, given)
