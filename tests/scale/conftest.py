"""A small exported model, and 50 images in every kind of source."""

import functools

import keras
import numpy as np
import pytest

import keras_dc3
from tests.scale import helpers


@pytest.fixture(autouse=True, scope="package")
def _loaded_once():
    """Loads each exported model once, which takes longer than to score by it."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tf.saved_model, "load", functools.cache(tf.saved_model.load))
        yield


@pytest.fixture(scope="session")
def model():
    """A model whose answers differ from image to image, on both sides of 0.5."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    backbone = keras.Sequential(
        [layers.Conv2D(6, 3, activation="relu"), layers.GlobalAveragePooling2D()]
    )
    model = keras_dc3.DC3Model(
        backbone, ssl="pi_model", num_classes=3, class_names=["cod", "eel", "=ray"]
    )
    model.build((None, *helpers.SHAPE))
    head = model.network.ambiguity_head
    largest = model.predict(helpers.pixels(50), verbose=0)["classes"].max(axis=-1)
    median = np.median(np.log((1 - largest) / largest.astype("float64")))
    head.set_weights([np.float32(1), np.float32(-median)])
    model.average.reset(model.network)
    classes = [0, 1, 2, 1] * 25
    model.verdict = keras_dc3.metrics.verdict(classes, np.eye(3)[classes])
    return model


@pytest.fixture(scope="session")
def exported(model, tmp_path_factory):
    """The folder that the model was exported to."""
    folder = tmp_path_factory.mktemp("exported") / "model"
    model.export(folder)
    return folder


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """A folder of 50 images in two folders, one of them damaged."""
    return helpers.write_images(tmp_path_factory.mktemp("images") / "fish")


@pytest.fixture(scope="session")
def scored(exported, images, tmp_path_factory):
    """The folder of a run over these images that was never stopped."""
    folder = tmp_path_factory.mktemp("scored") / "run"
    summary = helpers.score(exported, images, folder)
    assert (summary.shards, summary.images, summary.failed) == (4, 50, 1)
    return folder
