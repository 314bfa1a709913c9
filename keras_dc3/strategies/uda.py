"""Unsupervised Data Augmentation (UDA)."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_dc3._registration import register, settings
from keras_dc3._validation import (
    check_choice,
    check_positive_int,
    check_positive_number,
    check_probability,
)
from keras_dc3.strategies._defaults import REFERENCE_STEPS
from keras_dc3.strategies.batch import LABELED, Batch
from keras_dc3.strategies.fixmatch import WeakAndStrong
from keras_dc3.strategies.pseudo_label import is_confident

SCHEDULES = ("linear", "log", "exp")


def annealed(schedule: str, progress: Any) -> Any:
    """Returns how far the signal of the labels is let in, from 0 to 1.

    Args:
        schedule: `"linear"`, t; `"log"`, 1 - exp(-5 t); or `"exp"`, exp(5 (t - 1)).
        progress: t, the part of training that is over, a scalar in [0, 1].
    """
    if schedule == "linear":
        return progress
    if schedule == "log":
        return 1.0 - ops.exp(-5.0 * progress)
    return ops.exp(5.0 * (progress - 1.0))


@register
class UDA(WeakAndStrong):
    """A weak view's sharpened prediction teaches the strong one (Xie et al., 2020).

        L(x) = 1[max p(weak) >= threshold] KL(softmax(weak / temperature), p(strong))

    No gradient flows through the weak view's target. With training signal annealing
    (TSA), a labeled image counts only while the probability of its own class is at most

        h(t) (1 - 1/k) + 1/k

    with the `annealed` h(t), so that few labels are not learned by heart at once; the
    labeled loss is the mean over those that count. For soft labels it is the mean
    probability of their classes. Authors' code: github.com/google-research/uda.

    Args:
        threshold: least confidence of a target, in [0, 1].
        temperature: of the sharpening, above 0; 1 for none.
        tsa: `"linear"`, `"log"` (for many labels), `"exp"` (for few), or None for no
            annealing, as in the authors' code by default.
        training_steps: over which the signal is annealed.
        **kwargs: `unlabeled_ratio`, unlabeled images per labeled one in a batch,
            default 7 (5 to 30 in the authors' scripts); `weight` of the unlabeled loss,
            default 1 as in the authors' code; `ramp_steps`, default 0, no ramp.

    Example:

    >>> strategy = keras_dc3.strategies.UDA(tsa="linear", training_steps=1000)
    >>> strategy.threshold, strategy.temperature
    (0.8, 0.4)
    """

    def __init__(
        self,
        threshold: float = 0.8,
        temperature: float = 0.4,
        tsa: str | None = None,
        training_steps: int = REFERENCE_STEPS,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_probability("threshold", threshold)
        check_positive_number("temperature", temperature)
        check_choice("tsa", tsa, (*SCHEDULES, None))
        check_positive_int("training_steps", training_steps)
        self.threshold, self.temperature = float(threshold), float(temperature)
        self.tsa, self.training_steps = tsa, int(training_steps)

    @classmethod
    def for_training(cls, training_steps: int = REFERENCE_STEPS) -> UDA:
        return cls(training_steps=training_steps)

    def replan(self, before: int, training_steps: int) -> None:
        super().replan(before, training_steps)
        if self.training_steps == before:
            self.training_steps = int(training_steps)

    def create_state(self, num_classes: int, num_unlabeled: int | None) -> None:
        if self.tsa is not None:
            self.limit = self.add_state("limit", (), 1.0)
            self.share = self.add_state("share", (), 1.0)

    def update(self, batch: Batch) -> None:
        if self.tsa is None:
            return
        progress = ops.cast(batch.step, "float32") / self.training_steps
        start = 1.0 / batch.logits[LABELED].shape[-1]
        h = annealed(self.tsa, ops.minimum(progress, 1.0))
        self.limit.assign(h * (1.0 - start) + start)
        counts = self._counts(batch.targets[LABELED], batch.logits[LABELED])
        images = ops.cast(ops.size(counts), "float32")
        self.share.assign(ops.maximum(ops.sum(counts), 1.0) / ops.maximum(images, 1.0))

    def _counts(self, targets: Any, logits: Any) -> Any:
        """Returns which labeled images count, 0 or 1, (m,)."""
        own = ops.sum(
            targets * ops.softmax(ops.stop_gradient(logits), axis=-1), axis=-1
        )
        return ops.cast(own <= self.limit, logits.dtype)

    def labeled_loss(self, targets: Any, logits: Any) -> Any:
        losses = super().labeled_loss(targets, logits)
        if self.tsa is None:
            return losses
        return losses * self._counts(targets, logits) / self.share

    def mask(self, logits: dict[str, Any]) -> Any:
        return is_confident(logits["weak"], self.threshold)

    def unlabeled_loss(self, logits: dict[str, Any]) -> Any:
        weak = ops.stop_gradient(logits["weak"]) / self.temperature
        difference = ops.log_softmax(weak, axis=-1) - ops.log_softmax(
            logits["strong"], axis=-1
        )
        return ops.sum(ops.softmax(weak, axis=-1) * difference, axis=-1)

    def get_config(self) -> dict[str, Any]:
        names = ("threshold", "temperature", "tsa", "training_steps")
        return {**super().get_config(), **settings(self, *names)}
