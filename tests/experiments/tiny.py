"""A study of seconds; other processes import it from here."""

import os
import time
from pathlib import Path

import keras
import numpy as np

import keras_dc3
from keras_dc3.experiments import cell


def make_data(seed):
    rng = np.random.default_rng(seed)
    counts = 4 * np.eye(3, dtype=int)[np.arange(36) % 3]
    counts[np.arange(36), rng.integers(0, 3, 36)] += 2
    images = (
        rng.integers(0, 100, (36, 8, 8, 1)) + 50 * counts.argmax(1)[:, None, None, None]
    )
    return keras_dc3.datasets.from_arrays(
        images.astype("uint8"),
        counts,
        labeled=12,
        unlabeled=12,
        validation=12,
        batch_size=4,
        seed=seed,
    )


def make_model(data, ssl, config, training_steps):
    backbone = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(5, "relu")])
    model = keras_dc3.DC3Model(
        backbone, ssl=ssl, config=config, training_steps=training_steps, ema_decay=0.5
    )
    model.compile(keras.optimizers.SGD(0.01), jit_compile=False)
    return model


def make_some_models(data, ssl, config, training_steps):
    """Fails for one config, and dies for another."""
    if config.prior == 0.1:
        raise RuntimeError("no model today")
    if config.prior == 0.2:
        os._exit(7)
    return make_model(data, ssl, config, training_steps)


def make_data_without_validation(seed):
    data = make_data(seed)
    data.validation = None
    return data


def wait_for_ever(folder):
    """A cell that says that it has started, and never ends by itself."""
    cell._end_with_parent()
    started = Path(folder) / "started"
    started.with_suffix(".tmp").write_text(str(os.getpid()))
    started.with_suffix(".tmp").rename(started)
    time.sleep(1000)
