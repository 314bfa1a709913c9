"""A `fit` whose time is limited: what it needs before, during and after training."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras

from keras_dc3 import _keras
from keras_dc3._validation import check_positive_number
from keras_dc3.callbacks.time_limit import StepPlan, TimeLimit
from keras_dc3.models.pace import PacedSchedule
from keras_dc3.models.training_length import (
    optimizers_in,
    restart_step,
    schedule_steps,
)

_MUCH = 0.3  # of the limit, until the first step is over
_FEW = 0.1  # of the planned steps


def now() -> float:
    """Returns the seconds of a clock that only goes forward."""
    return time.monotonic()


def check_time_limit(time_limit: Any, workers: int = 1) -> None:
    """Raises ValueError unless it is None, or a number of seconds for one worker."""
    if time_limit is None:
        return
    check_positive_number("time_limit", time_limit)
    if workers > 1:
        raise ValueError(
            f"`time_limit` cannot be used with {workers} workers, each of which would "
            "stop by its own clock: pass `epochs`, or plan "
            f"`training_steps`. Received: {time_limit}"
        )


class LimitedTime:
    """Lets a model train for a limited time.

    Args:
        model: a built `DC3Model`.
        arguments: of `fit`.
        began: what `now` said when it began.
        steps: of an epoch; None where that is not known.
        validation_batches: of an epoch.

    Attributes:
        callback: for `fit`.

    Raises:
        ValueError: if nobody knows how many steps an epoch has.
    """

    def __init__(
        self,
        model: Any,
        arguments: Mapping[str, Any],
        began: float,
        steps: int | None,
        validation_batches: int,
    ):
        if steps is None:
            raise ValueError(
                "`time_limit` needs to know how many steps an epoch has, and these "
                "data do not tell: pass `steps_per_epoch`. Received: "
                f"time_limit={arguments['time_limit']!r}"
            )
        self._model, self._limit = model, arguments["time_limit"]
        first = arguments["initial_epoch"]
        self._steps = steps * (arguments["epochs"] - first)
        if not model.length_is_given and self._steps:
            model.plan_for(self._steps)
        begin = model.steps_taken
        model.pace.begin = begin
        self.callback = TimeLimit(
            StepPlan(self._limit, self._steps, steps, validation_batches),
            model.pace,
            first,
            began,
            restart_step(model.training_steps),
            begin,
            now,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Surrounds the training, during which rates follow the pace."""
        model, before = self._model, []
        for optimizer in optimizers_in(model.optimizer):
            schedule = _keras.schedule_of(optimizer)
            if schedule_steps(schedule) is not None:
                before.append((optimizer, schedule))
                begin = int(keras.ops.convert_to_numpy(optimizer.iterations))
                paced = PacedSchedule(schedule, model.pace, begin)
                _keras.set_schedule(optimizer, paced)
        model.pace.is_used, model.train_function = True, None
        try:
            yield
        finally:
            for optimizer, schedule in before:
                _keras.set_schedule(optimizer, schedule)
            model.pace.release()
            model.pace.is_used, model.train_function = False, None

    def told(self) -> str | None:
        """Returns what was left out; None where nothing was."""
        if not self.callback.ended:
            return None
        taken, steps = self.callback.taken, self._steps
        preparing, why = self.callback.preparing, ""
        if preparing > _MUCH * self._limit:
            why = f" {preparing:.0f} s went by until the first step was over."
        # Such as 59.9519 s, where something has taken the rest of a minute before.
        what = "A longer limit trains more."
        if taken < _FEW * steps:
            what = "So few teach next to nothing: give it a longer limit."
        limit = self._limit if self._limit < 10 else round(self._limit)
        return (
            f"`time_limit={limit:g}` ended training after {taken:,} of "
            f"{steps:,} planned steps; learning rate and ramps that follow the steps "
            f"were run to their end.{why} {what}"
        )
