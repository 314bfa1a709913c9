"""The Pi-Model."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_dc3._registration import register
from keras_dc3.strategies._defaults import RAMP_FRACTION, RAMP_STEPS
from keras_dc3.strategies.strategy import SSLStrategy


@register
class PiModel(SSLStrategy):
    """Two views of an image shall get the same prediction (Laine and Aila, 2017).

        L(x) = mean_c (p(second)[c] - sg p(first)[c])^2

    Args:
        weight: of the unlabeled loss; 10 in the authors' code.
        ramp_steps: default 40% of the authors' 16,384 steps.

    Example:

    >>> strategy = keras_dc3.strategies.PiModel(ramp_steps=1000)
    >>> [float(strategy.loss_weight(step)) for step in (0, 500, 1000, 2000)]
    [0.0, 5.0, 10.0, 10.0]
    """

    views = {"first": "detached", "second": "student"}
    anchor, partner = "second", "first"
    ramp_fraction = RAMP_FRACTION

    def __init__(
        self, weight: float = 10.0, ramp_steps: int = RAMP_STEPS, **kwargs: Any
    ):
        super().__init__(weight=weight, ramp_steps=ramp_steps, **kwargs)

    def unlabeled_loss(self, logits: dict[str, Any]) -> Any:
        second, first = (ops.softmax(logits[view]) for view in ("second", "first"))
        return ops.mean(ops.square(second - first), axis=-1)
