"""Mice Bone: how collagen fibers lie in slices of bone, three annotations each."""

from __future__ import annotations

import os
from typing import Any

from keras_dc3.datasets.published import PublishedData, PublishedSet, load_published

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
) -> PublishedData:
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
