"""Images without labels, to predict for."""

from __future__ import annotations

import math
from typing import Any

import keras

from keras_dc3.models.batch_checks import is_training_batch


def is_stream(x: Any) -> bool:
    """Whether images come in batches, and are not at hand all at once."""
    return isinstance(x, keras.utils.PyDataset) or (
        hasattr(x, "__iter__")
        and not hasattr(x, "shape")
        and not isinstance(x, list | tuple | str | bytes | set)
    )


def to_predict(
    x: Any, batch_size: int | None, steps: int | None
) -> tuple[Any, int | None, int | None]:
    """Returns images, batch size and steps as Keras takes them to predict.

    Args:
        x, batch_size, steps: as for `DC3Model.predict`.

    Raises:
        ValueError: for a dict.
    """
    if hasattr(x, "image_batches"):  # a part of a data set
        size = batch_size or 32
        number = math.ceil(len(x.ids) / size)
        batches = ((images,) for images in x.image_batches(size))
        return batches, None, number if steps is None else min(steps, number)
    if is_training_batch(x):
        raise ValueError(
            "Images must be an array or tensor of shape (n, height, width, "
            f"channels). Received: a dict with {sorted(map(str, x))}; pass one of "
            "its values."
        )
    return x, batch_size, steps
