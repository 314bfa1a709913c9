"""Trains on one device and on two by `keras.distribution`, and prints the differences.

Arguments: names of strategies. Run by `test_newer_strategies.py` in a process of its
own, as JAX must know the number of devices before it starts.
"""

import json
import os
import sys

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"

import jax
import keras

from tests.models.helpers import (
    WITH_THRESHOLD,
    arrays,
    difference,
    make_model,
    strategy,
)


def backbone():
    layers = keras.layers
    return keras.Sequential(
        [layers.Conv2D(8, 3), layers.ReLU(), layers.GlobalAveragePooling2D()]
    )


def train(ssl):
    keras.utils.set_random_seed(1)
    changes = {"threshold": 0.35} if ssl in WITH_THRESHOLD else {}
    model = make_model(backbone, strategy(ssl, **changes), optimizer="sgd")
    x, y = arrays(ssl, n=32)
    model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    return model


if __name__ == "__main__":
    assert jax.device_count() == 2
    names = sys.argv[1:]
    one = {ssl: train(ssl) for ssl in names}
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    two = {ssl: train(ssl) for ssl in names}
    for ssl in names:
        kernel = two[ssl].network.class_head.kernel
        assert len(kernel.value.sharding.device_set) == 2, "it ran on one device"
    print(json.dumps({ssl: difference(one[ssl], two[ssl]) for ssl in names}))
