"""How many images should be called ambiguous: 60% as in the paper, or as answers tell?

    python benchmarks/prior.py --data_dir data --output benchmarks/results/prior.json

No network is trained: `probes.ClassProbe` learns classes from the features of so many
labeled images, with so many answers each, and is tried on 2,000 others, whose answers
of about 50 people are known. The features are those of `cifar10h_features.npz`, and of
Fashion-MNIST-H the pixels, 14x14. The 1 - p_A images of which the probe is surest are
called certain. The rules for p_A, from the labeled images alone:

    paper           0.6
    disagreement    how often two answers to an image differ
    several         share of the images with answers of more than one class
    contradiction   how often an answer differs from the class that is predicted for an
                    image that is held out: 1 - mean share of the predicted class
    twice           2 contradiction: as many images again as an answer contradicts
    held out        the least p_A with which at most 5% of the most frequent answers
                    differ from the predicted class, among images held out
    oracle          the same of the 2,000 images themselves: what nobody knows

Of each seed and rule:

    prior           p_A
    f1, accuracy    of the certain images, against the most frequent answer
    disputed        share of them whose most frequent answer has less than 80%
    wrong           share of all images that are certain and wrong

The record is made anew at each run, in minutes.
"""

from __future__ import annotations

import statistics
from typing import Any

import disagreement
import numpy as np
import record
from absl import app, flags
from disagreement import TEST

from keras_dc3 import annotations, metrics
from keras_dc3.probes import ClassProbe

FLAGS = flags.FLAGS
PAPER = 0.6
DISPUTED = 0.8  # less than this share for the most frequent answer
TOLERATED = 0.05  # share of the certain images that may be wrong


def least_prior(sure: np.ndarray, right: np.ndarray) -> float:
    """Returns the least share left out so that few enough of the surest are wrong.

    Args:
        sure: (n,), larger for images that are taken first.
        right: (n,), whether each is right, in [0, 1].
    """
    order = np.argsort(-sure, kind="stable")
    wrong = np.cumsum(1 - right[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(wrong <= TOLERATED)
    return 1 - (enough[-1] + 1) / len(order) if enough.size else 1.0


def rules(counts: np.ndarray, held_out: np.ndarray) -> dict[str, float]:
    """Returns the p_A of each rule.

    Args:
        counts: of the answers to the labeled images, (n, k).
        held_out: their class probabilities, by maps that have not seen them, (n, k).
    """
    asked = counts.sum(axis=1)
    rows, predicted = np.arange(len(counts)), held_out.argmax(axis=1)
    contradicted = float((1 - counts[rows, predicted] / asked).mean())
    right = annotations.majority_shares(counts)[rows, predicted]
    return {
        "paper": PAPER,
        "disagreement": float(annotations.disagreement(counts).mean()),
        "several": float(annotations.is_ambiguous(counts).mean()),
        "contradiction": contradicted,
        "twice": min(2 * contradicted, 1.0),
        "held out": least_prior(held_out.max(axis=1), right),
    }


def run(
    features: np.ndarray, counts: np.ndarray, labeled: int, answers: int, seed: int
) -> dict[str, dict[str, float]]:
    """Returns rule -> figures, of one division of the images."""
    test, rows, said = disagreement.divided(counts, labeled, answers, seed)
    probe = ClassProbe(seed=seed).fit(features[rows], said / answers)
    p = probe.predict(features[test])
    sure, classes = p.max(axis=1), p.argmax(axis=1)
    labels = annotations.soft_labels(counts[test])
    right = annotations.majority_shares(counts[test])[np.arange(TEST), classes]
    priors = rules(said, probe.held_out)
    priors["oracle"] = least_prior(sure, right)
    order = np.argsort(-sure, kind="stable")
    found = {}
    for rule, prior in priors.items():
        kept = order[: round((1 - prior) * TEST)]
        found[rule] = {
            "prior": prior,
            "f1": metrics.weighted_f1(labels[kept], classes[kept], labels.shape[1]),
            "accuracy": float(right[kept].mean()) if kept.size else float("nan"),
            "disputed": float((labels[kept].max(axis=1) < DISPUTED).mean())
            if kept.size
            else float("nan"),
            "wrong": float((1 - right[kept]).sum() / TEST),
        }
    return found


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    results: list[dict[str, Any]] = []
    for cell in disagreement.cells(run):
        results.append(cell)
        runs = cell["runs"]
        print(f"{cell['set']}, {cell['labeled']:,} labeled, {cell['answers']} answers")
        for rule in runs[0]:
            means = {
                figure: statistics.mean(r[rule][figure] for r in runs)
                for figure in runs[0][rule]
            }
            told = ", ".join(f"{n} {100 * v:.1f}" for n, v in means.items())
            print(f"    {rule:15}{told}", flush=True)
        if FLAGS.output:
            settings = {n: FLAGS[n].value for n in ("labeled", "answers", "seeds")}
            settings |= {"tolerated": TOLERATED, "disputed": DISPUTED}
            record.write(FLAGS.output, results, settings, ("numpy",))


if __name__ == "__main__":
    FLAGS.set_default("answers", ["3", "10"])
    FLAGS.set_default("seeds", 5)
    app.run(main)
