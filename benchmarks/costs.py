"""What DC3's terms cost by batch, classes and clusters, beside a network's step.

    python benchmarks/costs.py --output benchmarks/results/costs.json

For each shape, of as many labeled as unlabeled images:

    objective    the terms of `DC3Objective` and their gradients, without a strategy's
    prototypes   one step of the `PrototypeHead`: it remembers the batch, and moves
    network      labeled and unlabeled images through a network, and back: of pixels
                 (`wide_resnet` of 32x32) and of features (`feature_mlp`). Measured for
                 a batch of 64 and multiplied. Strategies look at more views than that.

All are the least processor time of some runs, which hardly tells of others that are at
work on the machine.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from typing import Any

from absl import app, flags

FLAGS = flags.FLAGS
# (batch, classes, clusters), each grown by itself, and the largest batches of all.
SHAPES = [
    *((n, 10, 50) for n in (16, 64, 256, 1024, 4096)),
    *((256, k, 1250) for k in (2, 10, 100, 250, 1000)),
    *((256, 10, clusters) for clusters in (50, 500, 5000)),
    *((1024, k, 5000) for k in (10, 1000)),
]
MEASURED = 64  # images whose way through a network is measured
FEATURES = 2048

flags.DEFINE_integer("turns", 7, "Runs of each, of which the least counts.", 1)
flags.DEFINE_string("output", None, "JSON file for the result.")


def least(run: Callable[[], Any]) -> float:
    """Returns the least processor seconds of a run, after one that traces it."""
    run()
    found = []
    for _ in range(FLAGS.turns):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return min(found)


def objective(batch: int, classes: int, clusters: int) -> Callable[[], Any]:
    """Returns what computes the terms of random outputs, and their gradients."""
    import numpy as np
    import tensorflow as tf

    import keras_dc3

    rng = np.random.default_rng(0)

    def outputs() -> dict[str, Any]:
        sizes = {"class": (classes,), "cluster": (clusters,), "ambiguity": ()}
        return {
            f"{name}_logits": tf.constant(
                rng.normal(size=(batch, *size)).astype("float32")
            )
            for name, size in sizes.items()
        }

    views = [outputs() for _ in range(3)]
    targets = tf.constant(rng.dirichlet(np.ones(classes), batch).astype("float32"))
    nothing = tf.zeros(batch)
    terms = keras_dc3.DC3Objective(keras_dc3.DC3Config())

    @tf.function
    def run() -> Any:
        with tf.GradientTape() as tape:
            tape.watch(views)
            result = terms(targets, *views, labeled_loss=nothing, ssl_loss=nothing)
            total = tf.add_n(list(result.terms))
        return tape.gradient(total, views)

    return run


def prototypes(batch: int, classes: int, clusters: int) -> Callable[[], Any]:
    """Returns what remembers a random batch and moves the prototypes."""
    import numpy as np
    import tensorflow as tf

    import keras_dc3

    rng = np.random.default_rng(0)
    head = keras_dc3.layers.PrototypeHead(clusters)
    features = tf.constant(rng.normal(size=(batch, 128)).astype("float32"))
    shares = tf.constant(rng.dirichlet(np.ones(classes), batch).astype("float32"))
    head(features, shares)
    head.started.assign(1)  # prototypes are spread once, then moved at each step

    @tf.function
    def run() -> None:
        head.remember(features, shares, tf.ones(batch))
        head.move()

    return run


def network(backbone: Any) -> Callable[[], Any]:
    """Returns what sends random images through a network and back."""
    import keras
    import tensorflow as tf

    images = tf.random.stateless_uniform((MEASURED, *backbone.input_shape[1:]), (0, 1))
    model = keras.Sequential([backbone, keras.layers.Dense(10)])
    model(images[:1])
    weights = [variable.value for variable in model.trainable_variables]

    @tf.function
    def run() -> Any:
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(model(images, training=True))
        return tape.gradient(total, weights)

    return run


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    load = os.getloadavg()[0]

    from keras_dc3 import backbones

    networks = {
        "pixels": network(backbones.wide_resnet((32, 32, 3))),
        "features": network(backbones.feature_mlp(FEATURES)),
    }
    per_image = {name: least(run) / MEASURED for name, run in networks.items()}
    results = []
    print("   batch  classes  clusters  objective  prototypes  of pixels  of features")
    for batch, classes, clusters in dict.fromkeys(SHAPES):
        shape = (batch, classes, clusters)
        terms, moves = least(objective(*shape)), least(prototypes(*shape))
        step = {name: 2 * batch * seconds for name, seconds in per_image.items()}
        added = {name: (terms + moves) / seconds for name, seconds in step.items()}
        results.append(
            {
                **dict(zip(("batch", "classes", "clusters"), shape, strict=True)),
                "objective_seconds": terms,
                "prototypes_seconds": moves,
                "network_seconds": step,
                "added": added,
            }
        )
        print(
            f"{batch:8,}{classes:9,}{clusters:10,}{1000 * terms:8.1f} ms"
            f"{1000 * moves:9.1f} ms{added['pixels']:11.1%}{added['features']:13.1%}",
            flush=True,
        )
    if FLAGS.output:
        write(results, load)


def write(results: list[dict[str, Any]], load: float) -> None:
    """Writes the record."""
    import record

    growth = {
        r["batch"]: r["objective_seconds"] for r in results if r["clusters"] == 50
    }
    power = math.log(growth[4096] / growth[1024]) / math.log(4)
    record.write(
        FLAGS.output,
        {"shapes": results, "growth": power},
        {"turns": FLAGS.turns, "features": FEATURES, "load_before": load},
        ("keras", "tensorflow"),
    )


if __name__ == "__main__":
    app.run(main)
