"""Are several answers to a labeled image better used as a soft label, or one drawn?

    python benchmarks/labels.py --data_dir data --output benchmarks/results/labels.json

Trains Mean-Teacher with DC3 on `cifar10h_features.npz` by the reduced protocol, with
`feature_mlp` as backbone. Of each labeled image so many of its about 50 answers are
drawn; what the two ways to use them differ in is the label alone: images, answers,
weights and order are the same. Of the 2,000 validation images, with all their answers:

    accuracy         against the most frequent answer
    f1               weighted, of the images that are called certain
    auroc_ambiguity  how well p_a finds the images whose most frequent answer has less
                     than 80%
    cross_entropy    of the class probabilities against the shares of the answers, nats

Runs that the output file has are not trained again.
"""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from absl import app, flags

FLAGS = flags.FLAGS
FIGURES = ("accuracy", "f1", "auroc_ambiguity", "cross_entropy")
TEST = 2000

flags.DEFINE_string("data_dir", "data", "Folder of the data sets.")
flags.DEFINE_list("labeled", ["500", "1600"], "Numbers of labeled images.")
flags.DEFINE_list("answers", ["3"], "Numbers of answers to each.")
flags.DEFINE_integer("seeds", 3, "Trainings of each cell.", lower_bound=2)
flags.DEFINE_integer("steps", 400, "Steps of a training.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.", required=True)


def train(labels: str, labeled: int, answers: int, seed: int) -> dict[str, float]:
    """Returns the figures of one training."""
    import feature_training

    import keras_dc3
    from keras_dc3 import metrics

    folder = Path(FLAGS.data_dir)
    counts = np.load(folder / "cifar10h.npz")["counts"].astype("int64")
    rng = np.random.default_rng(seed)
    test, rows, rest = np.split(rng.permutation(len(counts)), [TEST, TEST + labeled])
    for row in rows:
        counts[row] = rng.multivariate_hypergeometric(counts[row], answers)
    data = keras_dc3.datasets.from_embeddings(
        folder / "cifar10h_features.npz",
        counts,
        split={
            name: [str(row) for row in np.sort(part)]
            for name, part in zip(
                ("labeled", "unlabeled", "validation"), (rows, rest, test), strict=True
            )
        },
        labels=labels,
        seed=seed,
    )
    model = feature_training.trained(data, "mean_teacher", FLAGS.steps, seed)
    truth = data.validation.soft_labels
    found = model.predict(data.validation, verbose=0)
    context = metrics.honest_context(truth, found["classes"], found["ambiguity"])
    scores = metrics.proposal_scores(
        truth, found["classes"], found["clusters"], found["ambiguity"]
    )
    predicted = found["classes"].argmax(axis=1)
    shares = keras_dc3.annotations.majority_shares(truth)
    logs = np.log(np.maximum(found["classes"], 1e-12))
    return {
        "accuracy": float(shares[np.arange(len(truth)), predicted].mean()),
        "f1": float(scores["f1"]),
        "auroc_ambiguity": float(context["auroc_ambiguity"]),
        "cross_entropy": float(-(truth * logs).sum(axis=1).mean()),
    }


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    import record

    results: list[dict[str, Any]] = []
    if os.path.exists(FLAGS.output):
        results = json.loads(Path(FLAGS.output).read_text("utf-8"))["results"]
    settings = {name: FLAGS[name].value for name in ("steps", "seeds")}
    for seed, labeled, answers, labels in itertools.product(
        range(1, FLAGS.seeds + 1),
        map(int, FLAGS.labeled),
        map(int, FLAGS.answers),
        ("soft", "sampled"),
    ):
        cell = {"labels": labels, "labeled": labeled, "answers": answers, "seed": seed}
        if any(cell.items() <= done.items() for done in results):
            continue
        results.append(cell | train(labels, labeled, answers, seed))
        record.write(FLAGS.output, results, settings, ("keras", "tensorflow"), 1)
        figures = ", ".join(f"{name} {results[-1][name]:.4f}" for name in FIGURES)
        print(
            f"{labels:8}{labeled:6,} labeled, {answers} answers, seed {seed}: "
            f"{figures}",
            flush=True,
        )


if __name__ == "__main__":
    app.run(main)
