"""Warns where ramps and schedules do not fit the length of a training.

What is told where they suppose another length than `fit` is asked for.
"""

from __future__ import annotations

import warnings
from typing import Any

import keras

from keras_dc3 import _keras
from keras_dc3._text import number_of
from keras_dc3.optimizers import SevenSixteenthsCosine

# Features move fast at first: after this part of training, clusters start anew.
_RESTART = 0.2
# Of fewer steps nothing is expected. Moving statistics that hold more than this share
# of their start lag.
_FEWEST_STEPS, _LAGGING = 20, 0.1


def optimizers_in(optimizer: Any) -> list[Any]:
    """Returns the optimizers that an optimizer stands for, mostly itself."""
    if hasattr(optimizer, "inner_optimizer"):  # scales the loss for float16
        return optimizers_in(optimizer.inner_optimizer)
    if hasattr(optimizer, "optimizers"):  # one for each group of weights
        return [one for part in optimizer.optimizers for one in optimizers_in(part)]
    return [optimizer]


def schedule_steps(schedule: Any) -> int | None:
    """Returns after how many steps a schedule is used up, None if unknown or never."""
    schedules = keras.optimizers.schedules
    if isinstance(schedule, SevenSixteenthsCosine):
        return schedule.steps
    if isinstance(schedule, schedules.CosineDecay):
        return int(schedule.decay_steps + schedule.warmup_steps)
    if isinstance(schedule, schedules.PolynomialDecay) and not schedule.cycle:
        return int(schedule.decay_steps)
    return None


def restart_step(training_steps: int) -> int:
    """Returns the step at which the clusters start anew."""
    return round(_RESTART * training_steps)


def _number(variable: Any) -> int:
    # Of an optimizer that accumulates gradients, the updates are no variable.
    return int(keras.ops.convert_to_numpy(variable))


def _accumulated(optimizer: Any) -> int:
    """Returns how many steps an optimizer takes for one update of the weights."""
    numbers = [one.gradient_accumulation_steps for one in optimizers_in(optimizer)]
    return max((number or 1 for number in numbers), default=1)


class TrainingLength:
    """The state in which a `fit` begins, to say what its length means.

    Args:
        model: a built `DC3Model`.
        goes_on: whether the training before is gone on with, on the same labels.
    """

    def __init__(self, model: Any, goes_on: bool = False):
        self._model = model
        self._goes_on = goes_on
        self._taken = model.steps_taken
        self._updates = _number(model.optimizer.iterations)
        self._accumulated = _accumulated(model.optimizer)
        self._momentum = max(_fresh_momenta(model.network), default=0.0)

    def _tell_of_average(self, planned: int, stacklevel: int) -> None:
        """Warns where predictions of a model trained before stay those of before."""
        model, end = self._model, self._taken + planned
        if not self._taken or self._goes_on or model.evaluate_with != "ema":
            return
        old = model.average.share_of_old(self._taken, end)
        if old <= _LAGGING:
            return
        warnings.warn(
            f"The model has taken {number_of(self._taken, 'step')} before, and this "
            f"`fit` of {number_of(planned, 'step')} is short beside them: predictions "
            "and validation come from the moving average of the weights, of which "
            f"{old:.0%} stays that of the training before. To train for something "
            "else, such as other labels, train a copy, `model = "
            "model.with_averaged_weights()`, which predicts by its weights themselves, "
            'or set `model.evaluate_with = "raw"`. To go on with the same training, '
            "pass `initial_epoch`.",
            stacklevel=stacklevel,
        )

    def tell(self, planned: int, stacklevel: int = 5) -> None:
        """Warns of what does not fit a `fit` of that many steps, in one warning.

        Args:
            planned: steps of this `fit`.
            stacklevel: as for `warnings.warn`; by default that of what calls `fit`.
        """
        if planned < 1:
            return
        self._tell_of_average(planned, stacklevel + 1)
        found = [*self._unlabeled(planned), *self._clusters(planned)]
        found += [*self._rate(planned), *self._statistics(planned)]
        if not found:
            return
        end = self._taken + planned
        begin = f"This training ends after {number_of(planned, 'step')}"
        if self._taken:
            begin = (
                f"The model has taken {number_of(self._taken, 'step')}, and this `fit` "
                f"ends at step {end:,}"
            )
        facts = [fact for fact, _ in found]
        facts = " and ".join([", ".join(facts[:-1]), facts[-1]] if facts[1:] else facts)
        advice = dict.fromkeys(advice for _, advice in found if advice)
        warnings.warn(
            " ".join([f"{begin}, but {facts}.", *advice]), stacklevel=stacklevel
        )

    def tell_at_end(self, known: bool) -> None:
        """Warns of what is known only after a `fit`.

        Args:
            known: whether its steps were known, and told of, before.
        """
        taken, head = self._model.steps_taken - self._taken, None
        if not known:
            self.tell(taken)
        if self._model.config.predicts_ambiguity and taken >= _FEWEST_STEPS:
            head = self._model.network.prototype_head
        if head is None or _number(head.started):
            return
        if not _number(head.written):
            return  # no unlabeled image was seen, which is told elsewhere
        warnings.warn(
            "The clusters have not begun to form and are random: after "
            f"{taken:,} steps they have seen {_number(head.written):,} images, and "
            f"begin with {head.images_to_start:,}. Train longer, or pass a smaller "
            f"`num_clusters` than {head.num_clusters}.",
            stacklevel=4,
        )

    def _plan(self, planned: int) -> str:
        """Returns how the settings that follow `training_steps` are changed."""
        if self._taken:
            return ""
        return f"Pass `training_steps={planned}` to `DC3Model` to plan for it."

    def _unlabeled(self, planned: int) -> list[tuple[str, str]]:
        strategy, steps = self._model.ssl, self._model.training_steps
        ramp = strategy.ramp_steps
        if not ramp or self._taken + planned >= ramp:
            return []
        follows = ramp == round(strategy.ramp_fraction * steps)
        own = f"Pass a smaller `ramp_steps` to `{type(strategy).__name__}`."
        fact = f"the unlabeled loss reaches its full weight at step {ramp:,}"
        return [(fact, self._plan(planned) if follows else own)]

    def _clusters(self, planned: int) -> list[tuple[str, str]]:
        restart = restart_step(self._model.training_steps)
        moving = self._model.network.prototype_head is not None
        if not moving or not self._model.config.predicts_ambiguity or not restart:
            return []
        if self._taken + planned > restart:
            return []
        fact = (
            "the clusters start anew, on features that have settled, at step "
            f"{restart:,}"
        )
        return [(fact, self._plan(planned))]

    def _rate(self, planned: int) -> list[tuple[str, str]]:
        updates = planned // self._accumulated
        for optimizer in optimizers_in(self._model.optimizer):
            schedule = _keras.schedule_of(optimizer)
            length = schedule_steps(schedule)
            if length is None:
                continue
            fact = self._rate_fact(updates, schedule, length)
            if fact is None:
                continue
            ours = isinstance(schedule, SevenSixteenthsCosine)
            one_each = self._accumulated == 1
            follows = ours and one_each and length == self._model.training_steps
            if not self._taken and follows:
                return [(fact, self._plan(planned))]
            plan = f"compile with a schedule of {updates} steps"
            if ours and one_each:
                kind = "feature" if self._model.takes_features else "reference"
                plan = (
                    "call `model.compile(optimizer=keras_dc3.optimizers."
                    f"{kind}_optimizer({updates}))`"
                )
            return [(fact, f"To plan the rate for these steps, {plan} before `fit`.")]
        return []

    def _rate_fact(self, planned: int, schedule: Any, length: int) -> str | None:
        beyond = planned - max(length - self._updates, 0)
        if beyond > planned / 2:
            rate = float(keras.ops.convert_to_numpy(schedule(length)))
            share = "all" if beyond == planned else f"{beyond:,}"
            return (
                f"the learning rate schedule of {length:,} steps is used up: the rate "
                f"stays at {rate:.2g} for {share} of these {planned:,} steps"
            )
        if self._updates + planned < length / 2:
            return f"the learning rate is scheduled for {length:,} steps"
        return None

    def _statistics(self, planned: int) -> list[tuple[str, str]]:
        share = self._momentum**planned
        if planned < _FEWEST_STEPS or share <= _LAGGING:
            return []
        return [
            (
                "the moving statistics of BatchNormalization, with a momentum of "
                f"{self._momentum:g}, hold {share:.0%} of their start still, and "
                "predictions come from them",
                "Give these layers of the backbone a smaller `momentum`, such as 0.9.",
            )
        ]


def is_new(network: keras.layers.Layer) -> bool:
    """Whether a network has seen no image yet, by its normalization layers.

    False for one that has none, which does not tell.
    """
    layers = [
        layer
        for layer in _keras.layers_in(network)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    return bool(layers) and all(not one.built or _is_fresh(one) for one in layers)


def _is_fresh(layer: keras.layers.BatchNormalization) -> bool:
    """Whether a normalization layer has its first moving statistics still."""
    mean = keras.ops.convert_to_numpy(layer.moving_mean)
    variance = keras.ops.convert_to_numpy(layer.moving_variance)
    return not mean.any() and bool((variance == 1).all())


def _fresh_momenta(network: keras.layers.Layer) -> list[float]:
    """Returns the momenta of normalization layers that have seen no image yet."""
    fresh = []
    for layer in _keras.layers_in(network):
        normalizes = isinstance(layer, keras.layers.BatchNormalization)
        if normalizes and layer.built and layer.trainable and _is_fresh(layer):
            fresh.append(float(layer.momentum))
    return fresh
