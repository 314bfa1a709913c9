"""Optimizers: that of the authors' code, one for short trainings, one for features."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register, settings
from keras_dc3._validation import check_not_negative, check_positive_int

__all__ = [
    "KernelDecaySGD",
    "SevenSixteenthsCosine",
    "feature_optimizer",
    "feature_penalty",
    "pixel_optimizer",
    "reference_optimizer",
]

_PENALTY, _PENALIZED_IN_FULL = 0.05, 200  # up to so many labels


@register
class SevenSixteenthsCosine(keras.optimizers.schedules.LearningRateSchedule):
    """A cosine that ends before it reaches zero (Sohn et al., 2020).

        rate(step) = initial cos(7/16 pi min(step / steps, 1))

    It ends, and stays, at 0.195 of the initial rate.

    Args:
        initial_learning_rate: the rate at step 0.
        steps: planned number of training steps.
        warmup_steps: over so many first steps the rate also grows linearly from
            nearly 0; rates of 0.1 and more want it. 0 for none, as in the authors'
            code.

    Example:

    >>> rate = keras_dc3.optimizers.SevenSixteenthsCosine(0.03, steps=1000)
    >>> round(float(rate(0)), 3), round(float(rate(1000)), 4)
    (0.03, 0.0059)
    """

    def __init__(self, initial_learning_rate: float, steps: int, warmup_steps: int = 0):
        check_not_negative("initial_learning_rate", initial_learning_rate)
        check_positive_int("steps", steps)
        check_positive_int("warmup_steps", warmup_steps, least=0)
        self.initial_learning_rate = initial_learning_rate
        self.steps = steps
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        step = ops.cast(step, "float32")
        progress = ops.minimum(step / self.steps, 1.0)
        rate = self.initial_learning_rate * ops.cos(7.0 / 16.0 * math.pi * progress)
        if self.warmup_steps:
            rate = rate * ops.minimum((step + 1.0) / self.warmup_steps, 1.0)
        return rate

    def get_config(self) -> dict[str, Any]:
        return settings(self, "initial_learning_rate", "steps", "warmup_steps")


@register
class KernelDecaySGD(keras.optimizers.SGD):
    """SGD whose L2 penalty spares biases and normalization weights.

    The gradient of `kernel_decay / 2 * ||kernel||^2` is added to that of every weight
    of rank 2 or more, so it goes through the momentum, as a penalty in the loss would
    (Keras' own `weight_decay` does not).

    Args:
        learning_rate: a number or schedule.
        momentum: in [0, 1].
        nesterov: whether the momentum is Nesterov's.
        kernel_decay: factor of the L2 penalty.
        **kwargs: as for `keras.optimizers.SGD`.

    Example:

    >>> model.compile(keras_dc3.optimizers.KernelDecaySGD(0.03))
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.9,
        nesterov: bool = True,
        kernel_decay: float = 5e-4,
        name: str = "kernel_decay_sgd",
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate=learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            name=name,
            **kwargs,
        )
        check_not_negative("kernel_decay", kernel_decay)
        self.kernel_decay = kernel_decay

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if len(variable.shape) >= 2:
            decay = ops.cast(self.kernel_decay, gradient.dtype)
            gradient = gradient + decay * ops.cast(variable, gradient.dtype)
        super().update_step(gradient, variable, learning_rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "kernel_decay": self.kernel_decay}


def reference_optimizer(training_steps: int) -> KernelDecaySGD:
    """Returns the authors' optimizer for a training of that many steps.

    Nesterov momentum 0.9, learning rate 0.01 falling by `SevenSixteenthsCosine`, and an
    L2 penalty of 0.0005 on kernels.

    Example:

    >>> model.compile(keras_dc3.optimizers.reference_optimizer(5000))
    """
    return KernelDecaySGD(SevenSixteenthsCosine(0.01, training_steps))


def pixel_optimizer(training_steps: int, learning_rate: float = 0.1) -> KernelDecaySGD:
    """Returns the optimizer for a short training from pixels, of a new network.

    As `reference_optimizer`, but with a larger learning rate, which it reaches after 5%
    of the steps: in few steps the authors' rate learns far less. It is too
    large for a network that was trained before.

    Example:

    >>> model.compile(keras_dc3.optimizers.pixel_optimizer(1600))
    """
    return KernelDecaySGD(_with_warmup(learning_rate, training_steps))


def feature_optimizer(
    training_steps: int, learning_rate: float = 0.1, labeled: int | None = None
) -> KernelDecaySGD:
    """Returns the optimizer for a training on features that were computed before.

    As `reference_optimizer`, but with a larger learning rate, which it reaches after 5%
    of the steps, and a larger penalty, `feature_penalty(labeled)`: the few layers above
    good features learn fast, and have more weights than a few hundred answers can tell.

    Args:
        training_steps: planned number of steps.
        learning_rate: the largest.
        labeled: how many images have labels; None where that is not known.

    Example:

    >>> model.compile(keras_dc3.optimizers.feature_optimizer(1600, labeled=300))
    """
    rate = _with_warmup(learning_rate, training_steps)
    return KernelDecaySGD(rate, kernel_decay=feature_penalty(labeled))


def feature_penalty(labeled: int | None = None) -> float:
    """Returns the L2 penalty for layers above features, by the number of labels.

        0.05 min(1, sqrt(200 / labeled))

    The more labels there are, the more weights they can tell.

    Args:
        labeled: how many images have labels, at least 1; None where that is not known:
            0.05.

    Raises:
        ValueError: if `labeled` is no integer of at least 1.

    Example:

    >>> keras_dc3.optimizers.feature_penalty(3200)
    0.0125
    """
    if labeled is None:
        return _PENALTY
    check_positive_int("labeled", labeled)
    return _PENALTY * min(1.0, math.sqrt(_PENALIZED_IN_FULL / labeled))


def _with_warmup(learning_rate: float, training_steps: int) -> SevenSixteenthsCosine:
    """Returns a schedule that reaches its rate after 5% of the steps."""
    warmup = max(training_steps // 20, 1)
    return SevenSixteenthsCosine(learning_rate, training_steps, warmup)
