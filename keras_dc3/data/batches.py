"""Batches, whichever backend makes them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3.data.image_set import ReadableImages
from keras_dc3.data.plan import BatchPlan, EpochClock
from keras_dc3.data.policies import Policy


@dataclass(frozen=True)
class Recipe:
    """What `pipeline.training_dataset` and `py_dataset.TrainingBatches` make alike.

    A batch is `({"labeled": (b, h, w, c), "unlabeled": {view: (m, h, w, c)}}, labels)`
    or, without views, `(images, labels)`; labels are (b,) int32 or (b, k) float32.

    Args:
        plan: the order of the images.
        clock: says which epoch to make.
        labeled, unlabeled: the images; `unlabeled` is None without views.
        labels: of the labeled images, (n,) int32 or soft, (n, k) float32.
        policy: augmentation of the labeled images.
        views: name -> augmentation of each view of the unlabeled images.
        value_range: (low, high) that strong augmentation works in.
    """

    plan: BatchPlan
    clock: EpochClock
    labeled: ReadableImages
    labels: np.ndarray
    unlabeled: ReadableImages | None
    policy: Policy
    views: Mapping[str, Policy]
    value_range: tuple[float, float]


def stream_number(name: str) -> int:
    """Returns what tells a view's random draws from those of the other views.

    Named, not counted: a view's augmentation does not depend on which others there
    are. An integer in 0..2**31 - 1.
    """
    return zlib.crc32(name.encode()) & 0x7FFFFFFF


def training_batches(recipe: Recipe) -> Any:
    """Returns the training batches of an epoch, iterable anew for each.

    A `tf.data.Dataset` on the TensorFlow backend, else a `keras.utils.PyDataset`.
    """
    if _by_tensorflow():
        from keras_dc3.data.pipeline import training_dataset

        return training_dataset(recipe)
    from keras_dc3.data.py_dataset import TrainingBatches

    return TrainingBatches(recipe)


def ordered_batches(
    images: ReadableImages, targets: np.ndarray, batch_size: int
) -> Any:
    """Returns batches `(images, targets)` in order.

    A `tf.data.Dataset` on the TensorFlow backend, else a `keras.utils.PyDataset`.

    Args:
        images: n images.
        targets: (n, ...), of any type.
        batch_size: images per batch; the last batch holds the rest.
    """
    if _by_tensorflow():
        from keras_dc3.data.pipeline import ordered_dataset

        return ordered_dataset(images, targets, batch_size)
    from keras_dc3.data.py_dataset import OrderedBatches

    return OrderedBatches(images, targets, batch_size)


def _by_tensorflow() -> bool:
    import keras

    return keras.backend.backend() == "tensorflow"
