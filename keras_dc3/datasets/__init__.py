"""Data sets ready to train on, by name or from arrays.

Importing this needs NumPy and Keras only; TensorFlow Datasets and scikit-learn are
imported by the data sets that need them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from keras_dc3._registration import suggest
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.datasets.arrays import from_arrays, from_parts
from keras_dc3.datasets.cifar10h import load_cifar10h
from keras_dc3.datasets.dcic import DCIC_SETS
from keras_dc3.datasets.description import describe
from keras_dc3.datasets.digits import load_digits
from keras_dc3.datasets.directory import from_directory
from keras_dc3.datasets.embeddings import from_embeddings
from keras_dc3.datasets.fashionmnist_h import FASHIONMNIST_H
from keras_dc3.datasets.from_tfds import from_tfds
from keras_dc3.datasets.shape_texture16 import load_shape_texture16
from keras_dc3.datasets.stl10 import load_stl10

__all__ = [
    "describe",
    "from_arrays",
    "from_directory",
    "from_embeddings",
    "from_parts",
    "from_tfds",
    "load",
    "names",
]

_LOADERS: dict[str, Callable[..., SemiSupervisedData]] = {
    "cifar10h": load_cifar10h,
    "digits": load_digits,
    "fashionmnist_h": FASHIONMNIST_H.load,
    "shape_texture16": load_shape_texture16,
    "stl10": load_stl10,
    **{name: about.load for name, about in DCIC_SETS.items()},
}


def names() -> list[str]:
    """Returns the names that `load` knows.

    Example:

    >>> "plankton" in keras_dc3.datasets.names()
    True
    """
    return sorted(_LOADERS)


def load(
    name: str, data_dir: str | os.PathLike | None = None, **options: Any
) -> SemiSupervisedData:
    """Loads a data set.

    Args:
        name: one of `names()`: the paper's "plankton", "turkey", "mice_bone",
            "cifar10h" and "stl10"; "fashionmnist_h" and "shape_texture16"; "digits", a
            demonstration made from scikit-learn's digits; "dcic_benthic" and other sets
            of DCIC.
        data_dir: folder of the files. Default: the environment variable
            KERAS_DC3_DATA, else "data".
        **options: of the data set, such as `seed`, `batch_size`, `labeled`,
            `unlabeled` and `validation`; see `keras_dc3.datasets.<name>`, and for the
            sets of DCIC `keras_dc3.datasets.dcic`.

    Raises:
        ValueError: for an unknown name.
        FileNotFoundError: where files are missing; it says which to put where.

    Example:

    >>> data = keras_dc3.datasets.load("digits", seed=0)  # it ships with scikit-learn
    >>> data.image_shape
    (16, 16, 1)
    """
    if name not in _LOADERS:
        raise ValueError(
            f"Unknown data set {name!r}.{suggest(name, names())} Known names: "
            f"{', '.join(names())}. For your own images use `from_directory` or "
            "`from_arrays`."
        )
    return _LOADERS[name](data_dir=data_dir, **options)
