"""Augmentation in TensorFlow, for tf.data. Needs TensorFlow, imported when called.

The counterpart of `augment_numpy`: the same policies, draws and pixels up to rounding.
There are two, as pixels are to be changed in TensorFlow's graph and threads, where
NumPy would wait for Python's lock, and the other backends do without TensorFlow. Each
image gets its own operations; a batch is sorted by operation, so that each is computed
for its own images only, all at once.
"""

from __future__ import annotations

from typing import Any

from keras_dc3.data.draws import COLORS, FIRST_GEOMETRIC, GRAY, Draw
from keras_dc3.data.pixels import ColorOperations, blend, smoothed
from keras_dc3.data.policies import Custom, NoAugmentation, Policy, Strong, Weak


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
    height, width = images.shape[1:3]
    number = tf.shape(images)[0]
    place = (0, number) if place is None else place

    def draw(seed, number, first, size):
        whole = policy.draw([int(word) for word in seed], int(size), height, width)
        return [part[first : first + number] for part in whole]

    types = [tf.int32, tf.int32, tf.int32, tf.float32, tf.float32, tf.int32]
    # Stateless: draws follow from the seed alone.
    given = [seed, number, place[0], place[1]]
    drawn = tf.numpy_function(draw, given, types, stateful=False)
    shapes = (height,), (width,), (policy.num_ops,), (policy.num_ops,)
    for tensor, shape in zip(drawn, (*shapes, (policy.num_ops, 8), (4,)), strict=True):
        tensor.set_shape((None, *shape))
    return transform(policy, images, Draw(*drawn), value_range)


def transform(
    policy: Weak | Strong,
    images: Any,
    draw: Draw,
    value_range: tuple[float, float] = (0.0, 255.0),
) -> Any:
    """Changes the pixels of `images` as drawn."""
    import tensorflow as tf

    shape = images.shape
    height, width, channels = shape[1:]
    rows = tf.range(tf.shape(images)[0])[:, None] * height + draw.rows
    pixels = rows[:, :, None] * width + draw.columns[:, None, :]
    moved = tf.gather(tf.reshape(images, (-1, channels)), pixels)
    moved = tf.ensure_shape(moved, shape)
    if not policy.num_ops and not policy.cutout:
        return moved
    low, high = value_range
    scale = high - low or 1.0
    values = (tf.cast(moved, tf.float32) - low) / scale
    for operation in draw.each_operation():
        values = _operate(values, *operation, policy.fill)
    values = _hide(values, draw.boxes, policy.fill)
    values = tf.ensure_shape(values * scale + low, shape)
    return _as_type(values, images.dtype)


def _as_type(values, dtype):
    import tensorflow as tf

    if dtype == tf.uint8 and values.dtype != tf.uint8:
        values = tf.clip_by_value(tf.round(values), 0, 255)
    return tf.cast(values, dtype)


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
    # Eagerly, checks are done by now and None.
    with tf.control_dependencies([check for check in checks if check is not None]):
        return tf.ensure_shape(_as_type(result, images.dtype), images.shape)


def _operate(images, operations, magnitudes, matrices, fill):
    """Applies to each image its own operation, on values 0 to 1."""
    import tensorflow as tf

    groups = tf.minimum(operations, FIRST_GEOMETRIC)
    members = tf.dynamic_partition(
        tf.range(tf.shape(images)[0]), groups, FIRST_GEOMETRIC + 1
    )
    changed = []
    for rows, name in zip(members, COLORS, strict=False):
        strength = tf.gather(magnitudes, rows)[:, None, None, None]
        change = getattr(_COLORS, name)
        changed.append(change(tf.gather(images, rows), strength))
    warped = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.gather(images, members[-1]),
        transforms=tf.gather(matrices, members[-1]),
        output_shape=images.shape[1:3],
        fill_value=fill,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    return tf.dynamic_stitch(members, [*changed, warped])


def _hide(images, boxes, fill):
    import tensorflow as tf

    y = tf.range(images.shape[1])[None, :, None]
    x = tf.range(images.shape[2])[None, None, :]
    top, bottom, left, right = tf.unstack(boxes[:, :, None, None], axis=1)
    inside = (y >= top) & (y < bottom) & (x >= left) & (x < right)
    return tf.where(inside[..., None], fill, images)


class _Colors(ColorOperations):
    """The operations on TensorFlow's tensors."""

    @property
    def library(self):
        import tensorflow as tf

        return tf

    def mean(self, images):
        return self.library.reduce_mean(images, axis=(1, 2), keepdims=True)

    def gray(self, images):
        tf = self.library
        if images.shape[-1] != 3:
            return tf.reduce_mean(images, axis=-1, keepdims=True)
        return tf.reduce_sum(images * GRAY, axis=-1, keepdims=True)

    def autocontrast(self, images, strength):
        tf = self.library
        low = tf.reduce_min(images, axis=(1, 2), keepdims=True)
        span = tf.reduce_max(images, axis=(1, 2), keepdims=True) - low
        stretched = (images - low) / tf.where(span > 0, span, 1.0)
        return tf.where(span > 0, stretched, images)

    def equalize(self, images, strength):
        tf = self.library
        height, width, channels = images.shape[1:]
        levels = tf.cast(tf.clip_by_value(tf.round(images * 255), 0, 255), tf.int32)
        levels = tf.reshape(tf.transpose(levels, (0, 3, 1, 2)), (-1, height * width))
        number = tf.shape(levels)[0]
        bins = levels + 256 * tf.range(number)[:, None]
        counts = tf.math.bincount(
            tf.reshape(bins, (-1,)), minlength=number * 256, maxlength=number * 256
        )
        total = tf.cumsum(tf.reshape(counts, (number, 256)), axis=1)
        least = tf.gather(total, tf.reduce_min(levels, axis=1)[:, None], batch_dims=1)
        span = height * width - least
        table = tf.where(span > 0, (total - least) / tf.maximum(span, 1), -1)
        values = tf.gather(tf.cast(table, tf.float32), levels, batch_dims=1)
        values = tf.reshape(values, (-1, channels, height, width))
        values = tf.transpose(values, (0, 2, 3, 1))
        return tf.where(values < 0, images, values)

    def sharpness(self, images, strength):
        tf = self.library
        height, width = images.shape[1:3]
        if height < 3 or width < 3:
            return images
        change = smoothed(images) - images[:, 1:-1, 1:-1]
        change = tf.pad(change, ((0, 0), (1, 1), (1, 1), (0, 0)))
        return blend(images + change, images, strength)


_COLORS = _Colors()
