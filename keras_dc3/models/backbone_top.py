"""A backbone must end in features, not in class probabilities."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

_IMAGES = 4


def _top(layer: Any) -> Any:
    """Returns the operation that makes the output of a functional model, else None."""
    outputs = getattr(layer, "outputs", None)
    if not outputs or len(outputs) != 1:
        return None
    operation = outputs[0]._keras_history.operation
    return _top(operation) or operation


def _is_distribution(backbone: Any, image_shape: tuple[int, ...]) -> bool:
    """Whether features are at least 0 and sum to 1 for each of some random images."""
    generator = np.random.default_rng(0)
    images = generator.uniform(-1.0, 1.0, (_IMAGES, *image_shape)).astype("float32")
    features = ops.convert_to_numpy(ops.cast(backbone(images), "float32"))
    if features.ndim != 2 or features.shape[1] < 2:
        return False
    sums = features.sum(axis=1)
    return bool((features >= 0).all() and np.abs(sums - 1.0).max() < 1e-3)


def check_backbone_top(backbone: keras.layers.Layer, image_shape: tuple) -> None:
    """Raises ValueError where the features of a backbone are a softmax.

    Args:
        backbone: a built layer or model from images to features.
        image_shape: (h, w, c).
    """
    top = _top(backbone)
    if top is None:
        # A layer or subclassed model does not say what it ends in.
        softmax = None not in image_shape and _is_distribution(backbone, image_shape)
    else:
        activation = getattr(top, "activation", None)
        softmax = activation is keras.activations.softmax
        softmax |= type(top).__name__ == "Softmax"
    if softmax:
        raise ValueError(
            f"The backbone {backbone.name!r} ends in a softmax: its features would be "
            "class probabilities, from which the heads learn next to nothing. Leave "
            "its last layer out, for example with `include_top=False`; the model has "
            "a class head of its own."
        )
