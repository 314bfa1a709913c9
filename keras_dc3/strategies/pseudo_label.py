"""Pseudo-Label."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_dc3._registration import register
from keras_dc3._validation import check_probability
from keras_dc3.strategies._defaults import RAMP_FRACTION, RAMP_STEPS
from keras_dc3.strategies.strategy import SSLStrategy


def is_confident(logits: Any, threshold: float) -> Any:
    """Returns 1 where max softmax(logits) >= threshold, else 0; no gradient, (n,)."""
    confidence = ops.max(ops.softmax(ops.stop_gradient(logits), axis=-1), axis=-1)
    return ops.cast(confidence >= threshold, logits.dtype)


def pseudo_label_loss(target_logits: Any, logits: Any) -> Any:
    """Returns the cross-entropy of `logits` to a target's likeliest class, (n,)."""
    labels = ops.argmax(ops.stop_gradient(target_logits), axis=-1)
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


@register
class PseudoLabel(SSLStrategy):
    """Confident predictions become labels (Lee, 2013).

        L(x) = 1[max p(x) >= threshold] CE(argmax p(x), p(x))

    Each image is masked by its own confidence. There is no second view, so DC3's
    cluster consistency is not used.

    Args:
        threshold: least confidence of a pseudo-label, in [0, 1].
        weight: of the unlabeled loss; 1 in the authors' code.
        ramp_steps: default 40% of the authors' 16,384 steps.

    Example:

    >>> keras_dc3.strategies.PseudoLabel(threshold=0.9).views
    {'only': 'student'}
    """

    views = {"only": "student"}
    anchor, partner = "only", None
    ramp_fraction = RAMP_FRACTION

    def __init__(
        self,
        threshold: float = 0.95,
        weight: float = 1.0,
        ramp_steps: int = RAMP_STEPS,
        **kwargs: Any,
    ):
        super().__init__(weight=weight, ramp_steps=ramp_steps, **kwargs)
        check_probability("threshold", threshold)
        self.threshold = float(threshold)

    def mask(self, logits: dict[str, Any]) -> Any:
        return is_confident(logits["only"], self.threshold)

    def unlabeled_loss(self, logits: dict[str, Any]) -> Any:
        return pseudo_label_loss(logits["only"], logits["only"])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}
