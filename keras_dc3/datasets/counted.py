"""Data sets of which one `.npz` file has the images and how many people chose what.

Such a set is described by a `CountedSet`, which finds, reads, checks and splits it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_dc3._validation import check_counts
from keras_dc3.annotations.counts import majority
from keras_dc3.data.image_set import ImageSet
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.data.splits import Split
from keras_dc3.datasets.npz_files import data_folder, npz_arrays


@dataclass(frozen=True)
class CountedSet:
    """What such a data set is.

    Args:
        name: ours; the file is `{name}.npz`.
        subject: of the message that it is missing, such as "CIFAR-10H is".
        homepage: where its authors publish it.
        number: of images.
        image_shape: what (h, w, c) must be.
        class_names: what the classes must be, in the order of the counts.
        least_agreement: fraction of images whose most chosen class must be their
            original label. Counts of images in another order agree by chance only.
        prefix: of the ids, `{prefix}_00042` for position 42; None if the file has the
            ids, as `name` (n,).
        sizes: labeled, unlabeled and validation images, where nothing else is asked
            for; numbers or fractions.
        how_to_get: what to put where; default: the file alone.
    """

    name: str
    subject: str
    homepage: str
    number: int
    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    least_agreement: float
    prefix: str | None = None
    sizes: tuple[int | float, int | float, int | float] = (1600, 6400, 2000)
    how_to_get: str = ""

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"{self.name}.npz"

    def load(
        self, data_dir: str | os.PathLike | None = None, **options: Any
    ) -> SemiSupervisedData:
        """Reads the data set and splits it.

        Args:
            data_dir: folder with the file: `images` uint8 (n, h, w, c), `labels` int
                (n,), the original classes, `counts` int (n, k) and, where `prefix` is
                None, `name` (n,); `class_names` (k,) may be there, and is then
                compared. Default: the variable KERAS_DC3_DATA, else "data".
            **options: as for `split`.

        Raises:
            As `read`.
        """
        return self.split(self.read(data_dir), **options)

    def split(self, images: ImageSet, **options: Any) -> SemiSupervisedData:
        """Splits the images, by default into the `sizes` of the set.

        Args:
            images: what `read` returns.
            **options: of `SemiSupervisedData.from_image_set`, such as `labeled`,
                `unlabeled`, `validation` and `seed`. `labels` is "sampled" by default,
                as in the paper.
        """
        sizes = dict(zip(Split._fields, self.sizes, strict=True))
        return SemiSupervisedData.from_image_set(
            images, name=self.name, **{"labels": "sampled", **sizes, **options}
        )

    def read(self, data_dir: str | os.PathLike | None = None) -> ImageSet:
        """Returns all images; `data_dir` as for `load`.

        Raises:
            FileNotFoundError: without the file.
            ValueError: if a part of it is missing or does not fit, or too few of the
                most chosen classes are the original label.
        """
        path = data_folder(data_dir) / self.file
        if not path.is_file():
            raise FileNotFoundError(
                f"{self.subject} not in {str(path.parent)!r}: "
                f"{self.how_to_get or self._file_alone()} or name its folder by "
                "`data_dir` or KERAS_DC3_DATA."
            )
        parts = npz_arrays(path)
        needed = ["images", "labels", "counts", *([] if self.prefix else ["name"])]
        missing = [key for key in needed if key not in parts]
        if missing:
            raise ValueError(f"{path} lacks {missing}; it holds {list(parts)}.")
        images, counts = parts["images"], parts["counts"]
        classes = list(map(str, parts.get("class_names", self.class_names)))
        self._check(path, images, counts, classes)
        check_agreement(
            str(path), parts["labels"], counts, len(images), self.least_agreement
        )
        if self.prefix is None:
            ids = [str(name) for name in parts["name"]]
        else:
            ids = self.ids(len(images))
        return ImageSet(images, ids, counts, self.class_names)

    def ids(self, number: int) -> list[str]:
        """Returns the ids of so many images, by their position."""
        return [f"{self.prefix}_{i:05d}" for i in range(number)]

    def _check(
        self, path: Path, images: np.ndarray, counts: np.ndarray, classes: list[str]
    ) -> None:
        """Raises ValueError unless arrays and class names are those of the set."""
        shape, names = self.image_shape, self.class_names
        if images.ndim != 4 or images.shape[1:] != shape or images.dtype != np.uint8:
            raise ValueError(
                f"The images of {path} must be uint8 (n, {', '.join(map(str, shape))}"
                f"). Found: {images.dtype} {images.shape}."
            )
        if classes != list(names):
            raise ValueError(f"The classes of {path} must be {names}. Found: {classes}")
        if counts.ndim != 2 or counts.shape[1] != len(names):
            raise ValueError(
                f"The counts of {path} must have {len(names)} columns, one per "
                f"class. Found: {counts.shape}."
            )

    def _file_alone(self) -> str:
        """Returns what to put where, if there is no other way."""
        n, k = self.number, len(self.class_names)
        held = [f"`images` uint8 {(n, *self.image_shape)}", f"`labels` ({n},)"]
        held += [f"`counts` ({n}, {k})", *([] if self.prefix else [f"`name` ({n},)"])]
        listed = f"{', '.join(held[:-1])} and {held[-1]}"
        return f"put `{self.file}` there, with {listed},"


def check_agreement(
    source: str,
    labels: np.ndarray,
    counts: np.ndarray,
    number: int,
    least: float,
) -> None:
    """Raises ValueError unless counts and labels seem to be of the same images.

    Args:
        source: where they are from, for messages.
        labels: (n,) int, the original labels.
        counts: (n, k), how many annotators chose each class.
        number: n.
        least: fraction of images whose most chosen class must be their label. Counts
            shifted by an image agree by chance only.
    """
    counts = check_counts(f"counts of {source}", counts)
    if len(counts) != number or np.shape(labels) != (number,):
        raise ValueError(
            f"{source} must have a label and a row of counts for each of {number} "
            f"images. Found: labels {np.shape(labels)}, counts {counts.shape}."
        )
    agreement = float((majority(counts) == labels).mean())
    if agreement < least:
        raise ValueError(
            f"The annotations of {source} do not belong to its images: the most chosen "
            f"class is the original label for only {agreement:.1%} of them, at least "
            f"{least:.0%} are expected. They are probably in another order."
        )
