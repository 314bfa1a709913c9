"""Data sets of DCIC (Schmarje et al., 2022), three of which the paper uses."""

from __future__ import annotations

import os
from typing import Any

from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.datasets.published import PublishedSet, load_published

PLANKTON = PublishedSet(
    name="plankton",
    dcic="Plankton",
    image_size=(96, 96),
    num_classes=10,
    sizes=(1964 / 12280, 7860 / 12280, 2456 / 12280),
    folders=("plankton",),
)


def load_plankton(
    data_dir: str | os.PathLike | None = None, **options: Any
) -> SemiSupervisedData:
    """Loads Plankton, 12,280 images brought to 96x96x3 (paper, section 3.1).

    Args:
        data_dir: folder with `Plankton` (DCIC), `Plankton.zip` or `plankton` (DC3).
            Default: the variable KERAS_DC3_DATA, else "data".
        **options: of `keras_dc3.datasets.published.load_published`. By default the
            sizes are those of the paper, 1,964 labeled, 7,860 unlabeled and 2,456
            validation images.

    Raises:
        As `load_published`.
    """
    return load_published(PLANKTON, data_dir, **options)


TURKEY = PublishedSet(
    name="turkey",
    dcic="Turkey",
    image_size=(96, 96),
    num_classes=3,
    sizes=(1299 / 8040, 5199 / 8040, 1542 / 8040),
    folders=("turkey",),
    folder_classes=2,
)


def load_turkey(
    data_dir: str | os.PathLike | None = None, **options: Any
) -> SemiSupervisedData:
    """Loads Turkey, 8,040 images brought to 96x96x3 (paper, section 3.1).

    The paper and the layout of DC3 have two classes, the folders "0" and "1"; DCIC has
    three. `rename` makes two of them, such as `rename={"a": "injured", "b":
    "injured"}` with the names that `describe` prints.

    Args:
        data_dir: folder with `Turkey` (DCIC), `Turkey.zip` or `turkey` (DC3). Default:
            the variable KERAS_DC3_DATA, else "data".
        **options: of `keras_dc3.datasets.published.load_published`. By default the
            sizes are those of the paper, 1,299 labeled, 5,199 unlabeled and 1,542
            validation images.

    Raises:
        As `load_published`.
    """
    return load_published(TURKEY, data_dir, **options)


MICE_BONE = PublishedSet(
    name="mice_bone",
    dcic="MiceBone",
    image_size=(224, 224),
    num_classes=3,
    sizes=(277 / 724, 278 / 724, 169 / 724),
    folders=("miceBone", "mice_bone"),
)


def load_mice_bone(
    data_dir: str | os.PathLike | None = None, **options: Any
) -> SemiSupervisedData:
    """Loads Mice Bone, images brought to 224x224x3 (paper, section 3.1).

    DCIC has annotations for 7,240 images; the paper uses 724 of them. The classes are
    similar orientations, dissimilar ones, and regions that are not relevant; the
    folders of DC3 are "g", "ug" and "nr".

    Args:
        data_dir: folder with `MiceBone` (DCIC), `MiceBone.zip` or `miceBone` (DC3).
            Default: the variable KERAS_DC3_DATA, else "data".
        **options: of `keras_dc3.datasets.published.load_published`. By default the
            shares are those of the paper: 38% labeled, 38% unlabeled, 23% validation.

    Raises:
        As `load_published`.
    """
    return load_published(MICE_BONE, data_dir, **options)


# Name, folder and archive in DCIC, size of the images, classes.
_TABLE = (
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
DCIC_SETS = {
    name: PublishedSet(name, folder, (size, size), classes, file=file)
    for name, folder, file, size, classes in _TABLE
}


def load_dcic(
    name: str, data_dir: str | os.PathLike | None = None, **options: Any
) -> SemiSupervisedData:
    """Loads a data set of DCIC that the paper does not use.

    The folds of `dcic_verse_blended` and `dcic_verse_mask1` have images for
    `dcic_slice=3` alone.

    Args:
        name: one of `DCIC_SETS`, such as "dcic_benthic".
        data_dir: folder with the data set, such as `Benthic`, or with its archive.
            Default: the variable KERAS_DC3_DATA, else "data".
        **options: of `keras_dc3.datasets.published.load_published`. By default 16% of
            the annotated images are labeled, 64% unlabeled, 20% for validation.

    Raises:
        As `load_published`.
    """
    return load_published(DCIC_SETS[name], data_dir, **options)
