"""Clipping of gradients, and loss scaling, the same on several replicas as on one."""

from __future__ import annotations

import functools
from typing import Any

import keras


def adapt_to_replicas(optimizer: Any, collective: Any) -> None:
    """Makes an optimizer treat the gradients of all replicas as one device does.

    Under `tf.distribute`, Keras clips the gradients of each replica, or looks whether
    they are finite, and adds them up after that.

    Args:
        optimizer: that of a model.
        collective: the replicas.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer.check_finite = functools.partial(
            _all_finite, type(optimizer).check_finite, optimizer, collective
        )
        optimizer = optimizer.inner_optimizer
    limits = ("clipnorm", "global_clipnorm", "clipvalue")
    if any(getattr(optimizer, name, None) for name in limits):
        optimizer._clip_gradients = functools.partial(
            _clipped, type(optimizer)._clip_gradients, optimizer, collective
        )


def _all_finite(check: Any, optimizer: Any, collective: Any, gradients: Any) -> Any:
    finite = keras.ops.cast(check(optimizer, gradients), "float32")
    return collective.sum(finite) == collective.replicas


def _clipped(clip: Any, optimizer: Any, collective: Any, gradients: Any) -> list[Any]:
    sums = [None if part is None else collective.sum(part) for part in gradients]
    # Shares of the clipped ones, as they will be added up after all.
    return [
        None if part is None else part / collective.replicas
        for part in clip(optimizer, sums)
    ]
