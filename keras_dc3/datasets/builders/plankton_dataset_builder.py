"""Plankton for TensorFlow Datasets."""

from __future__ import annotations

from keras_dc3.datasets.builders.published_dataset_builder import PublishedBuilder
from keras_dc3.datasets.dcic import PLANKTON


class Plankton(PublishedBuilder):
    """Plankton in 10 classes, as about 24 people each see it."""

    ABOUT = PLANKTON
