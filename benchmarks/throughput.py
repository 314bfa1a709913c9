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
from typing import Any, NamedTuple

from absl import app, flags
from worker import Worker, serve, train

FLAGS = flags.FLAGS
CORES = os.cpu_count() or 1


class Variant(NamedTuple):
    """A way to train: dtype policy, processes, and what compiles and computes it."""

    dtype: str = "float32"
    processes: int = 1
    jit: bool = False
    onednn: bool = True


VARIANTS = {
    "float32": Variant(),
    "mixed_bfloat16": Variant("mixed_bfloat16"),
    "float32, jit_compile": Variant(jit=True),
    "mixed_bfloat16, jit_compile": Variant("mixed_bfloat16", jit=True),
    "float32, no oneDNN": Variant(onednn=False),
    "float32, side by side": Variant(processes=CORES),
    "mixed_bfloat16, side by side": Variant("mixed_bfloat16", CORES),
}

flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_integer("turns", 5, "Measured turns of each variant.", lower_bound=3)
flags.DEFINE_integer("steps", 20, "Steps per turn.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.")
flags.DEFINE_string("worker", None, "Internal: the variant of a process.")


def work(variant: Variant) -> None:
    """Trains a few steps for each line on standard input; answers with seconds."""
    import keras
    import protocol

    import keras_dc3

    data = protocol.make_data(1, dataset="cifar10h", data_dir=FLAGS.data_dir)
    keras.utils.set_random_seed(1)
    keras.config.set_dtype_policy(variant.dtype)
    strategy = keras_dc3.strategies.get("mean_teacher", 1600)
    model = protocol.make_model(
        data, strategy, keras_dc3.DC3Config(), 1600, protocol="reduced"
    )
    model.compile(model.optimizer, jit_compile=variant.jit)
    model.fit(data, steps_per_epoch=3, verbose=0, validation_data=_some(data))
    model.make_train_function()
    batches = data.training_batches(strategy.views, steps_per_epoch=10**6)
    iterator = iter(batches)
    serve(lambda: train(model, iterator, FLAGS.steps))


def _some(data: Any) -> tuple[Any, Any]:
    return data.validation.images[:8], data.validation.soft_labels[:8]


def _start(name: str) -> Worker:
    """Starts a process of a variant, which trains on request."""
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    environment = dict.fromkeys(names, str(CORES // VARIANTS[name].processes))
    onednn = str(int(VARIANTS[name].onednn))
    return Worker(name, TF_ENABLE_ONEDNN_OPTS=onednn, **environment)


def main(argv: list[str]) -> None:
    """Runs the benchmark, or one of its processes."""
    del argv
    if FLAGS.worker:
        work(VARIANTS[FLAGS.worker])
        return
    import record

    workers: dict[str, list[Worker]] = {}
    for name, variant in VARIANTS.items():
        workers[name] = [_start(name) for _ in range(variant.processes)]
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
