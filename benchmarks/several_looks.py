"""Are several looks at an image worth more than the last one?

    python benchmarks/several_looks.py --data_dir data \
        --output benchmarks/results/several_looks.json

Trains Mean-Teacher with DC3 as it comes, `--members` times on the same images and
answers, from other first weights and in another order, and asks each about the
unlabeled images at the end of each of the 16 epochs. AUROC, for images whose most
frequent answer has less than 80%:

    p_a              of one model, as it is proposed
    last             entropy of its class probabilities
    history          mean of the entropies of all its epochs: what each image has been
                     through, by its id
    late_history     ... of the second half of its epochs
    ensemble         entropy of the mean class probabilities of all members
    ensemble_p_a     mean of their p_a
    spread           mutual information of class and member: what the members differ in

The first four are means over the members. With them, on the same images, `accuracy` of
one model and `ensemble_accuracy`, against the most frequent answer; and `f1` weighted,
of the images that one model calls certain (mean over the members), beside
`ensemble_f1`, of as many of which the ensemble is most confident.

Images, answers and recipe are those of `defaults.py`, "balanced". Cells that the output
file has are not trained again.
"""

from __future__ import annotations

import itertools
import json
import os
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import defaults
import keras
import numpy as np
import record
from absl import app, flags

import keras_dc3
from keras_dc3 import metrics

FLAGS = flags.FLAGS
AMBIGUOUS = 0.8
if __name__ == "__main__":
    flags.DEFINE_integer("members", 3, "Models of an ensemble.", lower_bound=2)


class History(keras.callbacks.Callback):
    """Keeps the class probabilities of the same images after each epoch.

    Args:
        images: whose.

    Attributes:
        looks: of each epoch, (n, k).
    """

    def __init__(self, images: Any):
        super().__init__()
        self.images = images
        self.looks: list[np.ndarray] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        del epoch, logs
        found = self.model.predict(self.images, batch_size=200, verbose=0)
        self.looks.append(np.asarray(found["classes"]))


def entropy(p: np.ndarray) -> np.ndarray:
    """Returns that of each row, in nats."""
    return -(p * np.log(np.maximum(p, 1e-12))).sum(axis=-1)


def member(data: Any, kind: str, seed: int) -> dict[str, np.ndarray]:
    """Trains a model and returns what it says of the unlabeled images."""
    keras.utils.set_random_seed(seed)
    make = keras_dc3.backbones.feature_mlp
    if kind == defaults.PIXELS:
        make = keras_dc3.backbones.small_cnn
    model = keras_dc3.DC3Model(make(data.image_shape), ssl="mean_teacher")
    history = History(data.unlabeled)
    model.fit(data, verbose=0, callbacks=[history])
    found = model.predict(data.unlabeled, batch_size=200, verbose=0)
    return {
        "p": np.asarray(found["classes"]),
        "p_a": np.asarray(found["ambiguity"]),
        "looks": np.stack(history.looks),
    }


def figures(members: list[dict[str, np.ndarray]], truth: np.ndarray) -> dict[str, Any]:
    """Returns the scores of the members and of their ensemble.

    Args:
        members: as `member` returns them.
        truth: soft labels of the images, (n, k).
    """
    differ = truth.max(axis=1) < AMBIGUOUS
    shares = keras_dc3.annotations.majority_shares(truth)
    rows = np.arange(len(truth))
    together = np.mean([one["p"] for one in members], axis=0)

    def auroc(scores: np.ndarray) -> float:
        return metrics.area_under_roc(scores, differ)

    def accuracy(p: np.ndarray) -> float:
        return shares[rows, p.argmax(axis=1)].mean()

    def f1(chosen: np.ndarray, p: np.ndarray) -> float:
        labels = truth[chosen].argmax(axis=1)
        return metrics.weighted_f1(labels, p[chosen].argmax(axis=1), p.shape[1])

    ranked = np.argsort(-together.max(axis=1), kind="stable")
    own: dict[str, list[float]] = {}
    for one in members:
        entropies = entropy(one["looks"])
        certain = np.flatnonzero(one["p_a"] < 0.5)
        told = {
            "p_a": auroc(one["p_a"]),
            "last": auroc(entropy(one["p"])),
            "history": auroc(entropies.mean(axis=0)),
            "late_history": auroc(entropies[len(entropies) // 2 :].mean(axis=0)),
            "accuracy": accuracy(one["p"]),
            "certain": len(certain) / len(truth),
            "f1": f1(certain, one["p"]),
            "ensemble_f1": f1(ranked[: len(certain)], together),
        }
        for name, value in told.items():
            own.setdefault(name, []).append(float(value))
    shared = {
        "ensemble": auroc(entropy(together)),
        "ensemble_p_a": auroc(np.mean([one["p_a"] for one in members], axis=0)),
        "spread": auroc(
            entropy(together) - np.mean([entropy(one["p"]) for one in members], axis=0)
        ),
        "ensemble_accuracy": accuracy(together),
    }
    means = {name: np.mean(values) for name, values in own.items()} | shared
    return {name: round(float(value), 4) for name, value in means.items()}


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    results: list[dict[str, Any]] = []
    if os.path.exists(FLAGS.output):
        results = json.loads(Path(FLAGS.output).read_text("utf-8"))["results"]
    done = [run["cell"] for run in results]
    settings = {
        "members": FLAGS.members,
        "answers": defaults.ANSWERS,
        "ambiguous": AMBIGUOUS,
    }
    for seed, setting, labeled in itertools.product(
        range(FLAGS.seeds), FLAGS.settings, map(int, FLAGS.labeled)
    ):
        dataset, kind = setting.split("/")
        cell = {"set": dataset, "input": kind, "labeled": labeled, "seed": seed}
        if cell in done:
            continue
        source = defaults.Source(dataset, kind)
        parts = source.parts(labeled, "balanced", seed)
        if parts is None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            start = time.perf_counter()
            members = []
            for number in range(FLAGS.members):
                own = 100 * seed + number
                data = source.data(parts, seed, own)
                members.append(member(data, kind, own))
                keras.backend.clear_session()
        seconds = round(time.perf_counter() - start, 1)
        line = {"cell": cell, "seconds": seconds}
        results.append(line | figures(members, data.unlabeled.soft_labels))
        record.write(FLAGS.output, results, settings, ("keras", "tensorflow"))
        print(results[-1], flush=True)


if __name__ == "__main__":
    app.run(main)
