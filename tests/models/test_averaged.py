"""Copies of a model and its backbone whose own weights are the averages."""

import keras
import numpy as np
import pytest

import keras_dc3
from tests.models.helpers import arrays, difference, make_model, strategy
from tests.models.test_frozen import move_away
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")

layers = keras.layers


def sequential():
    return keras.Sequential(
        [
            layers.Conv2D(6, 3, strides=2, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.3, seed=1),
            layers.Conv2D(4, 3),
        ]
    )


def functional():
    images = keras.Input((8, 8, 3))
    hidden = layers.Conv2D(6, 3, activation="relu")(images)
    both = layers.Concatenate()([hidden, layers.Lambda(lambda x: x * 2.0)(hidden)])
    return keras.Model(images, layers.GlobalAveragePooling2D()(both))


def layer():
    class Own(layers.Layer):
        """Neither registered nor to be imported."""

        def __init__(self, width=5, **kwargs):
            super().__init__(**kwargs)
            self.width = width
            self.conv = layers.Conv2D(width, 3)

        def call(self, images):
            return self.conv(images)

        def get_config(self):
            return {**super().get_config(), "width": self.width}

    return Own(width=6)


def subclassed():
    class Net(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.block = sequential()
            self.pool = layers.GlobalAveragePooling2D()

        def call(self, images, training=False):
            return self.pool(self.block(images, training=training))

    return Net()


BACKBONES = [sequential, functional, layer, subclassed, layers.Flatten]


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


@pytest.fixture(scope="module", params=BACKBONES, ids=lambda make: make.__name__)
def model(request):
    model = make_model(request.param, strategy("mean_teacher"), class_names=list("abc"))
    move_away(model)
    for part in model.network._flatten_layers():
        if isinstance(part, layers.BatchNormalization):
            part.moving_mean.assign(part.moving_mean + 0.3)
    return model


@pytest.fixture(scope="module")
def images():
    return arrays("pi_model")[0]["labeled"]


@pytest.mark.filterwarnings("ignore:`build..` was called on layer")
def test_the_copy_answers_alike(model, images):
    before = [np.array(w) for w in model.get_weights()]
    copy = model.with_averaged_weights()
    assert type(copy) is type(model) and copy.evaluate_with == "raw"
    expected = {k: numpy(v) for k, v in model(images).items()}
    for name, value in copy(images).items():
        np.testing.assert_allclose(numpy(value), expected[name], atol=1e-5)
    assert copy.class_names == model.class_names
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    for weight in copy.network.trainable_variables:  # shares nothing with it
        weight.assign(weight * -2.0)
    assert np.abs(numpy(copy(images)["classes"]) - expected["classes"]).max() > 1e-3
    np.testing.assert_array_equal(numpy(model(images)["classes"]), expected["classes"])


@pytest.mark.filterwarnings("ignore:`build..` was called on layer")
def test_the_backbone_gives_what_embed_gives(model, images):
    backbone = model.averaged_backbone()
    assert isinstance(backbone, keras.Model)
    assert not isinstance(backbone, keras_dc3.DC3Model)
    features = numpy(backbone(images.astype("float32") / 127.5 - 1.0))
    if features.ndim == 4:
        features = features.mean(axis=(1, 2))
    np.testing.assert_allclose(features, model.embed(images, verbose=0), atol=1e-5)
    if backbone.weights and isinstance(model.backbone, keras.Model):
        assert type(backbone) is type(model.backbone)
        raw = numpy(model.backbone.weights[0])
        assert np.abs(numpy(backbone.weights[0]) - raw).max() > 0.1


@pytest.mark.filterwarnings("ignore:`build..` was called on layer")
@pytest.mark.parametrize("make", [sequential, layer])
def test_the_backbone_is_saved_and_trained_elsewhere(make, images, tmp_path):
    model = make_model(make, strategy("mean_teacher"))
    move_away(model)
    model.backbone.trainable = False
    before = numpy(model(images)["classes"])
    backbone = model.averaged_backbone()
    backbone.trainable = True
    for part in backbone.layers:  # Keras forgets those of a Sequential made by config
        part.trainable = True
    backbone.save(tmp_path / "backbone.keras")
    classes = {type(part).__name__: type(part) for part in backbone._flatten_layers()}
    loaded = keras.saving.load_model(tmp_path / "backbone.keras", classes)
    scaled = images.astype("float32") / 127.5 - 1.0
    features = numpy(backbone(scaled))
    np.testing.assert_allclose(numpy(loaded(scaled)), features, atol=1e-5)
    elsewhere = keras.Sequential(
        [backbone, layers.GlobalAveragePooling2D(), layers.Dense(2)]
    )
    elsewhere.compile("sgd", "mse")
    elsewhere.fit(scaled, np.ones((24, 2)), verbose=0)
    assert np.abs(numpy(backbone(scaled)) - features).max() > 0
    np.testing.assert_array_equal(numpy(model(images)["classes"]), before)


def test_the_copy_trains_on(images):
    x, y = arrays("mean_teacher")
    model = make_model(sequential, strategy("mean_teacher"))
    move_away(model)
    copy = model.with_averaged_weights()
    assert int(numpy(copy.step.value)) == 0
    copy.fit(x, y, batch_size=8, verbose=0)
    assert difference(copy.network, model.network) > 0


def test_what_cannot_be_copied(images):
    with pytest.raises(ValueError, match="not trained or loaded yet"):
        make_model(sequential, num_classes=None).averaged_backbone()

    class NoConfig(layers.Layer):
        def __init__(self, layer):
            super().__init__()
            self.inner = layer

        def call(self, images):
            return self.inner(images)

    model = make_model(lambda: NoConfig(layers.Flatten()))
    with pytest.raises(ValueError, match=r"backbone 'no_config.*cannot be copied"):
        model.averaged_backbone()


def load(model, seed):
    """Gives the backbone other weights, as from a file."""
    rng = np.random.default_rng(seed)
    weights = model.backbone.get_weights()
    model.backbone.set_weights([rng.random(w.shape) for w in weights])


ASKED = {
    "call": lambda model, x, y: numpy(model(x)["classes"]),
    "predict": lambda model, x, y: model.predict(x, verbose=0)["classes"],
    "predict_on_batch": lambda model, x, y: model.predict_on_batch(x)["classes"],
    "embed": lambda model, x, y: model.embed(x, verbose=0),
    "propose": lambda model, x, y: (
        model.propose(x, list(map(str, y)), verbose=0).class_probabilities
    ),
    "evaluate": lambda model, x, y: model.evaluate(x, y % 3, verbose=0),
    "test_on_batch": lambda model, x, y: model.test_on_batch(x, y % 3),
    "copy": lambda model, x, y: numpy(model.with_averaged_weights()(x)["classes"]),
}


@pytest.mark.graph
@pytest.mark.parametrize("ask", few(list(ASKED), *list(ASKED)[:3]))
def test_before_the_first_step_the_average_follows_the_weights(images, ask):
    model, y = make_model(sequential, evaluate_with="ema"), np.arange(len(images))
    for seed in (1, 2):  # traced, then not
        load(model, seed)
        model.reset_metrics()  # older versions of Keras go on with them
        found = ASKED[ask](model, images, y)
        model.evaluate_with = "raw"
        model.reset_metrics()
        expected = ASKED[ask](model, images, y)
        model.evaluate_with = "ema"
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_from_the_first_step_on_it_is_an_average(images):
    model = make_model(sequential, strategy("mean_teacher"))
    load(model, 1)
    x, y = arrays("mean_teacher")
    x = {
        "labeled": x["labeled"][:8],
        "unlabeled": {view: part[:8] for view, part in x["unlabeled"].items()},
    }
    before = numpy(model.backbone.weights[0].value)
    model.train_on_batch(x, y[:8])
    kernel = model.backbone.weights[0]
    after = numpy(kernel.value)
    assert np.abs(after - before).max() > 0
    # The first step's decay is 1/10, from the weights that were loaded.
    expected = 0.1 * before + 0.9 * after
    average = numpy(model.average.value_of(kernel))
    np.testing.assert_allclose(average, expected, rtol=1e-4, atol=1e-6)
    load(model, 2)
    model.predict(images, verbose=0)
    np.testing.assert_array_equal(numpy(model.average.value_of(kernel)), average)
