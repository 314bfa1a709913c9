"""FashionmnistH for TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow_datasets as tfds

from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.datasets.builders.annotated_dataset_builder import AnnotatedBuilder
from keras_dc3.datasets.fashionmnist_h import CLASS_NAMES, read_fashionmnist_h


class FashionmnistH(AnnotatedBuilder):
    """The Fashion-MNIST test images as about 66 people each see them."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put `fashionmnist_h.npz` there, with `images`, `labels` and `counts`."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return self._describe(
            (28, 28, 1),
            CLASS_NAMES,
            "https://github.com/takashiishida/irreducible",
            type(self).__doc__,
        )

    def _read(self, folder: str) -> Mapping[str, AnnotatedImages]:
        return {"test": read_fashionmnist_h(folder)}
