"""The processes of a benchmark: its own script once more, which trains on request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any


class Worker:
    """A process of the running script, with the flag `--worker`, that calls `serve`.

    Args:
        task: value of the flag.
        python: what runs the script.
        **environment: what the process gets besides.
    """

    def __init__(self, task: str, python: str = sys.executable, **environment: str):
        self._task = task
        self._process = subprocess.Popen(
            [python, *sys.argv, f"--worker={task}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        )

    def read(self) -> Any:
        """Waits for what it says next: that it is ready, or the result of a turn."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The process of {self._task} failed; see above.")
        return json.loads(line)

    def go(self) -> None:
        """Asks for a turn."""
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """Ends the process."""
        self._process.stdin.close()
        self._process.wait()


def serve(turn: Callable[[], Any], ready: str = "ready") -> None:
    """Says that this process is ready, and the result of a turn at each request."""
    print(json.dumps(ready), flush=True)
    for _ in sys.stdin:
        print(json.dumps(turn()), flush=True)


def train(model: Any, batches: Any, steps: int) -> float:
    """Returns the seconds of so many steps."""
    start = time.perf_counter()
    for _ in range(steps):
        logs = model.train_function(batches)
    float(logs["loss"])  # waits for the last step
    return time.perf_counter() - start
