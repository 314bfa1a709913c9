"""Builders of the data sets of the authors' archives, for TensorFlow Datasets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow_datasets as tfds

from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.datasets.builders.annotated_dataset_builder import AnnotatedBuilder
from keras_dc3.datasets.dcic import DCIC_SETS
from keras_dc3.datasets.published import (
    DC3_DOI,
    DCIC_RECORD,
    PublishedSet,
)

# Part of the folders' layout -> split.
_SPLITS = {"labeled": "train", "validation": "validation", "test": "test"}


class PublishedBuilder(AnnotatedBuilder, skip_registration=True):
    """A data set of the paper, in either layout; `ABOUT` says which."""

    ABOUT: PublishedSet
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(
            name="dcic",
            description="All answers, from `annotations.json`; splits fold1 to fold5.",
        ),
        tfds.core.BuilderConfig(
            name="folders",
            description="One answer per image, from folders of classes; splits train, "
            "validation, unlabeled and test, as far as there are such folders.",
        ),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Put the data set's archive of https://zenodo.org/record/{DCIC_RECORD} there, "
        f"or unpack that of https://doi.org/{DC3_DOI} there."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        about = self.ABOUT
        number = about.num_classes
        if self.builder_config.name == "folders":
            number = about.folder_classes or number
        home = f"https://doi.org/{DC3_DOI}"
        return self._describe((*about.image_size, 3), number, home, type(self).__doc__)

    def _read(self, folder: str) -> Mapping[str, AnnotatedImages]:
        (images, part), _ = self.ABOUT.read(
            folder, layout=self.builder_config.name, download=False
        )
        return {
            _SPLITS.get(name, name): images.subset(np.flatnonzero(part == name))
            for name in sorted(set(part.tolist()))
        }


class Plankton(PublishedBuilder):
    """Plankton in 10 classes, as about 24 people each see it."""

    ABOUT = DCIC_SETS["plankton"]


class Turkey(PublishedBuilder):
    """Turkeys, injured or not, as three experts each see them."""

    ABOUT = DCIC_SETS["turkey"]


class MiceBone(PublishedBuilder):
    """Collagen fibers in slices of bone, with three annotations each."""

    ABOUT = DCIC_SETS["mice_bone"]
