"""Which recipe learns most from pixels, with a few hundred answers?

    python benchmarks/recipe.py --data_dir data --output benchmarks/results/recipe.json

Trains the strategies by several learning rates, from pixels (see pixel_training.py),
and beside them a linear probe on the pixels and always the commonest class. Runs that
the output file has are not trained again.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import keras
import numpy as np
import pixel_training
import record
from absl import app, flags

import keras_dc3

FLAGS = flags.FLAGS
UNLABELED, ANSWERS, FILTERS = 1000, 3, 24

flags.DEFINE_string("data_dir", "data", "Folder of the data sets.")
flags.DEFINE_list("datasets", ["fashionmnist_h", "cifar10h", "digits"], "The sets.")
flags.DEFINE_list("labeled", ["200"], "Numbers of labeled images.")
flags.DEFINE_list("strategies", ["mean_teacher", "supervised"], "The strategies.")
flags.DEFINE_list("rates", ["0.1", "0.03", "0.01"], "Learning rates at the start.")
flags.DEFINE_list("warmups", ["0.05"], "Parts of the steps until they are reached.")
flags.DEFINE_list("steps", ["400"], "Steps of a training.")
flags.DEFINE_list("weights", [""], "Of the unlabeled loss; empty: the strategy's own.")
flags.DEFINE_integer("seeds", 1, "Trainings of each cell.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.", required=True)


def linear_probe(data: keras_dc3.data.SemiSupervisedData) -> float:
    """Returns the accuracy of a linear map of the pixels on the unlabeled images."""
    labels = np.asarray(data.labels)
    if labels.ndim == 1:
        labels = np.eye(data.num_classes)[labels]
    flat = [
        part.images.reshape(len(part), -1).astype("float32")
        for part in (data.labeled, data.unlabeled)
    ]
    predicted = keras_dc3.probes.ClassProbe().fit(flat[0], labels).predict(flat[1])
    shares = keras_dc3.annotations.majority_shares(data.unlabeled.soft_labels)
    return float(shares[np.arange(len(shares)), predicted.argmax(axis=1)].mean())


def cells() -> Any:
    """Yields the settings of each training, those of one seed after each other."""
    for seed, dataset, labeled, steps, warmup, ssl, rate, weight in itertools.product(
        range(1, FLAGS.seeds + 1),
        FLAGS.datasets,
        map(int, FLAGS.labeled),
        map(int, FLAGS.steps),
        map(float, FLAGS.warmups),
        FLAGS.strategies,
        map(float, FLAGS.rates),
        FLAGS.weights,
    ):
        cell = {"set": dataset, "labeled": labeled, "seed": seed, "strategy": ssl}
        recipe = {"rate": rate, "warmup": warmup, "steps": steps}
        yield cell | recipe | {"weight": float(weight) if weight else None}


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    results: dict[str, list[dict[str, Any]]] = {"probes": [], "runs": []}
    if os.path.exists(FLAGS.output):
        results = json.loads(Path(FLAGS.output).read_text("utf-8"))["results"]
    settings = {"unlabeled": UNLABELED, "answers": ANSWERS, "ema_decay": 0.99}

    def keep(kind: str, line: dict[str, Any]) -> None:
        results[kind].append(line)
        record.write(FLAGS.output, results, settings, ("keras", "tensorflow"), 1)
        print(line, flush=True)

    for cell in cells():
        if any(cell.items() <= run.items() for run in results["runs"]):
            continue
        where = {name: cell[name] for name in ("set", "labeled", "seed")}
        data = pixel_training.split(
            cell["set"],
            FLAGS.data_dir,
            cell["labeled"],
            UNLABELED,
            ANSWERS,
            cell["seed"],
        )
        if not any(where.items() <= probe.items() for probe in results["probes"]):
            keep("probes", where | {"accuracy": linear_probe(data)})
        model, _ = pixel_training.train(
            data,
            functools.partial(keras_dc3.backbones.small_cnn, filters=FILTERS),
            cell["steps"],
            cell["seed"],
            cell["strategy"],
            cell["rate"],
            cell["warmup"],
            weight=cell["weight"],
        )
        keep("runs", cell | pixel_training.scores(model, data))
        keras.backend.clear_session()


if __name__ == "__main__":
    app.run(main)
