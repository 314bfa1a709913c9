"""The labels that are trained on: shares of all answers to an image, or one drawn."""

from __future__ import annotations

import warnings

import numpy as np

from keras_dc3._text import number_of
from keras_dc3._ties import most_chosen
from keras_dc3._validation import check_choice
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.parts import check_drawn_classes

SOFT, SAMPLED = "soft", "sampled"
_MOST_CELLS = 2**28  # of soft labels: 1 GiB, what a graph of TensorFlow still holds


def training_labels(
    images: AnnotatedImages, kind: str | None, seed: int, annotated: int
) -> np.ndarray:
    """Returns what labeled images are trained on: (n, k) float32, or (n,) int64.

    Args:
        images: the labeled ones, with counts.
        kind: "soft", "sampled", or None: see `SemiSupervisedData.from_image_set`.
        seed: of what is drawn.
        annotated: how many images the labeled ones were chosen from.

    Raises:
        TypeError, ValueError: for another `kind`, an image without an answer, answers
            of one class, or more soft labels than memory should hold.
    """
    if kind is not None and not isinstance(kind, str):
        raise TypeError(
            '`labels` says how answers become labels: "soft", "sampled" or None. '
            f"Received: {type(kind).__name__}; the answers themselves are "
            "`annotations`, or use `keras_dc3.data.SemiSupervisedData(images, labels)`."
        )
    check_choice("labels", kind, (None, SOFT, SAMPLED))
    is_default = kind is None
    if is_default:
        kind = SAMPLED if images.cannot_disagree else SOFT
    if kind == SOFT and len(images) * images.num_classes > _MOST_CELLS:
        told = (
            f"Soft labels of {number_of(len(images), 'image')} and "
            f"{images.num_classes:,} classes would take "
            f"{len(images) * images.num_classes * 4 / 2**30:.1f} GiB of memory"
        )
        if not is_default:
            raise ValueError(f'{told}. Pass `labels="sampled"`, or fewer `labeled`.')
        warnings.warn(
            f"{told}: each image is trained on one of its answers, drawn, instead, as "
            'by `labels="sampled"`. Label fewer images for soft labels.',
            stacklevel=3,
        )
        kind = SAMPLED
    if kind == SAMPLED:
        labels = images.sample_hard_labels(seed)
        check_drawn_classes(labels, images.class_names, annotated)
        return labels
    if images.unannotated:
        raise ValueError(
            "A labeled image needs an answer, but nobody annotated "
            f"{len(images.unannotated):,} of {len(images):,}: the first is "
            f"{images.unannotated[0]!r}. Leave those images unlabeled."
        )
    labels = images.soft_labels
    used = np.flatnonzero(labels.any(axis=0))
    check_drawn_classes(np.repeat(used, len(labels)), images.class_names, annotated)
    top = np.flatnonzero(most_chosen(labels).any(axis=0))
    if len(top) == 1:
        warnings.warn(
            f"{images.class_names[top[0]]!r} is the most frequent answer to each of "
            f"the {len(labels):,} labeled images, so that a model of them will hardly "
            "propose another class. Label images of other classes.",
            stacklevel=3,
        )
    return labels


def classes_without_label(labels: np.ndarray, num_classes: int) -> list[int]:
    """Returns the numbers of the classes of which labels teach nothing, in order.

    Args:
        labels: classes (n,) or (n, 1), or soft labels (n, k).
        num_classes: k.
    """
    if labels.ndim == 2 and labels.shape[1] > 1:
        used = (labels > 0).any(axis=0)
    else:
        used = np.bincount(labels.ravel().astype("int64"), minlength=num_classes) > 0
    return np.flatnonzero(~used).tolist()


def kind_in_words(labels: np.ndarray, labeled: AnnotatedImages) -> str:
    """Returns such as "soft labels"; nothing where there is but one answer to use."""
    if labels.ndim == 2:
        return "soft labels"
    return "one of several answers each" if _several(labeled) else ""


def told_labels(labels: np.ndarray, labeled: AnnotatedImages) -> str:
    """Returns in a sentence what the labeled images are trained on.

    Args:
        labels: classes (n,), or soft labels (n, k).
        labeled: the images.
    """
    if labels.ndim == 1:
        told = "Trained on: one class of each labeled image"
        if not (several := _several(labeled)):
            return f"{told}."
        return (
            f'{told}, although {several:,} have several answers; `labels="soft"` takes '
            "all of them."
        )
    told = "Trained on: soft labels, "
    counted = labeled.has_counts and labeled.annotated.all()
    if not counted or not np.allclose(labels, labeled.soft_labels, atol=1e-4):
        return f"{told}as they were given."
    counts = labeled.annotations_per_image
    told += "the share of each class among the answers to an image"
    low, high = float(counts.min()), float(counts.max())
    if low == high:
        return f"{told}."
    return (
        f"{told}, whether these are {low:g} or {high:g}: more answers make it no "
        "heavier."
    )


def _several(labeled: AnnotatedImages) -> int:
    """Returns how many images have more than one answer."""
    if not labeled.has_counts:
        return 0
    return int(((labeled.annotations_per_image > 1) | labeled.ambiguous).sum())
