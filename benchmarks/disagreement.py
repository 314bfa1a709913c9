"""Is people's disagreement found better than by what the model is unsure of?

    python benchmarks/disagreement.py --data_dir data \
        --output benchmarks/results/disagreement.json

No network is trained: `probes.DisagreementProbe` learns from the features of so many
labeled images, with so many answers each, and is tried on 2,000 others, whose answers
of about 50 people are known. The features are those of `cifar10h_features.npz`, and of
Fashion-MNIST-H the pixels, 14x14. Of each seed:

    accuracy      of the class probabilities of its `ClassProbe`
    disagreement  AUROC of what is expected, for images whose most frequent answer has
                  less than 80%
    entropy, softmax, margin    AUROC of these scores of the class probabilities
    f1, f1_confident            weighted F1 of the 40% of least expected disagreement,
                                and of the 40% of which the probabilities are surest
    explained     see `DisagreementProbe`

The record is written after each cell; it is made anew at each run, in minutes.
"""

from __future__ import annotations

import itertools
import statistics
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import record
from absl import app, flags

from keras_dc3 import metrics
from keras_dc3.probes import DisagreementProbe

FLAGS = flags.FLAGS
CERTAIN = 0.4  # share of the images whose class is taken, 1 less the paper's prior
AMBIGUOUS = 0.8  # less than this share for the most frequent answer
TEST = 2000

flags.DEFINE_string("data_dir", "data", "Folder of the data sets.")
flags.DEFINE_list("labeled", ["200", "500", "1600"], "Numbers of labeled images.")
flags.DEFINE_list("answers", ["2", "3", "10"], "Numbers of answers to each.")
flags.DEFINE_integer("seeds", 10, "Divisions of the images.", lower_bound=2)
flags.DEFINE_string("output", None, "JSON file for the result.")


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns features (n, d) and counts (n, k) of a data set."""
    folder = Path(FLAGS.data_dir)
    with np.load(folder / f"{name}.npz") as file:
        counts = file["counts"]
        if name == "fashionmnist_h":
            images = file["images"].reshape(-1, 14, 2, 14, 2).astype("float32")
            return images.mean(axis=(2, 4)).reshape(len(images), -1), counts
    with np.load(folder / f"{name}_features.npz") as file:
        return file["plain"].astype("float32"), counts


def divided(
    counts: np.ndarray, labeled: int, answers: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the rows of images to try on, of labeled ones, and the counts of these.

    Args:
        counts: (n, k), all answers.
        labeled: how many images are labeled.
        answers: how many of the answers to each of these are drawn.
        seed: of both.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(counts))
    test, rows = order[:TEST], order[TEST : TEST + labeled]
    said = [rng.multivariate_hypergeometric(c, answers) for c in counts[rows]]
    return test, rows, np.stack(said)


def cells(run: Callable[..., dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields the runs of each set, number of labeled images, and number of answers.

    Args:
        run: of features, counts, labeled images, answers and a seed.
    """
    for name in ("cifar10h", "fashionmnist_h"):
        features, counts = load(name)
        for labeled, answers in itertools.product(
            map(int, FLAGS.labeled), map(int, FLAGS.answers)
        ):
            runs = [
                run(features, counts, labeled, answers, seed)
                for seed in range(FLAGS.seeds)
            ]
            yield {"set": name, "labeled": labeled, "answers": answers, "runs": runs}


def run(
    features: np.ndarray, counts: np.ndarray, labeled: int, answers: int, seed: int
) -> dict[str, float]:
    """Returns the figures of one division of the images."""
    test, rows, said = divided(counts, labeled, answers, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that nothing was learned
        probe = DisagreementProbe(seed=seed).fit(features[rows], said)
    p = np.maximum(probe.class_probe.predict(features[test]), 1e-12)
    expected = probe.predict(features[test])
    labels = counts[test] / counts[test].sum(axis=1, keepdims=True)
    ambiguous = labels.max(axis=1) < AMBIGUOUS
    truth, classes, top = labels.argmax(axis=1), p.argmax(axis=1), np.sort(p, axis=1)
    scores = {
        "disagreement": expected,
        "entropy": -(p * np.log(p)).sum(axis=1),
        "softmax": 1 - top[:, -1],
        "margin": top[:, -2] - top[:, -1],
    }

    def f1(score: np.ndarray) -> float:
        kept = np.argsort(score, kind="stable")[: int(CERTAIN * len(score))]
        return metrics.weighted_f1(truth[kept], classes[kept], labels.shape[1])

    found = {name: metrics.area_under_roc(s, ambiguous) for name, s in scores.items()}
    found["accuracy"] = float((classes == truth).mean())
    found["f1"], found["f1_confident"] = f1(expected), f1(scores["softmax"])
    found["explained"] = probe.explained
    return found


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    results: list[dict[str, Any]] = []
    for cell in cells(run):
        results.append(cell)
        runs = cell["runs"]
        best = [max(r["entropy"], r["softmax"], r["margin"]) for r in runs]
        gain = [r["disagreement"] - b for r, b in zip(runs, best, strict=True)]
        print(
            f"{cell['set']:15}{cell['labeled']:6} labeled, {cell['answers']:2} "
            f"answers: AUROC {statistics.mean(r['disagreement'] for r in runs):.3f}, "
            f"{statistics.mean(gain):+.3f} ± {statistics.stdev(gain):.3f} to the "
            "best of entropy, softmax and margin",
            flush=True,
        )
        if FLAGS.output:
            settings = {n: FLAGS[n].value for n in ("labeled", "answers", "seeds")}
            record.write(FLAGS.output, results, settings, ("numpy",))


if __name__ == "__main__":
    app.run(main)
