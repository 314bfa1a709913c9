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
from keras_dc3.datasets.files import check_agreement, data_folder, npy_array, read_npz

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
_NPZ, _COUNTS = "cifar10h.npz", "cifar10h-counts.npy"
_IMAGE_SHAPE = (32, 32, 3)
_NUMBER = 10_000
_LEAST_AGREEMENT = 0.95  # 99.21% agree; in another order 10% do by chance
_PREFIX = "cifar10_test"


def load_cifar10h(
    data_dir: str | os.PathLike | None = None,
    *,
    labeled: int | float = 1600,
    unlabeled: int | float | None = 6400,
    validation: int | float | None = 2000,
    seed: int = 0,
    tfds_data_dir: str | os.PathLike | None = None,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Loads CIFAR-10H (Peterson et al., 2019), 10,000 images 32x32x3.

    Ids are `cifar10_test_00042`, the position in the Python version's `test_batch`.
    The default split is the paper's.

    Args:
        data_dir: folder with either `cifar10h.npz`: `images` uint8 (10000, 32, 32, 3),
            `labels` int (10000,) and `counts` int (10000, 10), in the order of
            `test_batch`; or `cifar10h-counts.npy` of the CIFAR-10H repository, whose
            images TensorFlow Datasets then supplies (and downloads if it has to).
            Default: the variable KERAS_DC3_DATA, else "data".
        labeled, unlabeled, validation: int for a number, float for a fraction.
        seed: of the split, the labels, and the batches.
        tfds_data_dir: where TensorFlow Datasets keeps `cifar10`; its default if None.
        **kwargs: further arguments of `SemiSupervisedData.from_image_set`.

    Raises:
        As `read_cifar10h`.
    """
    images = read_cifar10h(data_dir, tfds_data_dir)
    return SemiSupervisedData.from_image_set(
        images, labeled, unlabeled, validation, seed=seed, name="cifar10h", **kwargs
    )


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
    if (folder / _NPZ).is_file():
        return read_npz(
            folder / _NPZ, _IMAGE_SHAPE, CLASS_NAMES, _PREFIX, _LEAST_AGREEMENT
        )
    if (folder / _COUNTS).is_file():
        return _from_tfds(folder / _COUNTS, tfds_data_dir)
    raise FileNotFoundError(
        f"CIFAR-10H is not in {str(folder)!r}: put `{_COUNTS}` of "
        "https://github.com/jcpeterson/cifar-10h there (TensorFlow Datasets then "
        f"supplies the images), or `{_NPZ}` with `images`, `labels` and `counts`; "
        "or name its folder by `data_dir` or KERAS_DC3_DATA."
    )


def _from_tfds(path: Path, tfds_data_dir: str | os.PathLike | None) -> ImageSet:
    """Joins the counts with TensorFlow Datasets' images, which are shuffled, by id."""
    import tensorflow_datasets as tfds

    counts = npy_array(path)
    if counts.shape != (_NUMBER, 10):
        raise ValueError(
            f"{path} must hold counts (10000, 10). Found: {counts.shape}. Use the file "
            "of the CIFAR-10H repository."
        )
    images = np.zeros((_NUMBER, *_IMAGE_SHAPE), "uint8")
    labels = np.full(_NUMBER, -1)
    examples = tfds.load("cifar10", split="test", data_dir=tfds_data_dir)
    for example in tfds.as_numpy(examples):
        position = _position(example["id"])
        if labels[position] != -1:
            raise ValueError(f"TFDS has the image {example['id']!r} twice.")
        images[position], labels[position] = example["image"], example["label"]
    missing = np.flatnonzero(labels == -1)
    if missing.size:
        raise ValueError(
            f"TFDS lacks {missing.size} of CIFAR-10's {_NUMBER} test images, first "
            f"'test_{missing[0]:05d}'. Prepare `cifar10` again."
        )
    check_agreement(str(path), labels, counts, _NUMBER, _LEAST_AGREEMENT)
    ids = [f"{_PREFIX}_{i:05d}" for i in range(_NUMBER)]
    return ImageSet(images, ids, counts, CLASS_NAMES)


def _position(name: bytes | str) -> int:
    """Returns 42 for the id "test_00042", the position in `test_batch`."""
    text = name.decode() if isinstance(name, bytes) else str(name)
    number = text.removeprefix("test_")
    if number == text or not number.isdigit() or int(number) >= _NUMBER:
        raise ValueError(
            f"The ids of TFDS' cifar10 must be 'test_00000' to 'test_09999'. Found: "
            f"{text!r}. Another version of it may number images otherwise; use "
            f"`{_NPZ}` instead."
        )
    return int(number)
