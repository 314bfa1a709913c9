"""Do the defaults hold, against simpler things and other recipes?

    python benchmarks/defaults.py --data_dir data \
        --output benchmarks/results/defaults.json

Trains `DC3Model(backbone).fit(data)` as it comes, with `feature_mlp` on stored features
(`<dataset>_features.npz`, as `embed_features.py` makes them) and `small_cnn` on pixels,
with so many labeled images of three answers each and up to 2,000 further ones, and the
same with a change:

    default      Mean-Teacher, the length that `fit` picks
    longer       twice as many steps
    slower       a third of the learning rate
    supervised   on the labeled images alone

Images come as often as in the set ("balanced"), or, labeled and further ones alike, the
rarest class a twentieth as often as the commonest ("long-tailed", in an order of the
classes that the seed draws). On a fifth of the set, at most 2,000, of which no training
saw any and which stays as it is:

    accuracy    against the most frequent answer, m that tie right by 1 / m
    f1, certain weighted F1 of the images that are called certain, and their share
    confident   F1 of as many most confident ones
    p_a, best   AUROC of p_a, for images whose most frequent answer has less than 80%,
                and the largest of those of softmax, entropy and margin
    probe       accuracy of `probes.ClassProbe` on the same features, or on the pixels
    commonest   accuracy of always the class that most labeled images have

Cells that the output file has are not trained again.
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

import feature_data
import keras
import numpy as np
import pixel_training
import record
from absl import app, flags

import keras_dc3
from keras_dc3 import metrics
from keras_dc3.models.data_adapters.data import Data
from keras_dc3.models.picked_length import picked_length

FLAGS = flags.FLAGS
FEATURES, PIXELS = "features", "pixels"
SETTINGS = (
    ("cifar10h", FEATURES),
    ("fashionmnist_h", FEATURES),
    ("shape_texture16", FEATURES),
    ("digits", PIXELS),
    ("fashionmnist_h", PIXELS),
    ("cifar10h", PIXELS),
)
RECIPES = ("default", "longer", "slower", "supervised")
ANSWERS, MOST, TAIL = 3, 2000, 20
UNCERTAINTIES = ("softmax", "entropy", "margin")

flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_list(
    "settings", ["/".join(one) for one in SETTINGS], "Sets, each with its input."
)
flags.DEFINE_list("labeled", ["50", "200", "500", "1600"], "Numbers of labeled images.")
flags.DEFINE_list("tails", ["balanced", "long-tailed"], "How often classes come.")
flags.DEFINE_list("recipes", list(RECIPES), "Which to train.")
flags.DEFINE_integer("seeds", 1, "Trainings of each cell.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.", required=True)


class Source:
    """Images or features of a set, and the answers to them."""

    def __init__(self, dataset: str, kind: str):
        folder = feature_data.folder_of(FLAGS.data_dir)
        self.kind = kind
        if kind == FEATURES:
            path = folder / f"{dataset}_features.npz"
            self.features = feature_data.read_features(path)
            self.counts = feature_data.read_counts(folder, dataset).astype("int64")
        else:
            self.images, self.counts = pixel_training.read(dataset, str(folder))

    def parts(self, labeled: int, tail: str, seed: int) -> dict[str, np.ndarray] | None:
        """Returns the rows of each part; None if there are too few images."""
        rng = np.random.default_rng([seed, labeled, 21])
        rows = rng.permutation(np.flatnonzero(self.counts.sum(axis=1)))
        test = rows[: min(len(rows) // 5, MOST)]
        left = rows[len(rows) // 5 :]
        if labeled + 100 > len(left):
            return None
        number = min(labeled + MOST, len(left))
        if tail == "long-tailed":
            k = self.counts.shape[1]
            rank = rng.permutation(k)[self.counts[left].argmax(axis=1)]
            chance = TAIL ** (-rank / (k - 1))
            number = min(number, max(labeled + 100, len(left) // 3))
            left = rng.choice(left, number, replace=False, p=chance / chance.sum())
        return {
            "labeled": left[:labeled],
            "unlabeled": left[labeled:number],
            "validation": test,
        }

    def data(
        self, parts: dict[str, np.ndarray], seed: int, order: int | None = None
    ) -> Any:
        """Returns the data set, with three answers to each labeled image.

        Args:
            parts: as `parts` returns them.
            seed: of the answers that are drawn.
            order: seed of the order and the views of training; None: `seed`.
        """
        order = seed if order is None else order
        rng = np.random.default_rng([seed, 22])
        counts = self.counts.copy()
        for row in parts["labeled"]:
            number = min(ANSWERS, counts[row].sum())
            counts[row] = rng.multivariate_hypergeometric(counts[row], number)
        if self.kind == FEATURES:
            return feature_data.make_data(self.features, counts, parts, order)
        rows = np.concatenate(list(parts.values()))
        names = {part: [str(i) for i in found] for part, found in parts.items()}
        return keras_dc3.datasets.from_arrays(
            self.images[rows],
            counts[rows],
            ids=[str(i) for i in rows],
            split=names,
            labels="soft",
            seed=order,
        )


def inputs(part: Any, kind: str) -> np.ndarray:
    """Returns what a linear map is given of the images of a part, (n, d)."""
    if kind == FEATURES:
        return feature_data.plain_features(part)
    return part.images.reshape(len(part), -1).astype("float32")


def train(data: Any, kind: str, recipe: str, seed: int) -> keras_dc3.DC3Model:
    """Returns a model that was trained by a recipe."""
    keras.utils.set_random_seed(seed)
    backbones, optimizers = keras_dc3.backbones, keras_dc3.optimizers
    make, rate = backbones.feature_mlp, optimizers.feature_optimizer
    if kind == PIXELS:
        make, rate = backbones.small_cnn, optimizers.pixel_optimizer
    # Labels alone are learned without the objective, which is of unlabeled images.
    alone = recipe == "supervised"
    model = keras_dc3.DC3Model(
        make(data.image_shape),
        ssl="supervised" if alone else "mean_teacher",
        config=keras_dc3.DC3Config.vanilla() if alone else None,
    )
    if recipe in ("default", "supervised"):
        model.fit(data, verbose=0)
        return model
    nothing = {"epochs": None, "steps_per_epoch": None, "initial_epoch": 0}
    picked = picked_length(model, Data(data), nothing)
    steps = picked.epochs * picked.steps_per_epoch
    steps *= 2 if recipe == "longer" else 1
    model.plan_for(steps)
    if recipe == "slower":
        model.compile(rate(steps, 0.1 / 3))
    model.fit(data, epochs=1, steps_per_epoch=steps, verbose=0)
    return model


def scores(model: keras_dc3.DC3Model, data: Any) -> dict[str, float]:
    """Returns the scores on the images that no training saw."""
    part = data.validation
    truth = part.soft_labels
    found = model.predict(part, batch_size=200, verbose=0)
    p = found["classes"]
    shares = keras_dc3.annotations.majority_shares(truth)
    right = shares[np.arange(len(p)), p.argmax(axis=1)]
    told = {"accuracy": right.mean()}
    if model.config.predicts_ambiguity:
        a = found["ambiguity"]
        f1 = metrics.proposal_scores(truth, p, found["clusters"], a)["f1"]
        context = metrics.honest_context(truth, p, a)
        told |= {"certain": (a < 0.5).mean(), "f1": f1}
        told |= {
            "confident": context["f1_confident"],
            "p_a": context["auroc_ambiguity"],
        }
        told["best"] = max(context[f"auroc_{name}"] for name in UNCERTAINTIES)
    return {name: round(float(value), 4) for name, value in told.items()}


def simple(data: Any, kind: str) -> dict[str, float]:
    """Returns the accuracy of a linear map, and of the commonest class."""
    labels = np.asarray(data.labels, "float64")
    probe = keras_dc3.probes.ClassProbe(seed=0).fit(inputs(data.labeled, kind), labels)
    p = probe.predict(inputs(data.validation, kind))
    shares = keras_dc3.annotations.majority_shares(data.validation.soft_labels)
    right = shares[np.arange(len(p)), p.argmax(axis=1)].mean()
    commonest = shares[:, labels.sum(axis=0).argmax()].mean()
    return {"probe": round(float(right), 4), "commonest": round(float(commonest), 4)}


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    results: list[dict[str, Any]] = []
    if os.path.exists(FLAGS.output):
        results = json.loads(Path(FLAGS.output).read_text("utf-8"))["results"]
    done = [run["cell"] for run in results]
    settings = {"answers": ANSWERS, "unlabeled": MOST, "tail": TAIL}
    for seed, recipe, setting in itertools.product(
        range(FLAGS.seeds), FLAGS.recipes, FLAGS.settings
    ):
        dataset, kind = setting.split("/")
        source = None
        for labeled, tail in itertools.product(map(int, FLAGS.labeled), FLAGS.tails):
            cell = {"set": dataset, "input": kind, "labeled": labeled, "tail": tail}
            cell |= {"recipe": recipe, "seed": seed}
            if cell in done:
                continue
            source = Source(dataset, kind) if source is None else source
            parts = source.parts(labeled, tail, seed)
            if parts is None:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                data = source.data(parts, seed)
                start = time.perf_counter()
                model = train(data, kind, recipe, seed)
                seconds = round(time.perf_counter() - start, 1)
                line = {"cell": cell, "seconds": seconds, "steps": model.training_steps}
                results.append(line | scores(model, data) | simple(data, kind))
            record.write(FLAGS.output, results, settings, ("keras", "tensorflow"))
            print(results[-1], flush=True)
            keras.backend.clear_session()


if __name__ == "__main__":
    app.run(main)
