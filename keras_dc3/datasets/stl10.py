"""STL-10: few labels, many unlabeled images, one label per image."""

from __future__ import annotations

import os
from typing import Any

from keras_dc3.data.allocation import part_sizes
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.data.splits import split
from keras_dc3.data.training_labels import training_labels
from keras_dc3.datasets.from_tfds import read_tfds
from keras_dc3.datasets.npz_files import data_folder

CLASS_NAMES = (
    "airplane",
    "bird",
    "car",
    "cat",
    "deer",
    "dog",
    "horse",
    "monkey",
    "ship",
    "truck",
)
_SPLITS = {"labeled": "train", "unlabeled": "unlabelled", "validation": "test"}


def load_stl10(
    data_dir: str | os.PathLike | None = None,
    *,
    labeled: int | float = 1.0,
    unlabeled: int | float | None = 1.0,
    validation: int | float | None = 1.0,
    seed: int = 0,
    labels: str | None = "sampled",
    tfds_data_dir: str | os.PathLike | None = None,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Loads STL-10 (Coates et al., 2011), images 96x96x3 of 10 classes.

    5,000 labeled, 100,000 unlabeled and 8,000 images to validate on. Each labeled image
    has one label: F1 can be judged on them, ambiguity and d cannot. Ids are TFDS' part
    and position in it, such as `train_00042`.

    Args:
        data_dir: a folder for `stl10`, where the pixels are kept (3.1 GB), so that they
            need not be in memory. Default: the variable KERAS_DC3_DATA, else "data".
        labeled: an int for a number, a float for a fraction of the 5,000 images, drawn
            at random, the same share of each class.
        unlabeled, validation: likewise, of theirs; None for no such part.
        seed: of what is drawn, and of the batches.
        labels: as for `SemiSupervisedData.from_image_set`; an image has but one label.
        tfds_data_dir: where TensorFlow Datasets keeps `stl10`, which it downloads if it
            has to; its default if None.
        **kwargs: further arguments of `SemiSupervisedData`.

    Raises:
        ImportError: without TensorFlow Datasets. ValueError: if sizes do not fit.
    """
    folder = data_folder(data_dir) / "stl10"
    if labeled is None:
        raise ValueError("`labeled` must be a number or a fraction of images, not None")
    asked = {"labeled": labeled, "unlabeled": unlabeled, "validation": validation}
    parts = {}
    for name, size in asked.items():
        if size is None:
            continue
        part = read_tfds(
            "stl10",
            _SPLITS[name],
            label=None if name == "unlabeled" else "label",
            class_names=CLASS_NAMES,
            data_dir=tfds_data_dir,
            cache=folder,
        )
        classes = part.majority if part.has_counts else None
        if part_sizes(len(part), {name: size})[name] < len(part):
            drawn = split(len(part), size, None, None, seed, stratify=classes)
            part = part.subset(drawn.labeled)
        parts[name] = part
    return SemiSupervisedData(
        parts["labeled"],
        training_labels(parts["labeled"], labels, seed, len(parts["labeled"])),
        parts.get("unlabeled"),
        parts.get("validation"),
        seed=seed,
        name="stl10",
        **kwargs,
    )
