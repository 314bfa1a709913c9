"""Networks of `keras.applications`, whose images are prepared as their authors do."""

import inspect
import re
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_dc3
from keras_dc3 import backbones
from keras_dc3.backbones.pretrained import kind_of
from tests.backbones.helpers import images, numbers, relative
from tests.slow import few

APPLICATIONS = keras.applications
# The smallest network of each module, and the size that it is tried at.
SMALLEST = {
    "ConvNeXtTiny": 32,
    "DenseNet121": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "InceptionResNetV2": 75,
    "InceptionV3": 75,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "NASNetMobile": 32,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "VGG16": 32,
    "VGG19": 32,
    "Xception": 71,
}


def module_of(name):
    """The module that holds a network and its `preprocess_input`."""
    file = Path(inspect.getfile(getattr(APPLICATIONS, name))).stem
    return getattr(APPLICATIONS, file)


@pytest.mark.parametrize(
    "name", few(SMALLEST, "MobileNet", "MobileNetV3Small", "VGG16")
)
def test_features_are_those_of_their_own_preprocessing(name):
    """Each way of scaling: as ImageNet in PyTorch, -1..1, inside, and as in Caffe."""
    size = SMALLEST[name]
    backbone = backbones.pretrained(name, weights=None, image_size=size)
    pixels = images(size=size)
    scaled = module_of(name).preprocess_input(pixels.astype("float32"))
    expected = numbers(backbone.network(scaled, training=False))
    for same in (pixels, pixels.astype("float32")):
        assert relative(numbers(backbone(same)), expected) < 1e-5
    # Another scale would not do.
    assert relative(numbers(backbone(pixels // 2)), expected) > 1e-2
    gray = images(size=size, channels=1)
    colored = numbers(backbone(np.repeat(gray, 3, axis=-1)))
    np.testing.assert_array_equal(numbers(backbone(gray)), colored)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
@pytest.mark.parametrize("name", SMALLEST)
def test_the_network_is_that_of_keras(name):
    size = SMALLEST[name]
    backbone = backbones.pretrained(name, weights=None, image_size=size)
    network = getattr(APPLICATIONS, name)(
        include_top=False, weights=None, pooling="avg", input_shape=(size, size, 3)
    )
    network.set_weights(backbone.network.get_weights())
    pixels = images(size=size)
    scaled = module_of(name).preprocess_input(pixels.astype("float32"))
    expected = numbers(network(scaled, training=False))
    assert relative(numbers(backbone(pixels)), expected) < 1e-5


def test_all_of_them_are_known():
    public = {name for name in dir(APPLICATIONS) if name[0].isupper()}
    assert set(backbones.names()) == public and len(public) >= 38
    modules = {module_of(name).__name__ for name in SMALLEST}
    assert {module_of(name).__name__ for name in public} == modules


@pytest.mark.parametrize(
    "written", ["mobilenetv3small", "mobilenet-v3-small", "MobileNet_V3_Small"]
)
def test_names_as_people_write_them(written, monkeypatch):
    made = []
    monkeypatch.setattr(
        backbones.pretrained.__globals__["applications"],
        "make",
        lambda name, *_: made.append(name) or keras.layers.Flatten(),
    )
    backbones.pretrained(written)
    assert made == ["MobileNetV3Small"]


@given(st.sampled_from(backbones.names()), st.randoms(use_true_random=False))
def test_every_spelling_of_every_name(name, random):
    letters = [random.choice([c.lower(), c.upper()]) for c in name]
    written = "".join(c + random.choice(["", "", "-", "_", " "]) for c in letters)
    assert kind_of(written) == name


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("resnet", "'ResNet50'"),
        ("efficientnet-v2-b9", "'EfficientNetV2B3'"),
        ("VGG-15", "'VGG16'"),
        ("my network", "names()"),
    ],
)
def test_unknown_names_are_told_with_the_nearest(name, nearest):
    with pytest.raises(ValueError, match=f"Unknown backbone '{name}'") as told:
        keras_dc3.DC3Model(name)
    assert nearest in str(told.value)
    with pytest.raises(TypeError, match="`name` must be a text"):
        backbones.pretrained(50)


@pytest.mark.parametrize(
    ("name", "least"), [("ResNet50", 32), ("Xception", 71), ("InceptionV3", 75)]
)
def test_sizes_that_a_network_refuses(name, least):
    with pytest.raises(ValueError, match=f"no images below {least}x{least} pixels"):
        backbones.pretrained(name, weights=None, image_size=(least, least - 1))
    for size in (0, "96", (1, 2, 3), 96.5):
        with pytest.raises(ValueError, match="`image_size` must be"):
            backbones.pretrained(name, weights=None, image_size=size)


def rows_of_docs():
    """Name, size, features and MB, as docs/backbones.md states them."""
    page = Path(__file__).parents[2] / "docs" / "backbones.md"
    row = re.compile(r"^\| (\w+) \| (\d+) \| (\d+) \| ([\d,]+) \|", re.MULTILINE)
    return row.findall(page.read_text("utf-8"))


def test_the_page_lists_all_of_them():
    assert sorted(name for name, *_ in rows_of_docs()) == backbones.names()


@pytest.mark.slow
@pytest.mark.parametrize("row", rows_of_docs(), ids=lambda row: row[0])
def test_the_page_states_what_they_are(row):
    name, size, features, megabytes = row
    backbone = backbones.pretrained(name, weights=None)
    assert backbone.image_size == (int(size), int(size))
    assert backbone.network.output_shape == (None, int(features))
    weights = backbone.network.count_params() * 4 / 1e6
    assert round(weights) == int(megabytes.replace(",", ""))
    blocks = backbones.blocks_of(backbone)
    assert len(blocks) > 4
    assert all(any(layer.weights for layer in layers) for _, layers in blocks)
    backbones.set_trainable(backbone, 1)
    trained = sum(np.prod(weight.shape) for weight in backbone.trainable_weights)
    assert 0 < trained < backbone.network.count_params()
