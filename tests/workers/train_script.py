"""Trains models of some cases, alone or as one of several workers, and keeps all.

Arguments: a JSON file with `cases` and the `addresses` of the workers; this worker's
number, or "alone"; and the file to write to: of each case the weights, averages among
them, and what was logged. The processes of all workers run the same cases.
"""

import contextlib
import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import keras_dc3
from tests.models.helpers import WITH_THRESHOLD, arrays, make_model, strategy
from tests.workers.cluster import join
from tests.workers.network import backbone

OPTIMIZERS = {
    "auto": lambda: "auto",
    "clipped": lambda: keras.optimizers.SGD(0.5, momentum=0.9, global_clipnorm=0.05),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)),
}


def make(case):
    """Returns a new model of a case."""
    ssl, policy = case["ssl"], case.get("policy", "joint")
    changes = {"threshold": 0.35} if ssl in WITH_THRESHOLD else {}
    if ssl == "flexmatch":
        changes["num_unlabeled"] = case["images"]
    preset = keras_dc3.DC3Config if policy == "joint" else keras_dc3.DC3Config.paper
    keras.utils.set_random_seed(1)  # of the strategy, too
    return make_model(
        backbone,
        strategy(ssl, **changes),
        preset(partner="mean", cluster_head=case.get("head", "linear")),
        ema_decay=0.9,
        batch_norm=policy,
        optimizer=OPTIMIZERS[case.get("optimizer", "auto")](),
    )


def train(case, scope=None):
    """Returns the weights, as a list of arrays, and the history of a model."""
    with scope() if scope else contextlib.nullcontext():
        model = make(case)
    ssl, images, size = case["ssl"], case["images"], case["batch"]
    x, y = arrays(ssl, n=images)
    if ssl == "flexmatch":
        x["positions"] = np.arange(images, dtype="int32")[::-1]
    held_out, labels = arrays(ssl, n=case["validated"], seed=5)
    history = model.fit(
        tf.data.Dataset.from_tensor_slices((x, y)).batch(size),
        epochs=case.get("epochs", 1),
        verbose=0,
        validation_data=(
            held_out["labeled"],
            np.eye(3, dtype="float32")[labels] * 0.6 + 0.4 / 3,
        ),
        validation_batch_size=size,
    ).history
    return model.get_weights(), history


def main():
    settings, worker, path = sys.argv[1:]
    settings = json.loads(Path(settings).read_text())
    scope = None
    if worker != "alone":
        scope = join(settings["addresses"], int(worker)).scope
    saved, logs = {}, []
    for number, case in enumerate(settings["cases"]):
        weights, history = train(case, scope)
        saved |= {f"{number}_{i}": value for i, value in enumerate(weights)}
        logs.append(history)
    np.savez(path, logs=json.dumps(logs), **saved)


if __name__ == "__main__":
    main()
