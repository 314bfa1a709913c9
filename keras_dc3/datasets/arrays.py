"""Data sets from arrays in memory."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._text import number_of
from keras_dc3._validation import (
    check_class_labels,
    check_counts,
    check_given_classes,
    check_positive_int,
    check_soft_labels,
)
from keras_dc3.annotations.names import tell_alike
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.image_set import ImageSet
from keras_dc3.data.semi_supervised import SemiSupervisedData


def from_arrays(
    images: ArrayLike,
    annotations: ArrayLike,
    *,
    ids: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    num_classes: int | None = None,
    labeled: int | float | None = None,
    unlabeled: int | float | None = None,
    validation: int | float | None = 0.2,
    seed: int = 0,
    batch_size: int = 64,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Splits annotated images into labeled, unlabeled and validation ones.

    A labeled image with several answers is trained on all of them, as a soft label,
    unless `labels="sampled"` says one. Images without annotation join the unlabeled
    ones. Where neither `labeled` nor `unlabeled` is given, they share what `validation`
    leaves of the annotated images: all of it is labeled if there are images without
    annotation; else 1 : 4, as in the paper, where 16% are labeled and 64% unlabeled,
    which a warning tells, as the answers to the unlabeled ones are not trained on.

    Args:
        images: (n, h, w, c) or (n, h, w), uint8 or floating point.
        annotations: (n, k) counts, how many annotators chose each class; or (n, k)
            floating-point soft labels with sum 1, taken as counts of weight one; or
            (n,) integer classes. A row of zeros, or class -1, is an image without
            annotation.
        ids: n different names. Default: the position in `images`, "0", "1", ...
        class_names: k names. Integer classes need them or `num_classes`.
        num_classes: k.
        labeled: int for a number, float for a fraction of the annotated images.
            Default, if `unlabeled` is not given either: all that `validation` leaves,
            where some image has no annotation; a fifth of it, where all have one.
        unlabeled: likewise; None for none. Default: see above.
        validation: likewise.
        seed: of the split, the labels, and the batches.
        batch_size: labeled images per training batch.
        **kwargs: `labels`, `split`, `stratify` and `groups` of
            `SemiSupervisedData.from_image_set`, and further arguments of
            `SemiSupervisedData`.

    Raises:
        ValueError, TypeError: if something does not fit.

    Example:

    >>> images = np.zeros((20, 8, 8, 3), "uint8")
    >>> counts = np.tile([[3, 1], [0, 4]], (10, 1))  # how many people chose which class
    >>> data = keras_dc3.datasets.from_arrays(
    ...     images, counts, labeled=8, unlabeled=8, validation=4
    ... )
    >>> len(data.labeled), len(data.unlabeled), len(data.validation)
    (8, 8, 4)
    """
    images = np.asarray(images)
    names = checked_class_names(class_names, num_classes)
    ids = [str(i) for i in range(len(images))] if ids is None else ids
    counts = as_counts("annotations", annotations, names and len(names))
    return split_annotated(
        ImageSet(images, ids, counts, names),
        labeled,
        unlabeled,
        validation,
        seed=seed,
        batch_size=batch_size,
        **kwargs,
    )


def from_parts(
    labeled_images: ArrayLike,
    labels: ArrayLike,
    unlabeled_images: ArrayLike | None = None,
    validation: tuple[ArrayLike, ArrayLike] | None = None,
    *,
    class_names: Sequence[str] | None = None,
    num_classes: int | None = None,
    labeled_ids: Sequence[str] | None = None,
    unlabeled_ids: Sequence[str] | None = None,
    validation_ids: Sequence[str] | None = None,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Puts together parts that are already there.

    Args:
        labeled_images: (n_l, h, w, c) or (n_l, h, w), uint8 or floating point.
        labels: classes (n_l,), int in 0..k - 1; or soft labels (n_l, k).
        unlabeled_images: likewise; None for supervised training.
        validation: (images, annotations); these as for `from_arrays`, of each image.
        class_names: k names.
        num_classes: k; needed if neither names nor an (m, k) validation tell.
        labeled_ids: different names. Default: part and position, such as "labeled_17".
        unlabeled_ids: likewise.
        validation_ids: likewise.
        **kwargs: further arguments of `SemiSupervisedData`.

    Raises:
        ValueError, TypeError: if something does not fit.

    Example:

    >>> pixels = np.random.default_rng(0)
    >>> images = pixels.integers(0, 256, (12, 8, 8, 3)).astype("uint8")
    >>> data = keras_dc3.datasets.from_parts(
    ...     images[:4],
    ...     [0, 1, 0, 1],
    ...     images[4:8],
    ...     validation=(images[8:], [0, 1, 1, 0]),
    ...     class_names=["cod", "eel"],
    ... )
    >>> len(data.labeled), len(data.unlabeled), len(data.validation)
    (4, 4, 4)
    """
    names = checked_class_names(class_names, num_classes)
    if validation is not None:
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise ValueError(
                "`validation` must be a pair (images, annotations). Received: "
                f"{type(validation).__name__}"
            )
        annotations = np.asarray(validation[1])
        if names is None and annotations.ndim == 2:
            names = checked_class_names(None, annotations.shape[1])
    if names is None:
        raise ValueError(_UNKNOWN_CLASSES)

    def part(name, images, ids, counts=None):
        images = np.asarray(images)
        default = [f"{name}_{i}" for i in range(len(images))]
        return ImageSet(images, default if ids is None else ids, counts, names)

    data = SemiSupervisedData(
        part("labeled", labeled_images, labeled_ids),
        labels,
        None
        if unlabeled_images is None
        else part("unlabeled", unlabeled_images, unlabeled_ids),
        None
        if validation is None
        else part(
            "validation",
            validation[0],
            validation_ids,
            as_counts("validation annotations", annotations, len(names)),
        ),
        **kwargs,
    )
    if validation is not None:
        _tell_of_trained_on(labeled_images, validation[0])
    return data


def _tell_of_trained_on(labeled: ArrayLike, validation: ArrayLike) -> None:
    """Warns where most validation images are labeled ones, pixel by pixel.

    Images of one value throughout do not count: they may all be alike.
    """
    known, held_out = (
        [hash(image.tobytes()) for image in np.asarray(images) if np.ptp(image)]
        for images in (labeled, validation)
    )
    known = set(known)
    same = sum(image in known for image in held_out)
    if 2 * same > len(held_out):
        warnings.warn(
            f"{same:,} of the {number_of(len(held_out), 'validation image')} are "
            "labeled images, too: scores and the verdict say how well these were "
            "learned by heart. Validate on images that are not trained on.",
            stacklevel=3,
        )


def split_annotated(
    images: AnnotatedImages,
    labeled: int | float | None,
    unlabeled: int | float | None,
    validation: int | float | None,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Returns the data set of images that are split at random, as `from_arrays` says.

    Args:
        images: a set with counts.
        labeled, unlabeled, validation: as for `from_arrays`.
        **kwargs: of `SemiSupervisedData.from_image_set`.
    """
    given = any(v is not None for v in (labeled, unlabeled, kwargs.get("split")))
    labeled, unlabeled = _sizes(images.annotated, labeled, unlabeled, validation)
    data = SemiSupervisedData.from_image_set(
        images, labeled, unlabeled, validation, **kwargs
    )
    if not given and unlabeled is not None:
        _tell_left_out(data, len(images), round(labeled + unlabeled, 12))
    return data


def _tell_left_out(data: SemiSupervisedData, number: int, rest: int | float) -> None:
    """Warns of answers that are not trained on, though nobody has asked for that.

    Args:
        data: the data set.
        number: of images, all of which have answers.
        rest: what `labeled` is to be, to train on all of them.
    """
    warnings.warn(
        f"All {number:,} images have answers: {len(data.labeled):,} of them are "
        f"labeled, the answers of {len(data.unlabeled):,} are not trained on, as in "
        f"the paper. `labeled={rest}` takes them all (no image is unlabeled then, as "
        '`ssl="supervised"` needs none); other numbers for `labeled` and `unlabeled` '
        "take more or fewer.",
        stacklevel=4,
    )


def _sizes(
    annotated: np.ndarray,
    labeled: int | float | None,
    unlabeled: int | float | None,
    validation: int | float | None,
) -> tuple[int | float | None, int | float | None]:
    """Returns the sizes of the labeled and the unlabeled part, where none are given.

    They share what `validation` leaves. Where that is nothing, or `validation` is no
    size, the split itself says so.
    """
    if labeled is not None or unlabeled is not None:
        return labeled, unlabeled
    hides = bool(annotated.all())
    whole = isinstance(validation, int | np.integer)
    number = isinstance(validation, float | np.floating) or whole
    if not number or isinstance(validation, bool):
        validation, whole = 0.0, False
    if not whole:
        rest = 1 - float(validation)
        if not 0 < rest <= 1:
            rest = 0.8
        shares = (_LABELED * rest, (1 - _LABELED) * rest) if hides else (rest, None)
        return tuple(share and round(share, 12) for share in shares)
    rest = max(int(annotated.sum()) - int(validation), 1)
    if not hides:
        return rest, None
    first = max(round(_LABELED * rest), 1)
    return first, rest - first or None


_LABELED = 0.2  # of what is not for validation, where all are annotated


def as_counts(name: str, annotations: ArrayLike, num_classes: int | None) -> np.ndarray:
    """Returns counts (n, k) of annotations in any form that `from_arrays` takes."""
    masked = np.ma.isMaskedArray(annotations)
    if not masked:
        with contextlib.suppress(ValueError):  # rows of several lengths
            annotations = np.asarray(annotations)
    if getattr(annotations, "ndim", 2) == 1 and not masked:
        return _one_hot(name, annotations, num_classes)
    counts = check_counts(name, annotations)
    if counts.dtype.kind == "f":
        if (counts == np.round(counts)).all():
            _tell_percentages(name, counts)
            return counts.astype("int64")
        check_soft_labels(name, counts[counts.sum(axis=1) > 0])
    return counts


def _tell_percentages(name: str, counts: np.ndarray) -> None:
    """Warns of counts, written as fractions, that are probably percentages."""
    sums = counts.sum(axis=1)
    if (sums == 100).any() and np.isin(sums, (0, 100)).all():
        warnings.warn(
            f"`{name}` are whole numbers of sum 100 for each image, and are taken as "
            "the answers of 100 people. If they are percentages, divide them by 100.",
            stacklevel=4,
        )


_MOST_CLASSES = 100_000
_UNKNOWN_CLASSES = (
    "The number of classes is not known: integer labels alone do not tell it, as a "
    "class may be missing. Pass `num_classes` or `class_names`."
)


def _one_hot(name: str, classes: np.ndarray, num_classes: int | None) -> np.ndarray:
    if classes.dtype.kind not in "iu":
        raise ValueError(
            f"`{name}` of rank 1 must be integer classes, -1 for none. Received dtype "
            f"{classes.dtype}; map names to numbers first."
        )
    if num_classes is None:
        raise ValueError(_UNKNOWN_CLASSES)
    classes = classes.astype("int64")
    known = classes != -1
    check_class_labels(name, np.where(known, classes, 0), num_classes)
    counts = np.zeros((len(classes), num_classes), "int64")
    counts[known, classes[known]] = 1
    return counts


def checked_class_names(
    names: Sequence[str] | None, num_classes: int | None
) -> tuple[str, ...] | None:
    """Returns k names; None where neither names nor `num_classes` are given.

    Raises:
        TypeError, ValueError: if they do not fit together.
    """
    if names is not None:
        names = check_given_classes("class_names", names)
        tell_alike(names, stacklevel=3)
    if num_classes is not None:
        check_positive_int("num_classes", num_classes, least=2)
        if num_classes > _MOST_CLASSES:
            raise ValueError(
                f"`num_classes` must be at most {_MOST_CLASSES:,}. Received: "
                f"{num_classes:,}; is it an id?"
            )
        if names is not None and len(names) != num_classes:
            raise ValueError(
                f"`num_classes` is {num_classes}, but there are {len(names)} "
                "`class_names`. Pass one of them."
            )
    if names is not None:
        return names
    return None if num_classes is None else tuple(map(str, range(num_classes)))
