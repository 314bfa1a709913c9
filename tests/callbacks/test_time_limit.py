"""How many steps there is time for, on a clock of the test's own."""

import types

import numpy as np
import pytest

from keras_dc3.callbacks.time_limit import StepPlan, TimeLimit


def test_what_is_possible():
    plan = StepPlan(limit=100.0, steps=1000, per_epoch=10)
    assert plan.possible(0, 0.0) is None
    for _ in range(3):
        plan.step_took(0.5)
    assert plan.step is None and plan.possible(3, 1.5) is None
    plan.step_took(0.5)
    # 2% are kept for the end: 98 s, of which 2 are over, at half a second each.
    assert plan.possible(4, 2.0) == 4 + 192
    assert plan.possible(4, 98.0) == plan.possible(4, 200.0) == 4
    plan.epoch_end_took(5.0)  # half a second a step more, and one at the end
    assert plan.possible(10, 5.0) == 10 + 88
    assert StepPlan(1e6, 50, 10).possible(0, 0.0) is None


def test_no_more_than_was_wanted():
    plan = StepPlan(1000.0, 50, 10)
    for _ in range(4):
        plan.step_took(0.1)
    assert plan.possible(4, 1.0) == 50


def test_validation_is_reckoned_with_before_it_was_seen():
    plans = [StepPlan(100.0, 1000, 10, batches) for batches in (0, 8)]
    for plan in plans:
        for _ in range(4):
            plan.step_took(0.5)
    assert plans[0].possible(4, 2.0) == 196
    # 8 batches at half a step: 2 s an epoch, and once at the end.
    assert plans[1].possible(4, 2.0) == 4 + int(94 / 0.7)


class Pace:
    """Notes what a callback sets."""

    def __init__(self):
        self.stretch, self.restart = [], []

    def set(self, stretch, restart):
        self.stretch.append(stretch)
        self.restart.append(restart)


class Simulated:
    """Runs a `TimeLimit` as `fit` would, on a clock that steps move."""

    def __init__(self, limit, steps, per_epoch, took, validation=0.0, compiling=3.0):
        self.now, self.pace, self.begin = 0.0, Pace(), 0
        self.callback = TimeLimit(
            StepPlan(limit, steps, per_epoch, validation_batches=1),
            self.pace,
            first_epoch=0,
            began=0.0,
            restart=round(0.2 * steps),
            begin=0,
            clock=lambda: self.now,
        )
        model = types.SimpleNamespace(stop_training=False, jax_state_sync=lambda: None)
        self.callback.set_model(model)
        self.callback.on_train_begin()
        self.seen, restarts = [], 0
        for epoch in range(steps // per_epoch):
            self.callback.on_epoch_begin(epoch)
            for batch in range(per_epoch):
                step = epoch * per_epoch + batch
                restarts += step == self.pace.restart[-1]
                self.seen.append(step * self.pace.stretch[-1] / steps)
                self.now += took(step) if step else compiling
                self.callback.on_train_batch_end(batch)
                if model.stop_training:
                    break
            self.now += validation
            self.callback.on_epoch_end(epoch)
            if model.stop_training:
                break
        self.restarts, self.taken = restarts, self.callback.taken


def test_time_enough_changes_nothing():
    run = Simulated(1000.0, 160, 10, lambda step: 0.5, validation=1.0)
    assert run.taken == 160 and not run.callback.ended
    assert set(run.pace.stretch) == {1.0} and set(run.pace.restart) == {32}
    assert run.restarts == 1


@pytest.mark.parametrize(
    "took, validation",
    [
        (lambda step: 0.5, 0.0),
        (lambda step: 0.5, 2.0),
        (lambda step: 0.5 if step < 60 else 1.5, 1.0),  # another job begins
        (lambda step: 1.5 if step < 30 else 0.3, 1.0),  # one ends
        (lambda step: (0.1, 0.9)[step % 2], 0.5),
        (lambda step: 0.3 + 0.004 * step, 3.0),
    ],
)
def test_schedules_end_when_training_does(took, validation):
    run = Simulated(100.0, 1600, 20, took, validation)
    assert run.callback.ended and 40 < run.taken < 350
    assert 85 < run.now < 110 + validation
    assert 0.95 < run.seen[-1] <= 1.0
    assert max(run.seen) <= 1.0
    assert run.restarts == 1
    assert np.diff(run.seen).min() > -0.1  # the rate does not rise much again


def test_time_that_is_over_of_a_sudden_leaves_some_for_the_rate_to_fall():
    """The first validation takes nearly all."""
    run = Simulated(60.0, 1600, 40, lambda step: 0.5, validation=45.0)
    assert run.callback.ended and run.seen[-1] > 0.9
    assert run.now < 1.1 * 60.0 + 2 * 45.0


def test_no_time_at_all():
    run = Simulated(5.0, 1600, 40, lambda step: 0.5, compiling=10.0)
    assert run.callback.ended and run.taken == 1


def test_a_training_that_is_gone_on_with_keeps_its_plan():
    run = Simulated(100.0, 1600, 20, lambda step: 0.5, validation=1.0)
    state = run.callback.state()
    assert state["planned"] == run.taken and state["seconds"] == run.now
    pace = Pace()
    again = TimeLimit(
        StepPlan(100.0, 1600, 20), pace, 0, 1000.0, 320, 0, lambda: 1000.0
    )
    again.restore(state)
    again.on_train_begin()
    assert pace.stretch == [state["stretch"]] and again.state() == state
