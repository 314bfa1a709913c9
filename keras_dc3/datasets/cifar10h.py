"""CIFAR-10H: the CIFAR-10 test images as about 51 people each see them.

The images of TensorFlow Datasets are read only where there is no `.npz` file; that
imports `tensorflow_datasets` when called.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_dc3.data.image_set import ImageSet
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.datasets.counted import CountedSet, check_agreement
from keras_dc3.datasets.npz_files import data_folder, npy_array

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
_COUNTS = "cifar10h-counts.npy"
_REPOSITORY = "https://github.com/jcpeterson/cifar-10h"
CIFAR10H = CountedSet(
    name="cifar10h",
    subject="CIFAR-10H is",
    homepage=_REPOSITORY,
    number=10_000,
    image_shape=(32, 32, 3),
    class_names=CLASS_NAMES,
    least_agreement=0.95,  # 99.21% agree; in another order 10% do by chance
    prefix="cifar10_test",
    how_to_get=f"put `{_COUNTS}` of {_REPOSITORY} there (TensorFlow Datasets then "
    "supplies the images), or `cifar10h.npz` with `images`, `labels` and `counts`;",
)


def load_cifar10h(
    data_dir: str | os.PathLike | None = None,
    *,
    tfds_data_dir: str | os.PathLike | None = None,
    **options: Any,
) -> SemiSupervisedData:
    """Loads CIFAR-10H (Peterson et al., 2019), 10,000 images 32x32x3.

    Ids are `cifar10_test_00042`, the position in the Python version's `test_batch`.
    The default split is the paper's: 1,600 labeled, 6,400 unlabeled and 2,000
    validation images.

    Args:
        data_dir: folder with either `cifar10h.npz`: `images` uint8 (10000, 32, 32, 3),
            `labels` int (10000,) and `counts` int (10000, 10), in the order of
            `test_batch`; or `cifar10h-counts.npy` of the CIFAR-10H repository, whose
            images TensorFlow Datasets then supplies (and downloads if it has to).
            Default: the variable KERAS_DC3_DATA, else "data".
        tfds_data_dir: where TensorFlow Datasets keeps `cifar10`; its default if None.
        **options: of `SemiSupervisedData.from_image_set`, such as `labeled` and `seed`.

    Raises:
        As `read_cifar10h`.
    """
    return CIFAR10H.split(read_cifar10h(data_dir, tfds_data_dir), **options)


def read_cifar10h(
    data_dir: str | os.PathLike | None = None,
    tfds_data_dir: str | os.PathLike | None = None,
) -> ImageSet:
    """Returns all images; arguments as above.

    Raises:
        FileNotFoundError: without either file.
        ValueError: if parts do not fit, or fewer than 95% of the most chosen classes
            are the original label.
    """
    folder = data_folder(data_dir)
    if (folder / _COUNTS).is_file() and not (folder / CIFAR10H.file).is_file():
        return _from_tfds(folder / _COUNTS, tfds_data_dir)
    return CIFAR10H.read(data_dir)


def _from_tfds(path: Path, tfds_data_dir: str | os.PathLike | None) -> ImageSet:
    """Joins the counts with TensorFlow Datasets' images, which are shuffled, by id."""
    import tensorflow_datasets as tfds

    counts, number = npy_array(path), CIFAR10H.number
    if counts.shape != (number, 10):
        raise ValueError(
            f"{path} must hold counts (10000, 10). Found: {counts.shape}. Use the file "
            "of the CIFAR-10H repository."
        )
    images = np.zeros((number, *CIFAR10H.image_shape), "uint8")
    labels = np.full(number, -1)
    examples = tfds.load("cifar10", split="test", data_dir=tfds_data_dir)
    for example in tfds.as_numpy(examples):
        position = _position(example["id"])
        if labels[position] != -1:
            raise ValueError(f"TFDS has the image {example['id']!r} twice.")
        images[position], labels[position] = example["image"], example["label"]
    missing = np.flatnonzero(labels == -1)
    if missing.size:
        raise ValueError(
            f"TFDS lacks {missing.size} of CIFAR-10's {number} test images, first "
            f"'test_{missing[0]:05d}'. Prepare `cifar10` again."
        )
    check_agreement(str(path), labels, counts, number, CIFAR10H.least_agreement)
    return ImageSet(images, CIFAR10H.ids(number), counts, CLASS_NAMES)


def _position(name: bytes | str) -> int:
    """Returns 42 for the id "test_00042", the position in `test_batch`."""
    text = name.decode() if isinstance(name, bytes) else str(name)
    number = text.removeprefix("test_")
    if number == text or not number.isdigit() or int(number) >= CIFAR10H.number:
        raise ValueError(
            f"The ids of TFDS' cifar10 must be 'test_00000' to 'test_09999'. Found: "
            f"{text!r}. Another version of it may number images otherwise; use "
            f"`{CIFAR10H.file}` instead."
        )
    return int(number)
