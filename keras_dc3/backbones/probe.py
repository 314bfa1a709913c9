"""What a backbone does with images, told by trying it.

Whether it scales them itself, and whether it ends in features or in probabilities.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3 import _keras
from keras_dc3.backbones.backbone import Backbone

_LAYERS_THAT_SCALE = (keras.layers.Rescaling, keras.layers.Normalization)
# Height and width to try a backbone with that takes any.
_ANY_SIZE = 64
# Images to find out whether features are probabilities.
_IMAGES = 4


def has_rescaling(layer: keras.layers.Layer) -> bool:
    """Whether a Rescaling or Normalization layer stands anywhere in `layer`."""
    return any(isinstance(part, _LAYERS_THAT_SCALE) for part in _keras.layers_in(layer))


def numbers_can_be_read() -> bool:
    """Whether operations give numbers here: not while a graph is made."""
    try:
        ops.convert_to_numpy(ops.ones(()))
    except Exception:  # every backend has its own
        return False
    return True


def scales_by_itself(
    backbone: keras.layers.Layer, image_shape: tuple[int | None, ...], dtype: str
) -> bool | None:
    """Returns whether a built backbone takes images of 0..255, and scales them itself.

    Two unlike images go in, once as 0..255 and once as -1..1, up to the first layer
    of Keras that has weights to learn. There, images of 0..255 differ by some
    hundreds where nothing scales them, and by a few units where something does,
    be it layers, operations or a function. Where something subtracts a mean of 0..255
    without dividing, images of -1..1 can hardly be told from each other.

    Args:
        backbone: it is not changed.
        image_shape: (h, w, c).
        dtype: of the images.

    Returns:
        None where the numbers do not tell: it is fed by some other scale, cuts most
        of 0..255 off, or an own layer with weights comes first.
    """
    try:
        wide, narrow = (
            _first_inputs(backbone, images, dtype)
            for images in _two_images(image_shape)
        )
    except Exception:  # a backbone may refuse such images
        return None
    (arrived, answered), (narrow_arrived, narrow_answered) = wide, narrow
    if _cuts_off(arrived, narrow_arrived):
        return None
    scale = _difference(arrived) / 255.0
    if scale <= 1 / 16:
        return True if _difference(arrived) >= 0.05 else None
    if not 0.5 <= scale <= 1.5:
        return None
    if _hardly_differ(narrow_arrived):
        return True
    if answered is None:
        return False
    # An own layer with weights, which may scale inside.
    if _hardly_differ(narrow_answered) and not _hardly_differ(answered):
        return True
    return None


def _two_images(image_shape: tuple[int | None, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Returns a bright and a dark image, (2, h, w, c), of 0..255 and of -1..1."""
    shape = [size or _ANY_SIZE for size in image_shape]
    bright = np.random.default_rng(0).integers(200, 256, shape)
    bright.flat[0] = 255
    images = np.stack([bright, 255 - bright]).astype("float32")
    return images, images / 127.5 - 1.0


def _difference(pair: np.ndarray) -> float:
    return float(np.abs(pair[0] - pair[1]).max())


def _cuts_off(wide: np.ndarray, narrow: np.ndarray) -> bool:
    """Whether most of what images of 0..255 hold is lost, as by `clip(x, 0, 1)`.

    Only what depends on the image counts, not such as coordinates beside it.
    """
    depends = np.abs(narrow[0] - narrow[1]) > 0
    if not depends.any():
        return False
    differences = np.abs(wide[0] - wide[1])[depends]
    return float(np.median(differences)) < float(differences.max()) / 8


def _hardly_differ(pair: np.ndarray) -> bool:
    return _difference(pair) < float(np.abs(pair).max()) / 8


class _ReachedError(Exception):
    """The layer that was looked for is reached: nothing more is to compute."""

    def __init__(self, message: str = ""):
        super().__init__(message)


def _first_inputs(
    backbone: keras.layers.Layer, images: np.ndarray, dtype: str
) -> tuple[np.ndarray, np.ndarray | None]:
    """Returns what arrives at a backbone's first layer that has weights to learn.

    Besides, what that layer answers, where it is not one of Keras and thus may scale
    inside; else None. Without any such layer, the backbone's output arrives.
    """
    found: list[tuple[Any, Any]] = []
    arguments = {"training": False} if _keras.takes_training(backbone) else {}
    with _watched(backbone, found):
        try:
            output = backbone(ops.convert_to_tensor(images, dtype), **arguments)
        except Exception:
            if not found:
                raise
        else:
            if not found:
                found.append((output, None))
    arrived, answered = found[0]
    return _numbers(arrived), None if answered is None else _numbers(answered)


def _numbers(tensor: Any) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor)).astype("float64")


@contextmanager
def _watched(
    backbone: keras.layers.Layer, found: list[tuple[Any, Any]]
) -> Iterator[None]:
    """Ends a call of the backbone at the first layer that has weights to learn."""
    layers = [
        layer
        for layer in _keras.layers_in(backbone)
        if layer.weights and not _keras.has_layers(layer)
    ]
    for layer in layers:
        object.__setattr__(layer, "call", _watching(layer, found))
    try:
        yield
    finally:
        for layer in layers:
            object.__delattr__(layer, "call")


def _watching(layer: keras.layers.Layer, found: list[tuple[Any, Any]]) -> Any:
    call = layer.call
    is_of_keras = type(layer).__module__.split(".")[0] == "keras"

    def watching(images: Any, *args: Any, **kwargs: Any) -> Any:
        if is_of_keras and not isinstance(layer, _LAYERS_THAT_SCALE):
            found.append((images, None))
            raise _ReachedError
        answer = call(images, *args, **kwargs)
        if getattr(answer, "shape", None) == getattr(images, "shape", None):
            return answer  # images still
        found.append((images, answer))
        raise _ReachedError

    return watching


def check_backbone_top(backbone: keras.layers.Layer, image_shape: tuple) -> None:
    """Raises ValueError where the features of a backbone are a softmax.

    Args:
        backbone: a built layer or model from images to features.
        image_shape: (h, w, c).
    """
    if isinstance(backbone, Backbone):
        return  # it has cut a head off
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
            "its last layer out, for example with `include_top=False`, or by "
            "`keras_dc3.backbones.from_model`; the model has a class head of its own."
        )


def _top(layer: Any) -> Any:
    """Returns the operation that makes the output of a functional model, else None."""
    outputs = getattr(layer, "outputs", None)
    if not outputs or len(outputs) != 1:
        return None
    operation = _keras.operation_of(outputs[0])
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
