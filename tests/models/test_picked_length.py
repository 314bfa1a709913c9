"""The length of a `fit` that was not told how long to train."""

import warnings

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import datasets
from keras_dc3.models import picked_length as picked_length_module
from keras_dc3.models.data_adapters.adapting import adapt
from keras_dc3.models.picked_length import picked_length
from tests.models.helpers import arrays, difference, make_model

NOT_TOLD = {"epochs": None, "steps_per_epoch": None, "initial_epoch": 0}


def pixels(n=40, **options):
    """Small images with answers, of which some are labeled."""
    images = np.random.default_rng(0).integers(0, 256, (n, 4, 4, 1), "uint8")
    counts = np.eye(2, dtype=int)[np.arange(n) % 2]
    options = {"labeled": 0.2, "unlabeled": 0.6, "validation": 0.2, **options}
    return datasets.from_arrays(images, counts, **options)


def features(n=40, **options):
    """The same of features."""
    points = np.random.default_rng(0).normal(size=(n, 3)).astype("float32")
    counts = np.eye(2, dtype=int)[np.arange(n) % 2]
    options = {"labeled": 0.2, "unlabeled": 0.6, "validation": 0.2, **options}
    return datasets.from_embeddings(points, counts, **options)


def new_model(**options):
    keras.utils.set_random_seed(0)
    backbone = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    return keras_dc3.DC3Model(backbone, **options)


def picked(data, model=None, **told):
    return picked_length(model or new_model(), adapt(data, None), NOT_TOLD | told)


def test_by_the_number_of_images_and_what_they_are():
    length = picked(pixels())
    assert length[:2] == (16, 100)
    assert str(length) == (
        "Training for 1,600 steps, 16 epochs of 100: the least from pixels, for 32 "
        "images. `fit(data, epochs=...)` says otherwise."
    )
    assert picked(features())[:2] == (16, 25)
    many = pixels(9000, batch_size=32)  # 5,400 unlabeled ones: 169 batches
    assert picked(many)[:2] == (16, 169)
    assert "all 7,200 images 16 times, as pixels" in str(picked(many))
    seven = new_model(ssl="fixmatch")  # each batch shows 7 times as many
    assert picked(many, seven)[:2] == (16, 100)
    many = pixels(9000, batch_size=4)
    assert picked(many)[:2] == (16, 1024)
    assert "16,384 steps, 16 epochs of 1,024: as long as the authors" in str(
        picked(many)
    )
    many = features(4000, batch_size=4)
    assert picked(many)[:2] == (16, 38) and "3,200 images once" in str(picked(many))
    alone = pixels(unlabeled=None, labeled=0.5)
    assert "for 20 images" in str(picked(alone, new_model(ssl="supervised")))


def test_training_steps_of_the_model_win():
    length = picked(pixels(), new_model(training_steps=5000))
    assert length[:2] == (16, 313) and "`training_steps` of the model" in str(length)
    for steps, expected in (
        (1, (1, 1)),
        (10, (10, 1)),
        (17, (9, 2)),
        (16384, (16, 1024)),
    ):
        assert picked(pixels(), new_model(training_steps=steps))[:2] == expected


@pytest.mark.parametrize(
    "told", [{"epochs": 1}, {"steps_per_epoch": 5}, {"initial_epoch": 2}]
)
def test_nothing_is_picked_where_it_is_told(told):
    assert picked(pixels(), **told) is None


def test_nor_for_data_of_ones_own():
    x, _ = arrays("pi_model")
    assert picked(x) is None


@pytest.mark.parametrize("ssl", ["pi_model", keras_dc3.strategies.PiModel()])
def test_the_model_is_planned_for_it(ssl):
    model = new_model(ssl=ssl)
    model.plan_for(500)
    assert model.training_steps == 500 and model.ssl.ramp_steps == 200
    (schedule,) = [model.optimizer.get_config()["learning_rate"]["config"]]
    assert schedule["steps"] == 500
    model.plan_for(1000)
    assert model.ssl.ramp_steps == 400
    own = new_model(ssl=keras_dc3.strategies.PiModel(ramp_steps=7))
    own.compile(keras.optimizers.SGD(0.5))
    own.plan_for(500)
    assert own.ssl.ramp_steps == 7 and float(own.optimizer.learning_rate) == 0.5
    uda = new_model(ssl="uda")
    uda.plan_for(500)
    assert uda.ssl.training_steps == 500


def schedule(model):
    return model.optimizer.get_config()["learning_rate"]["config"]


def test_only_a_new_network_gets_a_large_rate():
    backbone = keras_dc3.backbones.small_cnn((8, 8, 1), filters=2)
    model = keras_dc3.DC3Model(backbone, num_classes=2)
    assert schedule(model)["initial_learning_rate"] == 0.01  # where epochs are told
    model.plan_for(500)
    expected = {"initial_learning_rate": 0.1, "steps": 500, "warmup_steps": 25}
    assert schedule(model) == expected
    assert model.optimizer.kernel_decay == 5e-4
    norms = [layer for layer in backbone.layers if hasattr(layer, "moving_mean")]
    norms[2].moving_mean.assign(norms[2].moving_mean + 1)
    model.plan_for(500)
    assert schedule(model)["initial_learning_rate"] == 0.01
    plain = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
    model = keras_dc3.DC3Model(plain)  # nobody knows whether it was trained
    model.plan_for(500)
    assert schedule(model) == expected | {
        "initial_learning_rate": 0.01,
        "warmup_steps": 0,
    }


@pytest.mark.usefixtures("without_graphs")
def test_fit_tells_and_trains_it(capsys, monkeypatch):
    rule = picked_length_module._PIXELS._replace(passes=1, least=3)
    monkeypatch.setattr(picked_length_module, "_PIXELS", rule)
    model = new_model(num_clusters=3)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*steps, but")
        history = model.fit(pixels(), verbose=2)
    assert len(history.epoch) == 3 and model.steps_taken == 3
    assert capsys.readouterr().out.count("Training for 3 steps, 3 epochs of 1") == 1
    assert model.training_steps == 3 and not model.length_is_given
    model.fit(pixels(), verbose=0)  # begins anew
    assert model.steps_taken == 6
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 3
    assert capsys.readouterr().out == ""
    again = keras_dc3.DC3Model.from_config(model.get_config())
    assert again.training_steps == 3 and not again.length_is_given


@pytest.mark.slow
def test_epochs_that_are_told_train_as_ever():
    """Equal seeds give equal weights, whether `training_steps` are told or not."""
    models = [
        make_model(
            lambda: keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)]),
            num_classes=2,
            image_shape=(4, 4, 1),
            training_steps=steps,
        )
        for steps in (None, 16_384)
    ]
    for model in models:
        model.fit(pixels(), epochs=2, verbose=0)
        assert model.steps_taken == 2 and model.ssl.ramp_steps == 6554
    assert difference(*models) == 0
