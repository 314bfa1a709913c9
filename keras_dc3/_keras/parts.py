"""What layers, tensors, optimizers, metrics and models of Keras keep private."""

from __future__ import annotations

from typing import Any

import keras


def layers_in(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns a layer and all layers inside it."""
    return list(layer._flatten_layers(include_self=True, recursive=True))


def own_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns the layers directly inside a layer."""
    return list(layer._flatten_layers(include_self=False, recursive=False))


def has_layers(layer: keras.layers.Layer) -> bool:
    """Whether a layer is made of others."""
    return bool(layer._layers)


def own_state(layer: keras.layers.Layer) -> list[Any]:
    """Returns the variables of a layer that no gradient changes, whatever is frozen."""
    return list(layer._non_trainable_variables)


def takes_training(layer: keras.layers.Layer) -> bool:
    """Whether the `call` of a layer takes the argument `training`."""
    return layer._call_has_training_arg


def operation_of(tensor: keras.KerasTensor) -> Any:
    """Returns the layer or operation that a symbolic tensor comes from."""
    return tensor._keras_history.operation


def schedule_of(optimizer: Any) -> Any:
    """Returns what the rate of an optimizer is computed by; None for a number."""
    rate = getattr(optimizer, "_learning_rate", None)
    return rate if callable(rate) else None


def set_schedule(optimizer: Any, schedule: Any) -> None:
    """Replaces the schedule that the rate of an optimizer is computed by."""
    optimizer._learning_rate = schedule


def has_direction(metric: keras.metrics.Metric) -> bool:
    """Whether callbacks that choose by a metric are told which way is better."""
    return hasattr(metric, "_direction")


def more_is_better(metric: keras.metrics.Metric) -> None:
    """Tells such callbacks so."""
    metric._direction = "up"


def begin_with(model: keras.Model, epoch: int | None) -> None:
    """Makes a `fit` that begins go on with an epoch; None: with its `initial_epoch`."""
    model._initial_epoch = epoch
