"""A training run in a process of its own; see test_resume.py.

usage: resume_script.py MODE FOLDER NPZ, where MODE is one of
    whole     6 epochs without a stop
    killed    the same with BackupAndRestore, ended hard at the start of epoch 4
    restarted the same again, as a user would restart the script
    half      3 epochs, then `model.save`
    loaded    load that and train epochs 4 to 6
"""

import json
import os
import sys

import keras
import numpy as np

import keras_dc3

EPOCHS, KILLED_BEFORE = 6, 3


class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == KILLED_BEFORE:
            os._exit(1)


def make_data(npz):
    toy = np.load(npz)
    return keras_dc3.datasets.from_arrays(
        toy["images"],
        toy["counts"],
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
            layers.Conv2D(8, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.2, seed=1),
            layers.GlobalAveragePooling2D(),
        ]
    )
    model = keras_dc3.DC3Model(
        backbone,
        ssl="mean_teacher",
        num_classes=3,
        config=keras_dc3.DC3Config(partner="random"),  # draws random numbers
        training_steps=40,
        ema_decay=0.9,
    )
    model.compile(keras.optimizers.Adam(0.01))
    return model


def main(mode, folder, npz):
    keras.utils.set_random_seed(0)
    data = make_data(npz)
    callbacks, initial_epoch, epochs = [], 0, EPOCHS
    if mode in ("killed", "restarted"):
        backup = os.path.join(folder, "backup")
        callbacks.append(keras.callbacks.BackupAndRestore(backup))
        callbacks += [Kill()] if mode == "killed" else []
    saved = os.path.join(folder, "half.keras")
    if mode == "loaded":
        model, initial_epoch = keras.saving.load_model(saved), KILLED_BEFORE
    else:
        model = make_model()
    if mode == "half":
        epochs = KILLED_BEFORE
    history = model.fit(
        data,
        epochs=epochs,
        initial_epoch=initial_epoch,
        verbose=0,
        callbacks=callbacks,
    ).history
    if mode == "half":
        model.save(saved)
    values = [keras.ops.convert_to_numpy(v) for v in model.variables]
    values += [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables]
    metrics = {id(v) for metric in model.metrics for v in metric.variables}
    kept = [id(v) not in metrics for v in model.variables]
    kept += [True] * len(model.optimizer.variables)
    np.savez(
        os.path.join(folder, f"{mode}.npz"),
        **{f"{i:03d}": v for i, v in enumerate(values) if kept[i]},
    )
    with open(os.path.join(folder, f"{mode}.json"), "w") as file:
        json.dump(history, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
