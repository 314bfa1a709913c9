"""What `fit` tells a `Backup` of the training that it backs up."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras

from keras_dc3.callbacks import Backup, StopOnNaN
from keras_dc3.callbacks.backup import Run
from keras_dc3.models.data_adapters import Data, DataSet
from keras_dc3.models.training_marks import (
    data_marks,
    model_marks,
    plain,
    weight_marks,
)


def place(callback: Any) -> int:
    """Returns a key to sort callbacks by.

    `StopOnNaN` is first, so that no other sees or saves what it stops at; `Backup` is
    last, so that it saves what the others have changed, such as the learning rate.
    """
    return isinstance(callback, Backup) - isinstance(callback, StopOnNaN)


def prepare(
    model: Any,
    callbacks: list[Any],
    data: Data,
    arguments: Mapping[str, Any],
) -> None:
    """Prepares the backups among the callbacks; the arguments are those of `fit`.

    Warns of Keras' own callback, whose files a killed process may leave in a state that
    cannot be read or is of two different times.
    """
    batch_size, steps = arguments["batch_size"], arguments["steps_per_epoch"]
    weights = arguments["class_weight"], arguments["sample_weight"]
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            warnings.warn(
                "`keras.callbacks.BackupAndRestore` writes weights and epoch one after "
                "the other: a process killed between them goes on wrongly, and one "
                "killed in the middle not at all. Use `keras_dc3.callbacks.Backup("
                f"{str(callback.backup_dir)!r})` with a new folder.",
                stacklevel=4,
            )
        if isinstance(callback, Backup):
            callback.prepare(
                Run(
                    arguments["initial_epoch"],
                    lambda: {
                        **model_marks(model),
                        "`steps_per_epoch`": steps,
                        **data_marks(model, data, batch_size),
                        **weight_marks(*weights),
                    },
                    lambda: _learning_rate(model),
                    _batches_before(data, batch_size, steps),
                )
            )


def _learning_rate(model: Any) -> float | None:
    """Returns that of a new model; None for a schedule's, or another model's."""
    if model.steps_taken:
        return None
    rates: list[float] = []
    plain(keras.saving.serialize_keras_object(model.optimizer), rates)
    return rates[0] if rates else None


def _batches_before(
    data: Data, batch_size: int | None, steps_per_epoch: int | None
) -> Callable[[int], int]:
    """Returns how many batches of the data the epochs before have used up.

    With `steps_per_epoch`, Keras goes on in data of a user's own where the epoch before
    has ended, until they end.
    """
    if isinstance(data, DataSet) or not steps_per_epoch:
        return lambda epochs: 0
    length = data.number_of_batches(batch_size)
    if length is None:
        return lambda epochs: epochs * steps_per_epoch
    once = math.ceil(length / steps_per_epoch)  # epochs until they begin anew
    return lambda epochs: epochs % once * steps_per_epoch
