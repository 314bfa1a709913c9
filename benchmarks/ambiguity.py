"""Is p_a worth more than the confidence of the class, on features?

    python benchmarks/ambiguity.py --dataset cifar10h --data_dir data \
        --output benchmarks/results/ambiguity-cifar10h.json

Trains Mean-Teacher with `feature_mlp` on the answers of so many people to so many
images, as soft labels, and asks the model about the images of a fifth of the set, which
it was not trained on and whose answers of 10 to 80 people are known. Of each training:

    accuracy      of the class, and of a `probes.ClassProbe` on the same features
    p_a, softmax, entropy, margin   AUROC, for images whose most frequent answer has
                  less than 80%
    f1, f1_confident    weighted F1 of the images with p_a < 0.5, and of as many of
                  which the class is most confident
    certain       share of the images with p_a < 0.5
    d, d_class, d_k_means    distances of soft labels in the clusters (eq. 4, weighted
                  by size) of the ambiguous images, by p_o, class, and k-means

    default    what `DC3Model` does
    former     as 0.1.0: p_a from features and uncertainty, a penalty of 0.0005
    penalty    p_a as by default, a penalty of 0.0005

Features come from `--features`, an `.npz` file with "plain", "weak" and "strong" in the
order of the set; for CIFAR-10H from `cifar10h_features.npz` in `--data_dir`. Trainings
that the output file has are not repeated.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import feature_data
import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_enum(
    "dataset",
    "cifar10h",
    ["cifar10h", "fashionmnist_h", "shape_texture16"],
    "The images and answers, `<dataset>.npz` in --data_dir.",
)
flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_string("features", None, "File of the features.")
flags.DEFINE_string("network", "ResNet-9", "What computed them, for the table.")
flags.DEFINE_list("labeled", ["200", "1600"], "Numbers of labeled images.")
flags.DEFINE_list("answers", ["1", "3", "10"], "Numbers of answers to each.")
flags.DEFINE_list("variants", ["default"], "Of default, former, penalty.")
flags.DEFINE_integer("seeds", 5, "Trainings of each cell.", lower_bound=1)
flags.DEFINE_integer("steps", 400, "Steps of a training.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.", required=True)

AMBIGUOUS = 0.8


def train(data: Any, variant: str, seed: int) -> tuple[Any, float]:
    """Returns a trained model, and the seconds it took."""
    import keras

    import keras_dc3
    from keras_dc3 import optimizers

    keras.utils.set_random_seed(seed)
    inputs = "features+uncertainty" if variant == "former" else "confidence"
    model = keras_dc3.DC3Model(
        keras_dc3.backbones.feature_mlp(data.image_shape),
        ssl="mean_teacher",
        config=keras_dc3.DC3Config(ambiguity_inputs=inputs),
        training_steps=FLAGS.steps,
    )
    if variant != "default":
        optimizer = optimizers.feature_optimizer(FLAGS.steps)
        optimizer.kernel_decay = 5e-4
        model.compile(optimizer)
    start = time.perf_counter()
    model.fit(data, steps_per_epoch=FLAGS.steps, epochs=1, verbose=0)
    return model, time.perf_counter() - start


def figures(model: Any, data: Any) -> dict[str, float]:
    """Returns the figures of a trained model."""
    from keras_dc3 import metrics
    from keras_dc3.probes import ClassProbe

    found = model.propose(data.validation, verbose=0)
    p = np.maximum(found.class_probabilities, 1e-12)
    labels = data.validation.soft_labels
    truth, classes, top = labels.argmax(axis=1), p.argmax(axis=1), np.sort(p, axis=1)
    scores = {
        "p_a": found.ambiguity,
        "softmax": 1 - top[:, -1],
        "entropy": -(p * np.log(p)).sum(axis=1),
        "margin": top[:, -2] - top[:, -1],
    }
    differ = labels.max(axis=1) < AMBIGUOUS
    result = {n: metrics.area_under_roc(s, differ) for n, s in scores.items()}

    def f1(rows: np.ndarray) -> float:
        return metrics.weighted_f1(truth[rows], classes[rows], labels.shape[1])

    certain = np.flatnonzero(found.ambiguity < 0.5)
    confident = np.argsort(scores["softmax"], kind="stable")[: len(certain)]
    result |= {
        "accuracy": float((classes == truth).mean()),
        "f1": f1(certain),
        "f1_confident": f1(confident),
        "certain": len(certain) / len(labels),
    }
    of_clusters = metrics.proposal_scores(
        labels,
        found.class_probabilities,
        found.cluster_probabilities,
        found.ambiguity,
        features=found.embeddings,
    )
    for name in ("d", "d_class", "d_k_means"):
        result[name] = of_clusters[f"{name}_size_weighted"]
    features = [
        feature_data.plain_features(part) for part in (data.labeled, data.validation)
    ]
    probe = ClassProbe().fit(features[0], data.labels)
    probed = probe.predict(features[1]).argmax(axis=1)
    result["accuracy_probe"] = float((probed == truth).mean())
    return {name: float(value) for name, value in result.items()}


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    import record

    folder = feature_data.folder_of(FLAGS.data_dir)
    counts = feature_data.read_counts(folder, FLAGS.dataset)
    features = feature_data.read_features(
        Path(FLAGS.features or folder / f"{FLAGS.dataset}_features.npz")
    )
    output = Path(FLAGS.output)
    results = json.loads(output.read_text())["results"] if output.exists() else []
    known = {json.dumps(run["cell"]) for run in results}
    for seed, variant, labeled, answers in itertools.product(
        range(FLAGS.seeds), FLAGS.variants, FLAGS.labeled, FLAGS.answers
    ):
        cell = {
            "variant": variant,
            "labeled": int(labeled),
            "answers": int(answers),
            "steps": FLAGS.steps,
            "seed": seed,
        }
        if json.dumps(cell) in known:
            continue
        given, parts = feature_data.divide(counts, int(labeled), int(answers), seed)
        data = feature_data.make_data(features, given, parts, seed)
        model, seconds = train(data, variant, seed)
        run = {"cell": cell, "seconds": round(seconds, 1), **figures(model, data)}
        results.append(run)
        settings = {"dataset": FLAGS.dataset, "network": FLAGS.network}
        record.write(FLAGS.output, results, settings, ("keras", "tensorflow", "numpy"))
        shown = {n: round(v, 3) for n, v in run.items() if n != "cell"}
        print(*cell.values(), shown, flush=True)


if __name__ == "__main__":
    app.run(main)
