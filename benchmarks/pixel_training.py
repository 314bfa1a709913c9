"""Trainings from pixels, for benchmarks/networks.py and benchmarks/recipe.py.

Of each labeled image so many of its answers are drawn, as soft labels; the scores are
those on the unlabeled images, against all their answers:

    accuracy         against the most frequent answer
    commonest        of always the class that most labeled images have
    f1               weighted, of the images that are called certain
    auroc_ambiguity  how well p_a finds the images whose most frequent answer has less
                     than 80%
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import keras_dc3
from keras_dc3 import metrics

SETS = ("cifar10h", "fashionmnist_h", "shape_texture16", "digits")


def read(name: str, data_dir: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns images (n, h, w, c) and counts (n, k); shape-texture at half its size."""
    if name == "digits":
        whole = keras_dc3.datasets.load("digits", seed=0)
        parts = list(whole.parts().values())
        images = np.concatenate([part.images for part in parts])
        return images, np.concatenate([part.counts for part in parts]).astype("int64")
    with np.load(Path(data_dir) / f"{name}.npz") as file:
        images, counts = file["images"], file["counts"].astype("int64")
    if name == "shape_texture16":
        n, height, width, channels = images.shape
        images = images.reshape(n, height // 2, 2, width // 2, 2, channels)
        images = images.mean(axis=(2, 4)).round().astype("uint8")
    return images, counts


def split(
    name: str, data_dir: str, labeled: int, unlabeled: int, answers: int, seed: int
) -> keras_dc3.data.SemiSupervisedData:
    """Returns data with so many labeled images; unlabeled ones keep all answers."""
    images, counts = read(name, data_dir)
    rng = np.random.default_rng(seed)
    rows = rng.permutation(np.flatnonzero(counts.sum(axis=1)))[: labeled + unlabeled]
    images, counts = images[rows], counts[rows]
    for row in range(labeled):
        answers_of = min(answers, counts[row].sum())
        counts[row] = rng.multivariate_hypergeometric(counts[row], answers_of)
    ids = [str(i) for i in range(len(rows))]
    parts = {"labeled": ids[:labeled], "unlabeled": ids[labeled:], "validation": []}
    return keras_dc3.datasets.from_arrays(images, counts, split=parts, seed=seed)


def train(
    data: keras_dc3.data.SemiSupervisedData,
    make_backbone: Callable[[tuple], keras.Model],
    steps: int,
    seed: int,
    ssl: str = "mean_teacher",
    rate: float = 0.1,
    warmup: float = 0.05,
    ema_decay: float = 0.99,
    weight: float | None = None,
) -> tuple[keras_dc3.DC3Model, float]:
    """Returns a trained model, and the CPU seconds of a step.

    Args:
        data: the data set.
        make_backbone: from the shape of an image to a network.
        steps: of the training.
        seed: of weights and order.
        ssl: the strategy.
        rate: learning rate at the start, which falls by `SevenSixteenthsCosine`.
        warmup: part of the steps over which it is reached.
        ema_decay: of the average.
        weight: of the unlabeled images; None for the strategy's own.
    """
    keras.utils.set_random_seed(seed)
    strategy: Any = keras_dc3.strategies.get(ssl, steps)
    if weight is not None:
        strategy.weight = weight
    vanilla = keras_dc3.DC3Config.vanilla()
    model = keras_dc3.DC3Model(
        make_backbone(data.image_shape),
        ssl=strategy,
        config=vanilla if ssl == "supervised" else None,
        training_steps=steps,
        ema_decay=ema_decay,
    )
    optimizers = keras_dc3.optimizers
    schedule = optimizers.SevenSixteenthsCosine(rate, steps, round(warmup * steps))
    model.compile(optimizers.KernelDecaySGD(schedule))
    clock = _Clock()
    model.fit(data, epochs=1, steps_per_epoch=steps, verbose=0, callbacks=[clock])
    return model, clock.seconds_per_step


class _Clock(keras.callbacks.Callback):
    """The CPU seconds of a step, without the first ones, which make the graph."""

    first = 3

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if batch + 1 == self.first:
            self._start = time.process_time()
        if batch + 1 > self.first:
            spent = time.process_time() - self._start
            self.seconds_per_step = spent / (batch + 1 - self.first)


def scores(
    model: keras_dc3.DC3Model, data: keras_dc3.data.SemiSupervisedData
) -> dict[str, float]:
    """Returns the scores of a model on the unlabeled images."""
    truth = data.unlabeled.soft_labels
    found = model.predict(data.unlabeled, batch_size=100, verbose=0)
    shares = keras_dc3.annotations.majority_shares(truth)
    rows = np.arange(len(truth))
    labels = np.asarray(data.labels)
    if labels.ndim == 1:
        labels = np.eye(data.num_classes)[labels]
    result = {
        "accuracy": shares[rows, found["classes"].argmax(axis=1)].mean(),
        "commonest": shares[:, labels.sum(axis=0).argmax()].mean(),
    }
    if model.config.predicts_ambiguity:
        given = truth, found["classes"], found["ambiguity"]
        context = metrics.honest_context(*given)
        result["auroc_ambiguity"] = context["auroc_ambiguity"]
        all_scores = metrics.proposal_scores(
            truth, found["classes"], found["clusters"], found["ambiguity"]
        )
        result["f1"] = all_scores["f1"]
    return {name: float(value) for name, value in result.items()}
