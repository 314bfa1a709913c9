"""A model of features, joined with the backbone that computed them."""

import json

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import datasets
from tests.models.helpers import difference, fitted
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")

N = 60
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (N, 8, 8, 3)).astype("uint8")
COUNTS = RNG.multinomial(4, [0.4, 0.3, 0.3], size=N)


def make_backbone(seed=1):
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    parts = [layers.Conv2D(6, 3), layers.BatchNormalization(), layers.ReLU()]
    return keras.Sequential([keras.Input((8, 8, 3)), *parts])


def make_pixels(images=IMAGES, **options):
    return datasets.from_arrays(
        images, COUNTS, labeled=16, unlabeled=32, validation=12, batch_size=8, **options
    )


def train(data, **options):
    keras.utils.set_random_seed(5)
    backbone = keras_dc3.backbones.feature_mlp(data.image_shape, 8)
    model = keras_dc3.DC3Model(backbone, "mean_teacher", training_steps=8, **options)
    return fitted(model, data)


@pytest.fixture(scope="module")
def embedded():
    return make_pixels().embed(make_backbone(), weak=2, strong=0, verbose=0)


@pytest.fixture(scope="module")
def trained(embedded):
    return train(embedded)


def assert_answers(joined, images, model, part, tolerance=5e-2):
    found, wanted = (
        m.predict(x, verbose=0) for m, x in ((joined, images), (model, part))
    )
    for name in wanted:
        np.testing.assert_allclose(found[name], wanted[name], atol=tolerance)


@pytest.mark.parametrize("kind", few(["uint8", "unit", "symmetric"], "uint8", "unit"))
@pytest.mark.parametrize("weights", few(["ema", "raw"], "ema"))
def test_the_joined_model_answers_alike(kind, weights):
    images = IMAGES
    if kind != "uint8":
        images = (IMAGES / 255.0).astype("float32")
        images = images if kind == "unit" else images * 2 - 1
    pixels = make_pixels(images)
    data = pixels.embed(make_backbone(), weak=1, strong=0, verbose=0)
    model = train(data, evaluate_with=weights)
    before = [np.array(w) for w in model.get_weights()]
    joined = model.with_image_backbone()
    assert_answers(joined, pixels.validation, model, data.validation)
    assert_answers(joined, IMAGES, joined, images, 1e-4)  # bytes, whatever it was
    assert joined.class_names == model.class_names
    assert str(joined.verdict) == str(model.verdict)
    assert joined.propose(pixels.unlabeled, verbose=0).ids == data.unlabeled.ids
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.slow
@pytest.mark.parametrize("kind", few(["uint8", "unit"], "unit"))
def test_a_backbone_with_weights_of_its_own_scale(kind, tmp_path):
    images = IMAGES if kind == "uint8" else (IMAGES / 255.0).astype("float32")
    backbone = keras_dc3.backbones.Backbone(make_backbone(), "tf")
    pixels = make_pixels(images)
    data = pixels.embed(backbone, weak=1, strong=0, verbose=0)
    plain = make_pixels().embed(make_backbone(), weak=0, strong=0, verbose=0)
    np.testing.assert_allclose(
        data.labeled.read(np.arange(16)), plain.labeled.read(np.arange(16)), atol=5e-3
    )
    model = train(data)
    joined = model.with_image_backbone()
    assert_answers(joined, pixels.validation, model, data.validation)
    assert_answers(joined, IMAGES, joined, images, 1e-4)
    joined.save(tmp_path / "joined.keras")
    assert_answers(
        keras.saving.load_model(tmp_path / "joined.keras"), IMAGES, joined, IMAGES, 1e-6
    )


@pytest.mark.slow
def test_the_backbone_is_saved_with_the_model(trained, embedded, tmp_path):
    trained.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert difference(trained, loaded) == 0
    assert loaded.feature_source == embedded.labeled.source
    joined = trained.with_image_backbone()
    assert_answers(loaded.with_image_backbone(), IMAGES, joined, IMAGES, 1e-6)
    loaded.fit(embedded, initial_epoch=1, epochs=2, verbose=0)
    joined = loaded.with_image_backbone()
    joined.save(tmp_path / "joined.keras")
    again = keras.saving.load_model(tmp_path / "joined.keras")
    assert_answers(again, IMAGES, joined, IMAGES, 1e-6)


def test_training_changes_nothing_in_the_backbone(trained):
    assert not trained.image_backbone.trainable_weights
    own = make_backbone().get_weights()
    for old, new in zip(own, trained.image_backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.tensorflow
def test_the_exported_model_takes_images(trained, tmp_path, capsys):
    import tensorflow as tf

    trained.export(tmp_path / "model")
    assert "takes features" not in capsys.readouterr().out
    loaded = tf.saved_model.load(tmp_path / "model")
    joined = trained.with_image_backbone()
    expected = joined.predict(IMAGES, verbose=0)
    found = loaded.signatures["serving_default"](images=tf.constant(IMAGES))
    np.testing.assert_allclose(
        found["class_probabilities"], expected["classes"], atol=1e-5
    )
    path = tmp_path / "model" / "assets.extra" / "keras_dc3.json"
    about = json.loads(path.read_text())["input"]
    assert about["name"] == "images" and about["uint8"] == "0 to 255"
    assert about["shape"] == [None, 8, 8, 3]


def test_without_a_backbone_it_is_said(capsys, tmp_path):
    features = RNG.normal(size=(N, 4)).astype("float32")
    model = train(datasets.from_embeddings(features, COUNTS, labeled=16, unlabeled=32))
    with pytest.raises(ValueError, match="computed the features is not known"):
        model.with_image_backbone()
    if keras.backend.backend() == "tensorflow":
        capsys.readouterr()
        model.export(tmp_path / "model")
        told = capsys.readouterr().out
        assert "takes features (4 of each image), not images" in told


def test_features_of_two_networks_do_not_mix(trained):
    other = make_pixels().embed(make_backbone(seed=2), 0, 0, verbose=0)
    for method, given in (
        ("fit", other),
        ("predict", other.unlabeled),
        ("propose", other.unlabeled),
        ("embed", other.validation),
        ("evaluate", other),
        ("evaluate", other.validation),
    ):
        with pytest.raises(ValueError, match="computed by another network"):
            getattr(trained, method)(given, verbose=0)


def test_more_answers_keep_the_backbone(embedded):
    names = embedded.unlabeled.ids[:3]
    answers = keras_dc3.Annotations.from_records(
        [(name, "ann", "1") for name in names], class_names=embedded.class_names
    )
    more = embedded.with_labels(answers)
    assert more.image_backbone is embedded.image_backbone
    assert len(more.labeled) == 19 and more.labeled.source == embedded.labeled.source
