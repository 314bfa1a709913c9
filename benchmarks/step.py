"""Time and memory of a training step: DC3 against the strategy alone.

    python benchmarks/step.py --output benchmarks/results/step.json

For each strategy, three processes train the same network on the same random images:

    bare      the strategy's loss alone; nothing of DC3 is computed
    vanilla   `DC3Config.vanilla()`: DC3's terms are computed and multiplied by 0
    dc3       `DC3Config()`

They take turns, a few steps each, so that the load of the machine meets all alike. The
figures are medians over the turns, and the peak resident memory of each process.
"""

from __future__ import annotations

import os
import resource
import statistics
from typing import Any

from absl import app, flags
from worker import Worker, serve, train

FLAGS = flags.FLAGS
VARIANTS = ("bare", "vanilla", "dc3")
# Flags that the figures depend on.
SETTINGS = ("backbone", "size", "labeled", "unlabeled", "turns", "steps", "dtype")

flags.DEFINE_list("strategies", None, "Which strategies; default: all.")
flags.DEFINE_string("backbone", "wide_resnet", "A function of keras_dc3.backbones.")
flags.DEFINE_integer("size", 32, "Height and width of the images.")
flags.DEFINE_integer("labeled", 64, "Labeled images per batch.")
flags.DEFINE_integer("unlabeled", 64, "Unlabeled images per batch.")
flags.DEFINE_integer("turns", 7, "Measured turns of each variant.", lower_bound=5)
flags.DEFINE_integer("steps", 3, "Steps per turn.", lower_bound=1)
flags.DEFINE_string("dtype", "float32", "The Keras dtype policy.")
flags.DEFINE_string("output", None, "JSON file for the result.")
flags.DEFINE_string("worker", None, "Internal: strategy and variant of a process.")


def make_model(ssl: str, variant: str) -> Any:
    """Returns the compiled model of a variant, and the strategy's view names."""
    import keras

    import keras_dc3

    class Bare(keras_dc3.DC3Model):
        """The strategy's loss on the same passes, without any term of DC3."""

        def compute_loss(self, x=None, y=None, y_pred=None, *args, **kwargs):
            step = self.step.value
            losses = self._passes.strategy_losses(self.targets(y), y_pred, step, None)
            return keras.ops.mean(losses[0]) + keras.ops.mean(losses[1])

    keras.utils.set_random_seed(0)
    shape = (FLAGS.size, FLAGS.size, 3)
    backbone = getattr(keras_dc3.backbones, FLAGS.backbone)(shape)
    config = keras_dc3.DC3Config() if variant == "dc3" else None
    model = (Bare if variant == "bare" else keras_dc3.DC3Model)(
        backbone,
        ssl=ssl,
        num_classes=10,
        config=config or keras_dc3.DC3Config.vanilla(),
        dtype=FLAGS.dtype,
    )
    return model


def work(ssl: str, variant: str) -> None:
    """Trains a few steps for each line on standard input; answers with seconds."""
    import numpy as np
    import tensorflow as tf

    model = make_model(ssl, variant)
    rng = np.random.default_rng(0)

    def images(n: int) -> Any:
        shape = (n, FLAGS.size, FLAGS.size, 3)
        return tf.constant(rng.integers(0, 256, shape).astype("uint8"))

    views = model.ssl.views
    x = {
        "labeled": images(FLAGS.labeled),
        "unlabeled": {view: images(FLAGS.unlabeled) for view in views},
    }
    y = tf.constant(rng.integers(0, 10, FLAGS.labeled))
    model.build((None, FLAGS.size, FLAGS.size, 3))
    if variant == "bare":
        model.network.cluster_head.trainable = False
        model.network.ambiguity_head.trainable = False
    model.make_train_function()
    dataset = tf.data.Dataset.from_tensors((x, y)).repeat()
    iterator = iter(dataset)
    for _ in range(2):
        model.train_function(iterator)

    def turn() -> dict[str, float]:
        seconds = train(model, iterator, FLAGS.steps) / FLAGS.steps
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"seconds": seconds, "peak_mib": peak}

    serve(turn)


def measure(ssl: str) -> dict[str, Any]:
    """Returns medians, ratios and all raw figures of one strategy."""
    workers: dict[str, Worker] = {}
    for variant in VARIANTS:
        workers[variant] = Worker(f"{ssl},{variant}")
        workers[variant].read()
    turns: dict[str, list[dict[str, float]]] = {variant: [] for variant in VARIANTS}
    for turn in range(FLAGS.turns):
        # Each variant goes first equally often.
        order = [VARIANTS[(turn + i) % len(VARIANTS)] for i in range(len(VARIANTS))]
        for variant in order:
            workers[variant].go()
            turns[variant].append(workers[variant].read())
    for worker in workers.values():
        worker.stop()
    result: dict[str, Any] = {}
    for variant in VARIANTS:
        result[variant] = {
            "seconds_per_step": statistics.median(t["seconds"] for t in turns[variant]),
            "peak_mib": max(t["peak_mib"] for t in turns[variant]),
            "all_seconds": [t["seconds"] for t in turns[variant]],
        }
    for other in ("bare", "vanilla"):
        # Per turn, where both met the same load, and the median of that.
        ratios = [
            a["seconds"] / b["seconds"]
            for a, b in zip(turns["dc3"], turns[other], strict=True)
        ]
        result[f"dc3_to_{other}"] = {
            "time": statistics.median(ratios),
            "memory": result["dc3"]["peak_mib"] / result[other]["peak_mib"],
        }
    return result


def main(argv: list[str]) -> None:
    """Runs the benchmark, or one of its processes."""
    del argv
    if FLAGS.worker:
        work(*FLAGS.worker.split(","))
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import record

    import keras_dc3

    results = {}
    print(
        f"{'strategy':14}{'bare':>9}{'vanilla':>9}{'dc3':>9}  s/step"
        f"{'dc3/bare':>12}{'dc3/vanilla':>13}  time"
        f"{'dc3/bare':>12}{'dc3/vanilla':>13}  memory"
    )
    for ssl in FLAGS.strategies or keras_dc3.strategies.names():
        result = results[ssl] = measure(ssl)
        bare, vanilla = result["dc3_to_bare"], result["dc3_to_vanilla"]
        seconds = "".join(f"{result[v]['seconds_per_step']:9.3f}" for v in VARIANTS)
        print(
            f"{ssl:14}{seconds}{bare['time']:20.3f}{vanilla['time']:13.3f}"
            f"{bare['memory']:18.3f}{vanilla['memory']:13.3f}",
            flush=True,
        )
        if FLAGS.output:
            settings = {name: FLAGS[name].value for name in SETTINGS}
            record.write(FLAGS.output, results, settings, ("keras", "tensorflow"))


if __name__ == "__main__":
    app.run(main)
