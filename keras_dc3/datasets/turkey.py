"""Turkey: is the bird injured? Three experts each."""

from __future__ import annotations

import os
from typing import Any

from keras_dc3.datasets.published import PublishedData, PublishedSet, load_published

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
) -> PublishedData:
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
