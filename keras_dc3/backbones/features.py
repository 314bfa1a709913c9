"""A backbone for features that were computed before."""

from __future__ import annotations

import keras

from keras_dc3._validation import check_positive_int


def feature_mlp(features: int | tuple[int], units: int = 128) -> keras.Model:
    """Returns a network for features that were computed before, such as DINOv2's.

    The features themselves beside one dense layer of them with ReLU; the three heads of
    the model come after it. A `DC3Model` hands it the features with mean 0 and
    deviation 1. A penalty on two layers after one another wipes out what few images
    tell of, rare classes above all; the straight way, a linear map of good features,
    does not lose it.

    Args:
        features: d, how many features an image has, or `data.image_shape`, (d,).
        units: of the dense layer.

    Returns:
        A model from features (n, d) to (n, d + units).

    Raises:
        ValueError: if these are no positive integers.

    Example:

    >>> keras_dc3.backbones.feature_mlp(768).output_shape
    (None, 896)
    """
    if isinstance(features, tuple | list):
        if len(features) != 1:
            raise ValueError(
                "`features` must be the number of features of an image, or (d,). "
                f"Received: {tuple(features)!r}; images take another backbone."
            )
        (features,) = features
    check_positive_int("features", features)
    check_positive_int("units", units)
    inputs = keras.Input((int(features),))
    dense = keras.layers.Dense(units, activation="relu", name="dense")(inputs)
    outputs = keras.layers.Concatenate(name="features")([inputs, dense])
    return keras.Model(inputs, outputs, name="feature_mlp")
