"""Ends a training in time, with its schedule run to the end."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import keras

# Steps to measure before anything is planned by them. The first makes the graph.
_FEWEST = 4
# Of the limit: what is kept for the end of `fit`, and the time that a rate which is
# high still, as time has run out of a sudden, gets to fall.
_END, _COOLING = 0.02, 0.05
_NEARLY_DONE = 0.9
# A pass over validation images beside a training step, by what it costs.
_VALIDATION_BATCH = 0.5


class StepPlan:
    """How many steps there is time for, by what steps and validations have taken.

    Args:
        limit: seconds in all.
        steps: that are wanted.
        per_epoch: steps of an epoch.
        validation_batches: of an epoch; 0 for none.
    """

    def __init__(
        self, limit: float, steps: int, per_epoch: int, validation_batches: int = 0
    ):
        self.limit, self.steps = limit, steps
        self.per_epoch, self._validation_batches = per_epoch, validation_batches
        self._durations: list[float] = []
        self._ends: list[float] = []

    def step_took(self, seconds: float) -> None:
        """Takes up the duration of a step."""
        self._durations.append(seconds)

    def epoch_end_took(self, seconds: float) -> None:
        """Takes up the duration of what follows an epoch's last step."""
        self._ends.append(seconds)

    @property
    def step(self) -> float | None:
        """Seconds of a step, by the later half of all; None: not known yet."""
        if len(self._durations) < _FEWEST:
            return None
        return statistics.fmean(self._durations[len(self._durations) // 2 :])

    def possible(self, taken: int, elapsed: float) -> int | None:
        """Returns how many steps, those taken included, end in time; None: not known.

        Args:
            taken: steps so far.
            elapsed: seconds so far.
        """
        step = self.step
        if step is None:
            return None
        guess = _VALIDATION_BATCH * step * self._validation_batches
        each = statistics.fmean(self._ends) if self._ends else guess
        last = max(self._ends, default=guess)
        left = self.limit * (1 - _END) - elapsed - last
        more = max(int(left / (step + each / self.per_epoch)), 0)
        return min(taken + more, self.steps)


class TimeLimit(keras.callbacks.Callback):
    """Ends a training in time; `DC3Model.fit(time_limit=...)` adds it.

    It measures steps and validations, plans how many steps there is time for, and lets
    the pace of schedule and ramp follow, again and again, so that they have run to
    their end when training ends.

    Args:
        plan: the time and the steps.
        pace: of the model; it has `set(stretch, restart)`.
        first_epoch: that training begins with.
        began: what `clock` said when `fit` began.
        restart: at which step of the plan clusters start anew.
        begin: steps that the model had taken before.
        clock: returns seconds.

    Attributes:
        taken: steps so far.
        preparing: seconds until the first one was over.
        ended: whether it has ended the training.
    """

    def __init__(
        self,
        plan: StepPlan,
        pace: Any,
        first_epoch: int,
        began: float,
        restart: int,
        begin: int,
        clock: Callable[[], float],
    ):
        super().__init__()
        self.plan, self._pace, self._clock = plan, pace, clock
        self._first_epoch, self._began, self._begin = first_epoch, began, begin
        self._wanted_restart = self._restart = restart
        self._planned, self._next, self._stretch = plan.steps, 0, 1.0
        self._is_first, self._is_cooling = True, False
        self.taken, self.preparing, self.ended = 0, 0.0, False

    def state(self) -> dict[str, Any]:
        """Returns what a training that is gone on with has to know."""
        return {
            "seconds": self._clock() - self._began,
            "planned": self._planned,
            "stretch": self._stretch,
            "restart": self._restart,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Takes what `state` has returned."""
        self._began -= state["seconds"]
        self._planned, self._stretch = state["planned"], state["stretch"]
        self._restart = state["restart"]

    def on_train_begin(self, logs: Any = None) -> None:
        self._pace.set(self._stretch, self._restart)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._before = (epoch - self._first_epoch) * self.plan.per_epoch
        self.taken, self._last = self._before, self._clock()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        taken, now = self._before + batch + 1, self._clock()
        steps = max(taken - self.taken, 1)
        if self._is_first:
            self.preparing = now - self._began
        else:
            for _ in range(steps):
                self.plan.step_took((now - self._last) / steps)
        self.taken, self._last, self._is_first = taken, now, False
        elapsed = now - self._began
        due = taken >= self._next or elapsed > self.plan.limit
        if due and not self._is_cooling:
            self._replan(elapsed)
        if taken >= self._planned < self.plan.steps:
            self._end()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        now = self._clock()
        self.plan.epoch_end_took(now - self._last)
        self._next = 0
        is_over = now - self._began > self.plan.limit
        if is_over and self._is_nearly_done and self.taken < self.plan.steps:
            self._end()

    @property
    def _is_nearly_done(self) -> bool:
        """Whether the schedule is near its end, as it is planned now."""
        return self.taken / self._planned >= _NEARLY_DONE

    def _end(self) -> None:
        self.ended = self.model.stop_training = True

    def _replan(self, elapsed: float) -> None:
        planned = self.plan.possible(self.taken, elapsed)
        if planned is None:  # no step is known, and perhaps no time is left
            if elapsed > self.plan.limit:
                self._planned = self.taken
            return
        if planned <= self.taken and not self._is_nearly_done:
            self._is_cooling = True
            steps = int(_COOLING * self.plan.limit / self.plan.step)
            planned = min(self.taken + max(steps, 1), self.plan.steps)
        self._next = self.taken + max((planned - self.taken) // 50, 1)
        if planned != self._planned:
            self._planned = planned
            self._set_pace()

    def _set_pace(self) -> None:
        if self.taken >= self._planned:
            return  # the end: nothing follows
        self._stretch = self.plan.steps / self._planned
        now = self._begin + self.taken
        if now <= self._restart:
            wanted = self._wanted_restart - self._begin
            at = self._begin + round(wanted / self._stretch)
            self._restart = max(at, now)
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        self._pace.set(self._stretch, self._restart)
