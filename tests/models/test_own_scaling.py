"""Backbones that scale their images themselves, told by what they do to numbers."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

import keras_dc3
from keras_dc3.backbones.probe import scales_by_itself
from tests.slow import few

SHAPE = (16, 16, 3)
APPLICATIONS = keras.applications


def functional(scale):
    images = keras.Input(SHAPE)
    x = layers.Conv2D(4, 3, strides=2)(scale(images))
    return keras.Model(images, layers.Flatten()(x))


class OwnLayer(layers.Layer):
    """Scales inside, before a layer of Keras."""

    def __init__(self, scale):
        super().__init__()
        self.scale, self.conv = scale, layers.Conv2D(4, 3)

    def call(self, images):
        return self.conv(self.scale(images))


class OwnModel(keras.Model):
    """Builds itself when it sees images."""

    def __init__(self, scale):
        super().__init__()
        self.scale, self.conv = scale, layers.Conv2D(4, 3)

    def call(self, images, training=False):
        return self.conv(self.scale(images))


class OwnWeights(layers.Layer):
    """Scales and convolves by operations, with weights of its own."""

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def build(self, shape):
        self.kernel = self.add_weight(shape=(3, 3, shape[-1], 4), name="kernel")

    def call(self, images):
        return ops.conv(self.scale(images), self.kernel)


class Standardize(layers.Layer):
    """Subtracts and divides by weights of its own."""

    def build(self, shape):
        constant = keras.initializers.Constant
        self.mean = self.add_weight(shape=(3,), initializer=constant(120.0))
        self.deviation = self.add_weight(shape=(3,), initializer=constant(60.0))

    def call(self, images):
        return (images - self.mean) / self.deviation


def adapted(low, high):
    layer = layers.Normalization()
    images = np.random.default_rng(0).uniform(low, high, (20, *SHAPE))
    layer.adapt(images.astype("float32"))
    return layer


def nested():
    return keras.Sequential([keras.Input(SHAPE), layers.Rescaling(1 / 127.5, -1)])


def preprocess(name):
    return lambda images: getattr(APPLICATIONS, name).preprocess_input(images * 1.0)


def plain(images):
    return images


BACKBONES = {
    # What scales images of 0..255, by whatever means.
    "operations": (lambda: functional(lambda x: x / 255.0), True),
    "subtracted": (lambda: functional(lambda x: ops.subtract(x / 127.5, 1.0)), True),
    "preprocess_input tf": (lambda: functional(preprocess("mobilenet_v2")), True),
    "preprocess_input torch": (lambda: functional(preprocess("densenet")), True),
    "preprocess_input caffe": (lambda: functional(preprocess("resnet50")), True),
    "Lambda": (lambda: functional(layers.Lambda(lambda x: x / 255.0)), True),
    "nested": (lambda: functional(nested()), True),
    "Rescaling": (lambda: functional(layers.Rescaling(1 / 255)), True),
    "Normalization": (lambda: functional(adapted(0, 255)), True),
    "own layer": (lambda: OwnLayer(lambda x: x / 127.5 - 1.0), True),
    "own model": (lambda: OwnModel(lambda x: x / 255.0), True),
    "own weights": (lambda: functional(Standardize()), True),
    "own convolution": (lambda: OwnWeights(lambda x: x / 127.5 - 1.0), True),
    "after augmentation": (
        lambda: keras.Sequential(
            [
                layers.RandomFlip(),
                layers.Resizing(8, 8),
                layers.Rescaling(1 / 255),
                layers.Conv2D(4, 3),
            ]
        ),
        True,
    ),
    # What takes the numbers as they are.
    "plain": (lambda: functional(plain), False),
    "plain own layer": (lambda: OwnLayer(plain), False),
    "plain own model": (lambda: OwnModel(plain), False),
    "no weights": (layers.Flatten, False),
    "batch normalization": (lambda: functional(layers.BatchNormalization()), False),
    "Rescaling of features": (
        lambda: keras.Sequential([layers.Conv2D(4, 3), layers.Rescaling(0.1)]),
        False,
    ),
    "Rescaling by one": (lambda: functional(layers.Rescaling(1.0)), False),
    "small_cnn": (lambda: keras_dc3.backbones.small_cnn(SHAPE, 4), False),
    "wide_resnet": (lambda: keras_dc3.backbones.wide_resnet(SHAPE, 4, 1), False),
    # What does not tell.
    "own plain convolution": (lambda: OwnWeights(plain), None),
    "for images of 0..1": (lambda: functional(lambda x: x * 2.0 - 1.0), None),
    "Normalization of 0..1": (lambda: functional(adapted(0, 1)), None),
}


@pytest.mark.parametrize("name", BACKBONES)
def test_by_what_it_does_to_numbers(name):
    make, expected = BACKBONES[name]
    backbone = make()
    backbone(keras.Input(SHAPE))
    before = [ops.convert_to_numpy(weight) for weight in backbone.weights]
    images = np.random.default_rng(0).uniform(0, 255, (2, *SHAPE)).astype("float32")
    # Some layers of augmentation draw unless told otherwise.
    output = ops.convert_to_numpy(backbone(images, training=False))
    assert scales_by_itself(backbone, SHAPE, "float32") is expected
    for weight, old in zip(backbone.weights, before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(weight), old)
    again = ops.convert_to_numpy(backbone(images, training=False))
    np.testing.assert_array_equal(again, output)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    few(
        [
            ("EfficientNetB0", {}, True),
            ("ConvNeXtTiny", {}, True),
            ("MobileNetV3Small", {}, True),
            ("MobileNetV3Small", {"include_preprocessing": False}, False),
            ("MobileNetV2", {"alpha": 0.35}, False),
        ],
        ("MobileNetV3Small", {}, True),
        ("MobileNetV2", {"alpha": 0.35}, False),
    ),
)
def test_keras_applications(name, arguments, expected):
    backbone = getattr(APPLICATIONS, name)(
        include_top=False, weights=None, input_shape=(32, 32, 3), **arguments
    )
    assert scales_by_itself(backbone, (32, 32, 3), "float32") is expected


def make(backbone, **kwargs):
    return keras_dc3.DC3Model(
        backbone, num_classes=3, ssl="supervised", training_steps=3, **kwargs
    )


def test_such_a_backbone_gets_bytes_as_they_are(rng):
    images = rng.integers(0, 256, (3, *SHAPE)).astype("uint8")
    backbone = functional(preprocess("mobilenet_v2"))
    model = make(backbone)
    model.build((None, *SHAPE))
    assert model.network.rescale is False and "not scaled" in repr(model)
    expected = ops.convert_to_numpy(backbone(images.astype("float32")))
    np.testing.assert_allclose(model.embed(images, verbose=0), expected, atol=1e-5)


def test_images_are_told_apart_in_training():
    """Scaled twice, all pixels were about -1, and training stayed at chance."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90)
    images = rng.integers(0, 60, (90, *SHAPE)).astype("uint8")
    for image, label in zip(images, labels, strict=True):
        image[label * 5 : (label + 1) * 5] += 150
    keras.utils.set_random_seed(0)
    model = make(
        functional(preprocess("mobilenet_v2")), config=keras_dc3.DC3Config.vanilla()
    )
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False)
    model.fit(images, labels, epochs=4, batch_size=15, verbose=0)
    model.evaluate_with = "raw"
    assert model.evaluate(images, labels, verbose=0)[1] > 0.9


def test_what_does_not_tell_is_asked_once(rng):
    images = rng.integers(0, 256, (3, *SHAPE)).astype("uint8")
    model = make(OwnWeights(plain))
    with pytest.warns(UserWarning, match=r"cannot be told.*`rescale=False`.*`rescale"):
        model(images)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model(images)
        make(OwnWeights(plain), rescale=True)(images)
        # Floating-point images are none of it.
        make(OwnWeights(plain))(images / np.float32(127.5) - 1)


def test_the_decision_is_saved(tmp_path, rng):
    """A file goes on as it was trained, whatever a later version finds out."""
    images = rng.integers(0, 256, (3, *SHAPE)).astype("uint8")
    model = make(functional(lambda x: x / 255.0))
    model.build((None, *SHAPE))
    model.network.set_rescale(True)
    expected = model.predict(images, verbose=0)["classes"]
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.network.rescale is True
    found = loaded.predict(images, verbose=0)["classes"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_model_that_is_first_called_inside_another(rng):
    images = rng.integers(0, 256, (3, *SHAPE)).astype("uint8")
    model = make(functional(lambda x: x / 255.0))
    entry = keras.Input(SHAPE, dtype="uint8")
    wrapper = keras.Model(entry, model(entry))
    assert model.network.rescale is False
    np.testing.assert_allclose(
        wrapper.predict(images, verbose=0)["classes"],
        model.predict(images, verbose=0)["classes"],
        atol=1e-6,
    )


@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize("kind", ["bytes", "floats", "scales", "said", "ours"])
def test_fit_says_what_a_backbone_that_scales_nothing_gets(kind, capsys):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, *SHAPE)).astype("uint8")
    if kind == "floats":
        images = images / np.float32(255)
    scale = layers.Rescaling(1 / 255) if kind == "scales" else lambda x: x
    backbone = functional(scale)
    if kind == "ours":
        backbone = keras_dc3.backbones.small_cnn(SHAPE, filters=2)
    model = keras_dc3.DC3Model(
        backbone,
        "supervised",
        config=keras_dc3.DC3Config.vanilla(),
        num_classes=2,
        rescale=True if kind == "said" else None,
    )
    for _ in range(2 if kind == "bytes" else 1):  # a second training says it no more
        model.fit(images, np.arange(4) % 2, verbose=2)
    found = capsys.readouterr().out.count(f"The backbone {backbone.name!r} gets ")
    assert found == (kind in ("bytes", "floats"))
