"""All that a training has become so far, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


def metric_variables(model: keras.Model) -> list[Any]:
    """Returns the variables of the metrics, which each epoch sets back."""
    return [variable for metric in model.metrics for variable in metric.variables]


def state_variables(model: keras.Model) -> list[Any]:
    """Returns weights, their average, random generators, step and optimizer."""
    metrics = {id(variable) for variable in metric_variables(model)}
    return [
        variable
        for variable in (*model.variables, *model.optimizer.variables)
        if id(variable) not in metrics
    ]


def read_state(variables: Sequence[Any]) -> list[np.ndarray]:
    """Returns a copy of each variable's value."""
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def assign_state(
    model: keras.Model, variables: Sequence[Any], values: Sequence[np.ndarray]
) -> None:
    """Gives each variable its value."""
    with model.collective.scope():
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
