"""The two heads: alone in plain Keras models, and their gradients."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dc3.layers import (
    AmbiguityHead,
    OverclusterHead,
    class_uncertainty,
    error_logit,
    ordered_on_each_side,
)
from keras_dc3.testing import gradients

N, D, K = 6, 5, 3


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def dtype(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


@pytest.fixture
def features(rng):
    return rng.normal(size=(N, D)).astype("float32")


@pytest.fixture
def probabilities(rng):
    return rng.dirichlet(np.ones(K), N).astype("float32")


@pytest.fixture
def half_precision():
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    yield
    keras.mixed_precision.set_dtype_policy(before)


def round_trip(layer):
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer)
    )
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    return again


# class_uncertainty ------------------------------------------------------------


def test_class_uncertainty(rng):
    for k in (2, 3, 10):
        p = rng.dirichlet(np.full(k, 0.5), 8).astype("float32")
        found = class_uncertainty(p)
        assert found.shape == (8, 2) and dtype(found) == "float32"
        for row, (entropy, rest) in zip(p.astype("float64"), numpy(found), strict=True):
            expected = -sum(v * np.log(v) for v in row if v > 0) / np.log(k)
            assert entropy == pytest.approx(expected, rel=1e-4, abs=1e-5)
            assert rest == pytest.approx(1 - row.max(), rel=1e-4, abs=1e-6)


def test_class_uncertainty_at_the_edges():
    found = numpy(class_uncertainty(np.array([[1.0, 0.0, 0.0], [0, 0, 1]], "float32")))
    np.testing.assert_array_equal(np.abs(found), np.zeros((2, 2)))
    for k in (2, 7, 100, 1000):
        entropy, rest = numpy(class_uncertainty(np.full((1, k), 1 / k, "float32")))[0]
        assert entropy == pytest.approx(1.0, rel=1e-5)
        assert rest == pytest.approx(1 - 1 / k, rel=1e-5)
    half = ops.convert_to_tensor([[0.25, 0.75], [1.0, 0.0]], dtype="float16")
    assert dtype(class_uncertainty(half)) == "float32"
    assert np.isfinite(numpy(class_uncertainty(half))).all()


@pytest.mark.parametrize("shape", [(3,), (3, 1), (2, 3, 4)])
def test_class_uncertainty_wrong_shapes(shape):
    with pytest.raises(ValueError, match="`class_probabilities` must have shape"):
        class_uncertainty(np.ones(shape, "float32"))


# OverclusterHead --------------------------------------------------------------


def test_overcluster_head(features):
    head = OverclusterHead(7)
    found = head(features)
    assert found.shape == (N, 7) and dtype(found) == "float32"
    assert head.compute_output_shape((None, D)) == (None, 7)
    np.testing.assert_allclose(numpy(found).sum(axis=-1), np.ones(N), rtol=1e-5)
    kernel, bias = (numpy(weight.value) for weight in head.weights)
    assert kernel.shape == (D, 7) and not bias.any()
    logits = OverclusterHead(7, activation=None)
    logits.build((None, D))
    logits.set_weights([kernel, bias])
    exponents = np.exp(features @ kernel)
    np.testing.assert_allclose(numpy(logits(features)), features @ kernel, 1e-3, 1e-5)
    np.testing.assert_allclose(
        numpy(found), exponents / exponents.sum(axis=-1, keepdims=True), rtol=1e-4
    )


@pytest.mark.parametrize("value", [1, 0, -3, 2.5, "7", None, True])
def test_overcluster_head_wrong_clusters(value):
    with pytest.raises(ValueError, match="`num_clusters` must be an integer of at le"):
        OverclusterHead(value)


def test_overcluster_head_wrong_arguments():
    with pytest.raises(ValueError, match=r"`activation` must be one of .*'relu'"):
        OverclusterHead(4, activation="relu")
    with pytest.raises(ValueError, match="`features` must have shape"):
        OverclusterHead(4)(np.ones((2, 3, 3, 5), "float32"))


def test_overcluster_head_round_trip():
    head = OverclusterHead(7, activation=None, kernel_initializer="zeros", name="p_o")
    again = round_trip(head)
    assert (again.num_clusters, again.activation, again.name) == (7, None, "p_o")
    assert isinstance(again.kernel_initializer, keras.initializers.Zeros)


def test_overcluster_head_alone_in_a_model(features, tmp_path):
    inputs = keras.Input((D,))
    model = keras.Model(inputs, OverclusterHead(7)(inputs))
    model.compile(keras.optimizers.SGD(1.0), "categorical_crossentropy")
    model.jit_compile = False
    y = np.eye(7, dtype="float32")[np.arange(N) % 7]
    losses = model.fit(features, y, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(numpy(loaded(features)), numpy(model(features)), 1e-6)


# AmbiguityHead ----------------------------------------------------------------


def test_ambiguity_head(features):
    head = AmbiguityHead()
    found = head(features)
    assert found.shape == (N,) and dtype(found) == "float32"
    assert head.compute_output_shape((None, D)) == (None,)
    assert len(head.weights) == 2
    kernel = numpy(head.kernel.value)
    expected = 1 / (1 + np.exp(-(features @ kernel)[:, 0]))
    np.testing.assert_allclose(numpy(found), expected, rtol=1e-4)


def test_ambiguity_head_sees_uncertainty(features, probabilities):
    head = AmbiguityHead("features+uncertainty", activation=None)
    found = numpy(head(features, probabilities))
    p = probabilities.astype("float64")
    entropy = -(p * np.log(p)).sum(axis=-1) / np.log(K)
    expected = features @ numpy(head.kernel.value)
    expected = expected[:, 0] + entropy + (1 - p.max(axis=-1))  # both weigh 1 at first
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(numpy(head.uncertainty_weights.value), [1, 1])
    head.uncertainty_weights.assign([2.0, -1.0])
    np.testing.assert_allclose(
        numpy(head(features, probabilities)),
        expected + entropy - 2 * (1 - p.max(axis=-1)),
        rtol=1e-3,
        atol=1e-5,
    )


def test_ambiguity_head_of_confidence(features, probabilities):
    head = AmbiguityHead("confidence")
    found = numpy(head(features, probabilities))
    wrong = 1 - probabilities.astype("float64").max(axis=-1)
    np.testing.assert_allclose(found, wrong, rtol=1e-5)  # as it starts
    head.slope.assign(2.5)
    head.bias.assign(-0.5)
    found = numpy(head(features, probabilities))
    logits = 2.5 * np.log(wrong / (1 - wrong)) - 0.5
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits)), rtol=1e-4)
    assert [tuple(weight.shape) for weight in head.weights] == [(), ()]


def test_confidence_is_told_apart_where_it_rounds_to_one():
    p = np.array([[1, 1e-9, 0], [1, 1e-12, 0], [1, 0, 0], [0.5, 0.5, 0]], "float32")
    found = numpy(error_logit(p))
    assert (np.diff(found[[2, 1, 0, 3]]) > 0).all() and np.isfinite(found).all()
    np.testing.assert_allclose(found[[0, 1, 3]], np.log([1e-9, 1e-12, 1]), rtol=1e-5)


def test_slope_of_confidence_stays_positive(features, probabilities):
    inputs = keras.Input((D,)), keras.Input((K,))
    head = AmbiguityHead("confidence")
    model = keras.Model(inputs, head(*inputs))
    model.compile(keras.optimizers.SGD(5.0), "binary_crossentropy", jit_compile=False)
    surest = (probabilities.max(-1) > np.median(probabilities.max(-1))).astype(
        "float32"
    )
    model.fit([features, probabilities], surest, epochs=10, verbose=0)  # the wrong way
    assert numpy(head.slope.value) == 0


def test_order_keeps_sides(rng):
    ambiguity = rng.random(200).astype("float32")
    ambiguity[:2] = 0.5, np.nextafter(np.float32(0.5), np.float32(0))
    s = rng.random(200).astype("float32")
    s[:4] = 0, 1, 1, 0
    found = numpy(ordered_on_each_side(ambiguity, s))
    np.testing.assert_array_equal(found >= 0.5, ambiguity >= 0.5)
    for side in (found < 0.5, found >= 0.5):
        assert (np.diff(found[side][np.argsort(s[side], kind="stable")]) >= 0).all()
    assert found.min() >= 0 and found.max() <= 1


def test_ambiguity_head_without_uncertainty_ignores_it(features, probabilities):
    head = AmbiguityHead()
    np.testing.assert_array_equal(
        numpy(head(features, probabilities)), numpy(head(features))
    )


@pytest.mark.parametrize("stop", [False, True])
def test_ambiguity_head_gradients(stop, features, probabilities):
    head = AmbiguityHead("features+uncertainty", stop_features=stop)
    head(features, probabilities)
    found = gradients(
        lambda x: ops.sum(head(x["features"], x["classes"])),
        {"features": features, "classes": probabilities},
    )
    assert found["features"].any() == (not stop)
    assert not found["classes"].any()


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # none shall
def test_ambiguity_head_learns_with_stopped_features(features, probabilities):
    head = AmbiguityHead("features+uncertainty", stop_features=True)
    inputs = keras.Input((D,)), keras.Input((K,))
    hidden = keras.layers.Dense(4, name="hidden")(inputs[0])
    model = keras.Model(inputs, head(hidden, inputs[1]))
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", jit_compile=False)
    before = [numpy(w.value) for w in model.get_layer("hidden").weights]
    of_head = [numpy(w.value) for w in head.weights]
    y = np.array([0, 1] * 3, "float32")
    losses = model.fit([features, probabilities], y, epochs=3, verbose=0)
    assert losses.history["loss"][-1] < losses.history["loss"][0]
    for old, new in zip(before, model.get_layer("hidden").weights, strict=True):
        np.testing.assert_array_equal(old, numpy(new.value))
    for old, new in zip(of_head, head.weights, strict=True):
        assert (old != numpy(new.value)).any()


def test_ambiguity_head_alone_in_a_model(features, tmp_path):
    inputs = keras.Input((D,))
    model = keras.Model(inputs, AmbiguityHead()(inputs))
    model.compile(keras.optimizers.SGD(0.5), "binary_crossentropy", jit_compile=False)
    y = np.array([0, 1] * 3, "float32")
    losses = model.fit(features, y, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(numpy(loaded(features)), numpy(model(features)), 1e-6)


def test_ambiguity_head_wrong_arguments(features, probabilities):
    with pytest.raises(ValueError, match=r"`inputs` must be one of .*'yes'"):
        AmbiguityHead("yes")
    with pytest.raises(ValueError, match="`stop_features` must be one of"):
        AmbiguityHead(stop_features=2)
    with pytest.raises(ValueError, match=r"`activation` must be one of .*'relu'"):
        AmbiguityHead(activation="relu")
    with pytest.raises(ValueError, match=r"head\(features, class_probabilities\)"):
        AmbiguityHead("features+uncertainty")(features)
    with pytest.raises(ValueError, match="`features` must have shape"):
        AmbiguityHead()(np.ones((2, 3, 5), "float32"))
    with pytest.raises(ValueError, match="same number of images"):
        AmbiguityHead("features+uncertainty")(features, probabilities[:2])


def test_ambiguity_head_round_trip():
    head = AmbiguityHead(
        inputs="features+uncertainty",
        stop_features=True,
        activation=None,
        kernel_initializer="zeros",
        name="p_a",
    )
    again = round_trip(head)
    assert again.inputs == "features+uncertainty" and again.stop_features
    assert again.activation is None
    assert again.name == "p_a"


@pytest.mark.usefixtures("half_precision")
def test_float32_under_mixed_precision(features, probabilities):
    features = ops.convert_to_tensor(features, dtype="float16")
    for layer, inputs in (
        (OverclusterHead(7), (features,)),
        (AmbiguityHead(), (features,)),
        (AmbiguityHead("features+uncertainty"), (features, probabilities)),
        (AmbiguityHead("confidence"), (features, probabilities)),
    ):
        found = layer(*inputs)
        assert dtype(found) == "float32"
        assert {dtype(w) for w in layer.weights} == {"float32"}
        assert layer.compute_dtype == "float32"
        assert np.isfinite(numpy(found)).all()
