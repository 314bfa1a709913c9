"""`fit(time_limit=...)`: trainings that end in time, with their schedules."""

import time
import warnings

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.callbacks import Backup
from keras_dc3.models import limited_time
from tests.models.helpers import Batches, arrays, difference, make_model
from tests.models.test_picked_length import features, new_model, pixels


class Clock(keras.callbacks.Callback):
    """Takes the time of a simulated machine, a second a step, and notes the rate."""

    def __init__(self, monkeypatch, second=1.0, killed_at=None):
        super().__init__()
        self.now, self.second, self.killed_at = 0.0, second, killed_at
        self.rates, self.weights, self.steps = [], [], 0
        monkeypatch.setattr(limited_time, "now", lambda: self.now)

    def on_train_batch_end(self, batch, logs=None):
        self.now += self.second
        self.steps += 1
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        number = keras.ops.convert_to_numpy
        self.rates.append(float(number(self.model.optimizer.learning_rate)))
        step = self.model.pace.planned(self.model.step.value - 1, 0)
        self.weights.append(float(number(self.model.ssl.loss_weight(step))))

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 == self.killed_at:
            raise KeyboardInterrupt


def small(steps=None, **options):
    model = new_model(
        num_classes=2, num_clusters=3, ssl="pi_model", training_steps=steps, **options
    )
    model.build((None, 4, 4, 1))
    return model


@pytest.mark.usefixtures("without_graphs")
def test_rate_and_ramp_end_with_the_training(monkeypatch, capsys):
    """30 of 100 steps in 30 s."""
    model, clock = small(), Clock(monkeypatch)
    history = model.fit(
        pixels(), epochs=10, steps_per_epoch=10, time_limit=30, callbacks=clock
    )
    assert 26 <= model.steps_taken <= 31 and len(history.epoch) == 3
    assert clock.now <= 33
    assert model.training_steps == 100 and model.ssl.ramp_steps == 40
    end = 0.01 * np.cos(7 / 16 * np.pi)
    assert clock.rates[0] > 0.0099 and end < clock.rates[-1] < 1.5 * end
    assert (np.diff(clock.rates[5:]) < 1e-6).all()
    assert clock.weights[0] == 0 and clock.weights[-1] == model.ssl.weight
    told = capsys.readouterr().out
    assert f"`time_limit=30` ended training after {model.steps_taken} of 100 p" in told
    # What was changed for it is as before.
    assert isinstance(model.optimizer.get_config()["learning_rate"], dict)
    rate = model.optimizer.get_config()["learning_rate"]
    assert rate["class_name"] == "SevenSixteenthsCosine"
    assert not model.pace.is_used


@pytest.mark.usefixtures("without_graphs")
def test_a_silent_fit_tells_that_it_ended(monkeypatch):
    model, clock = small(), Clock(monkeypatch, second=20.0)
    plan = {"epochs": 10, "steps_per_epoch": 10, "time_limit": 30}
    with pytest.warns(UserWarning, match=r"after [12] of 100 .* next to nothing: give"):
        model.fit(pixels(), callbacks=clock, verbose=0, **plan)


@pytest.mark.slow
def test_time_enough_changes_nothing(monkeypatch, capsys):
    models = [small(8), small(8)]
    for model, limit in zip(models, (None, 1000), strict=True):
        keras.utils.set_random_seed(1)
        clock = Clock(monkeypatch, second=0.1)
        model.fit(pixels(), time_limit=limit, verbose=2, callbacks=clock)
        assert model.steps_taken == 8
    assert difference(*models) < 1e-6
    assert "time_limit" not in capsys.readouterr().out


@pytest.mark.graph
def test_in_a_graph_with_a_schedule_of_ones_own(monkeypatch):
    """The pace changes inside a compiled step."""
    model, clock = small(40), Clock(monkeypatch)
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 40)
    model.compile(keras.optimizers.SGD(schedule))
    model.fit(pixels(), epochs=4, steps_per_epoch=10, time_limit=16, callbacks=clock)
    assert 12 <= model.steps_taken <= 17
    assert clock.rates[1] > 0.09 and clock.rates[-1] < 0.01
    assert clock.weights[-1] == model.ssl.weight
    assert model.optimizer.get_config()["learning_rate"]["class_name"] == "CosineDecay"


@pytest.mark.slow
def test_killed_and_continued(monkeypatch, tmp_path):
    """It keeps its plan, and the time that was left."""
    backup, taken = tmp_path / "backup", 0
    for killed_at in (2, None):
        model, clock = small(), Clock(monkeypatch, killed_at=killed_at)
        fit = {"epochs": 10, "steps_per_epoch": 10, "time_limit": 40, "verbose": 0}
        try:
            model.fit(pixels(), callbacks=[Backup(backup), clock], **fit)
        except KeyboardInterrupt:
            taken = 10  # of the last backup: it is written after the kill
    assert clock.steps < 35 and 36 <= model.steps_taken <= 42
    assert model.steps_taken == clock.steps + taken
    assert clock.rates[0] < 0.0099 and clock.rates[-1] < 0.003
    assert not list(backup.glob("*.zip"))


@pytest.mark.slow
def test_a_backup_of_another_limit_is_refused(monkeypatch, tmp_path):
    clock = Clock(monkeypatch, killed_at=2)
    fit = {"epochs": 4, "steps_per_epoch": 2, "verbose": 0}
    with pytest.raises(KeyboardInterrupt):
        small().fit(pixels(), callbacks=[Backup(tmp_path), clock], time_limit=9, **fit)
    with pytest.raises(ValueError, match="its `time_limit` is 9, that of this one nu"):
        small().fit(pixels(), callbacks=[Backup(tmp_path)], **fit)


@pytest.mark.parametrize("limit", [0, -1, "10", True, float("nan"), float("inf")])
def test_limits_that_are_none(limit):
    with pytest.raises(ValueError, match=r"^`time_limit` must be .*Received"):
        small().fit(pixels(), time_limit=limit)


def test_data_of_unknown_length():
    x, y = arrays("pi_model")
    model = make_model(lambda: keras.layers.Flatten(), "pi_model")
    with pytest.raises(ValueError, match=r"`time_limit` needs .*`steps_per_epoch`"):
        model.fit(iter(list(Batches(x, y))), time_limit=9)


@pytest.mark.slow
def test_a_model_saved_meanwhile(monkeypatch, tmp_path):
    path = tmp_path / "model.keras"
    model, clock = small(), Clock(monkeypatch)
    saves = keras.callbacks.ModelCheckpoint(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(
            pixels(),
            epochs=4,
            steps_per_epoch=5,
            time_limit=12,
            callbacks=[clock, saves],
        )
    loaded = keras.saving.load_model(path)
    assert loaded.training_steps == 20 and not loaded.length_is_given
    rate = loaded.optimizer.get_config()["learning_rate"]
    assert rate["config"]["schedule"]["class_name"] == "SevenSixteenthsCosine"
    loaded.fit(pixels(), epochs=1, verbose=0)


@pytest.mark.slow
def test_features_and_a_real_clock(capsys):
    """In half a minute, with all that belongs to it."""
    backbone = keras_dc3.backbones.feature_mlp(3, 4)
    model = keras_dc3.DC3Model(backbone)
    model.compile(run_eagerly=True)  # graphs take long to make
    began = time.monotonic()
    fit = {"epochs": 10_000, "steps_per_epoch": 20, "time_limit": 30}
    model.fit(features(400), verbose=2, **fit)
    assert time.monotonic() - began < 35
    assert 5 < model.steps_taken < 100_000
    assert "ended training after" in capsys.readouterr().out


@pytest.mark.slow
def test_what_took_the_time_is_told(monkeypatch, capsys):
    model, clock = small(), Clock(monkeypatch, second=20.0)
    model.compile(run_eagerly=True)
    model.fit(pixels(), time_limit=10, verbose=2, callbacks=clock)
    assert model.steps_taken == 1
    assert "20 s went by until the first step was over" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.tensorflow
def test_replicas_keep_the_pace_of_one_device(monkeypatch, mirrored):
    """The same steps, rates and weights, though the plan changes on the way."""
    models, clocks = [], []
    for strategy in (None, mirrored):
        if strategy is None:
            model = small()
        else:
            with strategy.scope():
                model = small()
        clock = Clock(monkeypatch)
        model.fit(
            pixels(),
            epochs=10,
            steps_per_epoch=10,
            time_limit=30,
            callbacks=clock,
            verbose=0,
        )
        models.append(model)
        clocks.append(clock)
    one, two = clocks
    assert 26 <= one.steps <= 31 and two.steps == one.steps
    np.testing.assert_allclose(two.rates, one.rates, rtol=1e-6)
    np.testing.assert_allclose(two.weights, one.weights, rtol=1e-6)
    assert difference(*models) < 1e-5


def test_several_workers_are_refused():
    limited_time.check_time_limit(5, workers=1)
    with pytest.raises(ValueError, match="cannot be used with 2 workers"):
        limited_time.check_time_limit(5, workers=2)
