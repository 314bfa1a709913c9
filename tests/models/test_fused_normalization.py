"""BatchNormalization in one operation: as NumPy computes it, and as Keras learns."""

from contextlib import nullcontext

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

import keras_dc3
from keras_dc3._keras import adapted_model
from keras_dc3._keras.fused_normalization import fused_normalization

EPSILON, MOMENTUM = 1e-3, 0.9
FUSED = "FusedBatchNormV3"


def layer_of(channels, **kwargs):
    """Returns a layer with weights that are not those of the start."""
    layer = keras.layers.BatchNormalization(
        momentum=MOMENTUM, epsilon=EPSILON, **kwargs
    )
    layer.build((None, 4, 4, channels))
    rng = np.random.default_rng(channels)
    layer.set_weights([rng.uniform(0.5, 2, w.shape) for w in layer.weights])
    return layer


@given(
    n=st.integers(1, 5),
    height=st.integers(1, 4),
    channels=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_it_is_the_equation(n, height, channels, seed):
    images = np.random.default_rng(seed).normal(2, 3, (n, height, 3, channels))
    layer = layer_of(channels)
    scale, offset, mean, variance = layer.get_weights()
    with fused_normalization(layer):
        found = ops.convert_to_numpy(layer(images.astype("float32"), training=True))
    of_batch = images.mean(axis=(0, 1, 2)), images.var(axis=(0, 1, 2))
    expected = (images - of_batch[0]) / np.sqrt(of_batch[1] + EPSILON) * scale + offset
    np.testing.assert_allclose(found, expected, atol=2e-4)
    moved = [
        MOMENTUM * old + (1 - MOMENTUM) * new
        for old, new in zip((mean, variance), of_batch, strict=True)
    ]
    for weight, value in zip(layer.get_weights()[2:], moved, strict=True):
        np.testing.assert_allclose(weight, value, rtol=1e-4, atol=1e-4)
    # In inference by the moving statistics.
    with fused_normalization(layer):
        found = ops.convert_to_numpy(layer(images.astype("float32")))
    expected = (images - moved[0]) / np.sqrt(moved[1] + EPSILON) * scale + offset
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.tensorflow
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize(
    "options", [{}, {"center": False}, {"scale": False}], ids=["all", "scale", "center"]
)
def test_its_gradients_are_those_of_keras(dtype, options):
    import tensorflow as tf

    images = tf.random.stateless_normal((6, 5, 4, 3), (0, 0)) * 3 + 1

    def learned(layer):
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = tf.cast(layer(images, training=True), "float32")
            cubes = tf.reduce_sum(outputs**3)
        weights = [weight.value for weight in layer.trainable_weights]
        return [*tape.gradient(cubes, [images, *weights]), *layer.get_weights()]

    layer = layer_of(3, dtype=dtype, **options)
    of_keras = learned(layer_of(3, dtype=dtype, **options))
    with fused_normalization(layer):
        ours = learned(layer)
    for found, expected in zip(ours, of_keras, strict=True):
        error = np.abs(np.asarray(found) - np.asarray(expected)).max()
        assert error <= (1e-5 if dtype == "float32" else 2e-2) * np.abs(expected).max()


class Own(keras.layers.BatchNormalization):
    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=training, mask=mask)


@pytest.mark.tensorflow
def test_images_are_read_by_one_operation_where_they_can():
    import tensorflow as tf

    def operations(images, kind=keras.layers.BatchNormalization, **options):
        layer = kind(**options)
        layer.build(images.shape)
        graph = tf.function(lambda x: layer(x, training=True))
        spec = tf.TensorSpec(images.shape, images.dtype)
        with fused_normalization(layer):
            graph = graph.get_concrete_function(spec)
        assert "call" not in vars(layer)
        return {operation.type for operation in graph.graph.get_operations()}

    images = tf.zeros((2, 4, 4, 3))
    assert FUSED in operations(images)
    assert FUSED not in operations(images, trainable=False)
    assert FUSED not in operations(images, synchronized=True)
    assert FUSED not in operations(images, axis=1)
    assert FUSED not in operations(images, Own)
    assert FUSED not in operations(tf.zeros((2, 3)))
    assert FUSED not in operations(tf.cast(images, "float64"), dtype="float64")


def test_a_mask_is_heeded():
    images = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    mask = np.arange(32).reshape(2, 4, 4) % 3 > 0
    layer = layer_of(3)
    with fused_normalization(layer):
        found = layer(images, training=True, mask=mask)
    expected = layer_of(3)(images, training=True, mask=mask)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.tensorflow
def test_a_model_trains_as_without_it(monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 8, 8, 8, 3)).astype("uint8")
    x = {"labeled": images[0], "unlabeled": dict(first=images[1], second=images[2])}

    def trained():
        keras.utils.set_random_seed(0)
        backbone = keras_dc3.backbones.small_cnn((8, 8, 3), filters=2)
        model = keras_dc3.DC3Model(backbone, num_classes=2, training_steps=9)
        for _ in range(3):
            model.train_on_batch(x, np.arange(8) % 2)
        return model.averaged_backbone(), model.get_weights()

    backbone, weights = trained()
    used = []
    monkeypatch.setattr(
        adapted_model, "fused_normalization", lambda model: nullcontext(used.append(0))
    )
    _, expected = trained()
    assert used
    for found, as_in_keras in zip(weights, expected, strict=True):
        np.testing.assert_allclose(found, as_in_keras, atol=1e-4)
    kinds = {type(layer) for layer in backbone.layers}
    assert keras.layers.BatchNormalization in kinds
    assert not any("call" in vars(layer) for layer in backbone.layers)
