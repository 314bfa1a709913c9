"""Networks and images shared by the tests of backbones."""

import keras
import numpy as np
from keras import layers, ops


def images(n=2, size=32, channels=3, seed=0):
    """Random images of bytes."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, size, size, channels)).astype("uint8")


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def tiny(size=16, blocks=3, dropout=0.0, pool=True):
    """A functional network of blocks with BatchNormalization, not the identity."""
    inputs = keras.Input((size, size, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="stem")(inputs)
    for i in range(1, blocks + 1):
        y = layers.Conv2D(8, 3, padding="same", name=f"block{i}_conv")(x)
        y = layers.BatchNormalization(momentum=0.5, name=f"block{i}_bn")(y)
        y = layers.ReLU(name=f"block{i}_relu")(y)
        if dropout:
            y = layers.Dropout(dropout, seed=1, name=f"block{i}_drop")(y)
        x = layers.Add(name=f"block{i}_add")([x, y])
    outputs = layers.GlobalAveragePooling2D(name="pool")(x) if pool else x
    return keras.Model(inputs, outputs, name="tiny")


def relative(found, expected):
    """The largest difference, as a share of the largest value."""
    found, expected = np.float64(found), np.float64(expected)
    return np.abs(found - expected).max() / np.abs(expected).max()
