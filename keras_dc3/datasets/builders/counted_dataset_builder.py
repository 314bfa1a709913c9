"""Builders of the data sets that are one `.npz` file, for TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow_datasets as tfds

from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.datasets.builders.annotated_dataset_builder import AnnotatedBuilder
from keras_dc3.datasets.cifar10h import CIFAR10H, read_cifar10h
from keras_dc3.datasets.counted import CountedSet
from keras_dc3.datasets.fashionmnist_h import FASHIONMNIST_H
from keras_dc3.datasets.shape_texture16 import SHAPE_TEXTURE16


class CountedBuilder(AnnotatedBuilder, skip_registration=True):
    """A data set in one file, with one split; `ABOUT` says which."""

    ABOUT: CountedSet

    def _info(self) -> tfds.core.DatasetInfo:
        about, text = self.ABOUT, type(self).__doc__
        return self._describe(
            about.image_shape, about.class_names, about.homepage, text
        )

    def _read(self, folder: str) -> Mapping[str, AnnotatedImages]:
        return {"test": self.ABOUT.read(folder)}


class Cifar10h(CountedBuilder):
    """The CIFAR-10 test images as about 51 people each see them."""

    ABOUT = CIFAR10H
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put `cifar10h-counts.npy` of https://github.com/jcpeterson/cifar-10h there, "
        "or `cifar10h.npz` with `images`, `labels` and `counts`."
    )

    def _read(self, folder: str) -> Mapping[str, AnnotatedImages]:
        return {"test": read_cifar10h(folder)}


class FashionmnistH(CountedBuilder):
    """The Fashion-MNIST test images as about 66 people each see them."""

    ABOUT = FASHIONMNIST_H
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put `fashionmnist_h.npz` there, with `images`, `labels` and `counts`."
    )


class ShapeTexture16(CountedBuilder):
    """Objects in the texture of others, as 10 people each see them."""

    ABOUT = SHAPE_TEXTURE16
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put `shape_texture16.npz` there, with `images`, `labels`, `counts` and `name`."
    )
