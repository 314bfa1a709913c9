"""Checks that the parts of a data set fit together. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3._validation import check_class_labels
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.splits import check_disjoint


def common_class_names(parts: dict[str, AnnotatedImages]) -> tuple[str, ...]:
    """Returns the class names; ValueError if the parts' differ or none has any."""
    names = {name: part.class_names for name, part in parts.items() if part.class_names}
    if not names:
        raise ValueError(
            "The number of classes is not known: integer labels alone do not tell it, "
            "as a class may be missing. Pass `class_names` to an `ImageSet`, or "
            "validation images with counts."
        )
    first = next(iter(names))
    for name, found in names.items():
        if found != names[first]:
            raise ValueError(
                f"All parts must have the same class names, but {first} has "
                f"{list(names[first])} and {name} has {list(found)}."
            )
    return names[first]


def check_drawn_classes(
    labels: np.ndarray, names: tuple[str, ...], annotated: int
) -> None:
    """Raises ValueError if all labeled images are of one class.

    Args:
        labels: (n_l,) class numbers.
        names: of the classes.
        annotated: how many images they were drawn from; 0 if they were not drawn.
    """
    if len(np.unique(labels)) != 1:
        return
    number, name = len(labels), names[labels[0]]
    told = f"All {number:,} labeled images are of class {name!r}"
    if number == 1:
        told = f"The only labeled image is of class {name!r}"
    if annotated > number:
        told += f" ({number:,} of {annotated:,} annotated images)"
        way_out = (
            "Ask for more `labeled` images, pass `stratify=True`, or annotate images "
            "of other classes."
        )
    else:
        way_out = "Label images of another class."
    raise ValueError(f"{told}; a classifier needs at least two classes. {way_out}")


def checked_labels(labels: Any, labeled: AnnotatedImages, names: tuple) -> np.ndarray:
    """Returns (n_l,) int32; ValueError unless they are classes of `labeled`."""
    if not len(labeled):
        raise ValueError("There is no labeled image; at least two classes need one.")
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            "`labels` must hold one class number per labeled image, shape (images,). "
            f"Received: shape {labels.shape}, dtype {labels.dtype}. From soft labels, "
            "sample a class with `keras_dc3.data.sample_hard_labels`."
        )
    if len(labels) != len(labeled):
        raise ValueError(
            f"`labels` must hold one class per labeled image. Received: labels for "
            f"{len(labels):,}, but there are {len(labeled):,}."
        )
    check_class_labels("labels", labels, len(names))
    check_drawn_classes(labels, names, annotated=0)
    return labels.astype("int32")


def check_parts(parts: dict[str, AnnotatedImages]) -> None:
    """Raises ValueError unless named parts are disjoint and their images alike."""
    for name, part in parts.items():
        if not len(part):
            raise ValueError(f"The {name} part holds no image; pass None for none.")
        for what in ("image_shape", "dtype"):
            expected = getattr(parts["labeled"], what)
            if getattr(part, what) != expected:
                raise ValueError(
                    f"All parts must have the same {what}, but labeled has {expected} "
                    f"and {name} has {getattr(part, what)}. Convert or resize them."
                )
    check_disjoint(**{name: part.ids for name, part in parts.items()})
    if "validation" in parts:
        if not parts["validation"].has_counts:
            raise ValueError("The validation images need `counts`; pass None for none.")
        empty = np.flatnonzero(~parts["validation"].annotated)
        if empty.size:
            raise ValueError(
                f"Each validation image needs an annotation, but {empty.size:,} of "
                f"{len(parts['validation']):,} have none, such as "
                f"{parts['validation'].ids[empty[0]]!r}. Move those to the unlabeled "
                "images."
            )
