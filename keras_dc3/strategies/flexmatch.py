"""FlexMatch."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_dc3._registration import register, settings
from keras_dc3._validation import check_positive_int, check_probability
from keras_dc3.strategies.batch import Batch
from keras_dc3.strategies.fixmatch import WeakAndStrong

# How much of the estimate stays from step to step, where images have no positions.
MOMENTUM = 0.99


@register
class FlexMatch(WeakAndStrong):
    """FixMatch with a lower threshold for classes learned less (Zhang et al., 2021).

        L(x) = 1[max p(weak) >= threshold b_c / (2 - b_c)] CE(c, p(strong)),
        b_c = s_c / max(max_j s_j, s_none),    c = argmax p(weak)

    s_c is the number of unlabeled images whose last prediction above the fixed
    threshold was class c, s_none of those without one yet: while these are many, all
    thresholds are low (the warm-up). b / (2 - b) is the paper's convex mapping. A
    step's thresholds are those of before it.

    It remembers the last prediction of every unlabeled image, by its position. Where
    batches do not tell positions, `fit` warns, and s are running means of the shares
    in the batches. Authors' code: github.com/TorchSSL/TorchSSL.

    Args:
        threshold: confidence of a prediction that counts, and largest threshold.
        num_unlabeled: how many unlabeled images there are, where batches of your own
            hold `"positions"` in 0..num_unlabeled - 1. None: as the data tell.
        **kwargs: `unlabeled_ratio`, unlabeled images per labeled one in a batch,
            default 7; `weight` of the unlabeled loss, default 1 as in the authors'
            code; `ramp_steps`, default 0, no ramp.

    Example:

    >>> strategy = keras_dc3.strategies.FlexMatch()
    >>> strategy.threshold, strategy.needs_positions
    (0.95, True)
    """

    needs_positions = adapts_mask = True

    def __init__(
        self,
        threshold: float = 0.95,
        num_unlabeled: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_probability("threshold", threshold)
        if num_unlabeled is not None:
            check_positive_int("num_unlabeled", num_unlabeled)
        self.threshold, self.num_unlabeled = float(threshold), num_unlabeled

    def create_state(self, num_classes: int, num_unlabeled: int | None) -> None:
        self.learned = self.add_state("learned", (num_classes,))  # b
        # Shares of all images, s / n: of each class, and last of those without one.
        self.shares = self.add_state("shares", (num_classes + 1,))
        self.shares.assign(ops.one_hot(num_classes, num_classes + 1))
        # The last predictions, and a place for images that are not confident.
        rows = (num_unlabeled or self.num_unlabeled or 0) + 1
        self.predicted = self.add_state("predicted", (rows,), num_classes, "int32")

    def update(self, batch: Batch) -> None:
        self.learned.assign(self.shares[:-1] / ops.max(self.shares))
        p = ops.softmax(batch.logits["weak"], axis=-1)
        none, known = p.shape[-1], self.predicted.shape[0] - 1
        confident = ops.max(p, axis=-1) >= self.threshold
        classes = ops.where(confident, ops.cast(ops.argmax(p, axis=-1), "int32"), none)
        if not known:
            now = _shares(classes, none + 1)
            self.shares.assign(MOMENTUM * self.shares + (1.0 - MOMENTUM) * now)
            return
        if batch.positions is None:
            raise ValueError(
                f"`{type(self).__name__}` knows {known:,} unlabeled images by their "
                'position, but the batch has no "positions"; call `fit`, which tells '
                "it that, or add them."
            )
        at = ops.where(confident, batch.positions, known)
        predicted = ops.scatter_update(self.predicted, at[:, None], classes)
        self.predicted.assign(predicted)
        self.shares.assign(_shares(predicted[:-1], none + 1))

    def mask(self, logits: dict[str, Any]) -> Any:
        p = ops.softmax(ops.stop_gradient(logits["weak"]), axis=-1)
        learned = ops.take(self.learned, ops.argmax(p, axis=-1), axis=0)
        threshold = self.threshold * learned / (2.0 - learned)
        return ops.cast(ops.max(p, axis=-1) >= threshold, p.dtype)

    def load_own_variables(self, store: Any) -> None:
        # A new model does not know yet how many unlabeled images there are.
        rows = store["2"].shape[0] if len(store.keys()) == 3 else 0
        if rows and rows != self.predicted.shape[0]:
            self.prepare(self.learned.shape[0], rows - 1 or None)
        super().load_own_variables(store)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **settings(self, "threshold", "num_unlabeled")}


def _shares(classes: Any, num: int) -> Any:
    """Returns the share of each of `num` classes, (num,); 0 without any image."""
    counts = ops.segment_sum(ops.ones_like(classes), classes, num_segments=num)
    counts = ops.cast(counts, "float32")
    return counts / ops.maximum(ops.sum(counts), 1.0)
