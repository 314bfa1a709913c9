"""Two models of the next round: which one is kept, and what is told of it."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import DC3Config, datasets
from keras_dc3.experiments import warm_or_anew
from keras_dc3.metrics import selective_score
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")

K, N, NAMES = 3, 90, ["cod", "eel", "ray"]
CLASSES = np.arange(N) % K
RNG = np.random.default_rng(0)
FEATURES = (np.eye(K)[CLASSES] * 6 + RNG.normal(size=(N, K))).astype("float32")
EAGER = keras.backend.backend() == "tensorflow"
GOOD, BAD = 3 * np.eye(K), 3 * np.roll(np.eye(K), 1, axis=1)


def make_data(**options):
    return datasets.from_embeddings(
        FEATURES,
        np.eye(K)[CLASSES],
        class_names=NAMES,
        labeled=24,
        unlabeled=26,
        validation=40,
        batch_size=8,
        **options,
    )


def made(kernel, rate=0.0, config=None, **options):
    """A model whose class head is given, which does not move at a rate of 0."""
    backbone = keras.layers.Activation("linear")
    model = keras_dc3.DC3Model(
        backbone,
        "pi_model",
        config=config,
        class_names=NAMES,
        **options,
    )
    model.build((None, K))
    model.network.class_head.set_weights([kernel, np.zeros(K)])
    model.compile(keras.optimizers.SGD(rate), run_eagerly=EAGER)
    return model


def after_a_round(kernel, data, **options):
    model = made(kernel, **options)
    model.fit(data, epochs=1, steps_per_epoch=1, verbose=0)
    return model


def run(previous, new, data, **options):
    options = {"trained_on": data, "epochs": 1, "steps_per_epoch": 1, **options}
    return warm_or_anew(previous, lambda: new, data, **options)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kept", few(["warm", "anew"], "warm"))
def test_the_better_one_is_kept(kept, capsys):
    data = make_data()
    kernels = (GOOD, BAD) if kept == "warm" else (BAD, GOOD)
    previous, new = after_a_round(kernels[0], data), made(kernels[1])
    before = previous.get_weights()
    found = run(previous, new, data)
    assert found.kept == kept and found.images == 40
    assert (found.model is new) == (kept == "anew")
    for old, now in zip(before, previous.get_weights(), strict=True):
        np.testing.assert_array_equal(old, now)
    said = found.model.predict(data.validation, verbose=0)
    labels = data.validation.soft_labels
    expected = selective_score(labels, said["classes"], said["ambiguity"])
    assert found.scores[kept] == pytest.approx(expected)
    logged = found.model.evaluate(data, verbose=0, return_dict=True)
    assert found.scores[kept] == pytest.approx(logged["selective_score"])
    low, high = found.interval
    assert low <= found.difference <= high and (low > 0) == (kept == "warm")
    told = capsys.readouterr().out
    assert str(found) in told and "40 validation images" in str(found)
    assert str(found).startswith("Kept the model ")
    assert "within chance" not in str(found)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_where_it_is_chance_the_new_one_is_kept():
    data = make_data()
    previous = after_a_round(GOOD, data)
    found = run(previous, made(GOOD * 1.5), data, verbose=0)
    assert found.kept == "anew" and found.interval[0] <= 0 <= found.interval[1]
    assert "is within chance" in str(found)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_interval_is_that_of_paired_images():
    """Without p_a the score is a mean over images, whose error is known."""
    data, config = make_data(), DC3Config.vanilla()
    odd = GOOD.copy()
    odd[2] = odd[1]  # a third of the images is wrong
    previous = after_a_round(GOOD, data, config=config)
    found = run(previous, made(odd, config=config), data, verbose=0)
    truth = data.validation.most_chosen
    new = found.scores["anew"]
    wrong = truth == 2
    assert new == pytest.approx(1 - wrong.mean(), abs=0.06)
    error = 1.96 * np.sqrt(found.difference * (1 - found.difference) / 40)
    low, high = found.interval
    np.testing.assert_allclose(found.difference - low, error, rtol=0.25)
    np.testing.assert_allclose(high - found.difference, error, rtol=0.25)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.slow
@pytest.mark.parametrize("auto", [True, False])
def test_both_take_the_same_training(auto):
    data = make_data()
    previous = after_a_round(GOOD, data, training_steps=99)
    new = made(BAD, rate=0.25, training_steps=7)
    if auto:  # with a metric, which is no part of the model
        new.compile(metrics=[keras.metrics.CategoricalAccuracy()], run_eagerly=EAGER)
    found = run(previous, new, data, epochs=2, verbose=0)
    other = found.model
    assert found.kept == "warm" and other.steps_taken == new.steps_taken == 2
    assert other.training_steps == new.training_steps == 7
    first, second = (m.optimizer.get_config() for m in (other, new))
    assert {**first, "name": ""} == {**second, "name": ""}
    assert other.optimizer is not new.optimizer


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_classes_may_have_changed_since():
    before = make_data()
    previous = after_a_round(GOOD, before)
    names, renamed = ["fish", "ray"], {"cod": "fish", "eel": "fish"}
    data = before.with_classes(names, renamed)

    def make_model():
        model = keras_dc3.DC3Model(keras.layers.Activation("linear"))
        model.compile(run_eagerly=EAGER)
        return model

    options = {"epochs": 1, "steps_per_epoch": 1, "verbose": 0}
    with pytest.raises(ValueError, match="'cod', 'eel' would vanish"):
        warm_or_anew(previous, make_model, data, trained_on=before, **options)
    found = warm_or_anew(
        previous, make_model, data, trained_on=before, renamed=renamed, **options
    )
    assert found.model.class_names == ("fish", "ray")


@pytest.mark.filterwarnings("ignore")
def test_what_would_tell_nothing_is_refused():
    data = make_data()
    previous, new = after_a_round(GOOD, data), made(BAD)
    match = r"was trained on \d+ of 40 validation images, such as.*Keep the split"
    with pytest.raises(ValueError, match=match):
        run(previous, new, data, trained_on=make_data(seed=5))
    seen = [*data.labeled.ids, data.validation.ids[0]]
    with pytest.raises(ValueError, match=r"was trained on 1 of 40 validation images"):
        run(previous, new, data, trained_on=seen)
    none = data.without(data.validation.ids)
    with pytest.raises(ValueError, match="no validation part"):
        run(previous, new, none)
    with pytest.raises(ValueError, match="has taken 1 step"):
        run(previous, after_a_round(BAD, data), data)
    with pytest.raises(TypeError, match="Received: 5"):
        run(previous, 5, data)
    other = keras_dc3.DC3Model(keras.layers.Activation("linear"), num_classes=3)
    other.build((None, 9))
    with pytest.raises(ValueError, match=r"images of shape \(9,\), but the data have"):
        run(other, new, data)
