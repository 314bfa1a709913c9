"""A `DC3Model` on a backbone that was trained elsewhere."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import backbones
from tests.backbones.helpers import images, numbers, tiny
from tests.models.helpers import Batches
from tests.slow import few

pytestmark = [
    pytest.mark.usefixtures("without_graphs"),
    pytest.mark.filterwarnings("ignore:There are no unlabeled images"),
]
SIZE = 20


def make(ssl="supervised", trainable="none", **kwargs):
    keras.utils.set_random_seed(5)
    backbone = backbones.from_model(tiny(), "tf", trainable)
    model = keras_dc3.DC3Model(backbone, ssl, num_classes=2, training_steps=4, **kwargs)
    model.compile("sgd", jit_compile=False)
    return model


@pytest.fixture(scope="module")
def pixels():
    return images(8, SIZE, channels=1)


LABELS = np.arange(8) % 2
FORMS = {
    "bytes": lambda x: x,
    "floats of 0 to 255": lambda x: x.astype("float32"),
    "floats of 0 to 1": lambda x: x / np.float32(255),
    "floats of -1 to 1": lambda x: x / np.float32(127.5) - 1,
}


@pytest.mark.parametrize("form", few(list(FORMS), "bytes", "floats of 0 to 1"))
def test_one_image_has_one_answer_however_it_comes(form, pixels):
    """What the network gets is 0..255 scaled by its own rule, in training, too."""
    model = make()
    model.fit(FORMS[form](pixels), LABELS, batch_size=8, verbose=0)
    expected = numbers(model.backbone(pixels))
    np.testing.assert_allclose(
        numbers(model.network.prepare(FORMS[form](pixels))), pixels, atol=1e-3
    )
    for given in (pixels, FORMS[form](pixels)):
        found = model.embed(given, verbose=0)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert "the backbone scales them itself" in repr(model)


def test_ranges_that_are_not_known(pixels):
    odd = FORMS["floats of -1 to 1"](pixels) * np.float32(2.5)
    model = make()
    with pytest.raises(ValueError, match="how these become 0 to 255 is not known"):
        model.fit(odd, LABELS, batch_size=8, verbose=0)
    unit = FORMS["floats of 0 to 1"](pixels)
    x = {"labeled": unit, "unlabeled": {"first": unit, "second": unit}}
    model = make()
    with pytest.raises(ValueError, match="of a stream fill is not known"):
        model.fit(Batches(x, LABELS), verbose=0)
    model.image_values = keras_dc3.models.ImageValues("floats", 0, 1)
    model.fit(Batches(x, LABELS), verbose=0)
    with pytest.raises(ValueError, match="leave `rescale` out"):
        make(rescale=True)


def test_a_name_makes_a_frozen_backbone(monkeypatch):
    given = []
    monkeypatch.setattr(
        "keras_dc3.models.dc3_model.pretrained",
        lambda name: given.append(name) or backbones.from_model(tiny(), "tf", "none"),
    )
    model = keras_dc3.DC3Model("efficientnetv2-b0", num_classes=2)
    model.build((None, SIZE, SIZE, 3))
    assert given == ["efficientnetv2-b0"] and model.backbone.image_size == (16, 16)
    assert not model.backbone.trainable_weights


@pytest.mark.parametrize("ssl", few(["mean_teacher", "fixmatch"], "mean_teacher"))
def test_saved_continued_and_averaged(ssl, pixels, tmp_path):
    views = keras_dc3.strategies.get(ssl).views
    x = {"labeled": pixels, "unlabeled": dict.fromkeys(views, pixels)}
    model = make(ssl, trainable=1)
    model.fit(x, LABELS, batch_size=8, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.fit(x, LABELS, batch_size=8, verbose=0, shuffle=False)
    first, second = (each.predict(pixels, verbose=0) for each in (model, loaded))
    np.testing.assert_allclose(second["classes"], first["classes"], atol=1e-6)
    averaged = model.averaged_backbone()
    assert isinstance(averaged, backbones.Backbone)
    np.testing.assert_allclose(
        numbers(averaged(pixels)), model.embed(pixels, verbose=0), atol=1e-5
    )


@pytest.mark.tensorflow
@pytest.mark.slow
def test_an_exported_model_takes_images_as_they_are(pixels, tmp_path):
    import tensorflow as tf

    model = make()
    model.fit(pixels, LABELS, batch_size=8, verbose=0)
    model.export(tmp_path / "saved", verbose=0)
    served = tf.saved_model.load(tmp_path / "saved").signatures
    expected = model.predict(pixels, verbose=0)["classes"]
    for signature, given in (
        ("serving_default", pixels),
        ("serving_float", pixels.astype("float32")),
    ):
        found = served[signature](images=tf.constant(given))["class_probabilities"]
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_half_precision(pixels):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = make()
    finally:
        keras.config.set_dtype_policy("float32")
    model.fit(pixels, LABELS, batch_size=8, verbose=0)
    full = make()
    full.build((None, SIZE, SIZE, 1))
    full.backbone.set_weights(model.backbone.get_weights())
    found, expected = (each.embed(pixels, verbose=0) for each in (model, full))
    np.testing.assert_allclose(found, expected, atol=0.05)
