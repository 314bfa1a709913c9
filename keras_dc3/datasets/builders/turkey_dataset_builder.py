"""Turkey for TensorFlow Datasets."""

from __future__ import annotations

from keras_dc3.datasets.builders.published_dataset_builder import PublishedBuilder
from keras_dc3.datasets.dcic import TURKEY


class Turkey(PublishedBuilder):
    """Turkeys, injured or not, as three experts each see them."""

    ABOUT = TURKEY
