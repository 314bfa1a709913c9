"""A model learns where people disagree, after a fit on several answers."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import DC3Config, datasets, metrics
from keras_dc3.data import SemiSupervisedData
from keras_dc3.models import disagreement
from tests.models.helpers import fitted

pytestmark = pytest.mark.usefixtures("without_graphs")
N, D = 240, 6
RNG = np.random.default_rng(0)
CLASSES = np.arange(N) % 3
FEATURES = RNG.normal(size=(N, D)) + 2 * np.eye(3, D)[CLASSES]
FEATURES = FEATURES.astype("float32")
UNCLEAR = FEATURES[:, 5] > 0  # says nothing of the class
OTHER = RNG.binomial(5, np.where(UNCLEAR, 0.4, 0.02))
COUNTS = np.eye(3, dtype="int64")[CLASSES] * (5 - OTHER)[:, None]
COUNTS += np.eye(3, dtype="int64")[(CLASSES + 1) % 3] * OTHER[:, None]


def make_data(labels="soft"):
    """The answers of five people to 120 labeled images; 80 to validate on."""
    data = datasets.from_embeddings(
        FEATURES, COUNTS, labeled=120, unlabeled=40, validation=80
    )
    if labels == "sampled":
        labels = data.labeled.counts.argmax(axis=1)
    else:
        labels = data.labeled.soft_labels
    return SemiSupervisedData(
        data.labeled, labels, data.unlabeled, data.validation, batch_size=40
    )


def make_model(**options):
    keras.utils.set_random_seed(7)
    return keras_dc3.DC3Model(
        keras_dc3.backbones.feature_mlp(D, 8),
        ssl="pi_model",
        training_steps=40,
        **options,
    )


@pytest.fixture(scope="module")
def data():
    return make_data()


@pytest.fixture(scope="module")
def trained(data):
    return fitted(make_model(), data, keras.optimizers.SGD(0.5), epochs=2)


def without(model, part):
    """The proposals of a model that has learned nothing of disagreement."""
    head = model.network.disagreement_head
    head.forget()
    try:
        return model.propose(part, verbose=0)
    finally:
        head.learned.assign(1.0)


def test_sides_stay_and_the_order_is_of_disagreement(trained, data):
    assert trained.network.disagreement_head.is_learned
    found = trained.propose(data.validation, verbose=0)
    plain = without(trained, data.validation)
    np.testing.assert_array_equal(found.ambiguity >= 0.5, plain.ambiguity >= 0.5)
    np.testing.assert_array_equal(found.class_probabilities, plain.class_probabilities)
    differ = data.validation.soft_labels.max(axis=1) < 0.8
    for side in (plain.ambiguity < 0.5, plain.ambiguity >= 0.5):
        before, after = (
            metrics.area_under_roc(p.ambiguity[side], differ[side])
            for p in (plain, found)
        )
        assert after > max(before, 0.6)


def test_without_it_the_certain_are_the_most_confident(trained, data):
    plain = without(trained, data.validation)
    confidence, certain = plain.class_probabilities.max(axis=1), plain.ambiguity < 0.5
    assert 0 < certain.sum() < len(certain)
    assert confidence[certain].min() >= confidence[~certain].max()


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
def test_saved_copied_and_exported(trained, data, tmp_path):
    expected = trained.propose(data.validation, verbose=0).ambiguity
    trained.save(tmp_path / "model.keras")
    for model in (
        keras.saving.load_model(tmp_path / "model.keras"),
        trained.with_averaged_weights(),
    ):
        assert model.network.disagreement_head.is_learned
        found = model.propose(data.validation, verbose=0).ambiguity
        np.testing.assert_allclose(found, expected, atol=1e-6)
    trained.save_weights(tmp_path / "model.weights.h5")
    model = make_model(num_classes=3)
    model.build((None, D))
    model.load_weights(tmp_path / "model.weights.h5")
    found = model.propose(data.validation, verbose=0).ambiguity
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_told_once_and_forgotten_by_the_next_fit(data, capsys):
    model = fitted(make_model(), data, keras.optimizers.SGD(0.5), epochs=1, verbose=2)
    told = capsys.readouterr().out
    assert told.count("Learned from the answers to 120 labeled images on which") == 1
    assert "an image is certain where p_a is below 0.5" in told
    model.fit(make_data("sampled"), epochs=1, verbose=2)
    assert "on which images people disagree" not in capsys.readouterr().out
    assert not model.network.disagreement_head.is_learned


def test_of_very_many_images_a_part_is_looked_at(trained, data, monkeypatch):
    monkeypatch.setattr(disagreement, "_MOST_IMAGES", 60)
    copy = trained.with_averaged_weights()
    assert "the answers to 60 labeled images" in disagreement.learn(copy, data)


def test_answers_that_tell_nothing(capsys):
    rng = np.random.default_rng(1)
    counts = np.eye(3, dtype="int64")[CLASSES] + rng.multinomial(2, [1 / 3] * 3, N)
    data = datasets.from_embeddings(
        rng.normal(size=(N, D)).astype("float32"), counts, labeled=120, unlabeled=60
    )
    labels = data.labeled.soft_labels
    data = SemiSupervisedData(data.labeled, labels, data.unlabeled, batch_size=40)
    model = fitted(make_model(), data, epochs=1, verbose=2)
    assert "do not tell on which images people disagree" in capsys.readouterr().out
    assert not model.network.disagreement_head.is_learned


@pytest.mark.parametrize("config", [DC3Config.paper(), DC3Config.reference()])
def test_the_papers_objectives_have_none(data, config):
    model = fitted(make_model(config=config), data, epochs=1)
    assert model.network.disagreement_head is None


def test_the_verdict_is_on_what_was_learned(trained, data):
    scores = trained.evaluate(data, verbose=0, return_dict=True)
    assert trained.verdict is not None
    found = trained.propose(data.validation, verbose=0)
    differ = data.validation.soft_labels.max(axis=1) < 0.8
    expected = metrics.area_under_roc(found.ambiguity, differ)
    assert f"{expected:.1%} of the pairs" in " ".join(str(trained.verdict).split())
    assert scores["ambiguous"] == pytest.approx((found.ambiguity >= 0.5).mean())


def test_where_no_ambiguity_is_predicted_nothing_is_told(data, capsys):
    model = fitted(make_model(config=DC3Config.vanilla()), data, epochs=1, verbose=2)
    assert "on which images people disagree" not in capsys.readouterr().out
    assert not model.network.disagreement_head.is_learned


def test_a_model_that_has_diverged_learns_nothing(trained, data):
    copy = trained.with_averaged_weights()
    copy.network.standardization.mean.assign(np.full(D, np.nan, "float32"))
    copy.network.disagreement_head.forget()
    assert disagreement.learn(copy, data) is None
    assert not copy.network.disagreement_head.is_learned


def test_joined_with_the_backbone_of_its_features():
    images = np.clip(FEATURES * 20 + 128, 0, 255).astype("uint8").reshape(N, 2, 1, 3)
    pixels = datasets.from_arrays(
        images, COUNTS, labeled=120, unlabeled=40, validation=80, batch_size=40
    )
    keras.utils.set_random_seed(3)
    backbone = keras.Sequential([keras.Input((2, 1, 3)), keras.layers.Flatten()])
    data = pixels.embed(backbone, weak=1, strong=0, verbose=0)
    model = fitted(make_model(), data, keras.optimizers.SGD(0.1), epochs=1)
    assert model.network.disagreement_head.is_learned
    joined = model.with_image_backbone()
    found = joined.propose(pixels.validation, verbose=0)
    expected = model.propose(data.validation, verbose=0)
    same = (found.ambiguity >= 0.5) == (expected.ambiguity >= 0.5)
    assert same.mean() > 0.95  # stored features are rounded to float16
    np.testing.assert_allclose(
        found.ambiguity[same], expected.ambiguity[same], atol=5e-3
    )
