"""What `fit` tells a `Backup` of the training that it backs up."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_dc3.callbacks import Backup, StopOnNaN
from keras_dc3.callbacks.backup import Run
from keras_dc3.callbacks.state import state_variables
from keras_dc3.models import inputs


def place(callback: Any) -> int:
    """Returns a key to sort callbacks by.

    `StopOnNaN` is first, so that no other sees or saves what it stops at; `Backup` is
    last, so that it saves what the others have changed, such as the learning rate.
    """
    return isinstance(callback, Backup) - isinstance(callback, StopOnNaN)


def prepare(
    model: Any,
    callbacks: list[Any],
    x: Any,
    y: Any,
    batch_size: int | None,
    steps_per_epoch: int | None,
    initial_epoch: int,
) -> None:
    """Prepares the backups among the callbacks; the arguments are those of `fit`.

    Warns of Keras' own callback, whose files a killed process may leave in a state that
    cannot be read or is of two different times.
    """
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            warnings.warn(
                "`keras.callbacks.BackupAndRestore` writes weights and epoch one after "
                "the other: a process killed between them goes on wrongly, and one "
                "killed in the middle not at all. Use `keras_dc3.callbacks.Backup("
                f"{str(callback.backup_dir)!r})` with a new folder.",
                stacklevel=3,
            )
        if isinstance(callback, Backup):
            callback.prepare(
                Run(
                    initial_epoch,
                    lambda: {
                        **_model_marks(model),
                        **_data_marks(model, x, y, batch_size, steps_per_epoch),
                    },
                    lambda: _learning_rate(model),
                    _batches_before(x, batch_size, steps_per_epoch),
                )
            )


def _learning_rate(model: Any) -> float | None:
    """Returns that of a new model; None for a schedule's, or another model's."""
    if int(keras.ops.convert_to_numpy(model.step.value)):
        return None
    rates: list[float] = []
    _plain(keras.saving.serialize_keras_object(model.optimizer), rates)
    return rates[0] if rates else None


def _model_marks(model: Any) -> dict[str, Any]:
    serialize = keras.saving.serialize_keras_object
    shapes = [[list(v.shape), str(v.dtype)] for v in state_variables(model)]
    layers = [type(layer).__name__ for layer in model._flatten_layers()]
    return {
        "network": _digest([shapes, layers]),
        "strategy": _plain(serialize(model.strategy)),
        "configuration of the objective": _plain(serialize(model.config)),
        "optimizer": _plain(serialize(model.optimizer)),
        "`training_steps`": model.training_steps,
        "`ema_decay`": model.average.decay,
        "`batch_norm`": model.batch_norm,
        "`rescale`": model.rescale,
        "classes": _plain(model.class_names),
    }


def _data_marks(
    model: Any, x: Any, y: Any, batch_size: int | None, steps_per_epoch: int | None
) -> dict[str, Any]:
    marks = {"`steps_per_epoch`": steps_per_epoch, "kind of data": type(x).__name__}
    if inputs.is_data(x):
        for name in ("batch_size", "seed", "unlabeled_ratio"):
            marks[f"`{name}`"] = _plain(getattr(x, name, None))
        for name in ("labeled", "unlabeled"):
            ids = getattr(getattr(x, name, None), "ids", None)
            marks[f"list of {name} images"] = ids and [len(ids), _digest(list(ids))]
        marks["labels"] = _array_mark(getattr(x, "labels", None))
        marks["image shape"] = _plain(getattr(x, "image_shape", None))
        if hasattr(x, "policies"):
            marks["augmentation"] = repr(x.policies(model.strategy.views))
        return marks
    if isinstance(x, Mapping) or hasattr(x, "shape"):
        marks["`batch_size`"] = batch_size
        marks["images"] = [
            [list(part.shape), str(part.dtype)] for part in keras.tree.flatten(x)
        ]
        marks["labels"] = _array_mark(y)
    elif (length := _length(x, batch_size)) is not None:
        marks["number of batches"] = length
    return marks


def _batches_before(
    x: Any, batch_size: int | None, steps_per_epoch: int | None
) -> Callable[[int], int]:
    """Returns how many batches of the data the epochs before have used up.

    With `steps_per_epoch`, Keras goes on in data of a user's own where the epoch before
    has ended, until they end.
    """
    if inputs.is_data(x) or not steps_per_epoch:
        return lambda epochs: 0
    length = _length(x, batch_size)
    if length is None:
        return lambda epochs: epochs * steps_per_epoch
    once = math.ceil(length / steps_per_epoch)  # epochs until they begin anew
    return lambda epochs: epochs % once * steps_per_epoch


def _length(x: Any, batch_size: int | None) -> int | None:
    """Returns the number of batches of data; None if it is unknown, or has no end."""
    if isinstance(x, Mapping) or hasattr(x, "shape"):
        return math.ceil(len(keras.tree.flatten(x)[0]) / (batch_size or 32))
    try:
        return len(x)
    except TypeError:
        return None


def _array_mark(values: Any) -> Any:
    if values is None:
        return None
    values = np.asarray(values)
    content = np.ascontiguousarray(values).tobytes()
    return [list(values.shape), hashlib.sha256(content).hexdigest()]


def mark_of_labels(labels: Any) -> str | None:
    """Returns a text that stands for the labels of a `fit`, None for a stream's."""
    return _digest(_array_mark(labels)) if isinstance(labels, np.ndarray) else None


def _digest(value: Any) -> str:
    """Returns a text that stands for a value; too long to be shown by an error."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _plain(value: Any, rates: list[float] | None = None) -> Any:
    """Returns a configuration as JSON can hold it, without what may change.

    These are names, which depend on what else a process has made, and a learning rate
    that is a number, as callbacks change it.

    Args:
        rates: takes up the learning rates.
    """
    if isinstance(value, Mapping):
        if isinstance(rate := value.get("learning_rate"), float | int):
            (rates if rates is not None else []).append(float(f"{rate:.6g}"))
            value = {**value, "learning_rate": None}
        return {str(k): _plain(v, rates) for k, v in value.items() if k != "name"}
    if isinstance(value, list | tuple):
        return [_plain(item, rates) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return type(value).__name__
