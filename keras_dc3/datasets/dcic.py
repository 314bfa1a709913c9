"""Data sets of DCIC (Schmarje et al., 2022), three of which the paper uses."""

from __future__ import annotations

import os
from typing import Any

from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.datasets.published import PublishedSet, load_published

# The sizes are those of the paper, section 3.1.
PLANKTON = PublishedSet(
    name="plankton",
    dcic="Plankton",
    image_size=(96, 96),
    num_classes=10,
    sizes=(1964 / 12280, 7860 / 12280, 2456 / 12280),
    folders=("plankton",),
)
TURKEY = PublishedSet(
    name="turkey",
    dcic="Turkey",
    image_size=(96, 96),
    num_classes=3,
    sizes=(1299 / 8040, 5199 / 8040, 1542 / 8040),
    folders=("turkey",),
    folder_classes=2,
)
MICE_BONE = PublishedSet(
    name="mice_bone",
    dcic="MiceBone",
    image_size=(224, 224),
    num_classes=3,
    sizes=(277 / 724, 278 / 724, 169 / 724),
    folders=("miceBone", "mice_bone"),
)
# Name, folder and archive in DCIC, size of the images, classes.
_FURTHER = (
    ("dcic_benthic", "Benthic", "Benthic", 112, 8),
    ("dcic_cifar10h", "CIFAR10H", "CIFAR10H", 32, 10),
    ("dcic_pig", "Pig", "Pig", 96, 4),
    ("dcic_quality_mri", "QualityMRI", "QualityMRI", 224, 2),
    ("dcic_synthetic", "Synthetic", "Synthetic", 224, 6),
    ("dcic_treeversity1", "Treeversity#1", "Treeversity1", 224, 6),
    ("dcic_treeversity6", "Treeversity#6", "Treeversity6", 224, 6),
    ("dcic_verse_blended", "verse_blended-vps", "verse_blended-vps", 128, 4),
    ("dcic_verse_mask1", "verse_mask1-vps", "verse_mask1-vps", 128, 4),
)
DCIC_SETS = {about.name: about for about in (PLANKTON, TURKEY, MICE_BONE)} | {
    name: PublishedSet(name, folder, (size, size), classes, file=file)
    for name, folder, file, size, classes in _FURTHER
}


def load_dcic(
    name: str, data_dir: str | os.PathLike | None = None, **options: Any
) -> SemiSupervisedData:
    """Loads a data set of DCIC.

    * "plankton": 12,280 underwater images of 10 classes, as about 24 people each see
      them, brought to 96x96x3.
    * "turkey": is the bird injured? 8,040 images, three experts each, 96x96x3. The
      paper and the layout of DC3 have two classes, the folders "0" and "1"; DCIC has
      three. `rename` makes two of them, such as `rename={"a": "injured", "b":
      "injured"}` with the names that `describe` prints.
    * "mice_bone": how collagen fibers lie in slices of bone, three annotations each,
      224x224x3. DCIC has annotations for 7,240 images; the paper uses 724 of them. The
      classes are similar orientations, dissimilar ones, and regions that are not
      relevant; the folders of DC3 are "g", "ug" and "nr".
    * "dcic_benthic" and others, which the paper does not use. The folds of
      "dcic_verse_blended" and "dcic_verse_mask1" have images for `dcic_slice=3` alone.

    Args:
        name: one of `DCIC_SETS`.
        data_dir: folder with the data set as DCIC has it, such as `Plankton`, with its
            archive, such as `Plankton.zip`, or with the folder of DC3, such as
            `plankton`. Default: the variable KERAS_DC3_DATA, else "data".
        **options: of `keras_dc3.datasets.published.load_published`. By default the
            shares of labeled, unlabeled and validation images are those of the paper:
            for "plankton" 1,964, 7,860 and 2,456 images, for "turkey" 1,299, 5,199 and
            1,542, for "mice_bone" 38%, 38% and 23%; for others 16%, 64% and 20%.

    Raises:
        As `load_published`.
    """
    return load_published(DCIC_SETS[name], data_dir, **options)
