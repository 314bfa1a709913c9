"""MiceBone for TensorFlow Datasets."""

from __future__ import annotations

from keras_dc3.datasets.builders.published_dataset_builder import PublishedBuilder
from keras_dc3.datasets.dcic import MICE_BONE


class MiceBone(PublishedBuilder):
    """Collagen fibers in slices of bone, with three annotations each."""

    ABOUT = MICE_BONE
