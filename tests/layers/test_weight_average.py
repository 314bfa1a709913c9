"""The moving average of the weights, against a recursion in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dc3.layers import WeightAverage


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.fixture
def network():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(3, name="first"),
            layers.BatchNormalization(name="normal"),
            layers.Dropout(0.5, seed=1),  # its seed is an integer variable
            layers.Dense(2, name="last"),
        ]
    )


def averaged(decay, network):
    average = WeightAverage(decay)
    average.build_for(network)
    return average


def values(average, network):
    return [numpy(value) for value in average.values(network)]


def trainable(network):
    return [numpy(variable.value) for variable in network.trainable_variables]


def move(network, rng):
    for weight in network.weights:
        weight.assign(rng.normal(size=weight.shape))


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.999])
def test_recursion(decay, network, rng):
    average = averaged(decay, network)
    expected = trainable(network)
    for old, new in zip(expected, values(average, network), strict=True):
        np.testing.assert_array_equal(old, new)  # starts as a copy
    for _ in range(5):
        move(network, rng)
        average.update(network)
        expected = [
            decay * old + (1 - decay) * new
            for old, new in zip(expected, trainable(network), strict=True)
        ]
    found = values(average, network)
    assert len(found) == len(expected) == 6
    for old, new in zip(expected, found, strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.999])
@pytest.mark.parametrize("tensor", [True, False])
def test_the_decay_grows_with_the_number_of_updates(decay, tensor, network, rng):
    average = averaged(decay, network)
    expected = trainable(network)
    for t in (0, 1, 2, 3, 10, 10_000_000):
        move(network, rng)
        average.update(network, ops.convert_to_tensor(t, "int32") if tensor else t)
        d = min(decay, (1 + t) / (10 + t))
        pairs = zip(expected, trainable(network), strict=True)
        expected = [d * old + (1 - d) * new for old, new in pairs]
    for old, new in zip(expected, values(average, network), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [50, 70, 600])
def test_a_short_average_forgets_its_start(steps, network):
    """After weights that moved once, at a tenth of training."""
    average = averaged(0.999, network)
    start = values(average, network)
    for t in range(steps):
        if t == steps // 10:
            for weight in network.weights:
                weight.assign(weight + 1.0)
        average.update(network, t)
    for old, new in zip(start, values(average, network), strict=True):
        np.testing.assert_allclose(new, old + 1.0, atol=1e-4)


def test_shadows_are_weights_but_not_trainable(network):
    average = averaged(0.9, network)
    # Not the moving mean and variance of the normalization.
    assert len(average.weights) == len(network.weights) - 2 == 6
    assert not average.trainable_variables
    assert len(average.non_trainable_variables) == 6


def test_copies_do_not_share_memory(network, rng):
    average = averaged(0.9, network)
    before = trainable(network)
    move(network, rng)
    for old, new in zip(before, values(average, network), strict=True):
        np.testing.assert_array_equal(old, new)
    average.reset(network)
    for old, new in zip(trainable(network), values(average, network), strict=True):
        np.testing.assert_array_equal(old, new)


def test_freeze_and_unfreeze(network, rng):
    average = averaged(0.5, network)
    start = trainable(network)
    network.get_layer("first").trainable = False
    assert len(values(average, network)) == 4  # those that are trainable now
    move(network, rng)
    average.update(network)
    first = trainable(network)
    for value, shadow in zip(first, values(average, network), strict=True):
        assert value.shape == shadow.shape
    network.get_layer("first").trainable = True
    found = values(average, network)
    assert len(found) == 6
    # The frozen ones were averaged too.
    for old, new, shadow in zip(start, trainable(network), found, strict=True):
        np.testing.assert_allclose(shadow, 0.5 * old + 0.5 * new, rtol=1e-4, atol=1e-6)
    network.trainable = False
    assert values(average, network) == []
    # Asked by their variables, they do not depend on what is trainable.
    variables = [v for v in network.weights if "moving" not in v.name]
    again = [numpy(average.value_of(variable)) for variable in variables]
    for shadow, value in zip(found, again, strict=True):
        np.testing.assert_array_equal(shadow, value)


def test_layers_own_state_has_no_average(network, rng):
    average = averaged(0.5, network)
    state = network.get_layer("normal").moving_mean
    move(network, rng)
    np.testing.assert_array_equal(numpy(average.value_of(state)), numpy(state.value))


def test_built_for_a_frozen_network(network):
    network.get_layer("first").trainable = False
    average = averaged(0.5, network)
    network.get_layer("first").trainable = True
    for old, new in zip(trainable(network), values(average, network), strict=True):
        np.testing.assert_array_equal(old, new)


def test_teacher_predicts_by_the_average(network, rng):
    average = averaged(0.75, network)
    x = rng.normal(size=(5, 4)).astype("float32")
    move(network, rng)
    network.get_layer("normal").moving_variance.assign(np.ones(3))
    average.update(network)
    outputs, _ = network.stateless_call(
        average.values(network),
        [variable.value for variable in network.non_trainable_variables],
        x,
        training=False,
    )
    w, b, gamma, beta, v, c = values(average, network)
    mean = numpy(network.get_layer("normal").moving_mean.value)  # the network's own
    hidden = (x @ w + b - mean) / np.sqrt(1 + 1e-3) * gamma + beta
    np.testing.assert_allclose(numpy(outputs), hidden @ v + c, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("decay", [1.0, -0.1, 2, float("nan"), True, "0.9", None])
def test_wrong_decay(decay):
    with pytest.raises(ValueError, match=r"\(`ema_decay`\) must lie in \[0, 1\)"):
        WeightAverage(decay)


def test_round_trip():
    average = WeightAverage(0.25, name="ema")
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(average)
    )
    assert type(again) is WeightAverage
    assert again.get_config() == average.get_config()
    assert (again.decay, again.name) == (0.25, "ema")


def test_in_a_function(network, rng):
    """Compiled, as in a training step."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the model's tests compile it on the other backends")
    import tensorflow as tf

    average = averaged(0.5, network)
    start = trainable(network)
    move(network, rng)
    tf.function(lambda: average.update(network), jit_compile=True)()
    for old, new, shadow in zip(
        start, trainable(network), values(average, network), strict=True
    ):
        np.testing.assert_allclose(shadow, 0.5 * old + 0.5 * new, rtol=1e-4, atol=1e-6)
