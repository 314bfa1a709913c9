"""Trains with a backup, as one of several workers or alone; one may kill itself.

Arguments: as for `train_script.py`. The settings name the `backup` folder, the worker
that dies, `dies`, after so many steps, `after`, and how many `epochs` there are.
"""

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

import keras
import numpy as np

import keras_dc3
from tests.models.helpers import make_model, strategy
from tests.workers.cluster import join
from tests.workers.life_script import make_data
from tests.workers.network import backbone


class Killed(keras.callbacks.Callback):
    def __init__(self, after):
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def main():
    settings, worker, path = sys.argv[1:]
    settings = json.loads(Path(settings).read_text())
    scope = contextlib.nullcontext
    if worker != "alone":
        scope = join(settings["addresses"], int(worker)).scope
    with scope():
        model = make_model(backbone, strategy("supervised"), ema_decay=0.9)
    callbacks = [keras_dc3.callbacks.Backup(settings["backup"], save_freq=2)]
    if worker == str(settings.get("dies")):
        callbacks.append(Killed(settings["after"]))
    data = make_data()
    options = {"epochs": settings["epochs"], "callbacks": callbacks, "verbose": 0}
    history = model.fit(data, **options).history
    weights = {f"weight_{i}": value for i, value in enumerate(model.get_weights())}
    np.savez(path, logs=json.dumps(history), **weights)


if __name__ == "__main__":
    main()
