"""A backbone that nothing trains any more, from images to features."""

from __future__ import annotations

import hashlib
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3._registration import deserialized, model_config, register, settings
from keras_dc3.backbones.probe import has_rescaling, scales_by_itself

_BYTES = (0.0, 255.0)


@register
class FrozenBackbone(keras.Model):
    """From images, in the numbers of a data set, to features (n, d) in float32.

        backbone(images / divisor + offset), averaged over h and w where these are left

    Nothing in it is trained, and what is drawn at random in training is off. `of` makes
    one for the images of a data set.

    Args:
        backbone: a Keras model or layer from images to (n, d) or (n, h, w, d).
        image_shape: (h, w, c) of the images.
        divisor: of the numbers of the images.
        offset: added to these.
        value_range: (low, high) of the images, where they are in floating point; None:
            they are integers of 0..255.
        **kwargs: `name` and `dtype`, as for every Keras model.

    Call arguments:
        images: (n, h, w, c), of the numbers of the data set.

    Example:

    >>> layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3)]
    >>> frozen = keras_dc3.backbones.FrozenBackbone(keras.Sequential(layers), (8, 8, 3))
    >>> tuple(frozen(np.zeros((2, 8, 8, 3), "uint8")).shape)
    (2, 4)
    """

    def __init__(
        self,
        backbone: keras.layers.Layer,
        image_shape: tuple[int, int, int],
        divisor: float = 1.0,
        offset: float = 0.0,
        value_range: tuple[float, float] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**{"name": f"frozen_{backbone.name}", **kwargs})
        self.backbone = backbone
        self.image_shape = tuple(image_shape)
        self.divisor, self.offset = float(divisor), float(offset)
        self.value_range = None if value_range is None else tuple(value_range)
        self.trainable = False

    @classmethod
    def of(cls, backbone: keras.layers.Layer, images: Any) -> FrozenBackbone:
        """Returns one that scales the images of a set as `DC3Model` does.

        Integers are brought to -1..1 unless the backbone scales 0..255 itself;
        floating-point images are handed on as they are, or as 0..255 to a backbone that
        says that it takes these (`image_range`).

        Args:
            backbone: a Keras model or layer; it stays as it is, and is not trained.
            images: a set of images.

        Raises:
            ValueError: if the backbone cannot take the images, or their range is not
                known to it.
        """
        shape = tuple(images.image_shape)
        is_integer = np.dtype(images.dtype).kind in "iu"
        given = _BYTES if is_integer else tuple(images.value_range)
        frozen = cls(backbone, shape, value_range=None if is_integer else given)
        frozen.num_features()  # builds it
        if tuple(getattr(backbone, "image_range", ())) == _BYTES:
            frozen._map(given)
        elif is_integer:
            scales = scales_by_itself(backbone, shape, frozen.compute_dtype)
            if not (has_rescaling(backbone) if scales is None else scales):
                frozen.divisor, frozen.offset = 127.5, -1.0
        return frozen

    def _map(self, given: tuple[float, float]) -> None:
        """Maps images of a range to 0..255."""
        if given not in (_BYTES, (0.0, 1.0), (-1.0, 1.0)):
            raise ValueError(
                f"The backbone {self.backbone.name!r} takes images of 0 to 255, but "
                f"these are floats of {given[0]:.4g} to {given[1]:.4g}, and how they "
                "become such is not known: pass uint8, or floats of 0 to 1."
            )
        low, high = given
        self.divisor = (high - low) / 255.0
        self.offset = -low / self.divisor

    def in_words(self) -> str:
        """Returns what numbers of its images the backbone gets, for people."""
        low, high = self.value_range or _BYTES
        ends = [end / self.divisor + self.offset for end in (low, high)]
        return (
            f"images of {low:.4g} to {high:.4g} as numbers of {ends[0]:.4g} to "
            f"{ends[1]:.4g}"
        )

    def num_features(self) -> int:
        """Returns d, how many features an image has.

        Raises:
            ValueError: if the backbone cannot take the images.
        """
        images = keras.KerasTensor((None, *self.image_shape), "float32")
        try:
            shape = tuple(self(images).shape)
        except Exception as error:
            raise ValueError(
                f"The backbone {self.backbone.name!r} cannot take images of shape "
                f"{self.image_shape}: {str(error).strip().splitlines()[0]}"
            ) from error
        if len(shape) != 2:
            raise ValueError(
                f"The backbone {self.backbone.name!r} must return features of shape "
                f"(n, d) or (n, h, w, d), but returned {shape}."
            )
        return int(shape[1])

    def call(self, images: Any) -> Any:
        images = ops.cast(images, "float32") / self.divisor + self.offset
        images = ops.cast(images, self.compute_dtype)
        features = self.backbone(images, training=False)
        if len(features.shape) == 4:
            features = ops.mean(features, axis=(1, 2))
        return ops.cast(features, "float32")

    def digest(self) -> str:
        """Returns what tells the weights from others, whatever layers are called."""
        content = hashlib.sha256()
        for weight in self.backbone.weights:
            value = np.ascontiguousarray(ops.convert_to_numpy(weight))
            content.update(f"{value.shape} {value.dtype}".encode())
            content.update(value.tobytes())
        return content.hexdigest()

    def get_config(self) -> dict[str, Any]:
        names = ("image_shape", "divisor", "offset", "value_range")
        return {**model_config(self, backbone=self.backbone), **settings(self, *names)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None):
        return cls(**deserialized(config, ("backbone", "dtype"), custom_objects))

    def get_build_config(self) -> dict[str, Any]:
        return {"image_shape": self.image_shape}

    def build_from_config(self, config: dict[str, Any]) -> None:
        self.num_features()
