"""A model of features: trained, evaluated, asked, saved, continued, exported."""

import json
import warnings

import keras
import numpy as np
import pytest
from keras import ops

import keras_dc3
from keras_dc3 import datasets
from keras_dc3.data.moments import moments_of
from keras_dc3.models.given_features import check_scale, in_scale
from tests.models.helpers import STRATEGIES, difference, fitted
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")
N, D = 48, 6
RNG = np.random.default_rng(0)
CLASSES = np.arange(N) % 3
FEATURES = (RNG.normal(size=(N, D)) + 3 * np.eye(3, D)[CLASSES]) * 7 + 40
FEATURES = FEATURES.astype("float32")
COUNTS = np.eye(3, dtype="int64")[CLASSES] * 2 + np.eye(3, dtype="int64")[0]
WEAK = (FEATURES + RNG.normal(size=(2, N, D))).astype("float32")


def make_data(views=True, features=FEATURES, **options):
    options = {
        "labeled": 16,
        "unlabeled": 24,
        "validation": 8,
        "batch_size": 8,
    } | options
    views = {"weak": WEAK, "strong": WEAK} if views else None
    return datasets.from_embeddings(features, COUNTS, views=views, **options)


def make_model(ssl="mean_teacher", units=8, **options):
    keras.utils.set_random_seed(7)
    backbone = keras_dc3.backbones.feature_mlp(D, units)
    return keras_dc3.DC3Model(backbone, ssl=ssl, training_steps=10, **options)


@pytest.fixture(scope="module")
def data():
    return make_data()


@pytest.fixture(scope="module")
def trained(data):
    return fitted(make_model(), data, epochs=2)


@pytest.mark.slow
@pytest.mark.parametrize("views", [True, False])
@pytest.mark.parametrize("ssl", few(STRATEGIES, "fixmatch"))
def test_every_strategy_trains_and_proposes(ssl, views):
    data = make_data(views)
    model = make_model(ssl)
    history = model.fit(data, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all() and "val_f1" in history
    logs = model.evaluate(data, verbose=0, return_dict=True)
    assert 0 <= logs["accuracy"] <= 1 and "d" in logs
    proposals = model.propose(data.unlabeled, verbose=0)
    assert proposals.ids == data.unlabeled.ids
    assert proposals.embeddings.shape == (24, D + 8)
    predicted = model.predict(data.unlabeled, verbose=0)
    np.testing.assert_allclose(
        proposals.class_probabilities, predicted["classes"], atol=1e-6
    )


def test_features_reach_the_backbone_with_mean_0_and_deviation_1(data, trained):
    known = np.concatenate([data.labeled.features, data.unlabeled.features])
    known = known.astype("float64")
    layer = trained.network.standardization
    mean, deviation = map(keras.ops.convert_to_numpy, (layer.mean, layer.deviation))
    np.testing.assert_allclose(mean, known.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(deviation, known.std(axis=0), rtol=1e-5)
    assert layer.images == 40 and not layer.trainable_weights
    x = keras.ops.convert_to_tensor(FEATURES)
    standardized = keras.ops.convert_to_numpy(trained.network.prepare(x))
    np.testing.assert_allclose(standardized, (FEATURES - mean) / deviation, rtol=1e-4)
    assert "standardized by mean and deviation of 40 images" in trained.images_in_words
    assert trained.takes_features and trained.image_values is None


def test_a_whole_data_set_is_proposed_for(data, trained):
    """Labeled images, whose answers tell how much people disagree, and unlabeled."""
    proposals = trained.propose(data, batch_size=7, verbose=0)
    parts = [data.labeled, data.unlabeled]
    assert proposals.ids == tuple(name for part in parts for name in part.ids)
    alone = [trained.propose(part, verbose=0) for part in parts]
    for what in ("class_probabilities", "ambiguity", "embeddings"):
        found = np.concatenate([getattr(one, what) for one in alone])
        np.testing.assert_allclose(getattr(proposals, what), found, atol=1e-6)
    supervised = make_data(unlabeled=None)
    assert trained.propose(supervised, verbose=0).ids == supervised.labeled.ids


@pytest.mark.parametrize("scale", few([1e-4, 1e4], 1e-4))
def test_the_scale_of_features_changes_no_answer(scale):
    answers = []
    for factor in (1.0, scale):
        data = make_data(features=FEATURES * np.float32(factor), views=False)
        model = make_model("pi_model")
        model.fit(data, steps_per_epoch=2, verbose=0)
        answers.append(model.predict(data.validation, verbose=0)["classes"])
    np.testing.assert_allclose(*answers, atol=1e-4)


@pytest.mark.slow
def test_a_teacher_named_by_a_string_weighs_less_on_features(trained, tmp_path):
    weights = {
        "named": make_model("mean_teacher", num_classes=3),
        "given": make_model(keras_dc3.strategies.MeanTeacher(), num_classes=3),
        "without one": make_model("pi_model", num_classes=3),
    }
    for model in weights.values():
        model.build((None, D))
    found = {name: model.ssl.weight for name, model in weights.items()}
    assert found == {"named": 20.0, "given": 50.0, "without one": 10.0}
    trained.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.ssl.weight == trained.ssl.weight == 20.0
    of_images = keras_dc3.DC3Model(
        keras_dc3.backbones.small_cnn((8, 8, 3), 2), ssl="mean_teacher", num_classes=3
    )
    of_images.build((None, 8, 8, 3))
    assert of_images.ssl.weight == 50.0


def test_it_learns():
    data = datasets.from_embeddings(
        FEATURES, CLASSES, num_classes=3, labeled=32, validation=16, batch_size=16
    )
    model = make_model("supervised", config=keras_dc3.DC3Config.vanilla())
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(data, epochs=5, verbose=0)
    predicted = model.predict(FEATURES, verbose=0)["classes"].argmax(axis=1)
    assert (predicted == CLASSES).mean() > 0.85


def test_arrays_train_too():
    x = {"labeled": FEATURES[:24], "unlabeled": {"first": FEATURES[24:]}}
    x["unlabeled"]["second"] = WEAK[0, 24:]
    model = make_model("pi_model", num_classes=3)
    model.fit(x, CLASSES[:24].astype("int32"), batch_size=8, verbose=0)
    every = np.concatenate([FEATURES, WEAK[0, 24:]]).astype("float64")
    mean = keras.ops.convert_to_numpy(model.network.standardization.mean)
    np.testing.assert_allclose(mean, every.mean(axis=0), rtol=1e-5)
    half = model.predict(FEATURES.astype("float16"), verbose=0)["classes"]
    np.testing.assert_allclose(
        half, model.predict(FEATURES, verbose=0)["classes"], atol=0.02
    )


def test_the_penalty_follows_the_number_of_labels(data):
    """0.05 up to 200 labels; with 800, half of it, whatever plans the training."""
    many = {"labeled": np.repeat(FEATURES, 17, axis=0)[:800]}
    many["unlabeled"] = {"first": many["labeled"], "second": many["labeled"]}
    labels = np.repeat(CLASSES, 17)[:800].astype("int32")
    options = {"batch_size": 8, "steps_per_epoch": 1, "verbose": 0}
    model = make_model("pi_model", num_classes=3)
    model.fit(many, labels, **options)
    assert model.optimizer.kernel_decay == 0.025
    model.fit(many, labels, epochs=2, initial_epoch=1, time_limit=60, **options)
    assert model.optimizer.kernel_decay == 0.025
    model.plan_for(4)
    assert model.optimizer.kernel_decay == 0.025
    model.fit(data, steps_per_epoch=1, verbose=0)
    assert model.optimizer.kernel_decay == 0.05
    own = make_model("pi_model", num_classes=3)
    own.compile(keras_dc3.optimizers.feature_optimizer(10))
    own.fit(many, labels, **options)
    assert own.optimizer.kernel_decay == 0.05


def test_a_stream_cannot_be_looked_at_and_says_so():
    class Stream(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            rows = slice(8 * index, 8 * index + 8)
            unlabeled = {"first": FEATURES[rows], "second": WEAK[0, rows]}
            x = {"labeled": FEATURES[rows], "unlabeled": unlabeled}
            return x, CLASSES[rows].astype("int32")

    model = make_model("pi_model", num_classes=3)
    with pytest.warns(UserWarning, match="they are not standardized"):
        model.fit(Stream(), verbose=0)
    assert model.network.standardization.images == 0
    assert np.isfinite(model.predict(FEATURES, verbose=0)["classes"]).all()


def test_saved_loaded_and_continued(data, tmp_path):
    def half(model, first):
        model.fit(data, initial_epoch=first, epochs=first + 1, verbose=0)
        return model

    model = half(make_model(), 0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert difference(model, loaded) == 0 and loaded.takes_features
    assert loaded.network.standardization.images == 40
    outputs, again = (m.predict(FEATURES, verbose=0) for m in (model, loaded))
    for name in outputs:
        np.testing.assert_array_equal(outputs[name], again[name])
    assert difference(half(model, 1), half(loaded, 1)) == 0
    weights = tmp_path / "a.weights.h5"
    model.save_weights(weights)
    other = make_model(num_classes=3)
    other.build((None, D))
    other.load_weights(weights)
    np.testing.assert_array_equal(
        other.predict(FEATURES, verbose=0)["clusters"],
        model.predict(FEATURES, verbose=0)["clusters"],
    )


def test_the_averaged_model_and_backbone(trained):
    copy = trained.with_averaged_weights()
    np.testing.assert_allclose(
        copy.predict(FEATURES, verbose=0)["classes"],
        trained.predict(FEATURES, verbose=0)["classes"],
        atol=1e-5,
    )
    prepared = trained.network.prepare(keras.ops.convert_to_tensor(FEATURES))
    features = trained.averaged_backbone()(prepared)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(features),
        trained.embed(FEATURES, verbose=0),
        atol=1e-4,
    )


@pytest.mark.tensorflow
def test_exported(trained, tmp_path):
    import tensorflow as tf

    trained.export(tmp_path / "model")
    loaded = tf.saved_model.load(tmp_path / "model")
    expected = trained.predict(FEATURES, verbose=0)
    for signature in ("serving_default", "serving_float"):
        found = loaded.signatures[signature](features=tf.constant(FEATURES))
        np.testing.assert_allclose(
            found["class_probabilities"], expected["classes"], atol=1e-5
        )
    about = json.loads(
        (tmp_path / "model" / "assets.extra" / "keras_dc3.json").read_text()
    )
    assert about["input"]["name"] == "features" and about["input"]["shape"] == [None, D]
    assert "48 " not in about["input"]["scaling"]
    assert "standardized" in about["input"]["float32"]
    odd = FEATURES.copy()
    odd[1, 2], odd[2] = np.nan, 1e6
    found = loaded.signatures["serving_default"](features=tf.constant(odd))
    assert found["decision"].numpy()[1:3].tolist() == [b"invalid"] * 2
    assert np.isfinite(found["ambiguity"].numpy()[3:]).all()
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"expected shape \[\?,6\]"
    ):
        loaded.signatures["serving_float"](features=tf.zeros((2, 5)))


# -- bad input


@pytest.mark.parametrize(
    ("given", "error", "match"),
    [
        (FEATURES[:, :4], ValueError, r"shape \(n, 6\).*another network"),
        (FEATURES.T[:, :5], ValueError, r"^The features must .* pass `features\.T`"),
        (FEATURES[0], ValueError, r"features\[None\]"),
        (FEATURES[:, None], ValueError, "one vector per image"),
        (np.zeros((2, 8, 8, 3), "uint8"), ValueError, "features of 6 numbers, not on"),
        (FEATURES.astype("int32"), TypeError, "whole numbers"),
        (np.where(FEATURES[3, 1] == FEATURES, np.nan, FEATURES), ValueError, "n 3"),
        (FEATURES * 1e3, ValueError, "another scale than the 40 .*48 of 48 images"),
    ],
)
@pytest.mark.parametrize("method", ["predict", "propose", "__call__"])
def test_features_unlike_those_in_training(trained, method, given, error, match):
    ids = {"ids": [str(i) for i in range(len(given))]} if method == "propose" else {}
    with pytest.raises(error, match=match):
        getattr(trained, method)(given, **ids)


def test_what_is_no_array_of_features(trained):
    with pytest.raises(ValueError, match=r"^Features must .*\(n, 6\). Rec.*: a list"):
        trained.predict(FEATURES.tolist(), verbose=0)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (FEATURES / 50, "vary by 0.0"),
        (FEATURES + 25, "their mean lies 3"),
    ],
)
@pytest.mark.filterwarnings("ignore:The features are unlike")  # told for each reason
def test_features_that_are_probably_of_another_network(trained, given, match):
    with pytest.warns(UserWarning, match=match):
        trained.predict(given, verbose=0)


def test_features_of_training_are_not_doubted(trained, data):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "The .*features are")
        trained.predict(FEATURES, verbose=0)
        trained.predict(FEATURES[CLASSES == 1], verbose=0)
        trained.predict(data.validation, verbose=0)


def rectified(seed, number=400, d=64):
    """Features as a network has them: 4 classes, each feature of a scale of its own."""
    rng = np.random.default_rng(0)
    centers, scales = rng.normal(size=(4, d)), rng.gamma(4, 0.1, size=d)
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 4, number)
    features = centers[classes] + rng.normal(size=(number, d)) + 1
    return (np.maximum(features, 0) * scales).astype("float32"), classes


SEEN, _ = rectified(1)
OTHERS = {
    "length 1": (lambda x: x / np.linalg.norm(x, axis=1, keepdims=True), "of length 1"),
    "twice": (lambda x: 2 * x, r"vary by (2|1\.9|2\.1).*all of them about alike"),
    "half": (lambda x: 0.5 * x, "all of them about alike"),
    "standardized": (lambda x: (x - SEEN.mean(0)) / SEEN.std(0), "deviations from"),
    "less the mean": (lambda x: x - SEEN.mean(axis=0), "their mean lies 1"),
    "other features": (lambda x: x[:, ::-1].copy(), r"of 64 by more than 1\.6"),
}


@pytest.fixture(scope="module")
def of_rectified():
    layer = keras_dc3.layers.FeatureStandardization()
    layer.build((None, 64))
    found = moments_of([SEEN])
    layer.learn(found.mean, found.deviation, found.number)
    return layer


@pytest.mark.parametrize("name", OTHERS)
def test_features_that_were_scaled_in_another_way(of_rectified, name):
    change, match = OTHERS[name]
    with pytest.warns(UserWarning, match=match):
        check_scale(change(rectified(2)[0]), of_rectified)


def test_some_of_the_images_are_not_doubted(of_rectified):
    features, classes = rectified(3)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "The .*features are")
        for number in (1, 15, 16, 50, 400):
            check_scale(features[:number], of_rectified)
        for one in range(4):
            check_scale(features[classes == one], of_rectified)
            check_scale(features[classes == one][:16], of_rectified)
        check_scale(2 * features[:15], of_rectified)  # too few to tell


def test_a_feature_that_hardly_any_training_image_has():
    """As after a rectifier: nearly always 0. The image is answered, not refused."""
    layer = keras_dc3.layers.FeatureStandardization()
    layer.build((None, 300))
    rng = np.random.default_rng(0)
    seen = np.maximum(rng.normal(size=(200, 300)), 0)
    seen[:, 7] = 0
    seen[3, 7] = 1e-3
    found = moments_of([seen])
    layer.learn(found.mean, found.deviation, found.number)
    given = np.maximum(rng.normal(size=(5, 300)), 0).astype("float32")
    given[2, 7] = 4.0
    far = (given - seen.mean(axis=0)) / seen.std(axis=0)
    assert far[2, 7] > 50_000
    check_scale(given, layer)
    assert ops.convert_to_numpy(in_scale(layer.deviations(given))).all()
    out = ops.convert_to_numpy(layer(given))
    np.testing.assert_allclose(out, far.clip(-20, 20), rtol=1e-3, atol=1e-4)
    # Few of them are not 0, yet all are 255 times as large.
    sparse = np.where(rng.random((200, 300)) < 0.1, seen, 0)
    found = moments_of([sparse])
    layer.learn(found.mean, found.deviation, found.number)
    near = in_scale(layer.deviations(255 * sparse[:9]))
    assert not ops.convert_to_numpy(near).any()
    with pytest.raises(ValueError, match=r"another scale than the 200 .*9 of 9 images"):
        check_scale(255 * sparse[:9], layer)


def test_training_does_not_go_on_with_other_features(trained):
    with pytest.raises(ValueError, match="labeled features are of another scale"):
        trained.fit(make_data(False, FEATURES * 1e3), verbose=0)
    with pytest.raises(ValueError, match=r"features must have shape \(n, 6\)"):
        trained.fit(make_data(False, FEATURES[:, :4]), verbose=0)


def test_a_backbone_of_the_other_kind(data, make_backbone):
    images = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"takes images of .*feature_mlp\(6\)"):
        keras_dc3.DC3Model(images).fit(data)
    pixels = np.zeros((N, 8, 8, 3), "uint8")
    with pytest.raises(
        ValueError, match=r"takes features of 6 numbers, but .*\(8, 8, 3"
    ):
        make_model().fit(datasets.from_arrays(pixels, COUNTS))
    with pytest.raises(ValueError, match="images take another backbone"):
        keras_dc3.backbones.feature_mlp((8, 8, 3))


@pytest.mark.slow
@pytest.mark.tensorflow
def test_two_replicas_train_what_one_does(data, mirrored):
    models = [make_model("mean_teacher", num_classes=3)]
    models[0].build((None, D))
    with mirrored.scope():
        models.append(make_model("mean_teacher", num_classes=3))
        models[1].build((None, D))
    models[1].set_weights(models[0].get_weights())
    for model in models:
        model.fit(data, epochs=1, verbose=0)
    assert difference(*models) < 1e-4
    layers = [model.network.standardization for model in models]
    assert layers[0].images == layers[1].images == 40
