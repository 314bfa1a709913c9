"""Whether a backbone scales its images itself, told by what it does to numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

_LAYERS_THAT_SCALE = (keras.layers.Rescaling, keras.layers.Normalization)
# Height and width to try a backbone with that takes any.
_ANY_SIZE = 64


def has_rescaling(layer: keras.layers.Layer) -> bool:
    """Whether a Rescaling or Normalization layer stands anywhere in `layer`."""
    return any(
        isinstance(part, _LAYERS_THAT_SCALE)
        for part in layer._flatten_layers(include_self=True, recursive=True)
    )


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
    arguments = {"training": False} if backbone._call_has_training_arg else {}
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
        for layer in backbone._flatten_layers(include_self=True, recursive=True)
        if layer.weights and not layer._layers
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
