"""How fast a training runs through its plan, where its time is limited."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register
from keras_dc3.collective import Collective


class Pace(keras.metrics.Metric):
    """How many planned steps each step counts for, which may change meanwhile.

    A training that has time for 400 of 1,600 planned steps runs through schedule and
    ramp four times as fast: step s is step `begin + stretch (s - begin)` of the plan.
    It logs nothing; it is a metric because Keras carries metrics through its steps on
    every backend, and saves them with no model.

    Args:
        collective: the replicas, which all have it.
        name: as for every Keras metric.

    Attributes:
        is_used: whether the time of the `fit` that runs is limited.
        begin: steps that the model had taken before it.
    """

    def __init__(self, collective: Collective, name: str = "pace"):
        super().__init__(name=name)
        self._collective = collective
        alike = {"aggregation": "only_first_replica"}
        self._stretch = self.add_variable((), "ones", "float32", **alike)
        self._restart = self.add_variable((), "zeros", "int32", **alike)
        self.is_used, self.begin = False, 0
        self._held: Any = None

    def update_state(self) -> None:
        """A step changes nothing."""

    def result(self) -> dict[str, Any]:
        return {}

    def reset_state(self) -> None:
        """Nor does an epoch."""

    def set(self, stretch: float, restart: int) -> None:
        """Sets how many planned steps a step counts for, and when clusters restart."""
        with self._collective.scope():
            self._stretch.assign(stretch)
            self._restart.assign(restart)

    def planned(self, step: Any, begin: int) -> Any:
        """Returns which step of the plan a step is, float32.

        Args:
            step: number of steps taken so far, integer scalar.
            begin: that at the beginning of `fit`.
        """
        stretch = self._stretch if self._held is None else self._held
        return begin + (ops.cast(step, "float32") - begin) * stretch

    @property
    def restart(self) -> Any:
        """The step at which clusters start anew, int32 scalar."""
        return ops.convert_to_tensor(self._restart)

    def hold(self) -> None:
        """Reads the state for an optimizer, to which JAX gives none but its own."""
        if self.is_used:
            self._held = ops.convert_to_tensor(self._stretch)

    def release(self) -> None:
        """Forgets what `hold` has read."""
        self._held = None


@register
class PacedSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that runs as fast as a `Pace` says; saved, it is that schedule alone.

    Args:
        schedule: of the learning rate.
        pace: None for one planned step in each.
        begin: updates of the weights before `fit`.
    """

    def __init__(self, schedule: Any, pace: Pace | None = None, begin: int = 0):
        self.schedule, self._pace, self._begin = schedule, pace, begin

    def __call__(self, step: Any) -> Any:
        if self._pace is not None:
            step = self._pace.planned(step, self._begin)
        return self.schedule(step)

    def get_config(self) -> dict[str, Any]:
        return {"schedule": keras.saving.serialize_keras_object(self.schedule)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> PacedSchedule:
        return cls(keras.saving.deserialize_keras_object(config["schedule"]))
