"""A training so small that it can be run, stopped and repeated many times."""

import keras
import numpy as np

import keras_dc3
from keras_dc3.callbacks.state import read_state, state_variables

STEPS = 3  # of an epoch
KINDS = ("epochs", "steps", "stream")


def make_data(seed=5, brighter=0, **kwargs):
    """A data set with 3 batches to an epoch."""
    rng = np.random.default_rng(17)
    labels = np.arange(30) % 3
    images = rng.integers(0, 100, (30, 8, 8, 3)) + 70 * labels[:, None, None, None]
    images += brighter
    counts = 4 * np.eye(3, dtype=int)[labels] + np.eye(3, dtype=int)[labels[::-1]]
    options = {"labeled": 12, "unlabeled": 12, "batch_size": 4, **kwargs}
    return keras_dc3.datasets.from_arrays(
        images.astype("uint8"), counts, validation=None, seed=seed, **options
    )


def make_model(
    width=4, rate=0.01, eager=True, ssl="pi_model", activation="relu", **kwargs
):
    layers = keras.layers
    backbone = keras.Sequential(
        [
            layers.Flatten(),
            layers.Dense(width, activation=activation),
            layers.BatchNormalization(),
            layers.Dropout(0.2, seed=1),
        ]
    )
    options = {
        "config": keras_dc3.DC3Config(partner="random"),  # draws random numbers
        "training_steps": 40,
        "ema_decay": 0.9,
        **kwargs,
    }
    model = keras_dc3.DC3Model(backbone, ssl=ssl, num_classes=3, **options)
    model.compile(keras.optimizers.Adam(rate), run_eagerly=eager)
    return model


def stream():
    """Yields batches without end, each of which is different."""
    rng = np.random.default_rng(3)
    while True:
        first, second = rng.integers(0, 255, (2, 4, 8, 8, 3)).astype("uint8")
        x = {"labeled": first, "unlabeled": {"first": first, "second": second}}
        yield x, rng.integers(0, 3, 4)


def train(kind="epochs", callbacks=(), epochs=3, model=None, data=None, **kwargs):
    """Returns a model after training.

    Args:
        kind: "epochs" or "steps": on a data set, the latter with `steps_per_epoch`;
            "stream": on batches that go on from epoch to epoch.
    """
    keras.utils.set_random_seed(0)
    model = make_model(**kwargs) if model is None else model
    options = {"epochs": epochs, "verbose": 0, "callbacks": list(callbacks)}
    if kind == "stream":
        model.build((None, 8, 8, 3))
        model.fit(stream(), steps_per_epoch=STEPS, **options)
        return model
    steps = {"steps_per_epoch": 2} if kind == "steps" else {}
    model.fit(make_data() if data is None else data, **steps, **options)
    return model


def state_of(model):
    """All but metrics: weights, average, optimizer, random generators, step."""
    return read_state(state_variables(model))
