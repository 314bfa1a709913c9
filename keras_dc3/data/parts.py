"""Checks that the parts of a data set fit together. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3._validation import check_class_labels, check_soft_labels
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
    """Returns classes (n_l,) int32 or soft labels (n_l, k) float32 of `labeled`.

    Raises:
        ValueError: unless they are of these images and classes.
    """
    if not len(labeled):
        raise ValueError("There is no labeled image; at least two classes need one.")
    labels = np.asarray(labels)
    soft = labels.ndim == 2
    if labels.dtype.kind not in ("fiu" if soft else "iu") or labels.ndim not in (1, 2):
        raise ValueError(
            "`labels` must hold one class number per labeled image, shape (images,), "
            "or one distribution over the classes, shape (images, classes). Received: "
            f"shape {labels.shape}, dtype {labels.dtype}"
        )
    if len(labels) != len(labeled):
        raise ValueError(
            f"`labels` must hold one label per labeled image. Received: labels for "
            f"{len(labels):,}, but there are {len(labeled):,}."
        )
    if soft:
        if labels.shape[1] != len(names):
            raise ValueError(
                f"Soft `labels` must have a column for each of the {len(names)} "
                f"classes {list(names)}. Received: shape {labels.shape}"
            )
        check_soft_labels("labels", labels)
        used = np.nonzero(labels)[1]
    else:
        check_class_labels("labels", labels, len(names))
        used = labels
    check_drawn_classes(used, names, annotated=0)
    return labels.astype("float32" if soft else "int32")


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
