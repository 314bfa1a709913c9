"""Images that show what values a network meets, for a model of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3.models.given_images import check_given
from keras_dc3.models.image_values import BYTES, UNIT

_MOST = 500  # of them; ranges change little with more


def representative_images(model: Any, given: Any) -> np.ndarray:
    """Returns uint8 (n, h, w, c), at most 500 images, spread evenly over all.

    Args:
        model: the `DC3Model` that takes images of 0 to 255.
        given: an array of images, a part of a data set, or a data set, of which the
            unlabeled images are taken, or the labeled ones where there are none.

    Raises:
        ValueError: if there are none, or they are no images as the model takes them.
    """
    if given is None:
        raise ValueError(
            "For `quantize='int8'` pass `representative=`, some hundred images like "
            "those that the model will see: an array, or a data set."
        )
    if hasattr(given, "parts") and hasattr(given, "unlabeled"):
        given = given.labeled if given.unlabeled is None else given.unlabeled
    if hasattr(given, "read") and hasattr(given, "image_shape"):
        images = given.read(_spread(len(given)))
    elif hasattr(given, "shape"):
        shape = tuple(given.shape)
        images = np.asarray(given)[_spread(shape[0])] if len(shape) > 1 else given
    else:
        raise ValueError(
            "`representative` must be an array of images (n, height, width, channels), "
            f"or a data set. Received: a {type(given).__name__}"
        )
    try:
        images = np.asarray(check_given(images, model))
    except ValueError as error:
        raise ValueError(f"`representative`: {error}") from error
    if not len(images):
        raise ValueError("`representative` holds no image; pass some hundred.")
    return _as_bytes(images, model)


def _spread(number: int) -> np.ndarray:
    return np.unique(np.linspace(0, number - 1, _MOST).round().astype("int64"))[:number]


def _as_bytes(images: np.ndarray, model: Any) -> np.ndarray:
    """Returns images, scaled as in training or integers, as uint8."""
    if images.dtype.kind == "f":
        values = model.image_values
        given = BYTES if values is None else values.range
        if given != BYTES:
            shift = 0.0 if given == UNIT else 1.0
            images = (images + shift) * (255.0 / (1.0 + shift))
        images = images.round()
    return images.clip(0, 255).astype("uint8")
