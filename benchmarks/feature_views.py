"""What stands in for augmented views, where only the features of images are known?

    python benchmarks/feature_views.py --data_dir data \
        --output benchmarks/results/feature_views.json

Trains on `cifar10h_features.npz` by the reduced protocol, with `feature_mlp` as
backbone: once on the stored views of augmented images, once without any augmentation,
and with noise, hidden features and interpolation in their place. Mean-Teacher shows
what a weak view is worth, FixMatch what a strong one is beside a weak one.
Reported are, on the 2,000 validation images, the accuracy and the AUROC with which p_a
finds images that people disagree on (largest share below 0.8), over the seeds: mean and
standard deviation. Cells that the output file has are not trained again.
"""

from __future__ import annotations

import json
import os
import statistics
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_integer("seeds", 3, "Trainings of each cell.", lower_bound=2)
flags.DEFINE_integer("steps", 400, "Steps of a training.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.", required=True)

# Name of a cell -> (noise, dropout, interpolation); None: the stored views.
WEAK = {
    "stored": None,
    "none": (0.0, 0.0, 0.0),
    "noise 0.3": (0.3, 0.0, 0.0),
    "noise 0.5": (0.5, 0.0, 0.0),
    "noise 1": (1.0, 0.0, 0.0),
    "dropout 0.3": (0.0, 0.3, 0.0),
    "interpolation 0.3": (0.0, 0.0, 0.3),
    "dropout 0.2": (0.0, 0.2, 0.0),
    "dropout 0.5": (0.0, 0.5, 0.0),
    "dropout 0.3, interpolation 0.3": (0.0, 0.3, 0.3),
}
BESIDE = (0.0, 0.3, 0.0)  # the weak view beside each strong one
STRONG = {
    "stored": None,
    "dropout 0.3": (0.0, 0.3, 0.0),
    "dropout 0.5": (0.0, 0.5, 0.0),
    "dropout 0.7": (0.0, 0.7, 0.0),
    "dropout 0.5, interpolation 0.5": (0.0, 0.5, 0.5),
    "noise 0.5, dropout 0.3": (0.5, 0.3, 0.0),
}


def train(ssl: str, policy: tuple | None, seed: int) -> dict[str, float]:
    """Returns the figures of one training."""
    import feature_training

    import keras_dc3
    from keras_dc3 import metrics

    folder = Path(FLAGS.data_dir or os.environ.get("KERAS_DC3_DATA", "data"))
    noise = keras_dc3.data.FeatureNoise
    augment = None
    if policy is not None:
        weak = policy if ssl == "mean_teacher" else BESIDE
        augment = {"weak": noise(*weak), "strong": noise(*policy)}
    data = keras_dc3.datasets.from_embeddings(
        folder / "cifar10h_features.npz",
        np.load(folder / "cifar10h.npz")["counts"],
        labeled=1600,
        unlabeled=6400,
        validation=2000,
        seed=seed,
        labels="sampled",
        augment=augment,
    )
    if ssl == "fixmatch":
        ssl = keras_dc3.strategies.FixMatch(unlabeled_ratio=1)
    model = feature_training.trained(data, ssl, FLAGS.steps, seed)
    truth = data.validation.soft_labels
    found = model.predict(data.validation, verbose=0)
    context = metrics.honest_context(truth, found["classes"], found["ambiguity"])
    right = found["classes"].argmax(axis=1) == truth.argmax(axis=1)
    return {
        "accuracy": float(right.mean()),
        "auroc_ambiguity": float(context["auroc_ambiguity"]),
        "auroc_entropy": float(context["auroc_entropy"]),
    }


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    import record

    results: dict[str, Any] = {}
    if os.path.exists(FLAGS.output):
        results = json.loads(Path(FLAGS.output).read_text("utf-8"))["results"]
    settings = {"steps": FLAGS.steps, "seeds": FLAGS.seeds, "weak_beside": BESIDE}
    for ssl, cells in (("mean_teacher", WEAK), ("fixmatch", STRONG)):
        for name, policy in cells.items():
            cell = results.setdefault(ssl, {}).setdefault(name, {"seeds": []})
            for seed in range(len(cell["seeds"]) + 1, FLAGS.seeds + 1):
                cell["seeds"].append(train(ssl, policy, seed))
            for figure in cell["seeds"][0]:
                values = [of_seed[figure] for of_seed in cell["seeds"]]
                cell[figure] = statistics.mean(values)
                cell[f"{figure}_deviation"] = statistics.stdev(values)
            record.write(FLAGS.output, results, settings, ("keras", "tensorflow"), 1)
            print(
                f"{ssl:14}{name:44}accuracy {cell['accuracy']:.4f} "
                f"(+-{cell['accuracy_deviation']:.4f}), AUROC of p_a "
                f"{cell['auroc_ambiguity']:.4f} "
                f"(+-{cell['auroc_ambiguity_deviation']:.4f})",
                flush=True,
            )


if __name__ == "__main__":
    app.run(main)
