"""Fashion-MNIST-H: the Fashion-MNIST test images as about 66 people each see them."""

from __future__ import annotations

import os
from typing import Any

from keras_dc3.data.image_set import ImageSet
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.datasets.files import data_folder, read_npz

CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load_fashionmnist_h(
    data_dir: str | os.PathLike | None = None,
    *,
    labeled: int | float = 1600,
    unlabeled: int | float | None = 6400,
    validation: int | float | None = 2000,
    seed: int = 0,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Loads Fashion-MNIST-H (Ishida et al., 2023), 10,000 images 28x28x1.

    People disagree with the shop's label for 18% of the images, mostly coats and
    shirts. Ids are `fashionmnist_test_00042`, the position in the test set.

    Args:
        data_dir: folder with `fashionmnist_h.npz`: `images` uint8 (10000, 28, 28, 1),
            `labels` int (10000,) and `counts` int (10000, 10), in the test set's
            order. Default: the variable KERAS_DC3_DATA, else "data".
        labeled, unlabeled, validation: int for a number, float for a fraction.
        seed: of the split, the labels, and the batches.
        **kwargs: further arguments of `SemiSupervisedData.from_image_set`.

    Raises:
        As `read_fashionmnist_h`.
    """
    return SemiSupervisedData.from_image_set(
        read_fashionmnist_h(data_dir),
        labeled,
        unlabeled,
        validation,
        seed=seed,
        name="fashionmnist_h",
        **kwargs,
    )


def read_fashionmnist_h(data_dir: str | os.PathLike | None = None) -> ImageSet:
    """Returns all images; `data_dir` as above.

    Raises:
        FileNotFoundError: without the file. ValueError: if its parts do not fit.
    """
    path = data_folder(data_dir) / "fashionmnist_h.npz"
    if not path.is_file():
        raise FileNotFoundError(
            f"Fashion-MNIST-H is not in {str(path.parent)!r}: put `fashionmnist_h.npz` "
            "there, with `images` uint8 (10000, 28, 28, 1), `labels` (10000,) and "
            "`counts` (10000, 10), or name its folder by `data_dir` or KERAS_DC3_DATA."
        )
    # 82% agree; the images in another order do by chance, 10%.
    return read_npz(path, (28, 28, 1), CLASS_NAMES, "fashionmnist_test", 0.7)
