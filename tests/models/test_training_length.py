"""What `fit` says of a training that is shorter or longer than was planned."""

import warnings

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.models import training_length
from tests.models.helpers import Batches, arrays, make_model, run_case, strategy
from tests.slow import few


def told(function):
    """The messages about the length that a call warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    texts = [str(w.message) for w in caught]
    return [t for t in texts if "steps" in t and "but" in t and "Epoch" not in t]


def tell(model, planned, taken=0, updates=None):
    """What is said of a `fit` of so many steps, without training."""
    model.step.assign(taken)
    model.optimizer.iterations.assign(taken if updates is None else updates)
    found = told(lambda: training_length.TrainingLength(model).tell(planned))
    assert len(found) <= 1
    return found[0] if found else ""


@pytest.fixture(scope="module")
def model():
    backbone = keras.Sequential([keras.layers.GlobalAveragePooling2D()])
    return make_model(lambda: backbone, "pi_model", training_steps=1000)


def test_a_new_model(model):
    text = tell(model, 300)
    assert text.startswith("This training ends after 300 steps, but the unlabeled loss")
    assert "full weight at step 400 and" in text
    assert "scheduled for 1,000 steps" in text
    assert text.endswith("Pass `training_steps=300` to `DC3Model` to plan for it.")
    assert "clusters start anew" not in text
    assert "clusters start anew, on features that have settled, at step 200" in tell(
        model, 200
    )
    assert tell(model, 1000) == tell(model, 600) == tell(model, 1999) == ""
    text = tell(model, 2500)
    assert "schedule of 1,000 steps is used up: the rate stays at 0.002" in text
    assert "for 1,500 of these 2,500 steps" in text


def test_a_model_that_has_taken_steps(model):
    assert tell(model, 300, taken=500) == ""  # 500 + 300 of 1,000
    text = tell(model, 300, taken=50)
    assert "has taken 50 steps, and this `fit` ends at step 350, but" in text
    assert "at step 400" in text and "Pass `training_steps" not in text
    text = tell(model, 300, taken=1000)
    assert "the learning rate schedule of 1,000 steps is used up" in text
    assert "stays at 0.002 for all of these 300 steps" in text
    assert "keras_dc3.optimizers.reference_optimizer(300)" in text
    assert "training_steps" not in text and "full weight" not in text
    assert "for 200 of these 300 steps" in tell(model, 300, taken=900)
    assert tell(model, 300, taken=980, updates=0).count("scheduled for 1,000") == 1


@pytest.mark.slow
def test_the_advice_helps(make_backbone):
    x, y = arrays("pi_model")
    model = make_model(make_backbone, strategy("pi_model"), training_steps=3)
    assert told(lambda: model.fit(x, y, batch_size=8, verbose=0)) == []
    (text,) = told(lambda: model.fit(x, y, batch_size=8, epochs=2, verbose=0))
    assert "has taken 3 steps, and this `fit` ends at step 9" in text
    assert "for all of these 6 steps" in text
    model.compile(optimizer=keras_dc3.optimizers.reference_optimizer(6))
    assert told(lambda: model.fit(x, y, batch_size=8, epochs=2, verbose=0)) == []


@pytest.mark.slow
def test_a_loaded_model_and_a_later_epoch(make_backbone, tmp_path):
    x, y = arrays("pi_model")
    model = make_model(make_backbone, strategy("pi_model"), training_steps=100)
    message = r"ends after 3 steps.*training_steps=3"
    with pytest.warns(UserWarning, match=message) as caught:
        model.fit(x, y, batch_size=8, verbose=0)
    assert any(w.filename == __file__ for w in caught)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    (text,) = told(
        lambda: loaded.fit(x, y, batch_size=8, initial_epoch=1, epochs=3, verbose=0)
    )
    assert "has taken 3 steps, and this `fit` ends at step 9" in text


@pytest.mark.parametrize(
    "kind",
    few(["dict", "images", "split", "batches", "generator"], "split", "generator"),
)
def test_steps_are_counted_for_every_kind_of_data(kind, make_backbone):
    ssl = "supervised" if kind in ("images", "split") else "pi_model"
    x, y = arrays(ssl)  # 24 images
    config = keras_dc3.DC3Config.vanilla()
    model = make_model(make_backbone, strategy(ssl), config, training_steps=99)
    calls = {
        "dict": lambda: model.fit(x, y, batch_size=8, verbose=0),
        "images": lambda: model.fit(x["labeled"], y, batch_size=8, verbose=0),
        "split": lambda: model.fit(
            x["labeled"], y, batch_size=4, validation_split=0.5, verbose=0
        ),
        "batches": lambda: model.fit(Batches(x, y), verbose=0),
        "generator": lambda: model.fit(iter(list(Batches(x, y))), verbose=0),
    }
    (text,) = told(calls[kind])
    assert "ends after 3 steps" in text
    assert int(keras.ops.convert_to_numpy(model.step.value)) == 3


@pytest.mark.parametrize(
    "schedule, says",
    [
        (keras.optimizers.schedules.CosineDecay(0.1, 60), "schedule of 60 steps"),
        (keras.optimizers.schedules.PolynomialDecay(0.1, 30), "schedule of 30 steps"),
        (keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.9), None),
        (keras.optimizers.schedules.CosineDecay(0.1, 5000), "for 5,000 steps"),
        (0.1, None),
    ],
)
def test_a_schedule_of_ones_own(schedule, says):
    flatten = keras.layers.Flatten()
    model = make_model(lambda: flatten, strategy("fixmatch"), training_steps=500)
    model.compile(keras.optimizers.SGD(schedule))
    text = tell(model, 300)
    if says is None:
        assert text == ""
    else:
        assert says in text and "compile with a schedule of 300 steps" in text


def test_under_loss_scaling():
    flatten = keras.layers.Flatten()
    model = make_model(lambda: flatten, dtype="mixed_float16", training_steps=5000)
    assert "scheduled for 5,000 steps" in tell(model, 300)


def test_a_strategy_with_a_ramp_of_its_own():
    flatten, ssl = keras.layers.Flatten(), strategy("pi_model", ramp_steps=900)
    model = make_model(lambda: flatten, ssl, training_steps=500)
    text = tell(model, 500)
    assert "at step 900. Pass a smaller `ramp_steps` to `PiModel`." in text


@pytest.mark.parametrize("trained", [False, True])
def test_moving_statistics_that_lag(trained):
    """Unless they come from a training before."""
    norm = keras.layers.BatchNormalization(momentum=0.99)
    backbone = keras.Sequential([norm, keras.layers.GlobalAveragePooling2D()])
    model = make_model(lambda: backbone, training_steps=100)
    if trained:
        norm.moving_mean.assign(np.full(3, 0.2))
    text = tell(model, 100)
    assert ("with a momentum of 0.99, hold 37% of their start" in text) == (not trained)
    assert ("smaller `momentum`" in text) == (not trained)
    norm.trainable = False
    assert tell(model, 100) == ""
    norm.trainable = True
    norm.momentum = 0.9
    assert tell(model, 100) == ""


@pytest.mark.slow
def test_clusters_that_never_begin():
    """They need 4 images for each of them."""
    x, y = arrays("pi_model")
    for clusters, begins in ((200, False), (5, True)):
        model = make_model(
            keras.layers.Flatten,
            strategy("pi_model"),
            num_clusters=clusters,
            training_steps=24,
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(x, y, batch_size=8, epochs=8, verbose=0)
        found = [w for w in caught if "begin with 800" in str(w.message)]
        assert len(found) == (not begins)
        assert all(w.filename == __file__ for w in found)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_case_from_outside():
    run_case("22")


def of_average(function):
    """The messages about an average that stays that of a training before."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    texts = [str(w.message) for w in caught if w.category is UserWarning]
    assert all(w.filename == __file__ for w in caught if "average" in str(w.message))
    return [text for text in texts if "average of the weights" in text]


def test_a_short_training_after_a_long_one(model):
    model.step.assign(1500)

    def tell(planned, **kwargs):
        length = training_length.TrainingLength(model, **kwargs)
        return of_average(lambda: length.tell(planned, stacklevel=2))

    (text,) = tell(150)
    share = np.prod([(1 + t) / (10 + t) for t in range(1500, 1650)])
    assert 0.4 < share < 0.45 and f"{share:.0%} stays" in text
    assert "1,500 steps before" in text and "`fit` of 150 steps" in text
    assert "with_averaged_weights()" in text and 'evaluate_with = "raw"' in text
    assert tell(5) != [] and tell(600) == [] and tell(150, goes_on=True) == []
    model.evaluate_with = "raw"
    assert tell(150) == []
    model.evaluate_with = "ema"
    model.step.assign(0)
    assert tell(150) == []


@pytest.mark.slow
def test_other_labels_after_a_training(make_backbone):
    x, y = arrays("pi_model")
    model = make_model(make_backbone, strategy("pi_model"), training_steps=60)
    fit = {"batch_size": 8, "verbose": 0}
    assert of_average(lambda: model.fit(x, y, epochs=20, **fit)) == []
    assert of_average(lambda: model.fit(x, y, **fit)) == []  # the same training
    others = (y + 1) % 3
    assert (
        of_average(lambda: model.fit(x, others, initial_epoch=1, epochs=2, **fit)) == []
    )
    (text,) = of_average(lambda: model.fit(x, y, epochs=2, **fit))
    assert "66 steps before" in text
    assert len(of_average(lambda: model.fit(iter(list(Batches(x, y))), verbose=0))) == 1


@pytest.mark.slow
@pytest.mark.parametrize("dtype", few(["float32", "mixed_float16"], "float32"))
def test_gradients_that_are_accumulated(make_backbone, dtype):
    x, y = arrays("pi_model")
    model = make_model(
        make_backbone, strategy("pi_model"), training_steps=6, dtype=dtype
    )
    rate = keras.optimizers.schedules.CosineDecay(0.1, 3)
    model.compile(keras.optimizers.SGD(rate, gradient_accumulation_steps=2))
    fit = {"batch_size": 8, "epochs": 2, "verbose": 0}
    assert told(lambda: model.fit(x, y, **fit)) == []  # 6 steps, 3 updates
    (text,) = told(lambda: model.fit(x, y, **fit))
    assert "schedule of 3 steps is used up" in text
