"""Proposals for images of CIFAR-10H, of a model that learned from 400 answers."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import feature_data
import numpy as np

NAMES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
LABELED, STEPS = 400, 400


def make(path: Path, data_dir: str | None, images: int) -> None:
    """Writes proposals, the images and their real answers to an NPZ file.

    Args:
        path: of the file.
        data_dir: folder of the data; None: $KERAS_DC3_DATA, or `data`.
        images: how many are proposed for; the answers are those of others.
    """
    import keras

    import keras_dc3

    folder = feature_data.folder_of(data_dir)
    with np.load(folder / "cifar10h.npz") as file:
        pixels, counts = file["images"], file["counts"]
    features = feature_data.read_features(folder / "cifar10h_features.npz")
    rng = np.random.default_rng([0, 17])
    rows = rng.permutation(len(counts))[: LABELED + images]
    known = counts[rows].copy()
    known[LABELED:] = 0
    for row in range(LABELED):
        known[row] = rng.multivariate_hypergeometric(known[row], 1)
    ids = [f"{row:05d}.png" for row in rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one answer each tells no ambiguity
        data = keras_dc3.datasets.from_embeddings(
            features["plain"][rows],
            keras_dc3.Annotations(ids, NAMES, counts=known),
            ids=ids,
            views={name: features[name][:, rows] for name in ("weak", "strong")},
            split={"labeled": ids[:LABELED], "unlabeled": ids[LABELED:]},
            labels="soft",
            seed=0,
        )
        keras.utils.set_random_seed(0)
        backbone = keras_dc3.backbones.feature_mlp(data.image_shape)
        model = keras_dc3.DC3Model(backbone, ssl="mean_teacher", training_steps=STEPS)
        model.fit(data, steps_per_epoch=STEPS, epochs=1, verbose=0)
        asked = rows[LABELED:]
        part = keras_dc3.data.FeatureSet(features["plain"][asked], ids[LABELED:])
        proposals = model.propose(part, verbose=0)
    np.savez_compressed(
        path,
        ids=np.array(proposals.ids),
        names=np.array(NAMES),
        ambiguity=proposals.ambiguity,
        classes=proposals.class_probabilities,
        clusters=proposals.cluster_probabilities,
        embeddings=proposals.embeddings,
        images=pixels[asked],
        counts=counts[asked],
    )


def read(path: Path) -> tuple[Any, np.ndarray, np.ndarray]:
    """Returns the proposals, the images (n, 32, 32, 3) and the answers (n, k)."""
    import keras_dc3

    with np.load(path) as file:
        p = {name: file[name] for name in file}
    proposals = keras_dc3.Proposals(
        p["ids"].tolist(),
        p["ambiguity"],
        p["classes"],
        p["clusters"],
        p["names"].tolist(),
        embeddings=p["embeddings"],
    )
    return proposals, p["images"], p["counts"]
