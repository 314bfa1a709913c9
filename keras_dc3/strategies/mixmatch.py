"""MixMatch."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register, settings
from keras_dc3._validation import check_positive_number
from keras_dc3.strategies._defaults import RAMP_FRACTION, REFERENCE_STEPS
from keras_dc3.strategies.batch import Batch
from keras_dc3.strategies.strategy import SSLStrategy

_WEIGHT = 75.0


def _weight_in(training_steps: int) -> float:
    """Returns the weight for a training of so many steps, at most that of the paper.

    What an image is guessed to be is wrong at first, and in a short training for most
    of it: with the paper's weight nearly all images of CIFAR-10H became of one class in
    1,600 steps from pixels.
    """
    return _WEIGHT * min(training_steps / REFERENCE_STEPS, 1.0)


@register
class MixMatch(SSLStrategy):
    """Labeled and guessed images are mixed with each other (Berthelot et al., 2019).

        q(x) ~ ((p(first) + p(second)) / 2)^(1 / temperature)

    is what an unlabeled image is taken for; all labeled images and both views are then
    mixed at random by MixUp, images and labels alike, each keeping the larger share
    max(s, 1 - s), s ~ Beta(alpha, alpha). The labeled loss is the cross-entropy of the
    mixed labeled images, the unlabeled one

        L(x) = mean over both views of mean_c (p(mixed)[c] - q_mixed[c])^2

    There are two augmentations of an unlabeled image, as in the authors' code,
    github.com/google-research/mixmatch. The network sees the images unmixed as well:
    for the guesses, and, with gradient, for DC3.

    Args:
        temperature: of the sharpening, above 0.
        alpha: of the distribution of shares, above 0.
        weight: of the unlabeled loss; 75 in the paper for CIFAR-10. Named by a string,
            it is so much less as the training is shorter than 16,384 steps, and 25 on
            features.
        ramp_steps: default a 64th of 16,384 steps, as in the authors' code; named by a
            string 40% of the training.

    Example:

    >>> keras_dc3.strategies.MixMatch(weight=100.0).alpha
    0.75
    """

    views = {"first": "student", "second": "detached"}
    anchor, partner = "first", "second"
    mixed = {"mixed": "labeled", "mixed_first": "first", "mixed_second": "second"}
    ramp_fraction = RAMP_FRACTION
    feature_weight = 25.0

    def __init__(
        self,
        temperature: float = 0.5,
        alpha: float = 0.75,
        weight: float = _WEIGHT,
        ramp_steps: int = 256,
        **kwargs: Any,
    ):
        super().__init__(weight=weight, ramp_steps=ramp_steps, **kwargs)
        check_positive_number("temperature", temperature)
        check_positive_number("alpha", alpha)
        self.temperature, self.alpha = float(temperature), float(alpha)
        self.seed = keras.random.SeedGenerator()

    @classmethod
    def for_training(cls, training_steps: int = REFERENCE_STEPS) -> MixMatch:
        ramp_steps = round(cls.ramp_fraction * training_steps)
        return cls(weight=_weight_in(training_steps), ramp_steps=ramp_steps)

    def replan(self, before: int, training_steps: int) -> None:
        super().replan(before, training_steps)
        if self.weight == _weight_in(before):
            self.weight = _weight_in(training_steps)

    def draw_mixing(self, rows: dict[str, Any]) -> dict[str, Any]:
        shape = (sum(rows.values()),)
        share = keras.random.beta(shape, self.alpha, self.alpha, seed=self.seed)
        order = ops.argsort(keras.random.uniform(shape, seed=self.seed))
        return {"partner": order, "share": ops.maximum(share, 1.0 - share)}

    def guess(self, logits: dict[str, Any]) -> dict[str, Any]:
        p = sum(ops.softmax(logits[view], axis=-1) for view in self.views) / 2.0
        # As a power of the probabilities, but without those that are 0 at last.
        sharp = ops.softmax(ops.log(ops.maximum(p, 1e-30)) / self.temperature, axis=-1)
        return dict.fromkeys(self.views, sharp)

    def losses(self, batch: Batch) -> tuple[Any, Any, Any]:
        logits, targets = batch.logits, batch.targets
        labeled = self.labeled_loss(targets["mixed"], logits["mixed"])
        return labeled, self._squared(logits, targets), self.mask(logits)

    def _squared(self, logits: Any, targets: Any) -> Any:
        differences = [
            ops.mean(ops.square(ops.softmax(logits[view]) - targets[view]), axis=-1)
            for view in ("mixed_first", "mixed_second")
        ]
        return sum(differences) / 2.0

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **settings(self, "temperature", "alpha")}
