"""Which figures a training logs, known before its first step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

from keras_dc3 import _keras
from keras_dc3.callbacks.csv_columns import CSVColumns
from keras_dc3.callbacks.monitored import DIRECTIONS, monitored
from keras_dc3.models.data_adapters.data import Data
from keras_dc3.models.evaluation import score_names
from keras_dc3.models.step_metrics import OF_TRAINING, OF_UNLABELED, RATES


def logged_names(model: Any, plain: bool, validation: Data | None) -> list[str]:
    """Returns the names of all that the model itself logs.

    Args:
        model: the `DC3Model`, built.
        plain: whether it is trained on `(images, labels)` alone.
        validation: what it is validated on, None for nothing.
    """
    model.build_metrics()  # Keras knows their names once it has seen a batch
    names = list(model.get_metrics_result())
    untrained = OF_UNLABELED if plain else ()
    training = [name for name in names if name not in untrained]
    if validation is None:
        return training
    soft = validation.has_soft_labels()
    validation = [name for name in names if name not in OF_TRAINING]
    if soft is not None:
        validation += score_names(soft)
    return [*training, *(f"val_{name}" for name in validation)]


def _without_direction(model: Any) -> list[str]:
    """Returns the names of compiled metrics of which Keras knows no direction.

    They are known once `model.build_metrics` was called.
    """
    return [
        part.name
        for metric in model.metrics
        for part in getattr(metric, "metrics", ())
        if not _keras.has_direction(part)
    ]


def _is_ours_or_keras(callback: Any) -> bool:
    if isinstance(callback, keras.callbacks.LambdaCallback):
        return False
    return type(callback).__module__.split(".")[0] in ("keras", "keras_dc3")


def with_logs(callbacks: Iterable[Any], model: Any, names: list[str]) -> list[Any]:
    """Returns the callbacks of `fit`, those that live on logged figures prepared.

    Raises:
        ValueError: as `keras_dc3.callbacks.monitored`.
    """
    callbacks = list(callbacks)
    writes_rate = (
        keras.callbacks.ReduceLROnPlateau,
        keras.callbacks.LearningRateScheduler,
    )
    if any(isinstance(callback, writes_rate) for callback in callbacks):
        names = [*names, "learning_rate"]
    directions = {
        **dict.fromkeys(OF_TRAINING, "min"),
        # Neither more nor less of them is better.
        **dict.fromkeys((*RATES, "learning_rate"), None),
        **dict.fromkeys(_without_direction(model), None),
        **DIRECTIONS,
    }
    known = type(model).__module__.split(".")[0] == "keras_dc3"
    result = monitored(
        callbacks,
        names,
        directions,
        complete=known and all(map(_is_ours_or_keras, callbacks)),
        chooses=model.config.predicts_ambiguity,
    )
    prepared = []
    for callback in result:
        if isinstance(callback, keras.callbacks.CSVLogger):
            prepared.append(CSVColumns(callback, names))
        prepared.append(callback)
    return prepared
