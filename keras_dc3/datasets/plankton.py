"""Plankton: 10 classes of underwater images, as about 24 people each see them."""

from __future__ import annotations

import os
from typing import Any

from keras_dc3.datasets.published import PublishedData, PublishedSet, load_published

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
) -> PublishedData:
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
