"""FreeMatch."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_dc3._registration import register, settings
from keras_dc3._validation import check_not_negative, check_probability
from keras_dc3.strategies.batch import Batch
from keras_dc3.strategies.fixmatch import WeakAndStrong


@register
class FreeMatch(WeakAndStrong):
    """FixMatch whose thresholds follow the model's own confidence (Wang et al., 2023).

        L(x) = 1[max p(weak) >= tau p_c / max_j p_j] CE(c, p(strong)) + w_f L_f,
        c = argmax p(weak)

    tau is a moving average (EMA) of the confidence, the global threshold; p of the mean
    prediction, which makes it local; h below of how often each class is predicted. All
    begin at 1/k. The fairness loss is over the images that pass, with m the mean of
    p(strong) and g the histogram of its classes:

        L_f = sum_c a_c log b_c,    a ~ p / h,    b ~ m / g    (each of sum 1)

    It is of a batch; here each image that passes carries its value and its own part of
    the gradient, so that their mean over the batch is L_f with its gradient. Authors'
    code: github.com/microsoft/Semi-supervised-learning.

    Args:
        momentum: of the moving averages, in [0, 1].
        fairness_weight: w_f, at least 0; times `weight`.
        **kwargs: `unlabeled_ratio`, unlabeled images per labeled one in a batch,
            default 7; `weight` of the unlabeled loss, default 1 as in the authors'
            code; `ramp_steps`, default 0, no ramp.

    Example:

    >>> keras_dc3.strategies.FreeMatch(fairness_weight=0.05).momentum
    0.999
    """

    adapts_mask = True

    def __init__(
        self,
        momentum: float = 0.999,
        fairness_weight: float = 0.01,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_probability("momentum", momentum)
        check_not_negative("fairness_weight", fairness_weight)
        self.momentum, self.fairness_weight = float(momentum), float(fairness_weight)

    def create_state(self, num_classes: int, num_unlabeled: int | None) -> None:
        k = num_classes
        self.confidence = self.add_state("confidence", (), 1.0 / k)  # tau
        self.prediction = self.add_state("prediction", (k,), 1.0 / k)  # p
        self.histogram = self.add_state("histogram", (k,), 1.0 / k)  # h
        # Of the latest step: L_f and its gradient for m, over the share that passes.
        self.fairness = self.add_state("fairness", ())
        self.pull = self.add_state("pull", (k,))

    def update(self, batch: Batch) -> None:
        p = ops.softmax(batch.logits["weak"], axis=-1)
        for variable, value in (
            (self.confidence, ops.mean(ops.max(p, axis=-1))),
            (self.prediction, ops.mean(p, axis=0)),
            (self.histogram, ops.mean(_one_hot(p), axis=0)),
        ):
            variable.assign(self.momentum * variable + (1.0 - self.momentum) * value)
        passes = self.mask(batch.logits)[:, None]
        strong = ops.softmax(batch.logits["strong"], axis=-1)
        share = ops.maximum(ops.mean(passes), 1e-12)
        mean = ops.mean(passes * strong, axis=0) / share
        scale = _inverse(ops.mean(passes * _one_hot(strong), axis=0) / share)
        a = _of_sum_one(self.prediction * _inverse(self.histogram))
        b = _of_sum_one(mean * scale)
        value = ops.sum(a * ops.log(b + 1e-12))
        slope = a / (b + 1e-12)  # of the value for b; below for the mean
        pull = (slope - ops.sum(slope * b)) * scale / _sum(mean * scale)
        any_passes = ops.cast(ops.sum(passes) > 0, "float32") / share
        self.fairness.assign(value * any_passes)
        self.pull.assign(pull * any_passes)

    def mask(self, logits: dict[str, Any]) -> Any:
        p = ops.softmax(ops.stop_gradient(logits["weak"]), axis=-1)
        prediction = self.prediction / ops.max(self.prediction)
        local = ops.take(prediction, ops.argmax(p, axis=-1), axis=0)
        return ops.cast(ops.max(p, axis=-1) >= self.confidence * local, p.dtype)

    def unlabeled_loss(self, logits: dict[str, Any]) -> Any:
        strong = ops.softmax(logits["strong"], axis=-1)
        change = strong - ops.stop_gradient(strong)  # 0, with the gradient of strong
        fairness = self.fairness + ops.sum(change * self.pull, axis=-1)
        return super().unlabeled_loss(logits) + self.fairness_weight * fairness

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **settings(self, "momentum", "fairness_weight")}


def _one_hot(p: Any) -> Any:
    return ops.one_hot(ops.argmax(p, axis=-1), p.shape[-1], dtype="float32")


def _inverse(values: Any) -> Any:
    """Returns 1 / values, and 0 for 0."""
    return ops.where(values > 0, 1.0 / ops.maximum(values, 1e-12), 0.0)


def _sum(values: Any) -> Any:
    return ops.maximum(ops.sum(values), 1e-12)


def _of_sum_one(values: Any) -> Any:
    return values / _sum(values)
