"""Does the average of the weights keep up with them in a short training?

    python benchmarks/average.py --output benchmarks/results/average.json

Trains on handwritten digits for several numbers of steps and measures the accuracy on
the validation images by

    raw        the weights themselves
    constant   their average with a constant decay, `ema_decay`
    step       their average with the decay min(ema_decay, (1 + t) / (10 + t)), ours

Both averages are kept in every run. With `mean_teacher` the average teaches, so there
is a run for each of the two as the teacher. Accuracies are over all seeds: mean, and
standard deviation.
"""

from __future__ import annotations

import functools
import os
import statistics
from typing import Any

from absl import app, flags

FLAGS = flags.FLAGS
RULES = ("constant", "step")
# Flags that the figures depend on.
SETTINGS = ("steps", "teacher_steps", "seeds", "ema_decay", "filters", "bn_momentum")

flags.DEFINE_list("steps", ["50", "100", "200", "400", "600", "1600"], "Lengths.")
flags.DEFINE_list("teacher_steps", ["50", "600"], "Lengths of mean_teacher.")
flags.DEFINE_integer("seeds", 2, "Trainings of each kind.", lower_bound=2)
flags.DEFINE_float("ema_decay", 0.999, "Of both averages.")
flags.DEFINE_integer("filters", 8, "Of the small network.")
flags.DEFINE_float("bn_momentum", 0.9, "Moving statistics must keep up, too.")
flags.DEFINE_string("output", None, "JSON file for the result.")


def make_model(ssl: str, teacher: str, steps: int, image_shape: tuple) -> Any:
    """Returns a model that keeps both averages; the `teacher` one is its own."""
    import keras_dc3
    from keras_dc3.layers import WeightAverage

    class BothRules(keras_dc3.DC3Model):
        """Updates a second average beside the model's own."""

        def build(self, input_shape):
            if not self.built:
                self.other = WeightAverage(FLAGS.ema_decay)
                super().build(input_shape)
                self.other.build_for(self.network)

        def after_step(self):
            own, other = self.average, self.other
            by_step, constant = (own, other) if teacher == "step" else (other, own)
            by_step.update(self.network, updates=self.step.value)
            constant.update(self.network)
            self.step.assign(self.step.value + 1)

    backbone = keras_dc3.backbones.small_cnn(
        image_shape, filters=FLAGS.filters, bn_momentum=FLAGS.bn_momentum
    )
    return BothRules(
        backbone,
        ssl=ssl,
        config=keras_dc3.DC3Config.vanilla(),
        training_steps=steps,
        ema_decay=FLAGS.ema_decay,
        evaluate_with="raw",
    )


@functools.cache
def load_digits(seed: int) -> Any:
    """Returns the data set of a seed."""
    import keras_dc3

    return keras_dc3.datasets.load(
        "digits", num_images=1500, seed=seed, labels="sampled"
    )


def accuracies(ssl: str, teacher: str, steps: int, seed: int) -> dict[str, float]:
    """Trains once; returns the accuracy by each of the three sets of weights."""
    import keras
    import numpy as np

    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    data = load_digits(seed)
    model = make_model(ssl, teacher, steps, data.image_shape)
    model.fit(data, steps_per_epoch=steps, validation_freq=2, verbose=0)
    truth = np.argmax(data.validation.counts, axis=1)

    def accuracy() -> float:
        classes = model.predict(data.validation, verbose=0)["classes"]
        return float(np.mean(classes.argmax(axis=1) == truth))

    found = {"raw": accuracy()}
    own, other = (teacher, "step" if teacher == "constant" else "constant")
    for rule, average in ((own, model.average), (other, model.other)):
        for variable in model.network.trainable_variables:
            variable.assign(average.value_of(variable))
        found[rule] = accuracy()
    return found


def measure(ssl: str, teacher: str, steps: int) -> dict[str, Any]:
    """Returns mean and standard deviation over the seeds, and all figures."""
    runs = [accuracies(ssl, teacher, steps, seed) for seed in range(FLAGS.seeds)]
    result: dict[str, Any] = {"strategy": ssl, "teacher": teacher, "steps": steps}
    for name in ("raw", *RULES):
        values = [run[name] for run in runs]
        result[name] = {
            "mean": statistics.mean(values),
            "std": statistics.stdev(values),
            "all": values,
        }
    return result


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import record

    cells = [("supervised", "step", int(n)) for n in FLAGS.steps]
    cells += [("mean_teacher", r, int(n)) for n in FLAGS.teacher_steps for r in RULES]
    results = []
    print(
        f"{'strategy':14}{'teacher':>10}{'steps':>7}{'raw':>16}{'constant':>16}", end=""
    )
    print(f"{'step':>16}")
    for ssl, teacher, steps in cells:
        result = measure(ssl, teacher, steps)
        results.append(result)
        shown = [
            f"{100 * result[n]['mean']:9.1f} ± {100 * result[n]['std']:4.1f}"
            for n in ("raw", *RULES)
        ]
        print(f"{ssl:14}{teacher:>10}{steps:7}{''.join(shown)}", flush=True)
        if FLAGS.output:
            settings = {name: FLAGS[name].value for name in SETTINGS}
            record.write(FLAGS.output, results, settings, ("keras", "tensorflow"))


if __name__ == "__main__":
    app.run(main)
