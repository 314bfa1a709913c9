"""ShapeTexture16 for TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow_datasets as tfds

from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.datasets.builders.annotated_dataset_builder import AnnotatedBuilder
from keras_dc3.datasets.shape_texture16 import CLASS_NAMES, read_shape_texture16


class ShapeTexture16(AnnotatedBuilder):
    """Objects in the texture of others, as 10 people each see them."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "Put `shape_texture16.npz` there, with `images`, `labels`, `counts` and `name`."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return self._describe(
            (96, 96, 3),
            CLASS_NAMES,
            "https://github.com/rgeirhos/texture-vs-shape",
            type(self).__doc__,
        )

    def _read(self, folder: str) -> Mapping[str, AnnotatedImages]:
        return {"test": read_shape_texture16(folder)}
