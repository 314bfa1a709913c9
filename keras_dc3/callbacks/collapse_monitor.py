"""Tells where training no longer helps: one side, one class, one cluster."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import keras
import numpy as np

from keras_dc3._text import number_of
from keras_dc3.callbacks.generalization import (
    memorizing,
    never_certain,
    not_above_commonest,
    training_accuracy,
)
from keras_dc3.callbacks.monitored import BEST

# A share above this is "nearly all", a fraction ambiguous this near to 0 or 1 is one
# side (as for `metrics.proposal_scores`), and a correlation below this is "against".
NEARLY_ALL, ONE_SIDE, AGAINST = 0.95, 0.1, -0.1
# How much of training a collapse must have lasted, in steps at least; and the fewest
# images of an epoch, and steps of the model, from which anything is concluded.
LASTING, LASTING_STEPS = 0.2, 100
FEWEST_IMAGES, FEWEST_STEPS = 20, 20


def _level() -> int:
    """Returns the `stacklevel` that makes a caller's warning point to the user's code.

    Between it and a callback stands what Keras and its backend need for `fit`.
    """
    level, frame = 1, sys._getframe(1)
    while frame.f_globals.get("__name__", "").split(".")[0] in ("keras", "keras_dc3"):
        if frame.f_back is None:
            return 1
        level, frame = level + 1, frame.f_back
    return level


class CollapseMonitor(keras.callbacks.Callback):
    """Warns where a run has collapsed, with the figure and the epoch.

    Each is told once per `fit`, at the end of an epoch:

    - 10% of the unlabeled images or less are on one side of p_a = 0.5 (or less than
      half of what `prior` expects there, where that is less);
    - p_a runs against the entropy of the class prediction: their correlation within
      the batches is below -0.1, and clearly so for the number of images;
    - more than 95% of the unlabeled images were predicted as one class;
    - or put into one cluster, where clusters are trained;
    - or, of those that passed the strategy's mask, were given one pseudo-label;
    - the validation images are predicted no better than by always saying the class that
      is commonest among them, where they are enough to tell 10 points of accuracy;
    - a class that is predicted, or is a label of validation images, has no unlabeled
      image that is called certain of it;
    - the validation loss has risen by a tenth, while the accuracy on the labeled images
      is above 95%;
    - no unlabeled image passed the mask, or every one.

    Runs look like that for a while and recover, above all at their beginning. All but
    the last are therefore told only where they have lasted for a fifth of training (of
    the model's `training_steps` or of this `fit`, whichever is shorter) and 100 steps,
    or where they hold at the end of `fit`; and never of fewer than 20 images or steps.

    Args:
        masked: whether the strategy has a mask of its own.
        adaptive: whether that follows the training, so that all images may pass it for
            a while, which is not told then.

    Example:

    >>> monitor = keras_dc3.callbacks.CollapseMonitor()  # `fit` adds one by itself
    """

    def __init__(self, masked: bool = False, adaptive: bool = False) -> None:
        super().__init__()
        self._masked, self._adaptive = masked, adaptive
        self._told: set[str] = set()
        self._since: dict[str, int] = {}
        self._losses: list[float] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self._told, self._since, self._losses = set(), {}, []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._began = self._step()
        self.model.validation_figures = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = logs or {}
        if self._masked:
            for kind, message in self._mask(logs.get("mask_rate")).items():
                self._tell(kind, epoch, message)
        sums = self.model.epoch_statistics.read()
        found = self._generalization(logs, sums)
        images = sums["classes"].sum()
        if images >= FEWEST_IMAGES:
            found |= self._collapse(logs, sums, images)
        step = self._step()
        for kind, message in found.items():
            if message is None:
                self._since.pop(kind, None)
                continue
            lasted = step - self._since.setdefault(kind, self._began)
            at_the_end = self._is_last(epoch) and step >= FEWEST_STEPS
            if lasted >= self._lasting() or at_the_end:
                self._tell(kind, epoch, message)

    def _generalization(
        self, logs: dict[str, Any], sums: dict[str, np.ndarray]
    ) -> dict[str, str | None]:
        """Returns kind -> what to say, of those that were looked at in this epoch."""
        figures, found = self.model.validation_figures, {}
        if figures is not None:
            found["commonest"] = not_above_commonest(figures, self._name)
        if "val_loss" in logs:
            self._losses.append(logs["val_loss"])
            accuracy = training_accuracy(logs)
            found["memorizing"] = memorizing(self._losses, accuracy, BEST)
        if self.model.config.predicts_ambiguity:
            found["never_certain"] = never_certain(
                sums["classes"], sums["certain"], figures, self._name
            )
        return found

    def _collapse(
        self, logs: dict[str, Any], sums: dict[str, np.ndarray], images: float
    ) -> dict[str, str | None]:
        return {
            "ambiguous": self._sides(logs.get("ambiguous")),
            "against": self._agreement(sums["agreement"], images),
            "classes": self._classes(sums["classes"]),
            "clusters": self._clusters(sums["clusters"]),
            "pseudo_labels": self._pseudo_labels(sums["pseudo_labels"]),
        }

    def _tell(self, kind: str, epoch: int, message: str) -> None:
        if kind not in self._told:
            self._told.add(kind)
            warnings.warn(f"Epoch {epoch + 1}: {message}", stacklevel=_level())

    def _step(self) -> int:
        return int(keras.ops.convert_to_numpy(self.model.step))

    def _lasting(self) -> float:
        """Returns the steps after which a collapse has lasted."""
        epochs, steps = self.params.get("epochs"), self.params.get("steps")
        planned = self.model.training_steps
        if epochs and steps:
            planned = min(planned, epochs * steps)
        return max(LASTING * planned, LASTING_STEPS)

    def _is_last(self, epoch: int) -> bool:
        return epoch + 1 == self.params.get("epochs") or self.model.stop_training

    def _trains_clusters(self) -> bool:
        config, partner = self.model.config, self.model.ssl.partner
        return (
            config.cluster_head == "prototypes"
            or config.inverse_weight > 0
            or (config.consistency_weight > 0 and partner is not None)
        )

    def _name(self, number: Any) -> str:
        names = self.model.class_names
        return str(number) if names is None else f"{number} ({names[number]!r})"

    def _mask(self, rate: float | None) -> dict[str, str]:
        name = type(self.model.ssl).__name__
        if rate == 0.0:
            return {
                "none": "no pseudo-label was used (mask_rate 0.0): no unlabeled image "
                f"passed the mask of `{name}`, so its unlabeled loss was 0. This is "
                "usual in the first epochs; if it lasts, lower the threshold."
            }
        if rate == 1.0 and not self._adaptive:
            return {
                "all": "every pseudo-label was used (mask_rate 1.0): all unlabeled "
                f"images passed the mask of `{name}`, wrong ones too. Raise the "
                "threshold if this is not meant."
            }
        return {}

    def _sides(self, ambiguous: float | None) -> str | None:
        config = self.model.config
        if not config.predicts_ambiguity or ambiguous is None:
            return None
        prior = config.prior
        few = prior > 0 and ambiguous <= min(ONE_SIDE, prior / 2)
        many = prior < 1 and 1 - ambiguous <= min(ONE_SIDE, (1 - prior) / 2)
        if not few and not many:
            return None
        return (
            f"{ambiguous:.1%} of the unlabeled images were called ambiguous, where "
            f"`prior` expects {prior:.0%}: the ambiguity has collapsed to one side. "
            "Train longer, lower the learning rate, or change `ambiguity_weight` of "
            "the `DC3Config`."
        )

    def _agreement(self, sums: np.ndarray, images: float) -> str | None:
        together, ambiguity, entropy = sums / images
        # Not where one of them is constant, with a standard deviation below 0.01.
        if not self.model.config.predicts_ambiguity or min(ambiguity, entropy) < 1e-4:
            return None
        correlation = together / np.sqrt(ambiguity * entropy)
        if correlation >= min(AGAINST, -3 / np.sqrt(images)):
            return None
        advice = "Train longer, or lower the learning rate."
        if self.model.config.rank_by != "uncertainty":
            advice = (
                'Rank by the prediction, `rank_by="uncertainty"` of the `DC3Config`, '
                "or train longer."
            )
        return (
            "p_a runs against the model's own uncertainty: its correlation with the "
            f"entropy of the class prediction is {correlation:.2f}, so the images "
            f"called ambiguous are rather those the model is sure of. {advice}"
        )

    def _classes(self, counts: np.ndarray) -> str | None:
        share = counts.max() / counts.sum()
        if share <= NEARLY_ALL:
            return None
        return (
            f"{share:.1%} of the unlabeled images were predicted as class "
            f"{self._name(counts.argmax())}. Unless your images are like that, the "
            "classes have collapsed to one: lower the learning rate, check the labels, "
            "or label more images."
        )

    def _clusters(self, counts: np.ndarray) -> str | None:
        share = counts.max() / counts.sum()
        if share <= NEARLY_ALL or not self._trains_clusters():
            return None
        advice = "Train longer, or lower the learning rate."
        if self.model.config.cluster_head == "linear":
            advice = "Raise `inverse_weight` of the `DC3Config`, or train longer."
        return (
            f"{share:.1%} of the unlabeled images were put into cluster "
            f"{counts.argmax()}, one of {len(counts)}: the clusters have collapsed to "
            f"one. {advice}"
        )

    def _pseudo_labels(self, counts: np.ndarray) -> str | None:
        number = counts.sum()
        if not self._masked or number < FEWEST_IMAGES:
            return None
        share = counts.max() / number
        if share <= NEARLY_ALL:
            return None
        return (
            f"{share:.1%} of the pseudo-labels used were class "
            f"{self._name(counts.argmax())}, of {number_of(int(number), 'image')} that "
            f"passed the mask of `{type(self.model.ssl).__name__}`: they teach one "
            "class alone. Raise the threshold, or lower the strategy's `weight`."
        )
