"""The backbone that the scripts of workers train."""

import keras


def backbone():
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Conv2D(6, 3, kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
        ]
    )
