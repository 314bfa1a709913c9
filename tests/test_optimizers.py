"""The authors' schedule and optimizer, against mathematics."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_dc3.optimizers import (
    KernelDecaySGD,
    SevenSixteenthsCosine,
    feature_optimizer,
    feature_penalty,
    pixel_optimizer,
    reference_optimizer,
)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def round_trip(thing):
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(thing)
    )
    assert type(again) is type(thing)
    return again


@pytest.mark.parametrize("step", [0, 1, 250, 500, 999, 1000, 1001, 10**6])
def test_schedule(step):
    schedule = SevenSixteenthsCosine(0.03, 1000)
    expected = 0.03 * math.cos(7 / 16 * math.pi * min(step / 1000, 1))
    for value in (step, ops.convert_to_tensor(step, "int32")):
        assert float(numpy(schedule(value))) == pytest.approx(expected, rel=1e-5)


def test_schedule_ends_at_a_fifth():
    schedule = SevenSixteenthsCosine(1.0, 10)
    assert float(numpy(schedule(0))) == 1.0
    assert float(numpy(schedule(10))) == pytest.approx(0.19509, rel=1e-4)


def test_schedule_round_trip():
    again = round_trip(SevenSixteenthsCosine(0.03, 1000))
    assert (again.initial_learning_rate, again.steps) == (0.03, 1000)


def test_schedule_wrong_arguments():
    for rate in (-1, float("nan"), "0.1", None, True):
        with pytest.raises(ValueError, match="`initial_learning_rate` must be"):
            SevenSixteenthsCosine(rate, 10)
    for steps in (0, -1, 1.5, "10", None, True):
        with pytest.raises(ValueError, match="`steps` must be an integer"):
            SevenSixteenthsCosine(0.1, steps)


SHAPES = [(3, 2), (2,), (2, 2, 1, 3), ()]


@pytest.mark.parametrize("nesterov", [True, False])
@pytest.mark.parametrize("scheduled", [False, True])
def test_kernel_decay_sgd_is_the_recursion(nesterov, scheduled, rng):
    decay, momentum = 0.1, 0.9
    schedule = SevenSixteenthsCosine(0.05, 4)
    optimizer = KernelDecaySGD(
        schedule if scheduled else 0.05,
        momentum=momentum,
        nesterov=nesterov,
        kernel_decay=decay,
    )
    values = [rng.normal(size=shape) for shape in SHAPES]
    variables = [keras.Variable(value, dtype="float32") for value in values]
    optimizer.build(variables)
    velocities = [np.zeros(shape) for shape in SHAPES]
    for step in range(5):
        given = [rng.normal(size=shape) for shape in SHAPES]
        rate = 0.05
        if scheduled:
            rate *= math.cos(7 / 16 * math.pi * min(step / 4, 1))
        for i, gradient in enumerate(given):
            if values[i].ndim >= 2:  # d/dw of decay / 2 ||w||^2
                gradient = gradient + decay * values[i]
            velocities[i] = momentum * velocities[i] - rate * gradient
            if nesterov:
                values[i] = values[i] + momentum * velocities[i] - rate * gradient
            else:
                values[i] = values[i] + velocities[i]
        optimizer.apply([ops.convert_to_tensor(g, "float32") for g in given], variables)
        for expected, variable in zip(values, variables, strict=True):
            np.testing.assert_allclose(numpy(variable.value), expected, 1e-4, 1e-5)


def test_decay_goes_through_the_momentum():
    """As a penalty in the loss would; Keras' weight_decay does not."""
    kernel = keras.Variable(np.ones((1, 1)), dtype="float32")
    optimizer = KernelDecaySGD(0.1, momentum=0.5, nesterov=False, kernel_decay=1.0)
    optimizer.build([kernel])
    zero = ops.zeros((1, 1))
    optimizer.apply([zero], [kernel])
    assert float(numpy(kernel.value)[0, 0]) == pytest.approx(0.9)
    optimizer.apply([zero], [kernel])  # v = 0.5 * -0.1 - 0.1 * 0.9
    assert float(numpy(kernel.value)[0, 0]) == pytest.approx(0.76)


def test_no_decay_is_sgd(rng):
    values = rng.normal(size=(3, 2)).astype("float32")
    gradient = ops.convert_to_tensor(rng.normal(size=(3, 2)), "float32")
    found = []
    for optimizer in (
        KernelDecaySGD(0.1, kernel_decay=0.0),
        keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    ):
        variable = keras.Variable(values)
        optimizer.build([variable])
        for _ in range(3):
            optimizer.apply([gradient], [variable])
        found.append(numpy(variable.value))
    np.testing.assert_allclose(*found, rtol=1e-6)


def test_trains_a_model_and_resumes(rng, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(reference_optimizer(100), "mse", jit_compile=False)
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    losses = model.fit(x, y, epochs=3, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is KernelDecaySGD
    loaded.jit_compile = False
    for each in (model, loaded):
        each.fit(x, y, epochs=1, verbose=0, shuffle=False)
    for a, b in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(numpy(a.value), numpy(b.value))


def test_optimizer_round_trip():
    optimizer = KernelDecaySGD(
        SevenSixteenthsCosine(0.03, 50), momentum=0.8, nesterov=False, kernel_decay=0.01
    )
    again = round_trip(optimizer)
    assert again.get_config() == optimizer.get_config()
    assert (again.kernel_decay, again.momentum, again.nesterov) == (0.01, 0.8, False)
    assert again._learning_rate.steps == 50


def test_optimizer_wrong_decay():
    for decay in (-1, float("nan"), "0.1", None, True):
        with pytest.raises(ValueError, match="`kernel_decay` must be"):
            KernelDecaySGD(kernel_decay=decay)


def test_reference_optimizer():
    optimizer = reference_optimizer(200)
    assert (optimizer.momentum, optimizer.nesterov) == (0.9, True)
    assert optimizer.kernel_decay == 5e-4
    assert optimizer._learning_rate.get_config() == {
        "initial_learning_rate": 0.01,
        "steps": 200,
        "warmup_steps": 0,
    }


def test_pixel_optimizer():
    optimizer = pixel_optimizer(200)
    assert optimizer.kernel_decay == 5e-4 and optimizer.nesterov
    schedule = optimizer._learning_rate
    assert schedule.get_config() == {
        "initial_learning_rate": 0.1,
        "steps": 200,
        "warmup_steps": 10,
    }
    assert pixel_optimizer(9, 0.03)._learning_rate.initial_learning_rate == 0.03


def test_feature_optimizer():
    optimizer = feature_optimizer(200)
    assert (optimizer.momentum, optimizer.nesterov) == (0.9, True)
    assert optimizer.kernel_decay == 0.05
    assert optimizer._learning_rate.get_config() == {
        "initial_learning_rate": 0.1,
        "steps": 200,
        "warmup_steps": 10,
    }
    assert feature_optimizer(1)._learning_rate.warmup_steps == 1
    assert feature_optimizer(9, labeled=3200).kernel_decay == 0.0125


@pytest.mark.parametrize("labeled", [1, 199, 200, 201, 2000, 10**6])
def test_more_labels_are_penalized_less(labeled):
    expected = 0.05 if labeled <= 200 else 0.05 * (200 / labeled) ** 0.5
    assert feature_penalty(labeled) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(ValueError, match=r"`labeled` must be"):
        feature_penalty(0)


def test_warm_up_grows_linearly_and_then_is_the_schedule():
    plain = SevenSixteenthsCosine(0.1, 100)
    warm = SevenSixteenthsCosine(0.1, 100, warmup_steps=5)
    ratio = [float(warm(step)) / float(plain(step)) for step in range(8)]
    np.testing.assert_allclose(ratio, [0.2, 0.4, 0.6, 0.8, 1, 1, 1, 1], rtol=1e-5)
