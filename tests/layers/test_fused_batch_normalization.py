"""BatchNormalization in one operation: as NumPy computes it, and as Keras learns."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_dc3.layers import FusedBatchNormalization

EPSILON, MOMENTUM = 1e-3, 0.9


def layer_of(kind, channels, **kwargs):
    """Returns a layer with weights that are not those of the start."""
    layer = kind(momentum=MOMENTUM, epsilon=EPSILON, **kwargs)
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
    layer = layer_of(FusedBatchNormalization, channels)
    scale, offset, mean, variance = layer.get_weights()
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
    found = []
    for kind in (FusedBatchNormalization, keras.layers.BatchNormalization):
        layer = layer_of(kind, 3, dtype=dtype, **options)
        with tf.GradientTape() as tape:
            tape.watch(images)
            outputs = tf.cast(layer(images, training=True), "float32")
            cubes = tf.reduce_sum(outputs**3)
        weights = [weight.value for weight in layer.trainable_weights]
        gradients = tape.gradient(cubes, [images, *weights])
        found.append([*gradients, *layer.get_weights()])
    for ours, of_keras in zip(*found, strict=True):
        error = np.abs(np.asarray(ours) - np.asarray(of_keras)).max()
        assert error <= (1e-5 if dtype == "float32" else 2e-2) * np.abs(of_keras).max()


@pytest.mark.tensorflow
def test_images_are_read_by_one_operation_where_they_can():
    import tensorflow as tf

    def operations(images, training=True, **options):
        layer = FusedBatchNormalization(**options)
        layer.build(images.shape)
        layer.trainable = training is not None
        graph = tf.function(lambda x: layer(x, training=bool(training)))
        graph = graph.get_concrete_function(tf.TensorSpec(images.shape, images.dtype))
        return {operation.type for operation in graph.graph.get_operations()}

    images, fused = tf.zeros((2, 4, 4, 3)), "FusedBatchNormV3"
    assert fused in operations(images)
    assert fused not in operations(images, training=False)
    assert fused not in operations(images, training=None)  # frozen
    assert fused not in operations(images, synchronized=True)
    assert fused not in operations(images, axis=1)
    assert fused not in operations(tf.zeros((2, 3)))
    assert fused not in operations(tf.cast(images, "float64"), dtype="float64")


def test_a_mask_is_heeded():
    images = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    mask = np.arange(32).reshape(2, 4, 4) % 3 > 0
    found = [
        ops.convert_to_numpy(layer_of(kind, 3)(images, training=True, mask=mask))
        for kind in (FusedBatchNormalization, keras.layers.BatchNormalization)
    ]
    np.testing.assert_allclose(*found, atol=1e-6)


def test_it_is_saved_and_loaded(tmp_path):
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 1)).astype("float32")
    inputs = keras.Input((8, 8, 1))
    model = keras.Model(inputs, FusedBatchNormalization(momentum=0.5)(inputs))
    model(images, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[1]) is FusedBatchNormalization
    np.testing.assert_allclose(loaded(images), model(images), atol=1e-6)
