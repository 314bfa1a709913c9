"""SIMULATION: does `agreement.stopping` stop where it should?

    for d in cifar10h fashionmnist_h; do
      python benchmarks/stopping.py --dataset $d --data_dir data \
          --output benchmarks/results/stopping-$d.json
    done

Real answers of about 50 people to each image are drawn in rounds, without replacement:
an eighth of an answer per image each. After each round `agreement.stopping` is asked
whether to stop. Nobody is biased by a proposal here. The ways in which images come to
be asked about:

    blind      without proposals, those with the fewest answers first
    evenly     the same, with proposals
    next       with proposals, the most gain first, each image alone
    groups     what `Proposals.next` asks, groups included, an eighth of an action per
               image in a round; every image asked about gets an answer

Proposals are `Proposals.from_predictions` of a linear map of the features, learned from
1,600 other images with an answer each.

**The best stopping point in hindsight.** An answer has a price, in points of distance
(as `stopping` measures it) per 100 answers. Best is the round in which

    distance to the soft labels of all answers + price * answers / 100

is lowest, on the mean over the seeds, among all rounds. That sum is what a stopping
point costs: the answers, and what the labels still lack. Labels are those of
`agreement.final_labels` after the round. The price is `worth`, or for the rule of a
tenth (`share`) a tenth of what the first answers really brought, each image alone; if
these brought nothing, that rule has no best point and is not judged. Of each rule and
way:

    stop, best           answers per image, of each seed and of the mean
    best_of_run          the same as `best`, on the curve of that seed alone
    regret               points that stopping there costs more than the best of the seed
    cost                 that sum at the stop, divided by the lowest of the seed
    distance, l1, kl     at the stop: points, half the sum of absolute differences in
                         points, nats
"""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Iterator
from typing import Any

import disagreement
import numpy as np
import record
from absl import app, flags

import keras_dc3
from keras_dc3 import agreement
from keras_dc3.annotations import Annotations
from keras_dc3.probes import ClassProbe
from keras_dc3.proposals.asking import settled
from keras_dc3.proposals.belief import answer_gain, beliefs

FLAGS = flags.FLAGS  # `data_dir`, `seeds` and `output` are those of disagreement.py
WAYS = ("blind", "evenly", "next", "groups")
LEARNED = 1600
ROUND = 1 / 8  # answers per image, or actions
SHARE = 0.1

flags.DEFINE_enum(
    "dataset", "cifar10h", ["cifar10h", "fashionmnist_h"], "Whose answers are drawn."
)
flags.DEFINE_integer("images", 500, "Images to label.", lower_bound=100)
flags.DEFINE_integer("most", 8, "Answers per image, at the end.", lower_bound=2)
flags.DEFINE_list("worth", ["1", "0.5", "0.25", "0.15"], "Prices of 100 answers.")
flags.FLAGS.set_default("seeds", 5)


class Project:
    """Images, proposals for them, and people's answers, in an order that a seed draws.

    Args:
        features: (m, d), and counts (m, k), of a whole data set.
        seed: of the images that are labeled, and of the answers.
    """

    def __init__(self, features: np.ndarray, counts: np.ndarray, seed: int):
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(counts))
        known, rows = order[:LEARNED], order[LEARNED : LEARNED + FLAGS.images]
        hard = np.stack([rng.multinomial(1, c / c.sum()) for c in counts[known]])
        probe = ClassProbe(seed=seed).fit(features[known], hard)
        n, self.k = len(rows), counts.shape[1]
        self.proposals = keras_dc3.Proposals.from_predictions(
            probe.predict(features[rows]),
            features[rows],
            ids=[f"image {i}" for i in range(n)],
            class_names=[f"class {c}" for c in range(self.k)],
            seed=seed,
        )
        self.truth = counts[rows] / counts[rows].sum(axis=1, keepdims=True)
        self.answers = [
            rng.permutation(np.repeat(np.arange(self.k), c.astype(int)))
            for c in counts[rows]
        ]
        self.turns = rng.permutation(n)

    def rounds(self, way: str) -> Iterator[np.ndarray]:
        """Yields counts (n, k): none, and those after each round."""
        n = len(self.truth)
        counts = np.zeros((n, self.k))
        while True:
            yield counts.copy()
            if counts.sum() >= FLAGS.most * n:
                return
            rows = self._asked(way, counts)
            if not len(rows):
                return
            for row in rows:
                counts[row, self.answers[row][int(counts[row].sum())]] += 1

    def _asked(self, way: str, counts: np.ndarray) -> np.ndarray:
        number, proposals = int(ROUND * len(counts)), self.proposals
        left = np.array([len(a) for a in self.answers]) > counts.sum(axis=1)
        if way == "groups":
            asked = proposals.next(number, self.as_annotations(counts))
            rows = np.array([proposals.row_of[name] for name in asked.ids], int)
            return rows[left[rows]]
        if way == "next":
            gain = answer_gain(beliefs(proposals.class_probabilities, counts))
            gain[settled(proposals, counts, 2) | ~left] = 0
            rows = np.argsort(-gain, kind="stable")[:number]
            return rows[gain[rows] > 0]
        return self.turns[np.argsort(counts.sum(axis=1)[self.turns], kind="stable")][
            :number
        ]

    def as_annotations(self, counts: np.ndarray) -> Annotations:
        """Returns counts as annotations."""
        names = self.proposals.class_names
        return Annotations(self.proposals.ids, names, counts=counts.astype("int64"))


def run(project: Project, way: str) -> list[dict[str, Any]]:
    """Returns of each round: answers, what the rules say, and what is true."""
    n = len(project.truth)
    proposals = None if way == "blind" else project.proposals
    order = "evenly" if way in ("blind", "evenly") else "next"
    found = []
    for counts in project.rounds(way):
        answers = project.as_annotations(counts)
        label = agreement.final_labels(answers, proposals).soft_labels
        off = np.abs(label - project.truth)
        logs = np.log(np.where(project.truth > 0, project.truth, 1) / label)
        row = {
            "answers": float(counts.sum()) / n,
            "distance": float(100 * np.sqrt((off**2).sum(axis=1).mean() / 2)),
            "l1": float(50 * off.sum(axis=1).mean()),
            "kl": float((project.truth * logs).sum(axis=1).mean()),
        }
        if counts.any():
            told = agreement.stopping(
                answers,
                proposals,
                share=SHARE,
                order=order,
                resamples=0,
            )
            row |= {
                "expected": told.distance.value,
                "gain": told.gain.value,
                "share_limit": told.limit,
            }
        found.append(row)
    return found


def tenth(runs: list[list[dict]]) -> float:
    """Returns a tenth of the points that the first 100 answers brought."""
    (before, after), (_, answers) = (
        np.mean([[r[key] for r in one[:2]] for one in runs], axis=0)
        for key in ("distance", "answers")
    )
    return float(SHARE * (before - after) / (answers * FLAGS.images / 100))


def judge(runs: list[list[dict]], price: float | None, real: float) -> dict[str, Any]:
    """Returns where a rule stops, and where it should have.

    Args:
        runs: of each seed.
        price: points per 100 answers that the rule is told; None for that of a share.
        real: those that answers cost.
    """
    length = min(map(len, runs))
    curve = np.mean([[r["distance"] for r in one[:length]] for one in runs], axis=0)
    cost = np.mean([[r["answers"] for r in one[:length]] for one in runs], axis=0)
    hundreds = FLAGS.images / 100
    paid = curve + real * cost * hundreds
    best = int(paid.argmin())
    rows = []
    for one in runs:
        limits = [price or r.get("share_limit", np.nan) for r in one]
        told = [
            r.get("gain", np.nan) < limit for r, limit in zip(one, limits, strict=True)
        ]
        stop = told.index(True) if True in told else len(one) - 1
        own = [r["distance"] + real * r["answers"] * hundreds for r in one]
        rows.append(
            {
                "stop": one[stop]["answers"],
                "stopped": True in told,
                "best_of_run": one[int(np.argmin(own))]["answers"],
                "regret": own[stop] - min(own),
                "cost": own[stop] / min(own),
                **{key: one[stop][key] for key in ("distance", "l1", "kl")},
            }
        )
    at_end = best == length - 1
    return {
        "price": real,
        "best": float(cost[best]),
        "at_end": at_end,
        "runs": rows,
    }


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    results: list[dict[str, Any]] = []
    features, counts = disagreement.load(FLAGS.dataset)
    projects = [Project(features, counts, seed) for seed in range(FLAGS.seeds)]
    alone = 0.0  # a tenth of what first answers bring, each image alone
    for way in WAYS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            runs = [run(project, way) for project in projects]
        rules = {f"worth {w}": judge(runs, float(w), float(w)) for w in FLAGS.worth}
        alone = alone if way == "groups" else tenth(runs)
        if alone > 0:
            rules |= {"share": judge(runs, None, alone)}
        results.append({"way": way, "rules": rules, "rounds": runs})
        for rule, found in rules.items():
            stop = statistics.mean(r["stop"] for r in found["runs"])
            regret = statistics.mean(r["regret"] for r in found["runs"])
            print(
                f"{way:8}{rule:12} stops at {stop:.2f} answers an image, best "
                f"{found['best']:.2f}; regret {regret:.2f} points",
                flush=True,
            )
        if FLAGS.output:
            names = ("dataset", "images", "most", "worth", "seeds")
            settings = {name: FLAGS[name].value for name in names}
            record.write(FLAGS.output, results, settings, ("numpy",))


if __name__ == "__main__":
    app.run(main)
