"""What a data set is made of, as the paper's Table 1 tells it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_dc3.annotations.counts import is_tied, majority_shares
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.data.training_labels import classes_without_label, told_labels
from keras_dc3.datasets.description_text import as_text

_CHUNK = 8192  # images whose counts are looked at together


@dataclass(frozen=True)
class PartDescription:
    """What a part of a data set is made of.

    Args:
        images: how many.
        annotated: how many of them somebody annotated.
        class_counts: (k,) float64, how many of these have which majority class; where
            m classes tie, the image counts 1 / m for each of them.
        ambiguous: of the annotated images, the fraction for which more than one class
            was chosen; NaN where that cannot be measured, because no image was
            annotated twice.
        tied: likewise, the fraction for which several classes were chosen most often,
            equally, so that no class has the majority.
        annotations_per_image: the mean over the annotated images; NaN where only soft
            labels are known.
    """

    images: int
    annotated: int
    class_counts: np.ndarray
    ambiguous: float
    annotations_per_image: float
    tied: float = float("nan")


@dataclass(frozen=True)
class Description:
    """What a data set is made of; `str` of it is a table.

    Args:
        name: of the data set.
        image_shape: (h, w, c); of features (d,).
        dtype: of the images.
        class_names: k names; empty where they are not known.
        parts: name -> description.
        total: of all parts together.
        skipped: image files that cannot be read and are in no part -> why.
        labels: what the labeled images are trained on, in a sentence; "" without these.
        withdrawn: ids of images that were withdrawn, and are in no part.
        untaught: names of classes that no label to train on names.
    """

    name: str
    image_shape: tuple[int, ...]
    dtype: str
    class_names: tuple[str, ...]
    parts: Mapping[str, PartDescription]
    total: PartDescription
    skipped: Mapping[str, str] = field(default_factory=dict)
    labels: str = ""
    withdrawn: tuple[str, ...] = ()
    untaught: tuple[str, ...] = ()

    @property
    def class_shares(self) -> np.ndarray:
        """(k,) share of each majority class among all annotated images."""
        return self.total.class_counts / max(1, self.total.annotated)

    def __str__(self) -> str:
        return as_text(self)


def describe(
    data: SemiSupervisedData | AnnotatedImages, path: str | os.PathLike | None = None
) -> Description:
    """Prints what a data set is made of, and returns it.

    Images, annotations, ambiguity and classes of each part, as in the paper's Table 1.
    The class of an image is the one most people chose. Where m classes tie for that,
    the image counts 1 / m for each of them, here as in F1 and accuracy. What the
    labeled images are trained on, classes of which a part has no image, and image files
    that were left out are told below.

    Args:
        data: a data set, or a set of images.
        path: where to write a picture of certain and ambiguous examples as well; see
            `keras_dc3.plots.plot_examples`.

    Raises:
        TypeError: if `data` is something else.

    Example:

    >>> images = np.zeros((4, 8, 8, 1), "uint8")
    >>> counts = [[3, 0], [1, 2], [0, 3], [0, 0]]
    >>> part = keras_dc3.data.ImageSet(images, list("abcd"), counts, ["cod", "ling"])
    >>> described = keras_dc3.datasets.describe(part)
    images: 4 images 8x8x1 (uint8), 2 classes
    <BLANKLINE>
            images  annotated  annotations per image  ambiguous  tied
    -----------------------------------------------------------------
    images       4          3                    3.0      33.3%  0.0%
    <BLANKLINE>
    class  images  share
    --------------------
    cod         1  33.3%
    ling        2  66.7%
    <BLANKLINE>
    Smallest class: cod, 33.33%. Largest class: ling, 66.67%.
    """
    if isinstance(data, SemiSupervisedData):
        parts = {"labeled": data.labeled, "unlabeled": data.unlabeled}
        parts |= {"validation": data.validation, "test": data.test}
        parts = {name: part for name, part in parts.items() if part is not None}
        name = data.name or "data"
    elif isinstance(data, AnnotatedImages):
        parts, name = {"images": data}, "images"
    else:
        raise TypeError(
            "`data` must be a data set of `keras_dc3.datasets`, or a set of images "
            f"such as `data.unlabeled`. Received: {type(data).__name__}"
        )
    k = next((len(part.class_names) for part in parts.values() if part.class_names), 0)
    labels = {"labeled": getattr(data, "labels", None)}
    untaught = () if labels["labeled"] is None else _untaught(data)
    sums = {key: _Sums.of(part, k, labels.get(key)) for key, part in parts.items()}
    first = next(iter(parts.values()))
    description = Description(
        name,
        tuple(map(int, first.image_shape)),
        str(np.dtype(first.dtype)),
        next((tuple(p.class_names) for p in parts.values() if p.class_names), ()),
        {key: found.description for key, found in sums.items()},
        _Sums.together(list(sums.values()), k).description,
        {
            file: why
            for part in parts.values()
            for file, why in getattr(part, "skipped", {}).items()
        },
        told_labels(data.labels, data.labeled) if hasattr(data, "labels") else "",
        getattr(data, "withdrawn", ()),
        untaught,
    )
    print(description)
    if path is not None:
        from keras_dc3.plots import plot_examples

        plot_examples(data, path)
    return description


def _untaught(data: SemiSupervisedData) -> tuple[str, ...]:
    missing = classes_without_label(data.labels, data.num_classes)
    return tuple(data.class_names[c] for c in missing)


@dataclass
class _Sums:
    """What is counted over images; `whole` is whether annotations are."""

    images: int
    annotated: int
    ambiguous: int
    tied: int
    repeated: int
    annotations: float
    whole: bool
    class_counts: np.ndarray

    @classmethod
    def of(cls, part: AnnotatedImages, k: int, labels: Any) -> _Sums:
        """Returns the sums of a part.

        Args:
            part: the images.
            k: how many classes there are.
            labels: (n,) classes or (n, k) soft labels, for images without counts; None
                for none.
        """
        sums = cls(len(part), 0, 0, 0, 0, 0.0, True, np.zeros(k))
        if not part.has_counts:
            if labels is not None:
                sums.annotated, sums.annotations = len(labels), float(len(labels))
                sums.class_counts += (
                    majority_shares(labels).sum(axis=0)
                    if labels.ndim == 2
                    else np.bincount(labels, minlength=k)
                )
            return sums
        for start in range(0, len(part), _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, len(part)))
            counts = part.subset(rows).counts
            number = counts.sum(axis=1)
            sums.annotated += int((number > 0).sum())
            sums.ambiguous += int(((counts > 0).sum(axis=1) > 1).sum())
            sums.tied += int(is_tied(counts).sum())
            sums.repeated += int((number > 1).sum())
            sums.annotations += float(number.sum())
            sums.whole &= bool((counts == np.round(counts)).all())
            sums.class_counts += majority_shares(counts).sum(axis=0)
        return sums

    @classmethod
    def together(cls, parts: list[_Sums], k: int) -> _Sums:
        """Returns the sums over several parts."""
        return cls(
            sum(part.images for part in parts),
            sum(part.annotated for part in parts),
            sum(part.ambiguous for part in parts),
            sum(part.tied for part in parts),
            sum(part.repeated for part in parts),
            sum(part.annotations for part in parts),
            all(part.whole for part in parts),
            sum((part.class_counts for part in parts), np.zeros(k)),
        )

    @property
    def description(self) -> PartDescription:
        """The fractions and means that follow."""
        measured = self.annotated and (self.repeated or self.ambiguous)
        known = self.annotated and self.whole
        return PartDescription(
            self.images,
            self.annotated,
            self.class_counts,
            self.ambiguous / self.annotated if measured else float("nan"),
            self.annotations / self.annotated if known else float("nan"),
            self.tied / self.annotated if measured else float("nan"),
        )
