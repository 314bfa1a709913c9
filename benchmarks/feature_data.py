"""What the trainings on given features, and those beside them, have in common."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

VIEWS = ("plain", "weak", "strong")


def folder_of(data_dir: str | None) -> Path:
    """Returns the folder of the data: as given, or $KERAS_DC3_DATA, or `data`."""
    return Path(data_dir or os.environ.get("KERAS_DC3_DATA", "data"))


def read_counts(folder: Path, dataset: str) -> np.ndarray:
    """Returns how many people gave an image a class, (n, k), of `<dataset>.npz`."""
    with np.load(folder / f"{dataset}.npz") as file:
        return file["counts"]


def read_features(path: Path) -> dict[str, np.ndarray]:
    """Returns "plain" (n, d) and the views "weak" and "strong" (v, n, d) of a file."""
    with np.load(path) as file:
        return {name: file[name] for name in VIEWS}


def divide(
    counts: np.ndarray, labeled: int, answers: int, seed: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Returns counts with so many answers to the labeled images, and the parts."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(counts))
    fifth = len(counts) // 5
    parts = {
        "validation": order[:fifth],
        "labeled": order[fifth : fifth + labeled],
        "unlabeled": order[fifth + labeled :],
    }
    counts = counts.copy()
    for row in parts["labeled"]:
        number = min(answers, counts[row].sum())
        counts[row] = rng.multivariate_hypergeometric(counts[row], number)
    return counts, parts


def make_data(
    features: dict[str, np.ndarray], counts: np.ndarray, parts: dict, seed: int
) -> Any:
    """Returns the data set, with soft labels."""
    import keras_dc3

    names = [str(i) for i in range(len(counts))]
    data = keras_dc3.datasets.from_embeddings(
        features["plain"],
        counts,
        ids=names,
        views={"weak": features["weak"], "strong": features["strong"]},
        split={part: [names[i] for i in rows] for part, rows in parts.items()},
    )
    return keras_dc3.data.SemiSupervisedData(
        data.labeled,
        data.labeled.soft_labels,
        data.unlabeled,
        data.validation,
        augment=data.augment,
        seed=seed,
    )


def make_pixel_data(
    images: np.ndarray, counts: np.ndarray, parts: dict, seed: int
) -> Any:
    """Returns the data set of images (n, h, w, c), with soft labels."""
    import keras_dc3

    names = [str(i) for i in range(len(counts))]
    return keras_dc3.datasets.from_arrays(
        images,
        counts,
        ids=names,
        split={part: [names[i] for i in rows] for part, rows in parts.items()},
        labels="soft",
        seed=seed,
    )


def plain_features(part: Any) -> np.ndarray:
    """Returns the features of a part, or its pixels from 0 to 1, (n, d)."""
    images = np.concatenate(list(part.image_batches(4096)))
    scale = 255 if images.dtype == np.uint8 else 1
    return images.reshape(len(images), -1) / np.float32(scale)
