"""`keras-dc3 serve` in a process of its own, which can be killed."""

import multiprocessing
import os
import socket
import sys
import time

from keras_dc3.command_line import main

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["keras_dc3"])


def free_port():
    """A port that nothing listens to."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def begin(*call, cwd, printed):
    """Starts `keras-dc3 serve ...`, and returns its process once it has said so.

    Args:
        call: its words and flags.
        cwd: the folder that it runs in.
        printed: file for what it prints.
    """
    printed.unlink(missing_ok=True)
    process = _processes.Process(
        target=_run, args=(tuple(map(str, call)), str(cwd), str(printed)), daemon=True
    )
    process.start()
    told, until = "", time.monotonic() + 60
    while "Ctrl-C" not in told:
        assert process.exitcode is None and time.monotonic() < until, told
        time.sleep(0.01)
        told = printed.read_text() if printed.exists() else ""
    return process


def _run(call, cwd, printed):
    with open(printed, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(cwd)
    sys.exit(main(["serve", *call]))
