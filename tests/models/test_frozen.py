"""Setting `trainable` changes what is trained, and no answer."""

import keras
import numpy as np
import pytest

import keras_dc3
from tests.models.helpers import arrays, make_model, run_case, strategy
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")


def move_away(model, seed=0):
    """Makes the weights differ much from their average, as early in training."""
    rng = np.random.default_rng(seed)
    for weight in model.network.trainable_variables:
        weight.assign(weight + rng.normal(size=weight.shape, scale=0.7))
    model.step.assign(5)  # so that `fit` does not start the average anew


@pytest.fixture(scope="module")
def images():
    return arrays("pi_model")[0]["labeled"]


@pytest.fixture(scope="module")
def moved(images):
    """A model whose weights moved away, and what it answers; one for all tests."""
    layers = keras.layers
    backbone = keras.Sequential(
        [
            layers.Conv2D(8, 3, strides=2, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
        ]
    )
    model = make_model(lambda: backbone, strategy("mean_teacher"), optimizer="sgd")
    move_away(model)
    return model, answers(model, images)


@pytest.fixture
def model(moved):
    yield moved[0]
    moved[0].trainable = True
    moved[0].compile("sgd")


FREEZE = {
    "model": lambda model: setattr(model, "trainable", False),
    "network": lambda model: setattr(model.network, "trainable", False),
    "backbone": lambda model: setattr(model.backbone, "trainable", False),
    "a layer": lambda model: setattr(model.backbone.layers[0], "trainable", False),
    "the last layer": lambda model: setattr(
        model.backbone.layers[-2], "trainable", False
    ),
    "a head": lambda model: setattr(model.network.class_head, "trainable", False),
    "a variable": lambda model: setattr(
        model.network.class_head.kernel, "trainable", False
    ),
}


def answers(model, images):
    """All ways to ask the model, as one dict of arrays."""
    labels = np.arange(len(images)) % 3
    ids = [f"image {i}" for i in range(len(images))]
    proposals = model.propose(images, ids=ids, verbose=0)
    called = model(images)
    evaluated = model.evaluate(images, labels, verbose=0, return_dict=True)
    return {
        **model.predict(images, verbose=0),
        **{f"called {k}": keras.ops.convert_to_numpy(v) for k, v in called.items()},
        "proposed": proposals.class_probabilities,
        "embedded": model.embed(images, verbose=0),
        "loss": np.array(evaluated["loss"]),
    }


def assert_same(found, expected):
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("what", few(list(FREEZE), "model", "backbone", "a layer"))
def test_answers_stay(what, model, moved, images):
    FREEZE[what](model)
    assert_same(answers(model, images), moved[1])
    model.compile("sgd")
    found = model.predict(images, verbose=0)
    assert_same(found, {name: moved[1][name] for name in found})


def test_the_weights_themselves_answer_otherwise(model, moved, images):
    """Else the equality of the others would say little."""
    model.evaluate_with = "raw"
    raw = model.predict(images, verbose=0)["classes"]
    model.evaluate_with = "ema"
    assert np.abs(raw - moved[1]["classes"]).max() > 0.1


@pytest.mark.parametrize("what", ["model", "backbone", "a layer", "a head"])
def test_a_saved_model_stays(what, model, moved, images, tmp_path):
    FREEZE[what](model)
    model.compile("sgd")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for trainable in (None, True, False):
        if trainable is not None:
            loaded.trainable = trainable
        found = {
            f"called {name}": keras.ops.convert_to_numpy(value)
            for name, value in loaded(images).items()
        }
        assert_same(found, {name: moved[1][name] for name in found})


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("what", ["model", "backbone"])
def test_an_exported_model_stays(what, model, moved, images, tmp_path):
    import tensorflow as tf

    FREEZE[what](model)
    model.export(tmp_path / "saved_model", verbose=0)
    serve = tf.saved_model.load(tmp_path / "saved_model").signatures["serving_default"]
    found = serve(images=tf.constant(images))["class_probabilities"]
    np.testing.assert_allclose(found, moved[1]["classes"], atol=1e-5)


@pytest.mark.parametrize("build_first", [True, False])
def test_frozen_from_the_start(build_first, make_backbone, images):
    """As a backbone trained before is, whose layers are freed later."""
    backbone = make_backbone()
    if build_first:
        backbone.build((None, 8, 8, 3))
    backbone.trainable = False
    model = keras_dc3.DC3Model(backbone, num_classes=3, training_steps=10)
    model.build((None, 8, 8, 3))
    model.backbone.trainable = True
    before = model.predict(images, verbose=0)
    move_away(model)
    assert_same(model.predict(images, verbose=0), before)
    model.backbone.trainable = False
    assert_same(model.predict(images, verbose=0), before)
    model.predict_function = None
    assert_same(model.predict(images, verbose=0), before)


def test_the_teacher_looks_with_the_average(make_backbone):
    # A frozen BatchNormalization normalizes as it does in inference, by Keras.
    x, _ = arrays("mean_teacher", n=8)
    model = make_model(
        make_backbone, strategy("mean_teacher"), backbone={"batch_norm": False}
    )
    move_away(model)
    views = [model(x, training=True)["first"]["class_logits"]]
    model.backbone.trainable = False
    views.append(model(x, training=True)["first"]["class_logits"])
    np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, views), atol=1e-5)


def test_a_second_stage_trains_the_heads_alone(make_backbone):
    """The backbone stays as it is, and its average goes on towards it."""
    model = make_model(make_backbone, strategy("mean_teacher"))
    move_away(model)
    x, y = arrays("mean_teacher", n=8)
    kernel = model.backbone.layers[0].kernel

    def distance():
        average = model.average.value_of(kernel)
        return float(np.abs(keras.ops.convert_to_numpy(kernel - average)).max())

    model.backbone.trainable = False
    model.compile("sgd")
    before, far = np.array(keras.ops.convert_to_numpy(kernel)), distance()
    head = np.array(keras.ops.convert_to_numpy(model.network.class_head.kernel))
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(kernel), before)
    now = keras.ops.convert_to_numpy(model.network.class_head.kernel)
    assert np.abs(now - head).max() > 0
    # min(0.999, (1 + t) / (10 + t)) at t = 5, 6, 7
    assert distance() == pytest.approx(far * 6 / 15 * 7 / 16 * 8 / 17, rel=1e-3)


def test_moving_statistics_are_the_networks_own(model, images):
    mean = model.backbone.layers[1].moving_mean
    before = model.predict(images, verbose=0)["classes"]
    mean.assign(mean + 1.0)
    shifted = model.predict(images, verbose=0)["classes"]
    model.trainable = False
    again = model(images)["classes"]
    mean.assign(mean - 1.0)
    assert np.abs(shifted - before).max() > 1e-3
    np.testing.assert_allclose(keras.ops.convert_to_numpy(again), shifted, atol=1e-5)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_case_from_outside():
    run_case("21")
