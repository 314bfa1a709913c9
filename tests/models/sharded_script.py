"""Trains on one device and on several by `keras.distribution`; prints the differences.

Arguments: the number of devices, the batch normalization, the number of images, and
names of strategies. Run by `test_devices_of_jax.py` in a process of its own, as JAX
must know the number of devices before it starts.
"""

import json
import os
import sys

os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={sys.argv[1]}"

import jax
import keras
import numpy as np

import keras_dc3
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
        [
            layers.Conv2D(8, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
        ]
    )


def train(ssl, batch_norm, images):
    keras.utils.set_random_seed(1)
    changes = {"threshold": 0.35} if ssl in WITH_THRESHOLD else {}
    model = make_model(
        backbone,
        strategy(ssl, **changes),
        keras_dc3.DC3Config(partner="mean"),
        optimizer=keras.optimizers.SGD(0.1, global_clipnorm=0.5),
        ema_decay=0.9,
        batch_norm=batch_norm,
    )
    x, y = arrays(ssl, n=images)
    validation = x["labeled"][:11], y[:11]
    history = model.fit(
        x, y, batch_size=8, shuffle=False, verbose=0, validation_data=validation
    ).history
    logs = {name: values[-1] for name, values in history.items()}
    logs |= model.evaluate(*validation, batch_size=8, verbose=0, return_dict=True)
    if not model.ssl.needs_positions:
        logs |= model.train_on_batch(*first(x, y, 5), return_dict=True)
    images = x["labeled"][:13]
    answers = model.predict(images, batch_size=8, verbose=0)
    proposals = model.propose(images, [*map(str, range(13))], batch_size=8, verbose=0)
    answers |= {"embeddings": proposals.embeddings, "p_a": proposals.ambiguity}
    return model, logs, answers | model.predict_on_batch(images[:3])


def first(x, y, n):
    return keras.tree.map_structure(lambda part: part[:n], (x, y))


def furthest(one, other):
    """The largest relative difference between figures or arrays; of small ones it is
    the absolute one."""
    assert list(one) == list(other)
    return max(
        float(np.max(np.abs(one[name] - other[name]) / np.maximum(1, abs(one[name]))))
        for name in one
    )


if __name__ == "__main__":
    devices = jax.device_count()
    assert devices == int(sys.argv[1])
    batch_norm, images, *names = sys.argv[2:]
    one = {ssl: train(ssl, batch_norm, int(images)) for ssl in names}
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    several = {ssl: train(ssl, batch_norm, int(images)) for ssl in names}
    found = {}
    for ssl, (model, *figures) in several.items():
        kernel = model.network.class_head.kernel
        assert len(kernel.value.sharding.device_set) == devices, "it ran on fewer"
        same, *expected = one[ssl]
        found[ssl] = difference(same, model), *map(furthest, expected, figures)
    print(json.dumps(found))
