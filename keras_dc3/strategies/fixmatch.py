"""FixMatch, and what its successors have in common with it."""

from __future__ import annotations

from typing import Any

from keras_dc3._registration import register
from keras_dc3._validation import check_positive_int, check_probability
from keras_dc3.strategies.pseudo_label import is_confident, pseudo_label_loss
from keras_dc3.strategies.strategy import SSLStrategy


class WeakAndStrong(SSLStrategy):
    """Base of the strategies in which a weak view teaches the strong one.

        L(x) = CE(argmax p(weak), p(strong))

    is the loss by default; no gradient flows through the weak view's pseudo-label.

    Args:
        unlabeled_ratio: unlabeled images per labeled one in a batch.
        weight, ramp_steps: as for `SSLStrategy`.
    """

    views = {"weak": "student", "strong": "student"}
    anchor, partner = "weak", "strong"

    def __init__(
        self,
        unlabeled_ratio: int = 7,
        weight: float = 1.0,
        ramp_steps: int = 0,
        **kwargs: Any,
    ):
        super().__init__(weight=weight, ramp_steps=ramp_steps, **kwargs)
        check_positive_int("unlabeled_ratio", unlabeled_ratio)
        self.unlabeled_ratio = int(unlabeled_ratio)

    def unlabeled_loss(self, logits: dict[str, Any]) -> Any:
        return pseudo_label_loss(logits["weak"], logits["strong"])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "unlabeled_ratio": self.unlabeled_ratio}


@register
class FixMatch(WeakAndStrong):
    """A confident weak view labels the strong view (Sohn et al., 2020).

        L(x) = 1[max p(weak) >= threshold] CE(argmax p(weak), p(strong))

    No gradient flows through the weak view's pseudo-label. The strong view is
    augmented by RandAugment and cutout where our data pipelines make it (the authors'
    code uses CTAugment).

    Args:
        threshold: least confidence of a pseudo-label, in [0, 1].
        **kwargs: `unlabeled_ratio`, unlabeled images per labeled one in a batch,
            default 7; `weight` of the unlabeled loss, default 1 as in the authors'
            code; `ramp_steps`, default 0, no ramp.

    Example:

    >>> strategy = keras_dc3.strategies.FixMatch(threshold=0.9, unlabeled_ratio=3)
    >>> strategy.views
    {'weak': 'student', 'strong': 'student'}
    """

    def __init__(
        self,
        threshold: float = 0.95,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_probability("threshold", threshold)
        self.threshold = float(threshold)

    def mask(self, logits: dict[str, Any]) -> Any:
        return is_confident(logits["weak"], self.threshold)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "threshold": self.threshold}
