"""Backbones of any Keras model: what it answers becomes one row of features."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

import keras_dc3
from keras_dc3 import backbones
from tests.backbones.helpers import images, numbers, tiny

pytestmark = pytest.mark.filterwarnings("ignore:(Nothing in|It cannot be told)")


def tokens(as_dict=None):
    """A network to tokens (n, 16, 4), or to a dict with them."""
    inputs = keras.Input((16, 16, 3))
    x = layers.Reshape((16, 4))(layers.Conv2D(4, 4, strides=4)(inputs))
    outputs = x if as_dict is None else {name: make(x) for name, make in as_dict}
    return keras.Model(inputs, outputs, name="tokens")


POOLED = [("pooled_output", lambda x: x[:, 3]), ("sequence_output", lambda x: x)]


@pytest.mark.parametrize(
    ("network", "arguments", "reduce"),
    [
        (tiny, {}, lambda y: y),
        (lambda: tiny(pool=False), {}, lambda y: y.mean((1, 2))),
        (tokens, {"tokens": "first"}, lambda y: y[:, 0]),
        (tokens, {"tokens": "mean"}, lambda y: y.mean(1)),
        (lambda: tokens(POOLED), {}, lambda y: y["pooled_output"]),
        (
            lambda: tokens(POOLED),
            {"output": "sequence_output", "tokens": "mean"},
            lambda y: y["sequence_output"].mean(1),
        ),
        (lambda: tokens([("own", lambda x: x[:, 1])]), {}, lambda y: y["own"]),
    ],
)
def test_one_row_of_features(network, arguments, reduce, tmp_path):
    network = network()
    backbone = backbones.from_model(network, "unit", **arguments)
    pixels = images(size=16)
    answer = keras.tree.map_structure(numbers, network(pixels / np.float32(255)))
    features = numbers(backbone(pixels))
    np.testing.assert_allclose(features, reduce(answer), atol=1e-5)
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.saving.load_model(tmp_path / "backbone.keras")
    np.testing.assert_allclose(numbers(loaded(pixels)), features, atol=1e-6)


def test_what_cannot_be_told_is_asked():
    pixels = images(size=16)
    with pytest.raises(ValueError, match=r'pass `tokens="first"` where'):
        backbones.from_model(tokens())(pixels)
    two = [("a", lambda x: x[:, 0]), ("b", lambda x: x[:, 1])]
    with pytest.raises(ValueError, match=r"returns \['a', 'b'\]: say by `output="):
        backbones.from_model(tokens(two))(pixels)
    with pytest.raises(ValueError, match="does not return a dict"):
        backbones.from_model(tiny(), output="a")(pixels)
    with pytest.raises(ValueError, match=r"must return features \(n, d\)"):
        backbones.from_model(keras.Sequential([layers.Reshape((16, 16, 3, 1))]))(pixels)
    with pytest.raises(ValueError, match="Unknown scaling 'tff'"):
        backbones.from_model(tiny(), "tff")
    with pytest.raises(TypeError, match="`scaling` must be one of"):
        backbones.from_model(tiny(), 255)
    with pytest.raises(ValueError, match="`scale` must be a number, or three"):
        backbones.Scaling([1.0, 2.0])
    with pytest.raises(ValueError, match="`tokens` must be one of"):
        backbones.from_model(tokens(), tokens="cls")
    with pytest.raises(TypeError, match="`network` must be a Keras model or layer"):
        backbones.from_model("resnet50.keras")
    with pytest.raises(ValueError, match="1 or 3 channels, not of 4"):
        backbones.from_model(tiny())(images(size=16, channels=4))
    model = keras_dc3.DC3Model(tokens(), num_classes=2)
    with pytest.raises(ValueError, match=r"`keras_dc3.backbones.from_model` makes"):
        model.build((None, 16, 16, 3))


def with_head(*top):
    network = tiny()
    x = network.output
    for layer in top:
        x = layer(x)
    return keras.Model(network.input, x, name="classifier"), network


@pytest.mark.parametrize(
    "top",
    [
        [layers.Dense(7, activation="softmax")],
        [layers.Dropout(0.5), layers.Dense(7), layers.Softmax()],
        [layers.Dense(7), layers.Activation("softmax")],
        [layers.Dense(7, name="predictions")],
    ],
)
def test_a_head_left_on_is_cut_and_told(top):
    classifier, network = with_head(*top)
    with pytest.warns(UserWarning, match="with 7 classes: it is left out"):
        backbone = backbones.from_model(classifier)
    pixels = images(size=16)
    np.testing.assert_allclose(
        numbers(backbone(pixels)),
        numbers(network(pixels.astype("float32"))),
        rtol=1e-5,
    )


def test_a_head_of_a_sequential_model_is_cut():
    layers_ = [layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()]
    top = layers.Dense(3, activation="softmax")
    classifier = keras.Sequential([keras.Input((16, 16, 3)), *layers_, top])
    with pytest.warns(UserWarning, match="with 3 classes: it is left out"):
        backbone = backbones.from_model(classifier)
    assert numbers(backbone(images(size=16))).shape == (2, 4)
    assert backbone.image_size == (16, 16)


def test_what_is_no_head_stays():
    projected, _ = with_head(layers.Dense(7))
    assert numbers(backbones.from_model(projected)(images(size=16))).shape == (2, 7)
    odd, _ = with_head(layers.Softmax())
    with pytest.raises(ValueError, match="a softmax that follows no dense"):
        backbones.from_model(odd)


@pytest.mark.parametrize(("given", "antialias"), [(8, False), (40, True)])
def test_images_get_the_size_of_the_network(given, antialias):
    backbone = backbones.from_model(tiny(), "tf")
    assert backbone.image_size == (16, 16)
    pixels = images(size=given).astype("float32")
    resized = keras.ops.image.resize(pixels, (16, 16), antialias=antialias)
    expected = backbone.network(resized / 127.5 - 1.0)
    np.testing.assert_allclose(
        numbers(backbone(pixels)), numbers(expected), rtol=1e-3, atol=1e-5
    )
    free = keras.Sequential([layers.Conv2D(4, 3)])
    assert backbones.from_model(free).image_size is None
    assert backbones.from_model(free, image_size=12).image_size == (12, 12)


def test_subclassed_networks_without_training():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = layers.Conv2D(4, 3)

        def call(self, images):
            return {"last_hidden_state": self.conv(images)}

    assert numbers(backbones.from_model(Own())(images(size=16))).shape == (2, 4)


@pytest.mark.parametrize("scaled", [True, False, None])
def test_a_network_that_scales_nothing_is_told(scaled):
    network = tiny()
    if scaled:
        inputs = keras.Input((16, 16, 3))
        network = keras.Model(inputs, network(layers.Rescaling(1 / 255)(inputs)))
    if scaled is None:
        network = keras.Sequential([layers.Flatten(), layers.Dense(4)])  # not built
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        backbones.from_model(network, "none")
        assert not caught
        backbones.from_model(network)
    told = [str(one.message) for one in caught]
    assert len(told) == (not scaled)
    if scaled is False:
        assert (
            told[0].startswith("Nothing in the network ") and 'scaling="tf"' in told[0]
        )
    if scaled is None:
        assert "cannot be told whether" in told[0] and "0 to 255 as they are" in told[0]
