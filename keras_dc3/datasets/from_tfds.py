"""Data sets of TensorFlow Datasets, which is imported when one is read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_dc3._extras import tensorflow_datasets
from keras_dc3._writing import whole_file
from keras_dc3.data.image_set import ImageSet
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.datasets.arrays import as_counts, split_annotated
from keras_dc3.datasets.npz_files import npy_array, npz_arrays


def from_tfds(
    name: str,
    split: str = "train",
    *,
    labeled: int | float | None = None,
    unlabeled: int | float | None = None,
    validation: int | float | None = 0.2,
    seed: int = 0,
    batch_size: int = 64,
    read: dict[str, Any] | None = None,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Splits the images of a data set of TensorFlow Datasets.

    Labels and sizes are by default those of `from_arrays`.

    Args:
        name: as for `tfds.load`.
        split: of TFDS, such as "train" or "train[:10%]".
        labeled: int for a number, float for a fraction of the annotated images.
            Default: all that `validation` leaves; a fifth of it where all images have
            annotations, which is told.
        unlabeled: likewise; None for none.
        validation: likewise.
        seed: of the split, the labels, and the batches.
        batch_size: labeled images per training batch.
        read: arguments of `read_tfds`, such as `{"counts": "votes", "cache": "data"}`.
        **kwargs: further arguments of `SemiSupervisedData.from_image_set`.

    Raises:
        ImportError: without TensorFlow Datasets.
        ValueError: if the images or annotations do not fit.

    Example:

    >>> import keras_dc3.datasets.builders  # doctest: +SKIP
    >>> data = keras_dc3.datasets.from_tfds("shape_texture16", "test")  # doctest: +SKIP
    """
    return split_annotated(
        read_tfds(name, split, **(read or {})),
        labeled,
        unlabeled,
        validation,
        seed=seed,
        batch_size=batch_size,
        name=name,
        **kwargs,
    )


def read_tfds(
    name: str,
    split: str,
    *,
    image: str = "image",
    counts: str | None = "counts",
    label: str | None = "label",
    ids: str | None = "id",
    class_names: Sequence[str] | None = None,
    data_dir: str | os.PathLike | None = None,
    cache: str | os.PathLike | None = None,
) -> ImageSet:
    """Reads a split of TensorFlow Datasets, which is prepared if it has to be.

    Args:
        name: as for `tfds.load`.
        split: of TFDS.
        image: the feature with the images, all of one size.
        counts: the feature with how many annotators chose each class, (k,). None, or
            one that the data set does not have, for one annotation per image:
        label: the feature with the class, -1 for none. None for no annotations.
        ids: the feature that names the image. None, or one that the data set does not
            have, for split and position in TFDS' order, such as "train_00042".
        class_names: of the classes; default those that TFDS knows of `label`.
        data_dir: where TFDS keeps its data sets; its default if None.
        cache: a folder to keep the pixels in, in one file, so that they need not be in
            memory; another call finds them there. None keeps them in memory.

    Raises:
        ImportError: without TensorFlow Datasets.
        ValueError: if the images differ in size, or annotations do not fit.
    """
    kept = None if cache is None else Path(cache) / _file_name(name, split)
    if kept is not None and kept.with_suffix(".npz").is_file():
        return _kept(kept)
    tfds = tensorflow_datasets(name)
    examples, info = tfds.load(name, split=split, data_dir=data_dir, with_info=True)
    features = info.features
    for feature in [image, *([] if label is None else [label])]:
        if feature not in features:
            raise ValueError(
                f"The data set {name!r} has no feature {feature!r}. It has "
                f"{sorted(features)}; name the right one, or None for no label."
            )
    counts = counts if counts in features else None
    names = class_names
    if names is None and label is not None:
        names = getattr(features[label], "names", None)
    about = _About(name, split, image, counts, label, ids if ids in features else None)
    number = len(examples)
    examples = tfds.as_numpy(examples)
    if kept is None:
        images = np.stack(list(about.images(examples)))
    else:
        _write_images(kept, about.images(examples), number)
        images = np.load(kept, mmap_mode="r")
    found = about.counts_of(None if names is None else len(names))
    result = ImageSet(images, about.names, found, names)
    if kept is not None:
        with whole_file(kept.with_suffix(".npz"), "wb") as file:
            parts = {"ids": np.array(result.ids)}
            if result.has_counts:
                parts["counts"] = result.counts
            if result.class_names is not None:
                parts["class_names"] = np.array(result.class_names)
            np.savez_compressed(file, **parts)
    return result


class _About:
    """Which features to read, and what was found besides the pixels."""

    def __init__(
        self,
        name: str,
        split: str,
        image: str,
        counts: str | None,
        label: str | None,
        ids: str | None,
    ):
        self._source = f"{name!r} ({split})"
        self._split, self._image, self._ids = split, image, ids
        self._labels = counts or label
        self.names: list[str] = []
        self._answers: list[Any] = []

    def images(self, examples: Any) -> Iterator[np.ndarray]:
        """Yields the pixels of each example, and remembers the rest."""
        first = None
        for position, example in enumerate(examples):
            pixels = np.asarray(example[self._image])
            first = pixels if first is None else first
            if pixels.shape != first.shape or pixels.dtype != first.dtype:
                raise ValueError(
                    f"The images of {self._source} must be of one size and type, but "
                    f"number {position} is {pixels.dtype} {pixels.shape} and the first "
                    f"{first.dtype} {first.shape}. Resize them in a builder of yours."
                )
            name = f"{self._split}_{position:05d}"
            if self._ids is not None:
                name = example[self._ids]
                name = name.decode() if isinstance(name, bytes) else str(name)
            self.names.append(name)
            if self._labels is not None:
                self._answers.append(example[self._labels])
            yield pixels
        if first is None:
            raise ValueError(f"There is no image in {self._source}; choose another.")

    def counts_of(self, num_classes: int | None) -> np.ndarray | None:
        """Returns counts (n, k), None without labels."""
        if self._labels is None:
            return None
        return as_counts(self._labels, np.stack(self._answers), num_classes)


def _write_images(path: Path, images: Iterator[np.ndarray], number: int) -> None:
    """Writes images one by one as a `.npy` file of known length."""
    with whole_file(path, "wb") as file:
        written = 0
        for pixels in images:
            if not written:
                header = {
                    "descr": np.lib.format.dtype_to_descr(pixels.dtype),
                    "fortran_order": False,
                    "shape": (number, *pixels.shape),
                }
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(pixels).tobytes())
            written += 1
        if written != number:
            raise ValueError(
                f"TensorFlow Datasets announced {number} images and gave {written}. "
                "Prepare the data set again."
            )


def _kept(path: Path) -> ImageSet:
    parts = npz_arrays(path.with_suffix(".npz"))
    names = parts.get("class_names")
    return ImageSet(
        npy_array(path, mmap_mode="r"),
        [str(name) for name in parts["ids"]],
        parts.get("counts"),
        None if names is None else [str(name) for name in names],
    )


def _file_name(name: str, split: str) -> str:
    kept = [letter if letter.isalnum() else "_" for letter in f"{name}-{split}"]
    return "".join(kept) + ".npy"
