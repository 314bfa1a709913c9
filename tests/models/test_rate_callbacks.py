"""Callbacks that set the learning rate, where it follows a schedule and where not."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.models.rate_callbacks import sets_learning_rate
from tests.models.helpers import arrays, make_model, run_case, strategy

Callback = keras.callbacks.Callback
Plateau = keras.callbacks.ReduceLROnPlateau


class Gentle(Plateau):
    """A subclass that changes something else."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch


class Sets(Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1:
            self.model.optimizer.learning_rate = 0.001


class SetsByName(Callback):
    def on_epoch_end(self, epoch, logs=None):
        setattr(self.model.optimizer, "learning_rate", 0.001)  # noqa: B010


def set_rate(optimizer, value):
    optimizer.learning_rate.assign(value)


class SetsByFunction(Callback):
    def on_epoch_end(self, epoch, logs=None):
        set_rate(self.model.optimizer, 0.001)


class Reads(Callback):
    """Has a rate of its own, and looks at the optimizer's."""

    def __init__(self):
        super().__init__()
        self.learning_rate = 0.1

    def on_epoch_end(self, epoch, logs=None):
        self.learning_rate = float(self.model.optimizer.learning_rate)
        logs["learning_rate"] = self.learning_rate


def by_lambda():
    def change(epoch, logs):
        optimizer = keras.optimizers.SGD()
        optimizer.learning_rate = 0.1

    return keras.callbacks.LambdaCallback(on_epoch_end=lambda e, logs: change(e, logs))


class Scales(Callback):
    def on_epoch_end(this, epoch, logs=None):
        this.model.optimizer.learning_rate *= 0.5


class SetsByAlias(Callback):
    def on_epoch_end(self, epoch, logs=None):
        one = self.model.optimizer
        rate = one.learning_rate
        rate.assign(0.1)


def set_model_rate(model, value):
    model.optimizer.learning_rate = value


class SetsByModel(Callback):
    def on_epoch_end(self, epoch, logs=None):
        set_model_rate(self.model, 0.001)


class Row:
    learning_rate = 0.0


class Records(Callback):
    """Keeps the rate in a record; its methods do not call it `self`."""

    def __init__(this):
        super().__init__()
        this.learning_rate = 0.1

    def on_epoch_end(self, epoch, logs=None):
        row = Row()
        row.learning_rate = float(self.model.optimizer.learning_rate)


def other_model():
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(), "mse")
    model.optimizer.learning_rate = 0.1
    return model


class MakesAnother(Callback):
    def on_epoch_end(self, epoch, logs=None):
        self.other = other_model()


SETTERS = {
    "scales": Scales,
    "by alias": SetsByAlias,
    "by model": SetsByModel,
    "plateau": lambda: Plateau("loss", patience=1, min_delta=10.0),
    "scheduler": lambda: keras.callbacks.LearningRateScheduler(lambda e, r: r * 0.5),
    "subclass": lambda: Gentle("loss", patience=1),
    "own": Sets,
    "by name": SetsByName,
    "by function": SetsByFunction,
    "lambda": by_lambda,
    "in a list": lambda: keras.callbacks.CallbackList([Plateau("loss")]),
}
OTHERS = {
    "records": Records,
    "makes another": MakesAnother,
    "reads": Reads,
    "early stopping": keras.callbacks.EarlyStopping,
    "checkpoint": lambda: keras.callbacks.ModelCheckpoint("a.keras"),
    "backup": lambda: keras.callbacks.BackupAndRestore("folder"),
    "lambda": lambda: keras.callbacks.LambdaCallback(on_epoch_end=print),
    "log": keras.callbacks.ProgbarLogger,
    "ours": keras_dc3.callbacks.StopOnNaN,
    "monitor": keras_dc3.callbacks.CollapseMonitor,
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_callbacks_are_no_setters(name):
    assert not sets_learning_rate(OTHERS[name]())


@pytest.fixture(scope="module")
def model():
    return make_model(keras.layers.Flatten, strategy("pi_model"))


@pytest.fixture
def data():
    return arrays("pi_model")


@pytest.mark.parametrize("name", SETTERS)
def test_refused_before_the_first_step(name, model, data):
    callback = SETTERS[name]()
    given = callback if name == "in a list" else [Reads(), callback]
    line = r"model\.compile\(optimizer=keras_dc3\.optimizers\.KernelDecaySGD\(learning_"
    with pytest.raises(ValueError, match=line + r"rate=0\.01\)\)"):
        model.fit(*data, batch_size=8, epochs=3, verbose=0, callbacks=given)
    assert int(keras.ops.convert_to_numpy(model.step.value)) == 0


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_a_schedule_of_ones_own_is_refused_too(dtype, data):
    model = make_model(keras.layers.Flatten, strategy("pi_model"), dtype=dtype)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.02, 100, 0.5)
    model.compile(keras.optimizers.Adam(schedule))
    message = r"`Sets` sets .*`ExponentialDecay`.*keras\.optimizers\.Adam\(learning_"
    with pytest.raises(ValueError, match=message):
        model.fit(*data, batch_size=8, verbose=0, callbacks=[Sets()])


def test_the_line_of_the_message_works(data):
    model = make_model(keras.layers.Flatten, strategy("pi_model"))
    setter = SETTERS["scheduler"]()
    with pytest.raises(ValueError) as raised:
        model.fit(*data, batch_size=8, callbacks=[setter])
    (line,) = (
        part
        for part in str(raised.value).split("`")
        if part.startswith("model.compile(")
    )
    exec(line, {"model": model, "keras_dc3": keras_dc3})
    rates = model.fit(
        *data, batch_size=8, epochs=2, verbose=0, callbacks=[setter]
    ).history["learning_rate"]
    np.testing.assert_allclose(rates, [0.005, 0.0025])
    rates = model.fit(
        *data, batch_size=8, epochs=4, verbose=0, callbacks=[SETTERS["plateau"]()]
    ).history["learning_rate"]
    assert rates[-1] < rates[0]


@pytest.mark.tensorflow
def test_a_case_from_outside():
    run_case("25")
