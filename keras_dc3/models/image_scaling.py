"""How the numbers of images become those that a backbone takes."""

from __future__ import annotations

import warnings
from typing import Any

import keras
from keras import ops, tree

from keras_dc3.backbones import Backbone
from keras_dc3.backbones.networks import OWN
from keras_dc3.backbones.probe import (
    has_rescaling,
    numbers_can_be_read,
    scales_by_itself,
)
from keras_dc3.models.image_values import BYTES, SYMMETRIC, UNIT, ImageValues


class ImageScaling:
    """Brings images to the range that a backbone takes.

    Args:
        backbone: the backbone.
        rescale: whether 0..255 are scaled to [-1, 1] before it. None: unless it scales
            them itself, which is told by what it does to numbers.

    Attributes:
        given: the `rescale` that was given.
        values: the `ImageValues` of the training images; None where these are not
            known.
    """

    def __init__(self, backbone: keras.layers.Layer, rescale: bool | None):
        self.given = rescale
        self.values: ImageValues | None = None
        self._backbone = backbone
        self._takes_any = isinstance(backbone, Backbone)  # and scales it
        self._rescale = rescale
        self._is_undecided = False
        self._built_for: tuple[tuple[int, ...], str] | None = None

    def build(self, image_shape: tuple[int, ...], dtype: str) -> None:
        """Takes (h, w, c) that the backbone is built for, and its dtype."""
        self._built_for = image_shape, dtype

    @property
    def rescale(self) -> bool:
        """Whether images of 0..255 are scaled to [-1, 1] before the backbone."""
        if self._takes_any:
            return False
        self.decide()
        if self._rescale is None:
            return not has_rescaling(self._backbone)
        return self._rescale

    def decide(self) -> None:
        """Finds out what is not decided yet, once numbers can be read."""
        if self._takes_any or self._rescale is not None or self._built_for is None:
            return
        if numbers_can_be_read():
            scales = scales_by_itself(self._backbone, *self._built_for)
            self._is_undecided = scales is None
            found = has_rescaling(self._backbone) if scales is None else scales
            self._rescale = not found

    def set_rescale(self, rescale: bool) -> None:
        """Sets what is not to be found out any more, unless a user has said it."""
        if self.given is None:
            self._rescale, self._is_undecided = rescale, False

    @property
    def takes_bytes(self) -> bool:
        """Whether it is known what integer images of 0..255 are to the backbone."""
        if self.values is None or self._takes_any:
            return True
        return self.values.takes_bytes_by(self.given)

    def __call__(self, images: Any, dtype: str) -> Any:
        """Returns images as the backbone takes them.

        Args:
            images: a tensor.
            dtype: of the result.

        Raises:
            ValueError: for images of a dtype that the model cannot take.
        """
        given = keras.backend.standardize_dtype(images.dtype)
        is_integer = "int" in given
        if not is_integer and not keras.backend.is_float_dtype(given):
            raise ValueError(
                "Images must be integers of 0 to 255 or floating point. Received dtype "
                f"{given}: cast them, such as to uint8."
            )
        if self._takes_any and not is_integer:
            images = self._as_bytes(images)
        scaled_to = self.range_of_bytes(is_integer)
        if scaled_to in (None, BYTES):
            return ops.cast(images, dtype)
        images = ops.cast(images, "float64" if dtype == "float64" else "float32")
        images = images / 255.0 if scaled_to == UNIT else images / 127.5 - 1.0
        return ops.cast(images, dtype)

    def _as_bytes(self, images: Any) -> Any:
        """Returns floating-point images as 0..255, whatever they were in training."""
        values = self.values
        if values is None or values.range == BYTES:
            return images
        check_range_of(self._backbone, values)
        images = ops.cast(images, "float32")
        return images * 255.0 if values.range == UNIT else (images + 1.0) * 127.5

    def range_of_bytes(self, is_integer: bool) -> tuple[float, float] | None:
        """Returns the range that the 0..255 of images is mapped to.

        None for images that do not hold 0..255, but the numbers for the backbone.

        Raises:
            ValueError: for integers, where it is not known what they are in the range
                of the training images.
        """
        values = self.values
        if self._takes_any:
            return BYTES
        if values is not None and values.kind == "floats":
            if not is_integer:
                return None
            if values.takes_bytes:
                return values.range
            if not self.takes_bytes:
                raise ValueError(
                    f"The model was trained on {values}, but the images are integers "
                    "of 0 to 255, and how these become those is not known. Scale them "
                    "as in training, or say the range that the training images were "
                    "meant to fill: `model.image_values = "
                    'keras_dc3.models.ImageValues("floats", -1, 1)`.'
                )
        elif values is None and not is_integer:
            return None
        rescale = self.rescale
        if self._is_undecided:
            self._is_undecided = False  # told once
            warnings.warn(
                f"It cannot be told whether the backbone {self._backbone.name!r} "
                "scales its images itself, so images of 0 to 255 are "
                + ("scaled to -1..1 before it" if rescale else "not scaled before it")
                + ". Pass `rescale=False` to `DC3Model` if the backbone scales images "
                "of 0 to 255 itself, `rescale=True` if it takes images of -1..1.",
                stacklevel=2,
            )
        return SYMMETRIC if rescale else BYTES

    def told(self) -> str | None:
        """Returns what numbers a user's backbone gets that scales none itself.

        None where that is the backbone's own matter, the user has said it, or it is not
        known.
        """
        name, values = self._backbone.name, self.values
        known = values is None or self.given is not None or self._takes_any
        if known or name in OWN or not self.rescale:
            return None
        gets = f"{values} as they are"
        if values.kind == "integers":
            gets = "images of 0 to 255 as numbers of -1 to 1"
        return (
            f"The backbone {name!r} gets {gets}, as nothing in it scales them. If it "
            "was trained on others, such as 0 to 1, pass "
            '`keras_dc3.backbones.from_model(backbone, "unit")` instead.'
        )

    def can_answer(self, images: Any) -> Any:
        """Returns for each image whether it can be what the model was trained on.

        Returns:
            (n,) bool; None for images of bytes, which all can be answered.
        """
        dtype = keras.backend.standardize_dtype(images.dtype)
        if dtype == "uint8":
            return None
        axes = tuple(range(1, len(images.shape)))
        images = ops.cast(images, "float32")
        low, high = ops.min(images, axis=axes), ops.max(images, axis=axes)
        if "int" in dtype:
            return (low >= 0) & (high <= 255)
        good = ops.all(ops.isfinite(images), axis=axes)
        if self.values is None:
            return good
        fractions = ops.any(images != ops.round(images), axis=axes)
        return good & self.values.fits(low, high, fractions)


def check_range_of(backbone: keras.layers.Layer, values: ImageValues | None) -> None:
    """Raises ValueError for training images that a `Backbone` cannot be given."""
    is_known = values is None or values.takes_bytes
    if isinstance(backbone, Backbone) and not is_known:
        raise ValueError(
            f"The backbone {backbone.name!r} scales images of 0 to 255 itself, but the "
            f"training images are {values}, and how these become 0 to 255 is not "
            "known: pass them as uint8, or as floats of 0 to 255, 0 to 1 or -1 to 1."
        )


def check_range_is_known(
    backbone: keras.layers.Layer, images: Any, values: ImageValues | None
) -> None:
    """Raises ValueError for floats of an unknown range to train a `Backbone` on.

    Args:
        backbone: that of the model.
        images: a tensor, or a structure of them.
        values: what is known of the training images.
    """
    if values is not None or not isinstance(backbone, Backbone):
        return
    dtypes = {keras.backend.standardize_dtype(p.dtype) for p in tree.flatten(images)}
    if any(map(keras.backend.is_float_dtype, dtypes)):
        raise ValueError(
            f"The backbone {backbone.name!r} scales images of 0 to 255 itself, and "
            "what range floating-point images of a stream fill is not known before the "
            "first step: pass uint8, or say it by `model.image_values = "
            'keras_dc3.models.ImageValues("floats", 0, 1)`.'
        )
