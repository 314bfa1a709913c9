"""How long 10,000 images take from features to proposals, and where the time goes.

    python benchmarks/features.py --data_dir data \
        --output benchmarks/results/features.json

A process of its own, with all cores, reads `cifar10h_features.npz`, trains 400 steps
(64 labeled + 64 unlabeled images, two views, 16 epochs that end with a validation) and
proposes for all 10,000 images. The seconds are medians over the turns, start-up
included; the CPU time beside them tells how busy the machine was with other things.
Beside them: how many images the training input alone delivers per second, on
one core, from stored views and from what stands in for them, in memory and from a file.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from absl import app, flags

START = time.perf_counter()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
FLAGS = flags.FLAGS
ONE_CORE = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")

flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_integer("turns", 3, "Measured turns of each kind.", lower_bound=1)
flags.DEFINE_integer("steps", 400, "Training steps.", lower_bound=16)
flags.DEFINE_integer("batches", 1000, "Batches of the input alone.", lower_bound=1)
flags.DEFINE_enum("ssl", "mean_teacher", ["mean_teacher", "fixmatch"], "Strategy.")
flags.DEFINE_string("output", None, "JSON file for the result.")
flags.DEFINE_enum("worker", None, ["whole", "input"], "Internal.")


def folder() -> Path:
    """Returns the folder of the data."""
    return Path(FLAGS.data_dir or os.environ.get("KERAS_DC3_DATA", "data"))


def whole() -> dict[str, float]:
    """Goes from features to proposals; returns seconds, those of imports first."""
    import keras_dc3

    seconds = {"imports": time.perf_counter() - START}

    def lap(name: str) -> None:
        seconds[name] = time.perf_counter() - START - sum(seconds.values())

    counts = np.load(folder() / "cifar10h.npz")["counts"]
    data = keras_dc3.datasets.from_embeddings(
        folder() / "cifar10h_features.npz",
        counts,
        labeled=1600,
        unlabeled=6400,
        validation=2000,
        labels="sampled",
    )
    lap("data")
    ssl = FLAGS.ssl
    if ssl == "fixmatch":
        ssl = keras_dc3.strategies.FixMatch(unlabeled_ratio=1)
    backbone = keras_dc3.backbones.feature_mlp(data.image_shape)
    model = keras_dc3.DC3Model(
        backbone, ssl=ssl, training_steps=FLAGS.steps, ema_decay=0.99
    )
    history = model.fit(
        data, epochs=16, steps_per_epoch=FLAGS.steps // 16, verbose=0
    ).history
    lap("fit")
    for part in data.parts().values():
        model.propose(part, batch_size=500, verbose=0)
    lap("proposals")
    used = os.times()
    seconds["CPU, all cores together"] = used.user + used.system
    seconds["accuracy"] = history["val_accuracy"][-1]
    return seconds


def input_alone() -> dict[str, float]:
    """Returns images per second of the training input, on one core."""
    import keras_dc3

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    counts = np.load(folder() / "cifar10h.npz")["counts"]
    found = {}
    with np.load(folder() / "cifar10h_features.npz") as file:
        arrays = {name: file[name] for name in ("plain", "weak", "strong")}
    with tempfile.TemporaryDirectory() as place:
        mapped = {}
        for name, array in arrays.items():
            np.save(f"{place}/{name}.npy", array)
            mapped[name] = np.load(f"{place}/{name}.npy", mmap_mode="r")
        for kind, source in (("in memory", arrays), ("memory-mapped", mapped)):
            for views in (True, False):
                stored = {name: source[name] for name in ("weak", "strong")}
                data = keras_dc3.datasets.from_embeddings(
                    source["plain"],
                    counts,
                    views=stored if views else None,
                    labeled=1600,
                    unlabeled=6400,
                    validation=2000,
                    labels="sampled",
                )
                name = f"{'stored views' if views else 'stand-ins'}, {kind}"
                found[name] = speed(data)
    return found


def speed(data: Any) -> float:
    """Returns distinct images per second, each unlabeled one in two views."""
    views = {"weak": "student", "strong": "student"}
    batches = data.training_batches(views, steps_per_epoch=FLAGS.batches)
    start = time.perf_counter()
    number = sum(len(y) + len(x["unlabeled"]["weak"]) for x, y in batches)
    return number / (time.perf_counter() - start)


def run(kind: str) -> dict[str, float]:
    """Returns what a process of its own answers."""
    environment = dict(os.environ)
    if kind == "input":
        environment |= dict.fromkeys(ONE_CORE, "1")
    flags_ = [f"--worker={kind}"]
    for name in ("data_dir", "steps", "batches", "ssl"):
        if FLAGS[name].value is not None:
            flags_.append(f"--{name}={FLAGS[name].value}")
    command = [sys.executable, __file__, *flags_]
    start = time.perf_counter()
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    passed = time.perf_counter() - start
    found = json.loads(done.stdout.splitlines()[-1])
    return {"whole": passed, **found} if kind == "whole" else found


def main(argv: list[str]) -> None:
    """Runs the benchmark, or one of its processes."""
    del argv
    if FLAGS.worker:
        print(json.dumps(whole() if FLAGS.worker == "whole" else input_alone()))
        return
    import record

    turns = {
        kind: [run(kind) for _ in range(FLAGS.turns)] for kind in ("whole", "input")
    }
    results = {
        kind: {
            name: statistics.median(turn[name] for turn in found) for name in found[0]
        }
        for kind, found in turns.items()
    }
    results["turns"] = turns
    for name, value in results["whole"].items():
        print(f"{name:30}{value:10.2f}{'' if name == 'accuracy' else ' s'}")
    for name, value in results["input"].items():
        print(f"{name:30}{value:10,.0f} images/s")
    if FLAGS.output:
        names = ("turns", "steps", "batches", "ssl")
        settings = {name: FLAGS[name].value for name in names}
        record.write(FLAGS.output, results, settings, ("keras", "tensorflow"))


if __name__ == "__main__":
    app.run(main)
