"""Several workers on this machine, each a process, that find each other on loopback."""

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.processes import ROOT, run_script

FOLDER = Path(__file__).parent
ALONE = "alone"


def addresses(number):
    """Returns addresses at which nobody listens yet."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for free in sockets:
            free.bind(("127.0.0.1", 0))
        return ["{}:{}".format(*free.getsockname()) for free in sockets]


def join(addresses, worker):
    """Returns the strategy of a worker; it waits for the others."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    task = {"type": "worker", "index": worker}
    os.environ["TF_CONFIG"] = json.dumps(
        {"cluster": {"worker": addresses}, "task": task}
    )
    return tf.distribute.MultiWorkerMirroredStrategy()


def run(script, workers, folder, alone=False, timeout=900, **settings):
    """Runs a script as several workers, at once, and waits for them.

    Args:
        script: its name in this folder; it gets a file of settings, its number and a
            path to write to.
        workers: how many there are.
        folder: an empty one.
        alone: whether it is also run by itself.
        timeout: seconds after which a worker is killed, which is an error.
        **settings: what else the file of settings holds.

    Returns:
        Number of the worker, or `ALONE`, -> the path that it has written to.
    """
    names = [*([ALONE] if alone else []), *range(workers)]
    file = Path(folder, "settings.json")
    file.write_text(json.dumps({"addresses": addresses(workers), **settings}))
    paths = {name: Path(folder, f"{name}.npz") for name in names}

    def start(name):
        flags = file, name, paths[name]
        return run_script(FOLDER / script, *flags, timeout=timeout)

    with ThreadPoolExecutor(len(names)) as pool:
        done = dict(zip(names, pool.map(start, names), strict=True))
    failed = [name for name in names if done[name].returncode != 0]
    assert not failed, f"{failed[0]} of {names}: {done[failed[0]].stderr[-3000:]}"
    return paths


class Started(subprocess.Popen):
    """A script that runs by itself, and can be waited for or be killed."""

    def __init__(self, script, flags, output):
        self._output = output
        environment = {**os.environ, "PYTHONPATH": ROOT, "TF_CPP_MIN_LOG_LEVEL": "3"}
        with open(output, "w") as file:
            super().__init__(
                [sys.executable, FOLDER / script, *map(str, flags)],
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def printed(self):
        """Returns all that it has printed so far."""
        return self._output.read_text()


@contextmanager
def started(script, workers, folder, **settings):
    """Starts a script as several workers, and ends those that are left; see `run`."""
    file = Path(folder, "settings.json")
    file.write_text(json.dumps({"addresses": addresses(workers), **settings}))
    processes = [
        Started(script, (file, i, Path(folder, f"{i}.npz")), Path(folder, f"{i}.txt"))
        for i in range(workers)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()
