"""All that a training batch is made of, whichever backend makes it. NumPy only."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from keras_dc3.data.clock import EpochClock
from keras_dc3.data.image_set import ReadableImages
from keras_dc3.data.plan import BatchPlan
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
