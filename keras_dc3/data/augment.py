"""Augmentation in tf.data. Needs TensorFlow, imported when called.

Pixels are changed by `augment_numpy`, so that one seed gives the same images on every
backend; a user's own function sees tensors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3.data import augment_numpy
from keras_dc3.data.policies import Custom, NoAugmentation, Policy
from keras_dc3.data.python_calls import awaited


def augment(
    policy: Policy,
    images: Any,
    seed: Any,
    value_range: tuple[float, float] = (0.0, 255.0),
    place: Any = None,
) -> Any:
    """Returns augmented images; all is as in `augment_numpy`, but for tensors.

    Of `images` (n, h, w, c), h, w and c must be known. `place` says which rows of a
    larger batch they are, which is drawn for as a whole: (first, size), int32.
    """
    import tensorflow as tf

    images = tf.convert_to_tensor(images)
    if isinstance(policy, NoAugmentation):
        return images
    if isinstance(policy, Custom):
        if place is not None:  # it sees these images alone, and draws for each anew
            seed = seed + tf.cast(tf.stack([0, place[0]]), seed.dtype)
        return _custom(policy, images, seed)
    place = (0, tf.shape(images)[0]) if place is None else place

    def change(images: np.ndarray, seed: Any, first: Any, size: Any) -> np.ndarray:
        words = [int(word) for word in seed]
        whole = policy.draw(words, int(size), *images.shape[1:3])
        own = whole.of(slice(first, first + len(images)))
        return augment_numpy.transform(policy, images, own, value_range)

    # Stateless: what comes out follows from the seed alone.
    given = [images, seed, place[0], place[1]]
    changed = tf.numpy_function(awaited(change), given, images.dtype, stateful=False)
    return tf.ensure_shape(changed, images.shape)


def _custom(policy, images, seed):
    import tensorflow as tf

    result = tf.convert_to_tensor(policy(images, seed))
    if not result.shape.is_compatible_with(images.shape):
        raise ValueError(policy.shape_message(images.shape, result.shape))
    message = f"The augmentation {policy.function!r} must keep the shape of the images."
    checks = [tf.debugging.assert_equal(tf.shape(result), tf.shape(images), message)]
    if images.dtype == tf.uint8 and result.dtype.is_floating:
        dark = (tf.reduce_max(result) <= 1) & (tf.reduce_max(images) > 1)
        checks.append(tf.debugging.Assert(~dark, [policy.dark_message]))
    if images.dtype == tf.uint8 and result.dtype != tf.uint8:
        result = tf.clip_by_value(tf.round(result), 0, 255)
    # Eagerly, checks are done by now and None.
    with tf.control_dependencies([check for check in checks if check is not None]):
        return tf.ensure_shape(tf.cast(result, images.dtype), images.shape)
