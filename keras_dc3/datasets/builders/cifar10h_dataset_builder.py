"""Cifar10h for TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow_datasets as tfds

from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.datasets.builders.annotated_dataset_builder import AnnotatedBuilder
from keras_dc3.datasets.cifar10h import CLASS_NAMES, read_cifar10h


class Cifar10h(AnnotatedBuilder):
    """The CIFAR-10 test images as about 51 people each see them."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put `cifar10h-counts.npy` of https://github.com/jcpeterson/cifar-10h there, "
        "or `cifar10h.npz` with `images`, `labels` and `counts`."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return self._describe(
            (32, 32, 3),
            CLASS_NAMES,
            "https://github.com/jcpeterson/cifar-10h",
            type(self).__doc__,
        )

    def _read(self, folder: str) -> Mapping[str, AnnotatedImages]:
        return {"test": read_cifar10h(folder)}
