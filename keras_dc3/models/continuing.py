"""What tells one training from another, for a `Backup` to go on with the same."""

from __future__ import annotations

import hashlib
import json
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from keras_dc3 import _keras
from keras_dc3.callbacks import Backup, StopOnNaN
from keras_dc3.callbacks.backup import Run
from keras_dc3.callbacks.state import state_variables
from keras_dc3.models.checked_batches import as_arrays
from keras_dc3.models.data_adapters.arrays import Arrays
from keras_dc3.models.data_adapters.data import Data
from keras_dc3.models.data_adapters.data_set import DataSet

_COMPARED = 16  # images of each kind whose pixels are compared
# Of a layer's configuration: what depends on how and where it was made, or is known by
# the variables, as seeds are, which the backup holds.
_INCIDENTAL = (
    "seed",
    "synchronized",  # where replicas share batches
    "module",
    "shared_object_id",
    "build_config",
    "build_input_shape",
    "batch_shape",
)
_NAMES = ("name", "keras_history", "input_layers", "output_layers")


def place(callback: Any) -> int:
    """Returns a key to sort callbacks by.

    `StopOnNaN` is first, so that no other sees or saves what it stops at; `Backup` is
    last, so that it saves what the others have changed, such as the learning rate.
    """
    return isinstance(callback, Backup) - isinstance(callback, StopOnNaN)


def prepare(
    model: Any, callbacks: list[Any], data: Data, arguments: Mapping[str, Any]
) -> None:
    """Prepares the backups among the callbacks; the arguments are those of `fit`.

    Warns of Keras' own callback, whose files a killed process may leave in a state that
    cannot be read or is of two different times.
    """
    batch_size, steps = arguments["batch_size"], arguments["steps_per_epoch"]
    weights = arguments["class_weight"], arguments["sample_weight"]
    time_limit = arguments["time_limit"]
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
                        "`time_limit`": time_limit,
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


def model_marks(model: Any) -> dict[str, Any]:
    """Returns what tells a built model, its objective and its optimizer from others."""
    serialize = keras.saving.serialize_keras_object
    shapes = [[list(v.shape), str(v.dtype)] for v in state_variables(model)]
    layers = [type(layer).__name__ for layer in _keras.layers_in(model)]
    return {
        "network": _digest([shapes, layers]),
        "configuration of the backbone": _configuration(model.backbone),
        "strategy": plain(serialize(model.ssl)),
        "configuration of the objective": plain(serialize(model.config)),
        "optimizer": plain(serialize(model.optimizer)),
        "`training_steps`": model.training_steps,
        "`ema_decay`": model.average.decay,
        "`batch_norm`": model.batch_norm,
        "`rescale`": model.rescale,
        "classes": plain(model.class_names),
    }


def data_marks(model: Any, data: Data, batch_size: int | None) -> dict[str, Any]:
    """Returns what tells the training data from others; the arguments are of `fit`.

    Of images, some are compared. Streams of batches, which cannot be read without using
    them up, are told apart by their kind and length alone.
    """
    x = data.x
    marks: dict[str, Any] = {"kind of data": type(x).__name__}
    if isinstance(data, DataSet):
        for name in ("batch_size", "seed", "unlabeled_ratio"):
            marks[f"`{name}`"] = plain(getattr(x, name, None))
        for name in ("labeled", "unlabeled"):
            part = getattr(x, name, None)
            ids = getattr(part, "ids", None)
            marks[f"list of {name} images"] = ids and [len(ids), _digest(list(ids))]
            if ids and hasattr(part, "read"):
                some = part.read(_spread(len(ids)))
                marks[f"content of the {name} images"] = _array_mark(some)
        marks["labels"] = _array_mark(getattr(x, "labels", None))
        marks["image shape"] = plain(getattr(x, "image_shape", None))
        if hasattr(x, "policies"):
            marks["augmentation"] = repr(x.policies(model.ssl.views))
        return marks
    if isinstance(data, Arrays):
        marks["`batch_size`"] = batch_size
        parts = keras.tree.flatten(x)
        marks["images"] = [[list(part.shape), str(part.dtype)] for part in parts]
        marks["content of the images"] = [_some_of(part) for part in parts]
        marks["labels"] = _array_mark(data.y)
    elif (length := data.number_of_batches(batch_size)) is not None:
        marks["number of batches"] = length
    return marks


def weight_marks(class_weight: Any, sample_weight: Any) -> dict[str, Any]:
    """Returns what tells the weights of images from others; as `fit` takes them."""
    if isinstance(class_weight, Mapping):
        weights = {str(name): float(weight) for name, weight in class_weight.items()}
    elif class_weight is None or isinstance(class_weight, str):
        weights = class_weight
    else:
        weights = np.asarray(class_weight, "float64").tolist()
    return {
        "`class_weight`": weights,
        "`sample_weight`": _array_mark(as_arrays(sample_weight)),
    }


def _spread(size: int) -> np.ndarray:
    """Returns positions from the first to the last of so many images."""
    return np.unique(np.linspace(0, size - 1, min(size, _COMPARED)).astype("int64"))


def _some_of(images: Any) -> Any:
    return _array_mark([as_arrays(images[i]) for i in _spread(len(images))])


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


def _configuration(backbone: Any) -> str | None:
    """Returns what tells a backbone's configuration from others.

    None for one that has none: its layers and their shapes have to tell it.
    """
    try:
        config = keras.saving.serialize_keras_object(backbone)
    except Exception:  # a `get_config` may raise anything
        return None
    names: dict[str, int] = {}
    return _digest(_with_numbers(config, names))


def _with_numbers(value: Any, names: dict[str, int], is_name: bool = False) -> Any:
    """Returns a layer's configuration with numbers for names.

    What else may differ between equal layers is left out.

    Args:
        value: of the configuration.
        names: of layers -> their numbers, in the order they are met; taken up here.
        is_name: whether texts are names of layers.
    """
    if isinstance(value, Mapping):
        if value.get("class_name") == "__lambda__":  # holds the path of the script
            return "a lambda"
        if str(value.get("class_name")).endswith("DTypePolicy"):
            return plain(value["config"].get("name"))
        return {
            str(key): _with_numbers(part, names, is_name or key in _NAMES)
            for key, part in value.items()
            if key not in _INCIDENTAL
        }
    if isinstance(value, list | tuple):
        return [_with_numbers(part, names, is_name) for part in value]
    if is_name and isinstance(value, str):
        return names.setdefault(value, len(names))
    return plain(value)


def plain(value: Any, rates: list[float] | None = None) -> Any:
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
        return {str(k): plain(v, rates) for k, v in value.items() if k != "name"}
    if isinstance(value, list | tuple):
        return [plain(item, rates) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return type(value).__name__
