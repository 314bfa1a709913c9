"""What `fit` costs beside the bare training step.

    python benchmarks/fit.py --output benchmarks/results/fit.json

The same model trains on the same batches in two ways, which take turns: by its compiled
step alone, called in a loop, and by `fit`, with all that `DC3Model` watches there. Once
on a batch that is always the same, once on a data set of the package, which is read and
augmented. Of `fit` the steps after the first few are counted: what it prepares before
them is paid once.
"""

from __future__ import annotations

import os
import statistics
import time
import warnings
from collections.abc import Iterator
from typing import Any

from absl import app, flags

FLAGS = flags.FLAGS
SKIPPED = 5  # steps of each turn that are not counted
SETTINGS = ("backbone", "size", "batch_size", "turns", "steps")

flags.DEFINE_string("backbone", "small_cnn", "A function of keras_dc3.backbones.")
flags.DEFINE_integer("size", 32, "Height and width of the images.")
flags.DEFINE_integer("batch_size", 64, "Labeled images per batch.")
flags.DEFINE_integer("turns", 7, "Measured turns of each way.", lower_bound=3)
flags.DEFINE_integer("steps", 40, "Counted steps of a turn.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.")


def clocks() -> tuple[float, float]:
    """Returns the seconds on the clock, and of the processor."""
    return time.perf_counter(), time.process_time()


def by_step(model: Any, batches: Iterator) -> tuple[float, float]:
    """Returns seconds and processor seconds of a step, called in a loop."""
    for step in range(SKIPPED + FLAGS.steps):
        if step == SKIPPED:
            start = clocks()
        logs = model.train_function(batches)
    float(logs["loss"])  # waits for the last step
    return _per_step(start)


def by_fit(model: Any, data: Any, validation: Any) -> tuple[float, float]:
    """Returns seconds and processor seconds of a step within `fit`."""
    import keras

    times = {}

    def note(batch: int, logs: Any) -> None:
        if batch + 1 == SKIPPED:
            times["start"] = clocks()
        elif batch + 1 == SKIPPED + FLAGS.steps:
            float(logs["loss"])
            times["step"] = _per_step(times["start"])

    model.fit(
        data,
        epochs=1,
        steps_per_epoch=SKIPPED + FLAGS.steps,
        validation_data=validation,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=note)],
    )
    return times["step"]


def _per_step(start: tuple[float, float]) -> tuple[float, float]:
    seconds, processor = (b - a for a, b in zip(start, clocks(), strict=True))
    return seconds / FLAGS.steps, processor / FLAGS.steps


def measure(model: Any, data: Any, batches: Any, validation: Any) -> dict[str, Any]:
    """Returns medians of both ways, and of their ratios, turn by turn.

    Args:
        model: has trained before.
        data: what `fit` gets.
        batches: the same as a `tf.data.Dataset`.
        validation: a few images and labels.
    """
    turns: dict[str, list[tuple[float, float]]] = {"step": [], "fit": []}
    for turn in range(FLAGS.turns):
        for name in list(turns)[:: 1 if turn % 2 else -1]:
            if name == "fit":
                turns[name].append(by_fit(model, data, validation))
            else:
                turns[name].append(by_step(model, iter(batches)))
    result: dict[str, Any] = {"turns": turns}
    for place, name in enumerate(("seconds", "processor_seconds")):
        step, fit = ([one[place] for one in turns[way]] for way in ("step", "fit"))
        result[name] = {"step": statistics.median(step), "fit": statistics.median(fit)}
        ratios = [b / a for a, b in zip(step, fit, strict=True)]
        result[name]["ratio"] = statistics.median(ratios)
    return result


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    warnings.simplefilter("ignore")  # of labels drawn at random, and of so few steps
    load = os.getloadavg()[0]
    import numpy as np
    import tensorflow as tf

    import keras_dc3

    rng = np.random.default_rng(0)
    shape, number = (FLAGS.size, FLAGS.size, 3), 1024
    images = rng.integers(0, 256, (number, *shape)).astype("uint8")
    labels = rng.integers(0, 10, number)
    data = keras_dc3.datasets.from_arrays(
        images, np.eye(10)[labels], batch_size=FLAGS.batch_size
    )
    backbone = getattr(keras_dc3.backbones, FLAGS.backbone)(shape)
    model = keras_dc3.DC3Model(backbone, num_classes=10, training_steps=10**6)
    validation = images[:8], labels[:8]
    model.fit(data, epochs=1, steps_per_epoch=3, verbose=0, validation_data=validation)
    steps = SKIPPED + FLAGS.steps
    views = model.ssl.views
    batches = data.training_batches(views, steps_per_epoch=steps)
    one = tf.data.Dataset.from_tensors(next(iter(batches))).repeat()
    results = {
        "one batch": measure(model, one, one, validation),
        "data set": measure(model, data, batches, validation),
    }
    for name, result in results.items():
        print(
            f"{name:10}"
            + "".join(
                f"  {kind}: step {1000 * of['step']:.1f} ms, fit "
                f"{1000 * of['fit']:.1f} ms, ratio {of['ratio']:.3f}"
                for kind, of in result.items()
                if kind != "turns"
            ),
            flush=True,
        )
    if FLAGS.output:
        import record

        settings = {name: FLAGS[name].value for name in SETTINGS}
        settings["load_before"] = load
        record.write(FLAGS.output, results, settings, ("keras", "tensorflow"))


if __name__ == "__main__":
    app.run(main)
