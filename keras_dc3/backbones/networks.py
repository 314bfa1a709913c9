"""Networks to train from pixels: the paper's, and one for a CPU."""

from __future__ import annotations

import math
from typing import Any

import keras

from keras_dc3._validation import check_positive_int

OWN = ("wide_resnet", "small_cnn")  # their names, which say what they take


def _check_image_shape(image_shape: tuple[int, int, int]) -> None:
    if len(image_shape) != 3 or not all(
        isinstance(n, int) and n > 0 for n in image_shape
    ):
        raise ValueError(
            "`image_shape` must be (height, width, channels). "
            f"Received: {image_shape!r}"
        )


def wide_resnet(
    image_shape: tuple[int, int, int],
    filters: int = 32,
    blocks: int = 4,
    bn_momentum: float = 0.999,
) -> keras.Model:
    """Returns the authors' pre-activation wide residual network, without its head.

    For 32x32 images and the default sizes this is WRN-28-2. There are
    ceil(log2(size)) - 2 scales (3 at 32 pixels, 5 at 96), each with twice the filters
    and half the resolution of the one before; leaky ReLU with slope 0.1.

    Args:
        image_shape: (height, width, channels).
        filters: of the first scale; 32 for width 2.
        blocks: residual blocks per scale.
        bn_momentum: momentum of the moving statistics of BatchNormalization. 0.999 is
            the authors'; trainings of fewer than some 5,000 steps want 0.99.

    Returns:
        A model from images (n, height, width, channels) to features
        (n, filters * 2**(scales - 1)).

    Example:

    >>> backbone = keras_dc3.backbones.wide_resnet((32, 32, 3), filters=4, blocks=1)
    >>> backbone.output_shape
    (None, 16)
    """
    _check_image_shape(image_shape)
    check_positive_int("filters", filters)
    check_positive_int("blocks", blocks)
    layers = keras.layers

    def activate(x: Any) -> Any:
        x = layers.BatchNormalization(momentum=bn_momentum, epsilon=1e-3)(x)
        return layers.LeakyReLU(negative_slope=0.1)(x)

    def conv(x: Any, filters: int, size: int, strides: int = 1) -> Any:
        # The authors' initialization: normal, with the variance of the fan-out.
        deviation = math.sqrt(2.0 / (size * size * filters))
        initializer = keras.initializers.RandomNormal(stddev=deviation)
        return layers.Conv2D(
            filters,
            size,
            strides=strides,
            padding="same",
            kernel_initializer=initializer,
        )(x)

    def residual(x: Any, filters: int, strides: int, activate_first: bool) -> Any:
        activated = activate(x)
        shortcut = activated if activate_first else x
        y = activate(conv(activated, filters, 3, strides))
        y = conv(y, filters, 3)
        if shortcut.shape[-1] != filters or strides != 1:
            shortcut = conv(shortcut, filters, 1, strides)
        return layers.Add()([shortcut, y])

    images = keras.Input(image_shape)
    x = conv(images, 16, 3)
    scales = max(math.ceil(math.log2(max(image_shape[:2]))) - 2, 1)
    for scale in range(scales):
        for block in range(blocks):
            first = block == 0
            x = residual(
                x,
                filters << scale,
                strides=2 if first and scale else 1,
                activate_first=first and scale == 0,
            )
    features = layers.GlobalAveragePooling2D()(activate(x))
    return keras.Model(images, features, name=OWN[0])


def small_cnn(
    image_shape: tuple[int, int, int], filters: int = 16, bn_momentum: float = 0.99
) -> keras.Model:
    """Returns a small residual network that trains in minutes on a CPU.

    A strided 4x4 convolution, three 3x3 convolutions with two poolings between them,
    and one residual block; BatchNormalization and ReLU after each.

    Args:
        image_shape: (height, width, channels); at least 8 pixels each way.
        filters: of the first convolution; the features are 4 times as many.
        bn_momentum: momentum of the moving statistics of BatchNormalization.

    Returns:
        A model from images (n, height, width, channels) to features (n, 4 * filters).

    Example:

    >>> backbone = keras_dc3.backbones.small_cnn((32, 32, 3))
    >>> backbone.output_shape
    (None, 64)
    """
    _check_image_shape(image_shape)
    check_positive_int("filters", filters)
    layers = keras.layers

    def conv(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
        x = layers.Conv2D(
            filters, size, strides=strides, padding="same", use_bias=False
        )(x)
        x = layers.BatchNormalization(momentum=bn_momentum)(x)
        return layers.ReLU()(x)

    images = keras.Input(image_shape)
    x = conv(images, filters, size=4, strides=2)
    x = layers.MaxPooling2D(padding="same")(conv(x, 2 * filters))
    x = conv(conv(x, 2 * filters), 4 * filters)
    x = layers.MaxPooling2D(padding="same")(x)
    x = layers.Add()([x, conv(conv(x, 4 * filters), 4 * filters)])
    return keras.Model(images, layers.GlobalAveragePooling2D()(x), name=OWN[1])
