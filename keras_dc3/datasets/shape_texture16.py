"""Objects in the texture of others, as 10 identified people each see them."""

from __future__ import annotations

import os
from typing import Any

from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.datasets.counted import CountedSet

CLASS_NAMES = (
    "airplane",
    "bear",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "car",
    "cat",
    "chair",
    "clock",
    "dog",
    "elephant",
    "keyboard",
    "knife",
    "oven",
    "truck",
)
SHAPE_TEXTURE16 = CountedSet(
    name="shape_texture16",
    subject="The shape and texture images are",
    homepage="https://github.com/rgeirhos/texture-vs-shape",
    number=1600,
    image_shape=(96, 96, 3),
    sizes=(0.16, 0.64, 0.2),
    # 92% see the object, not its texture; in another order 6% agree by chance.
    least_agreement=0.7,
    class_names=CLASS_NAMES,
)


def load_shape_texture16(
    data_dir: str | os.PathLike | None = None,
    *,
    split: Any = None,
    stratify: bool = True,
    **options: Any,
) -> SemiSupervisedData:
    """Loads the images of Geirhos et al. (2019), 1,600 of 96x96x3.

    1,280 show an object in the texture of another, 160 only its edges, 160 only its
    silhouette. People were asked for one of 16 classes. Ids are the names of the
    original files, such as `cue-conflict/airplane1-bicycle2.png`.

    The same object ("airplane1") is in ten images. It is never in two parts of a split
    that is drawn, so that these have about the sizes asked for: by default 16%
    labeled, 64% unlabeled and 20% validation images.

    Args:
        data_dir: folder with `shape_texture16.npz`: `images` uint8 (1600, 96, 96, 3),
            `labels` int (1600,), the object; `counts` int (1600, 16) and `name`
            (1600,). Default: the variable KERAS_DC3_DATA, else "data".
        split: takes the place of the sizes; see `SemiSupervisedData.from_image_set`.
        stratify: whether each part is to have its share of each class.
        **options: of `SemiSupervisedData.from_image_set`, such as `labeled` and `seed`.

    Raises:
        As `CountedSet.read`.
    """
    return SHAPE_TEXTURE16.load(
        data_dir,
        split=split,
        stratify=stratify and split is None,
        groups=object_of if split is None else None,
        **options,
    )


def object_of(name: str) -> str:
    """Returns "airplane1" for the id "cue-conflict/airplane1-bicycle2.png"."""
    return name.rsplit("/", 1)[-1].removesuffix(".png").split("-")[0]
