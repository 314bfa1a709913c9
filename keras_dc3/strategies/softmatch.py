"""SoftMatch."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_dc3._registration import register, settings
from keras_dc3._validation import check_positive_number, check_probability
from keras_dc3.strategies.batch import Batch
from keras_dc3.strategies.fixmatch import WeakAndStrong


@register
class SoftMatch(WeakAndStrong):
    """FixMatch with a weight in the place of the threshold (Chen et al., 2023).

        L(x) = exp(-n^2 min(max q - mu, 0)^2 / (2 var)) CE(argmax p(weak), p(strong))

    q is p(weak) with uniform alignment: divided by a moving average (EMA) of the mean
    prediction, and normalized, so that no class is preferred. mu and var are moving
    averages of mean and variance of the confidence, max q, of a batch; they begin at
    1/k and 1, the average of the prediction with that of the first batch. Authors'
    code: github.com/microsoft/Semi-supervised-learning.

    All images take part (`mask_rate` is 1), most with a weight below 1.

    Args:
        momentum: of the moving averages, in [0, 1].
        num_sigma: n, above 0: the weight falls with the distance in so many parts of
            the standard deviation; 2 in the authors' code.
        **kwargs: `unlabeled_ratio`, unlabeled images per labeled one in a batch,
            default 7; `weight` of the unlabeled loss, default 1 as in the authors'
            code; `ramp_steps`, default 0, no ramp.

    Example:

    >>> keras_dc3.strategies.SoftMatch().num_sigma
    2.0
    """

    def __init__(self, momentum: float = 0.999, num_sigma: float = 2.0, **kwargs: Any):
        super().__init__(**kwargs)
        check_probability("momentum", momentum)
        check_positive_number("num_sigma", num_sigma)
        self.momentum, self.num_sigma = float(momentum), float(num_sigma)

    def create_state(self, num_classes: int, num_unlabeled: int | None) -> None:
        self.mean = self.add_state("mean", (), 1.0 / num_classes)  # mu
        self.variance = self.add_state("variance", (), 1.0)
        self.prediction = self.add_state("prediction", (num_classes,))
        self.batches = self.add_state("batches", (), 0, "int32")

    def update(self, batch: Batch) -> None:
        logits, m = batch.logits["weak"], self.momentum
        kept = ops.where(self.batches > 0, m, 0.0)
        prediction = ops.mean(ops.softmax(logits, axis=-1), axis=0)
        self.prediction.assign(kept * self.prediction + (1.0 - kept) * prediction)
        self.batches.assign(self.batches + 1)
        confidence = self._confidence(logits)
        mean = ops.mean(confidence)
        # Without bias; of a single image it is 0.
        others = ops.maximum(ops.cast(ops.size(confidence), "float32") - 1.0, 1.0)
        variance = ops.sum(ops.square(confidence - mean)) / others
        self.mean.assign(m * self.mean + (1.0 - m) * mean)
        self.variance.assign(m * self.variance + (1.0 - m) * variance)

    def _confidence(self, logits: Any) -> Any:
        """Returns max q, (n,), without gradient."""
        p = ops.softmax(ops.stop_gradient(logits), axis=-1)
        aligned = p * (1.0 / p.shape[-1] + 1e-6) / (self.prediction + 1e-6)
        return ops.max(aligned, axis=-1) / ops.sum(aligned, axis=-1)

    def unlabeled_loss(self, logits: dict[str, Any]) -> Any:
        below = ops.minimum(self._confidence(logits["weak"]) - self.mean, 0.0)
        width = 2.0 * ops.maximum(self.variance, 1e-12) / self.num_sigma**2
        weight = ops.exp(-ops.square(below) / width)
        return weight * super().unlabeled_loss(logits)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **settings(self, "momentum", "num_sigma")}
