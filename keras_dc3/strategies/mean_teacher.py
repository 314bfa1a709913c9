"""Mean-Teacher."""

from __future__ import annotations

from typing import Any

from keras_dc3._registration import register
from keras_dc3.strategies._defaults import RAMP_STEPS
from keras_dc3.strategies.pi_model import PiModel


@register
class MeanTeacher(PiModel):
    """The averaged weights teach the current ones (Tarvainen and Valpola, 2017).

        L(x) = mean_c (p(second)[c] - p_teacher(first)[c])^2

    A Pi-Model but for who looks at the first view: the model's own moving average,
    with BatchNormalization in batch mode, as in the authors' code.

    Args:
        weight: of the unlabeled loss; 50 in the authors' code. Named by a string, a
            model of features takes `feature_weight`, 20: the few layers above them
            learn in a tenth of the steps, in which 50 outshouts the answers.
        ramp_steps: default 40% of the authors' 16,384 steps.

    Example:

    >>> keras_dc3.strategies.MeanTeacher(weight=20.0).views
    {'first': 'teacher', 'second': 'student'}
    """

    views = {"first": "teacher", "second": "student"}
    feature_weight = 20.0

    def __init__(
        self, weight: float = 50.0, ramp_steps: int = RAMP_STEPS, **kwargs: Any
    ):
        super().__init__(weight=weight, ramp_steps=ramp_steps, **kwargs)
