"""Builders for TensorFlow Datasets: importing this makes `tfds.load` know them.

    import keras_dc3.datasets.builders
    images = tfds.load("shape_texture16", split="test")

Names: cifar10h, fashionmnist_h, shape_texture16, and plankton, turkey and mice_bone,
each in two configurations, such as "turkey/dcic" and "turkey/folders". Each example has
`image`, `id`, `label` (the class most people chose, -1 if nobody was asked), `counts`
(k,) and `soft_label` (k,), NaN if nobody was asked.

The files are expected in TFDS' folder for manual downloads, or in another one:
`tfds.load(..., download_and_prepare_kwargs={"download_config":
tfds.download.DownloadConfig(manual_dir="data")})`. STL-10 is a data set of TFDS' own.

This needs TensorFlow and TensorFlow Datasets at once, and is imported by nothing else.
"""

from keras_dc3.datasets.builders.counted_dataset_builder import (
    Cifar10h,
    FashionmnistH,
    ShapeTexture16,
)
from keras_dc3.datasets.builders.published_dataset_builder import (
    MiceBone,
    Plankton,
    Turkey,
)

__all__ = [
    "Cifar10h",
    "FashionmnistH",
    "MiceBone",
    "Plankton",
    "ShapeTexture16",
    "Turkey",
]
