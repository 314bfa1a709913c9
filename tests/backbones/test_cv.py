"""Backbones and augmentation layers of KerasCV, where it is installed."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import backbones
from tests.backbones.helpers import images, numbers, relative

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keras_cv():
    return pytest.importorskip("keras_cv", reason='pip install "keras_dc3[cv]"')


@pytest.mark.parametrize("include_rescaling", [True, False])
def test_a_backbone(keras_cv, include_rescaling, tmp_path):
    network = keras_cv.models.ResNetV2Backbone(
        stackwise_filters=[64, 128, 256, 512],
        stackwise_blocks=[2, 2, 2, 2],
        stackwise_strides=[1, 2, 2, 2],
        block_type="basic_block",
        include_rescaling=include_rescaling,
        input_shape=(32, 32, 3),
    )
    backbone = backbones.from_model(network, trainable="none")
    pixels = images().astype("float32")
    given = pixels if include_rescaling else pixels / 255
    expected = numbers(keras.ops.mean(network(given), axis=(1, 2)))
    assert relative(numbers(backbone(pixels)), expected) < 1e-5
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.saving.load_model(tmp_path / "backbone.keras")
    assert relative(numbers(loaded(pixels)), expected) < 1e-5


@pytest.mark.tensorflow
def test_augmentation_layers(keras_cv):
    counts = np.eye(2, dtype=int)[np.arange(24) % 2]
    data = keras_dc3.datasets.from_arrays(
        images(24, 16),
        counts,
        labeled=8,
        unlabeled=8,
        validation=8,
        batch_size=4,
        augment={
            "weak": keras_cv.layers.RandomFlip(),
            "strong": keras_cv.layers.RandAugment(value_range=(0, 255)),
        },
    )
    model = keras_dc3.DC3Model(
        backbones.small_cnn((16, 16, 3), 4), "fixmatch", training_steps=2
    )
    model.compile("sgd", jit_compile=False)
    history = model.fit(data, epochs=1, verbose=0).history
    assert np.isfinite(history["loss"]).all()
