"""A network that was trained elsewhere, as a backbone for images as we have them."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3 import _keras
from keras_dc3._registration import deserialized, model_config, register
from keras_dc3._validation import check_choice, check_positive_int
from keras_dc3.backbones.freezing import frozen_layers, restore_frozen
from keras_dc3.backbones.reduction import TOKENS, reduced
from keras_dc3.backbones.scaling import Scaling, get_scaling

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


@register
class Backbone(keras.Model):
    """From images of 0..255 to features (n, d), by a network trained elsewhere.

    It gives images the size and the scale that the network was trained on, gray ones
    three equal channels, and makes one row of features of what the network answers.
    All of it is part of the model, and saved and exported with it. `pretrained` makes
    one by name, and `from_model` one of your own network.

    A network of which nothing is trained runs as in inference: what is drawn at random
    in training, such as dropout, is off.

    Args:
        network: a Keras model or layer from scaled images (n, h, w, 3), or from a dict
            with them alone, to what `output` and `tokens` make features of.
        scaling: what the network wants 0..255 to be: see `get_scaling`.
        image_size: (height, width) that images are resized to; None: they stay as they
            are. Where they become smaller, they are smoothed.
        output: which entry of a dict that the network returns; None: see `reduced`.
        tokens: what becomes of tokens (n, t, d): `"first"`, `"mean"`, or None where
            there are none.
        interpolation: of resizing, as for `keras.layers.Resizing`.
        blocks: a regular expression that the names of a block's layers have in common;
            see `set_trainable`. None: each layer with weights is one.
        **kwargs: `name` and `dtype`, as for every Keras model.

    Attributes:
        image_range: (0, 255), the range of the images that it takes. A `DC3Model` maps
            what it was trained on to it.

    Call arguments:
        images: (n, h, w, 1) or (n, h, w, 3), of 0..255.

    Example:

    >>> layers = [keras.layers.Conv2D(4, 3), keras.layers.Conv2D(8, 3)]
    >>> network = keras.Sequential([keras.Input((16, 16, 3)), *layers])
    >>> backbone = keras_dc3.backbones.Backbone(network, "unit", image_size=(16, 16))
    >>> tuple(backbone(np.zeros((2, 20, 20, 1), "uint8")).shape)
    (2, 8)
    """

    image_range = (0.0, 255.0)

    def __init__(
        self,
        network: keras.layers.Layer,
        scaling: str | Scaling = "none",
        image_size: tuple[int, int] | None = None,
        output: str | None = None,
        tokens: str | None = None,
        interpolation: str = "bilinear",
        blocks: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**{"name": network.name, **kwargs})
        check_choice("tokens", tokens, (None, *TOKENS))
        check_choice("interpolation", interpolation, INTERPOLATIONS)
        self.network = network
        self.scaling = get_scaling(scaling)
        self.image_size = None if image_size is None else check_size(image_size)
        self.features_from = (output, tokens)
        self.interpolation = interpolation
        self.blocks = blocks

    def call(self, images: Any, training: bool | None = None) -> Any:
        images = self._resized(self._with_three_channels(ops.cast(images, "float32")))
        images = self.scaling(images)
        if (key := _key_of_images(self.network)) is not None:
            images = {key: images}
        arguments = {}
        if _keras.takes_training(self.network):
            is_frozen = self.network.built and not self.network.trainable_weights
            arguments["training"] = False if is_frozen else training
        outputs = self.network(images, **arguments)
        return reduced(outputs, *self.features_from, self.network.name)

    def _with_three_channels(self, images: Any) -> Any:
        channels = images.shape[-1]
        if channels == 3:
            return images
        if channels == 1:
            return ops.concatenate([images] * 3, axis=-1)
        raise ValueError(
            f"The backbone {self.name!r} takes images of 1 or 3 channels, not of "
            f"{channels}."
        )

    def _resized(self, images: Any) -> Any:
        given = tuple(images.shape[1:3])
        if self.image_size is None or given == self.image_size:
            return images
        pairs = zip(given, self.image_size, strict=True)
        return ops.image.resize(
            images,
            self.image_size,
            interpolation=self.interpolation,
            antialias=any(side is None or side > wanted for side, wanted in pairs),
            data_format="channels_last",
        )

    def get_config(self) -> dict[str, Any]:
        output, tokens = self.features_from
        return {
            **model_config(self, network=self.network),
            "scaling": self.scaling.get_config(),
            "image_size": self.image_size,
            "output": output,
            "tokens": tokens,
            "interpolation": self.interpolation,
            "blocks": self.blocks,
            "frozen": frozen_layers(self),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None):
        config = deserialized(config, ("network", "dtype"), custom_objects)
        frozen = config.pop("frozen", [])
        config["scaling"] = Scaling(**config["scaling"])
        backbone = cls(**config)
        restore_frozen(backbone, frozen)
        return backbone


def check_size(size: Any) -> tuple[int, int]:
    """Returns `image_size`, one number or two, as (height, width).

    Raises:
        ValueError: for anything else.
    """
    sides = size if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2:
        raise ValueError(
            "`image_size` must be a number of pixels, or (height, width). Received: "
            f"image_size={size!r}"
        )
    for side in sides:
        check_positive_int("image_size", side)
    return int(sides[0]), int(sides[1])


def _key_of_images(network: Any) -> str | None:
    """Returns the key of a network that takes a dict, as some of KerasHub do."""
    try:
        inputs = network.input
    except AttributeError:  # it is not functional
        return None
    return next(iter(inputs)) if isinstance(inputs, dict) else None
