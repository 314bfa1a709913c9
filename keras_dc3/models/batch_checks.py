"""What goes into a model: its two forms, and checks of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3._ties import most_chosen
from keras_dc3._validation import (
    check_channels_last,
    check_class_labels,
    check_features,
    check_soft_labels,
)
from keras_dc3.models.given_features import check_shape, is_feature_shape
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies.batch import POSITIONS

_FORM = (
    'A training batch is `({"labeled": images, "unlabeled": {view: images}}, labels)`'
)


def is_training_batch(inputs: Any) -> bool:
    """Whether `inputs` is a batch for training instead of a tensor of images."""
    return isinstance(inputs, Mapping)


def check_parts(inputs: Mapping[str, Any], views: Mapping[str, str]) -> None:
    """Raises ValueError unless a training batch has every part the views ask for."""
    missing = [part for part in ("labeled", "unlabeled") if part not in inputs]
    if missing:
        raise ValueError(
            f"The training batch lacks {missing}; it has {sorted(inputs)}. {_FORM}."
        )
    unlabeled = inputs["unlabeled"]
    if not isinstance(unlabeled, Mapping):
        raise ValueError(
            '`batch["unlabeled"]` must be a dict of views, {view: images}. Received: '
            f"{type(unlabeled).__name__}. {_FORM}."
        )
    missing = [view for view in views if view not in unlabeled]
    if missing:
        raise ValueError(
            f"The training batch lacks the unlabeled views {missing}, which the "
            f"strategy asks for; it has {sorted(unlabeled)}."
        )
    shapes = {view: getattr(unlabeled[view], "shape", (None,)) for view in views}
    if POSITIONS in inputs:
        shapes[POSITIONS] = getattr(inputs[POSITIONS], "shape", (None,))
    sizes = {view: shape[0] for view, shape in shapes.items() if len(shape)}
    if len({size for size in sizes.values() if size is not None}) > 1:
        raise ValueError(
            "The unlabeled views of a batch must show the same images, so hold equally "
            f"many. Received: {sizes}."
        )


def as_distributions(labels: Any, num_classes: int) -> Any:
    """Returns labels, class numbers or not, as float32 distributions (n, k)."""
    if labels is None:
        raise ValueError("Labels are missing: pass `(inputs, labels)`.")
    if len(labels.shape) == 2 and labels.shape[1] == 1:
        labels = ops.squeeze(labels, axis=1)
    if len(labels.shape) == 1:
        return ops.one_hot(ops.cast(labels, "int32"), num_classes, dtype="float32")
    return ops.cast(labels, "float32")


def check_image_shapes(inputs: Any, expected: tuple | None) -> None:
    """Raises ValueError unless all images have rank 4 and one shape (h, w, c).

    Or unless all are features, (n, d), of one length.

    Args:
        inputs: a training batch, a tensor of images, or the element spec of either.
        expected: (h, w, c) of the images a built model takes, or (d,) of features;
            None for any.
    """
    if is_training_batch(inputs):
        parts = {"labeled": inputs["labeled"], **dict(inputs["unlabeled"])}
    else:
        parts = {"images": inputs}
    for name, images in parts.items():
        shape = getattr(images, "shape", None)
        if shape is None:
            raise ValueError(
                f"The {name!r} images must be an array or tensor. Received: "
                f"{type(images).__name__}; `np.asarray` makes one."
            )
        is_first = expected is None
        if (is_first and len(shape) == 2) or is_feature_shape(expected):
            expected = tuple(shape)[1:] if is_first else expected
            check_shape(name, shape, expected)
            continue
        if len(shape) != 4:
            hint = " Call `.batch(...)` on the dataset." if len(shape) == 3 else ""
            raise ValueError(
                f"The {name!r} images must have shape (n, height, width, channels). "
                f"Received: {tuple(shape)}.{hint}"
            )
        if tuple(shape)[1:] != expected:
            check_channels_last("given" if name == "images" else repr(name), shape)
        shape = tuple(shape)[1:]
        expected = expected or shape
        pairs = zip(shape, expected, strict=True)
        if any(None not in (a, b) and a != b for a, b in pairs):
            raise ValueError(
                f"The {name!r} images have shape {shape}, but the model takes "
                f"{tuple(expected)}: resize them."
            )


def check_images(name: str, images: Any) -> None:
    """Raises ValueError if NumPy `images` hold NaN, infinity or integers over 255."""
    if not isinstance(images, np.ndarray) or not images.size:
        return
    if images.ndim == 2:
        check_features(f"{name} features", images)
        return
    if images.dtype.kind not in "iuf":
        raise ValueError(
            f"The {name} images must be integers of 0 to 255 or floating point. "
            f"Received dtype {images.dtype}; `np.stack` makes one array of many of the "
            "same size."
        )
    if images.dtype.kind in "iu":
        if images.dtype != np.uint8 and not 0 <= images.min() <= images.max() <= 255:
            raise ValueError(
                f"Integer {name} images must hold 0 to 255. Received: "
                f"{images.min()} to {images.max()} ({images.dtype}). Scale them to "
                "uint8, or pass floating-point images."
            )
    else:
        finite = np.isfinite(images).reshape(len(images), -1).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"The {name} images hold NaN or infinity in {int((~finite).sum())} of "
                f"{len(images)} images, first at position {int(np.argmin(finite))}. "
                "Remove or repair them."
            )


def check_image_types(inputs: Mapping[str, Any]) -> None:
    """Raises ValueError if some images of a batch are integers, and others are not."""
    parts = {"labeled": inputs["labeled"], **inputs["unlabeled"]}
    types = {
        name: keras.backend.standardize_dtype(images.dtype)
        for name, images in parts.items()
        if hasattr(images, "dtype")
    }
    if len({"int" in name for name in types.values()}) > 1:
        raise ValueError(
            "Labeled and unlabeled images must be of one kind, all integers of 0 to "
            f"255 or all floating point. Received: {types}"
        )


def check_labels(labels: Any, num_classes: int) -> None:
    """Raises ValueError unless NumPy `labels` are classes or distributions."""
    if not isinstance(labels, np.ndarray):
        return
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.size == 0:
        raise ValueError("There is no labeled image; at least one per class is needed.")
    if labels.ndim == 1:
        if labels.dtype.kind == "f":
            if not (np.isfinite(labels).all() and (labels == np.round(labels)).all()):
                raise ValueError(
                    "Labels of rank 1 must be whole class numbers. Received values "
                    f"such as {labels[:3].tolist()}"
                )
        elif labels.dtype.kind not in "iub":
            raise ValueError(
                "Labels must be class numbers or distributions over the classes. "
                f"Received dtype {labels.dtype}, such as {labels[0]!r}: map names to "
                "numbers first."
            )
        check_class_labels("labels", labels, num_classes)
        return
    check_soft_labels("labels", labels)
    if labels.shape[1] != num_classes:
        raise ValueError(
            f"Soft labels must have {num_classes} columns, one per class. "
            f"Received: labels.shape={labels.shape}"
        )


def check_lengths(inputs: Any, labels: Any) -> None:
    """Raises ValueError unless all arrays of a training set have one length."""
    if not is_training_batch(inputs):
        return
    sizes = {"labels": len(labels), "labeled": len(inputs["labeled"])}
    sizes.update((view, len(part)) for view, part in inputs["unlabeled"].items())
    if len(set(sizes.values())) > 1:
        raise ValueError(
            f"Arrays of a training set must all have one length. Received: {sizes}. "
            "For more unlabeled than labeled images use "
            "`keras_dc3.datasets.from_parts`."
        )


def check_positions(positions: Any, number: int | None = None) -> None:
    """Raises ValueError unless NumPy `positions` are whole numbers in 0..number - 1.

    Args:
        positions: (n,), which unlabeled images a batch shows.
        number: of unlabeled images; None: not known.
    """
    if not isinstance(positions, np.ndarray) or not positions.size:
        return
    low, high = positions.min(), positions.max()
    whole = positions.ndim == 1 and positions.dtype.kind in "iu"
    if not whole or low < 0 or (number is not None and high >= number):
        told = "at least 0" if number is None else f"of 0 to {number - 1:,}"
        raise ValueError(
            f"The positions of unlabeled images must be integers {told}, shape "
            f"(images,). Received: {low} to {high}, {positions.dtype}, shape "
            f"{positions.shape}"
        )


def check_more_than_one_class(labels: Any) -> None:
    """Raises ValueError if all labeled images of the training set are of one class."""
    if not isinstance(labels, np.ndarray) or len(labels) < 2:
        return
    if labels.ndim == 2 and labels.shape[1] > 1:
        classes = np.nonzero(most_chosen(labels))[1]  # an image that ties has several
    else:
        classes = labels.ravel()
    if len(np.unique(classes)) == 1:
        raise ValueError(
            f"All {len(labels)} labeled images are of class {int(classes[0])}; a "
            "classifier needs at least two classes. Label images of another class."
        )


def check_batch(
    inputs: Any, labels: Any, num_classes: int | None, whole: bool = False
) -> None:
    """Checks the values of a batch, as far as they are NumPy arrays.

    Args:
        inputs: a training batch or images.
        labels: (n,) classes or (n, k) distributions.
        num_classes: k, None if not known yet.
        whole: whether the batch is the whole training set.
    """
    if is_training_batch(inputs):
        check_images("labeled", inputs["labeled"])
        for view, images in inputs["unlabeled"].items():
            check_images(f"unlabeled {view!r}", images)
        check_image_types(inputs)
        check_positions(inputs.get(POSITIONS))
    else:
        check_images("given", inputs)
    if num_classes is not None:
        check_labels(labels, num_classes)
    if whole:
        check_lengths(inputs, labels)
        check_more_than_one_class(labels)
        return
    images = inputs["labeled"] if is_training_batch(inputs) else inputs
    arrays = isinstance(images, np.ndarray) and isinstance(labels, np.ndarray)
    if arrays and len(images) != len(labels):
        raise ValueError(
            f"A batch holds {len(images)} labeled images but {len(labels)} labels; "
            "give one each."
        )


def check_training_batch(
    inputs: Any, labels: Any, strategy: SSLStrategy, num_classes: int | None
) -> None:
    """Raises ValueError unless a batch, or its specs, has what a strategy asks for.

    Args:
        inputs: a training batch or images.
        labels: of its labeled images; None is an error.
        strategy: the strategy.
        num_classes: k, None if not known yet.
    """
    if labels is None:
        raise ValueError("Labels are missing: pass `fit(inputs, labels)`.")
    columns = labels.shape[1] if len(labels.shape) == 2 else 1
    if num_classes is not None and columns not in (1, None, num_classes):
        raise ValueError(
            f"Soft labels must have {num_classes} columns, one per class. "
            f"Received: labels.shape={tuple(labels.shape)}"
        )
    if is_training_batch(inputs):
        check_parts(inputs, strategy.views)
    elif strategy.needs_unlabeled:
        raise ValueError(
            f"The strategy `{type(strategy).__name__}` needs unlabeled "
            "images, but the training data is plain `(images, labels)`. Pass "
            '`{"labeled": images, "unlabeled": {view: images}}` with the views '
            f'{list(strategy.views)}, a data set, or use `ssl="supervised"`.'
        )
