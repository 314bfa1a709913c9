"""How a network wants the numbers of its images: what became of 0..255 in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from keras_dc3._registration import suggest
from keras_dc3._validation import is_number

Numbers = float | Sequence[float]

# The images of ImageNet in 0..1: mean and standard deviation of red, green and blue.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _numbers(name: str, given: Any) -> float | list[float]:
    values = [given] if is_number(given) else list(given)
    if not all(map(is_number, values)) or len(values) not in (1, 3):
        raise ValueError(
            f"`{name}` must be a number, or three, one for each channel. Received: "
            f"{name}={given!r}"
        )
    values = [float(value) for value in values]
    return values if len(values) == 3 else values[0]


@dataclass(frozen=True)
class Scaling:
    """From images of 0..255, RGB, to the numbers that a network was trained on.

        scaled = scale * image + offset

    Args:
        scale: one number, or one for each channel of the result.
        offset: likewise.
        bgr: whether the channels are turned round first, to blue, green, red.

    Example:

    >>> symmetric = keras_dc3.backbones.Scaling(1 / 127.5, -1.0)
    >>> symmetric(np.float32([0, 255])).tolist()
    [-1.0, 1.0]
    """

    scale: Numbers = 1.0
    offset: Numbers = 0.0
    bgr: bool = False

    def __post_init__(self) -> None:
        for name in ("scale", "offset"):
            object.__setattr__(self, name, _numbers(name, getattr(self, name)))
        object.__setattr__(self, "bgr", bool(self.bgr))

    def __call__(self, images: Any) -> Any:
        """Returns floating-point images (n, h, w, 3) as the network wants them."""
        if self.bgr:
            images = ops.flip(images, axis=-1)
        if self.scale != 1.0:
            images = images * _like(self.scale, images)
        if self.offset != 0.0:
            images = images + _like(self.offset, images)
        return images

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments, as plain values."""
        return {"scale": self.scale, "offset": self.offset, "bgr": self.bgr}


SCALINGS = {
    "none": Scaling(),
    "unit": Scaling(1 / 255),
    "tf": Scaling(1 / 127.5, -1.0),
    "torch": Scaling(
        [1 / (255 * deviation) for deviation in _DEVIATION],
        [-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)],
    ),
    "caffe": Scaling(1.0, [-103.939, -116.779, -123.68], bgr=True),
}


def get_scaling(identifier: Any) -> Scaling:
    """Returns the `Scaling` that a name or a `Scaling` means.

    Args:
        identifier: a `Scaling`, or a word: `"none"` for a network that takes 0..255 and
            scales inside, `"unit"` for 0..1, and what Keras calls the modes of its
            `preprocess_input`: `"tf"` for -1..1, `"torch"` for 0..1 standardized by the
            mean and deviation of ImageNet, `"caffe"` for blue, green, red with their
            mean in ImageNet subtracted.

    Raises:
        ValueError: for another word. TypeError: for anything else.

    Example:

    >>> keras_dc3.backbones.get_scaling("tf").offset
    -1.0
    """
    if isinstance(identifier, Scaling):
        return identifier
    if not isinstance(identifier, str):
        raise TypeError(
            f"`scaling` must be one of {list(SCALINGS)}, or a "
            "`keras_dc3.backbones.Scaling`. Received: "
            f"scaling={identifier!r}"
        )
    if identifier not in SCALINGS:
        raise ValueError(
            f"Unknown scaling {identifier!r}.{suggest(identifier, list(SCALINGS))} "
            f"Known: {', '.join(SCALINGS)}; or pass a `keras_dc3.backbones.Scaling`."
        )
    return SCALINGS[identifier]


def _like(numbers: float | list[float], images: Any) -> Any:
    if isinstance(numbers, float):
        return numbers
    return ops.convert_to_tensor(numbers, keras.backend.standardize_dtype(images.dtype))
