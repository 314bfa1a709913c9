"""The other data sets of DCIC (Schmarje et al., 2022), by the same reader."""

from __future__ import annotations

import os
from typing import Any

from keras_dc3.datasets.published import PublishedData, PublishedSet, load_published

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
) -> PublishedData:
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
