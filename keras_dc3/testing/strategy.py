"""Whether a strategy keeps the contract of `SSLStrategy`."""

from __future__ import annotations

import inspect
import json
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3 import strategies
from keras_dc3.config import DC3Config
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies.declaration import check_declaration
from keras_dc3.testing.mixing import check_mixing
from keras_dc3.testing.per_image import (
    UNLABELED_IMAGES,
    cases,
    check_gradients,
    check_independence,
    check_labeled_loss,
    check_losses,
    require,
)
from keras_dc3.testing.training import check_training

_STEPS = (0, 1, 1_000, 10**6)
_LAYER_ARGUMENTS = ("name", "dtype", "trainable")


def check_strategy(
    strategy: Any,
    image_shape: tuple[int, int, int] = (8, 8, 3),
    num_classes: int = 3,
    independent_images: bool = True,
) -> None:
    """Checks that a strategy keeps the contract of `SSLStrategy`.

    In this order: its declaration (views, roles, anchor, partner, mixed views); that
    its config survives saving; how it mixes; its losses, mask and weight on random and
    on extreme logits; and that a small `DC3Model` trains with it, with DC3 and without,
    and predicts the same after saving and loading, with the same state. A copy of the
    strategy is checked.

    Args:
        strategy: an instance, a class that can be made without arguments, or a name
            of `keras_dc3.strategies.names()`.
        image_shape: height, width and channels of the images the model trains on.
        num_classes: k, at least 2.
        independent_images: whether the loss of an image must depend on its own views
            alone. Pass False for a strategy that normalizes over the batch, keeps
            state that a call changes, or draws random numbers.

    Raises:
        AssertionError or ValueError: one sentence naming the point that is broken.
            (NotImplementedError where `unlabeled_loss` is missing, TypeError where
            `strategy` is none.)

    Example:

    >>> keras_dc3.testing.check_strategy("pi_model")  # doctest: +SKIP
    """
    strategy = _as_strategy(strategy)
    check_declaration(strategy)
    strategy = _check_config(strategy)
    _check_loss_weight(strategy)
    random = np.random.default_rng(0)
    strategy.prepare(
        num_classes, UNLABELED_IMAGES if strategy.needs_positions else None
    )
    if strategy.mixed:
        check_mixing(strategy, random, image_shape, num_classes)
    check_labeled_loss(strategy, random, num_classes)
    for kind, logits in cases(strategy, random, num_classes):
        check_losses(strategy, kind, logits)
        check_gradients(strategy, kind, logits)
    if independent_images:
        check_independence(strategy, random, num_classes)
    for config in (DC3Config(), DC3Config.vanilla()):
        check_training(strategy, config, random, image_shape, num_classes)


def _as_strategy(strategy: Any) -> SSLStrategy:
    if isinstance(strategy, type) and issubclass(strategy, SSLStrategy):
        try:
            return strategy()
        except TypeError as error:
            raise ValueError(
                f"`{strategy.__name__}` cannot be made without arguments ({error}); "
                "pass an instance, or give every argument a default."
            ) from error
    if isinstance(strategy, SSLStrategy):
        return strategy
    return strategies.get(strategy)


def _check_config(strategy: SSLStrategy) -> SSLStrategy:
    """Returns the strategy as it comes back after saving."""
    cls, name = type(strategy), type(strategy).__name__
    registered = keras.saving.get_registered_name(cls)
    require(
        keras.saving.get_registered_object(registered) is cls,
        f"`{name}` is not registered, so models holding it cannot be loaded; decorate "
        'it with `@keras.saving.register_keras_serializable("my_project")`.',
    )
    config = strategy.get_config()
    parameters = inspect.signature(cls.__init__).parameters.values()
    missing = [
        parameter.name
        for parameter in list(parameters)[1:]
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and parameter.name not in (*config, *_LAYER_ARGUMENTS)
    ]
    require(
        not missing,
        f"`{name}.get_config` lacks the constructor arguments {missing}, which a "
        "loaded model would get their defaults for.",
    )
    serialized = keras.saving.serialize_keras_object(strategy)
    try:
        serialized = json.loads(json.dumps(serialized))
    except TypeError as error:
        raise AssertionError(
            f"`{name}.get_config` must return plain values that JSON can hold: {error}."
        ) from error
    restored = keras.saving.deserialize_keras_object(serialized)
    require(
        type(restored) is cls and restored.get_config() == config,
        f"`{name}` comes back with another config after saving: {config} became "
        f"{restored.get_config()}.",
    )
    check_declaration(restored)
    return restored


def _check_loss_weight(strategy: SSLStrategy) -> None:
    name = type(strategy).__name__
    for step in _STEPS:
        weight = strategy.loss_weight(ops.convert_to_tensor(step, "int32"))
        weight = ops.convert_to_numpy(weight)
        require(
            weight.shape == (),
            f"`{name}.loss_weight` must return a scalar. Received: shape "
            f"{weight.shape} at step {step:,}",
        )
        require(
            np.isfinite(weight) and weight >= 0,
            f"`{name}.loss_weight` must be finite and at least 0. Received: {weight} "
            f"at step {step:,}",
        )
