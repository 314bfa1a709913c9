"""How to train many cells on a CPU: precision, oneDNN, processes side by side.

    python benchmarks/throughput.py --data_dir data \
        --output benchmarks/results/throughput.json

Each variant trains the reduced protocol (Mean-Teacher, default objective, augmentation
included) in one process with all cores, or in one process per core with one thread
each. The variants take turns, so that the load of the machine meets all alike. The
figures are seconds of the machine per step of one cell: medians over the turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from absl import app, flags

FLAGS = flags.FLAGS
CORES = os.cpu_count() or 1
# Name -> dtype policy, whether oneDNN is used, processes.
VARIANTS = {
    "float32": ("float32", True, 1),
    "mixed_bfloat16": ("mixed_bfloat16", True, 1),
    "float32, no oneDNN": ("float32", False, 1),
    "float32, side by side": ("float32", True, CORES),
    "mixed_bfloat16, side by side": ("mixed_bfloat16", True, CORES),
}

flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_integer("turns", 5, "Measured turns of each variant.", lower_bound=3)
flags.DEFINE_integer("steps", 20, "Steps per turn.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.")
flags.DEFINE_string("worker", None, "Internal: the dtype policy of a process.")


def work(dtype: str) -> None:
    """Trains a few steps for each line on standard input; answers with seconds."""
    import keras
    import protocol

    import keras_dc3

    data = protocol.make_data(1, dataset="cifar10h", data_dir=FLAGS.data_dir)
    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy(dtype)
    strategy = keras_dc3.strategies.get("mean_teacher", 1600)
    model = protocol.make_model(
        data, strategy, keras_dc3.DC3Config(), 1600, protocol="reduced"
    )
    model.fit(data, steps_per_epoch=3, verbose=0, validation_data=_some(data))
    model.make_train_function()
    batches = data.training_batches(strategy.views, steps_per_epoch=10**6)
    iterator = iter(batches)
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in range(FLAGS.steps):
            logs = model.train_function(iterator)
        float(logs["loss"])  # waits for the last step
        print(json.dumps(time.perf_counter() - start), flush=True)


def _some(data: Any) -> tuple[Any, Any]:
    return data.validation.images[:8], data.validation.soft_labels[:8]


class Worker:
    """A process that trains on request."""

    def __init__(self, dtype: str, onednn: bool, threads: int):
        names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
        self.process = subprocess.Popen(
            [sys.executable, *sys.argv, f"--worker={dtype}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                **dict.fromkeys(names, str(threads)),
                "TF_ENABLE_ONEDNN_OPTS": str(int(onednn)),
                "TF_CPP_MIN_LOG_LEVEL": "3",
            },
        )

    def read(self) -> str:
        line = self.process.stdout.readline().strip()
        if not line:
            raise RuntimeError("A process failed; see above.")
        return line

    def go(self) -> None:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def main(argv: list[str]) -> None:
    """Runs the benchmark, or one of its processes."""
    del argv
    if FLAGS.worker:
        work(FLAGS.worker)
        return
    import record

    workers: dict[str, list[Worker]] = {}
    for name, (dtype, onednn, processes) in VARIANTS.items():
        threads = CORES // processes
        workers[name] = [Worker(dtype, onednn, threads) for _ in range(processes)]
        for worker in workers[name]:
            worker.read()
    seconds: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(FLAGS.turns):
        for name, group in workers.items():
            start = time.perf_counter()
            for worker in group:
                worker.go()
            for worker in group:
                worker.read()
            passed = time.perf_counter() - start
            seconds[name].append(passed / (FLAGS.steps * len(group)))
    for group in workers.values():
        for worker in group:
            worker.stop()
    results = {
        name: {"seconds_per_step": statistics.median(values), "all_seconds": values}
        for name, values in seconds.items()
    }
    for name, result in results.items():
        print(f"{name:30}{1000 * result['seconds_per_step']:8.1f} ms per step")
    if FLAGS.output:
        settings = {"turns": FLAGS.turns, "steps": FLAGS.steps}
        record.write(FLAGS.output, results, settings, ("keras", "tensorflow"), seed=1)


if __name__ == "__main__":
    app.run(main)
