"""Trains on one device and on three replicas, and prints how both compare.

Arguments: the policy of batch normalization, the batch size, and the numbers of images
to train on and to validate on. Run by `test_replicas.py` in a process of its own, as
TensorFlow must know the number of devices before it starts.
"""

import json
import sys

import keras
import numpy as np
import tensorflow as tf

import keras_dc3
from tests.models.helpers import arrays, difference, make_model, strategy

layers = keras.layers


def backbone():
    return keras.Sequential(
        [
            layers.Conv2D(8, 3, kernel_regularizer="l2"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
        ]
    )


def train(ssl, policy, batch_size, images, validated):
    preset = keras_dc3.DC3Config if policy == "joint" else keras_dc3.DC3Config.paper
    model = make_model(
        backbone,
        strategy(ssl),
        preset(partner="mean"),
        ema_decay=0.9,
        batch_norm=policy,
    )
    x, y = arrays(ssl, n=images)
    held_out, labels = arrays(ssl, n=validated, seed=5)
    labels = np.eye(3, dtype="float32")[labels] * 0.6 + 0.4 / 3
    history = model.fit(
        tf.data.Dataset.from_tensor_slices((x, y)).batch(batch_size),
        epochs=2,
        verbose=0,
        validation_data=(held_out["labeled"], labels),
        validation_batch_size=batch_size,
    ).history
    return model, history


if __name__ == "__main__":
    policy, *numbers = sys.argv[1:]
    batch_size, images, validated = map(int, numbers)
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration() for _ in range(3)],
    )
    settings = ("mean_teacher", policy, batch_size, images, validated)
    mirrored = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(3)])
    one, expected = train(*settings)
    with mirrored.scope():
        three, history = train(*settings)
    weights = difference(one, three)
    print(json.dumps({"weights": weights, "one": expected, "three": history}))
