"""How to train many cells on a CPU: precision, oneDNN, processes side by side.

    python benchmarks/throughput.py --data_dir data \
        --output benchmarks/results/throughput.json

Each variant trains the reduced protocol (Mean-Teacher, default objective, augmentation
included) in one process with all cores, or in one process per core with one thread
each. The variants take turns, so that the load of the machine meets all alike. The
figures are seconds of the machine per step of one cell: medians over the turns.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

from absl import app, flags
from worker import Worker, serve, train

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
    serve(lambda: train(model, iterator, FLAGS.steps))


def _some(data: Any) -> tuple[Any, Any]:
    return data.validation.images[:8], data.validation.soft_labels[:8]


def _start(dtype: str, onednn: bool, threads: int) -> Worker:
    """Starts a process that trains on request."""
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    environment = dict.fromkeys(names, str(threads))
    return Worker(dtype, TF_ENABLE_ONEDNN_OPTS=str(int(onednn)), **environment)


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
        workers[name] = [_start(dtype, onednn, threads) for _ in range(processes)]
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
