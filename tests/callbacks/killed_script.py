"""A training run in a process of its own, to be killed; see test_backup_kills.py.

usage: killed_script.py FOLDER KIND SAVE_FREQ

Trains for `EPOCHS` epochs with a backup in FOLDER/backup, and writes the final state to
FOLDER/final.npz. It prints a line when training begins.

KIND: "epochs" and "steps" train on a data set, the latter with `steps_per_epoch`;
"stream" on batches that go on from epoch to epoch; "whole" without a backup, as "epochs".
SAVE_FREQ: "epoch", or a number of batches.
"""

import os
import sys
import time

import keras
import numpy as np

import keras_dc3
from keras_dc3.callbacks.state import read_state, state_variables

EPOCHS, STEPS = 6, 4


def make_data():
    rng = np.random.default_rng(17)
    labels = np.arange(36) % 3
    images = rng.integers(0, 100, (36, 12, 12, 3)) + 70 * labels[:, None, None, None]
    counts = 4 * np.eye(3, dtype=int)[labels] + np.eye(3, dtype=int)[labels[::-1]]
    return keras_dc3.datasets.from_arrays(
        images.astype("uint8"),
        counts,
        labeled=12,
        unlabeled=18,
        validation=6,
        batch_size=4,
        seed=5,
    )


def make_model():
    layers = keras.layers
    backbone = keras.Sequential(
        [
            layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.2, seed=1),
            layers.GlobalAveragePooling2D(),
        ]
    )
    model = keras_dc3.DC3Model(
        backbone,
        ssl="pi_model",
        num_classes=3,
        config=keras_dc3.DC3Config(partner="random"),  # draws random numbers
        training_steps=40,
        ema_decay=0.9,
    )
    model.compile(keras.optimizers.Adam(0.01))
    return model


def stream():
    """Yields batches without end, each of which is different."""
    rng = np.random.default_rng(3)
    while True:
        first, second = rng.integers(0, 255, (2, 4, 12, 12, 3)).astype("uint8")
        x = {"labeled": first, "unlabeled": {"first": first, "second": second}}
        yield x, rng.integers(0, 3, 4)


class Begun(keras.callbacks.Callback):
    """Says that training has begun, and takes its time, so that kills meet it."""

    def on_train_begin(self, logs=None):
        print("begun", flush=True)

    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.05)


def train(kind, callbacks, epochs=EPOCHS):
    """Returns a model after training."""
    keras.utils.set_random_seed(0)
    model = make_model()
    options = {"epochs": epochs, "verbose": 0, "callbacks": callbacks}
    if kind == "stream":
        model.build((None, 12, 12, 3))
        model.fit(stream(), steps_per_epoch=STEPS, **options)
    elif kind == "steps":
        model.fit(make_data(), steps_per_epoch=STEPS, **options)
    else:
        model.fit(make_data(), **options)
    return model


def state_of(model):
    return read_state(state_variables(model))


def main(folder, kind, save_freq):
    save_freq = save_freq if save_freq == "epoch" else int(save_freq)
    backup = os.path.join(folder, "backup")
    callbacks = [Begun(), keras_dc3.callbacks.Backup(backup, save_freq)]
    np.savez(os.path.join(folder, "final.npz"), *state_of(train(kind, callbacks)))


if __name__ == "__main__":
    main(*sys.argv[1:])
