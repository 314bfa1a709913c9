"""Augmentations, by TensorFlow and by NumPy."""

import keras
import numpy as np
import pytest

from keras_dc3.data import Strong, Weak, augment_numpy, get_policy

EXECUTORS = ["numpy"]
if keras.backend.backend() == "tensorflow":
    EXECUTORS.append("tensorflow")


def run(executor, policy, images, seed, value_range=(0.0, 255.0)):
    policy = get_policy(policy)
    if executor == "numpy":
        return augment_numpy.augment(policy, images, seed, value_range)
    import tensorflow as tf

    from keras_dc3.data import augment

    seed = tf.constant(seed, tf.int64)
    return augment.augment(policy, tf.constant(images), seed, value_range).numpy()


def images(n=8, size=(12, 12), channels=3, dtype="uint8"):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (n, *size, channels))
    return pixels.astype(dtype) if dtype == "uint8" else (pixels / 255).astype(dtype)


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("policy", ["none", "weak", "strong"])
@pytest.mark.parametrize("shape", [(8, 8, 1), (12, 17, 3), (1, 3, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_any_size_and_type(executor, policy, shape, dtype):
    value_range = (0.0, 255.0) if dtype == "uint8" else (0.0, 1.0)
    given = images(5, shape[:2], shape[2], dtype)
    first = run(executor, policy, given, [1, 2], value_range)
    assert first.shape == given.shape and first.dtype == given.dtype
    assert np.isfinite(first).all()
    assert value_range[0] <= first.min() and first.max() <= value_range[1]
    np.testing.assert_array_equal(
        first, run(executor, policy, given, [1, 2], value_range)
    )
    if policy == "none":
        np.testing.assert_array_equal(first, given)
    elif shape[0] > 1:
        other = run(executor, policy, given, [1, 3], value_range)
        assert (first != other).any()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_weak_is_a_flip_and_a_reflected_shift(executor):
    """Each result is one of all 2 * 5 * 5 possible ones, and they vary."""
    given = images(40, (16, 16))
    result = run(executor, Weak(flip=True, max_shift=0.125), given, [3, 4])
    found = []
    for image, shifted in zip(given, result, strict=True):
        padded = np.pad(image, ((2, 2), (2, 2), (0, 0)), mode="reflect")
        matches = [
            (flip, dy, dx)
            for flip in (False, True)
            for dy in range(5)
            for dx in range(5)
            if (
                (padded[dy : dy + 16, dx : dx + 16] == shifted).all()
                if not flip
                else (padded[dy : dy + 16, dx : dx + 16][:, ::-1] == shifted).all()
            )
        ]
        assert matches
        found.append(matches[0])
    flips = np.mean([flip for flip, _, _ in found])
    assert 0.2 < flips < 0.8
    assert len({(dy, dx) for _, dy, dx in found}) > 10


@pytest.mark.parametrize("executor", EXECUTORS)
def test_strong_changes_images_each_in_its_own_way(executor):
    image = images(1, (24, 24))
    copies = np.repeat(image, 32, axis=0)
    result = run(executor, "strong", copies, [5, 6])
    assert len({r.tobytes() for r in result}) > 25


@pytest.mark.parametrize("executor", EXECUTORS)
def test_cutout_hides_at_most_half_the_side(executor):
    white = np.full((32, 16, 16, 1), 255, "uint8")
    policy = Strong(Weak(flip=False, max_shift=0), num_ops=1, operations=("identity",))
    result = run(executor, policy, white, [7, 8])
    hidden = (result != 255).any(axis=-1)
    rows, columns = hidden.any(axis=2).sum(axis=1), hidden.any(axis=1).sum(axis=1)
    assert rows.max() <= 8 and columns.max() <= 8
    assert len(set(rows.tolist())) > 2


@pytest.mark.tensorflow
@pytest.mark.parametrize("policy", ["weak", "strong"])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float16"])
def test_tensorflow_gives_the_same(policy, dtype):
    """Also where rows of a larger batch are asked for, whose draws they get."""
    import tensorflow as tf

    from keras_dc3.data import augment

    given = images(24, (20, 20), dtype=dtype)
    value_range = (0.0, 255.0) if dtype == "uint8" else (0.0, 1.0)
    by_numpy = run("numpy", policy, given, [9, 1], value_range)
    by_tf = run("tensorflow", policy, given, [9, 1], value_range)
    np.testing.assert_array_equal(by_tf, by_numpy)
    seed, place = tf.constant([9, 1], tf.int64), tf.constant([5, 24])
    part = augment.augment(
        get_policy(policy), tf.constant(given[5:12]), seed, value_range, place
    )
    np.testing.assert_array_equal(part, by_numpy[5:12])


def test_a_policy_of_ones_own():
    given = images()
    assert (run("numpy", lambda x: 255 - x, given, [0, 0]) == 255 - given).all()
    with pytest.raises(ValueError, match="Did you mean 'strong'"):
        get_policy("strnog")
    with pytest.raises((TypeError, ValueError)):
        get_policy(3)
    with pytest.raises(ValueError, match="max_shift"):
        Weak(max_shift=-1)
    with pytest.raises(ValueError, match="cutout"):
        Strong(cutout=2.0)


@pytest.mark.tensorflow
def test_a_keras_layer_as_policy():
    given = images()
    layer = keras.layers.RandomFlip("horizontal", seed=1)
    result = run("tensorflow", layer, given, [0, 0])
    assert result.shape == given.shape and (result != given).any()


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_function_must_keep_images_and_their_range(executor):
    with pytest.raises(Exception, match=r"must keep the shape"):
        run(executor, lambda images: images[:3], images(), [1, 2])
    with pytest.raises(Exception, match=r"values of 0 to 1 .* Multiply by 255"):
        run(executor, lambda images: images / 255, images(), [1, 2])
    halved = run(executor, lambda images: images / 2, images(), [1, 2])
    np.testing.assert_allclose(halved, images() / 2, atol=0.5)
