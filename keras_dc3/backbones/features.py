"""A backbone for features that were computed before."""

from __future__ import annotations

import keras

from keras_dc3._validation import check_positive_int


def feature_mlp(features: int | tuple[int], units: int = 128) -> keras.Model:
    """Returns a network for features that were computed before, such as DINOv2's.

    One dense layer with ReLU; the three heads of the model come after it. A `DC3Model`
    hands it the features with mean 0 and deviation 1.

    Args:
        features: d, how many features an image has, or `data.image_shape`, (d,).
        units: of the dense layer.

    Returns:
        A model from features (n, d) to (n, units).

    Raises:
        ValueError: if these are no positive integers.

    Example:

    >>> keras_dc3.backbones.feature_mlp(768).output_shape
    (None, 128)
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
    outputs = keras.layers.Dense(units, activation="relu", name="dense")(inputs)
    return keras.Model(inputs, outputs, name="feature_mlp")
