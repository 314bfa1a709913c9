"""Processes side by side, each with its share of the cores."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
from collections.abc import Callable, Iterator
from typing import Any

# Read by TensorFlow, and by the OpenMP of NumPy and PyTorch, when they are imported.
_THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


@contextlib.contextmanager
def _environment(threads: int | None) -> Iterator[None]:
    """Sets what a process to be started inherits."""
    values = {} if threads is None else dict.fromkeys(_THREADS, str(threads))
    values["TF_CPP_MIN_LOG_LEVEL"] = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2")
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def run_each(
    function: Callable[[Any], None],
    tasks: list[Any],
    processes: int,
    threads: int | None,
    finished: Callable[[Any, int], None],
) -> None:
    """Calls `function(task)` for each task, each in a new process.

    Args:
        function, tasks: to be pickled; see `multiprocessing`, start method "spawn".
        processes: so many at a time.
        threads: of each process; None: as many as the libraries take by themselves.
        finished: called as `finished(task, exit code)`, in this process.

    A KeyboardInterrupt stops the running processes.
    """
    context = multiprocessing.get_context("spawn")
    waiting, running = list(reversed(tasks)), {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                task = waiting.pop()
                process = context.Process(target=function, args=(task,), daemon=True)
                with _environment(threads):
                    process.start()
                running[process.sentinel] = (process, task)
            for sentinel in multiprocessing.connection.wait(list(running)):
                process, task = running.pop(sentinel)
                process.join()
                finished(task, process.exitcode)
    finally:
        for process, _ in running.values():
            process.terminate()
            process.join()
