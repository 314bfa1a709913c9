"""Augmentation in NumPy, for backends without TensorFlow.

The counterpart of `augment`: the same policies, draws and pixels up to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3.data.draws import COLORS, FIRST_GEOMETRIC, GRAY, Draw
from keras_dc3.data.pixels import ColorOperations, blend, smoothed
from keras_dc3.data.policies import Custom, NoAugmentation, Policy, Strong, Weak


def augment(
    policy: Policy,
    images: np.ndarray,
    seed: Any,
    value_range: tuple[float, float] = (0.0, 255.0),
) -> np.ndarray:
    """Returns augmented images, of the same shape and type.

    Args:
        policy: see `data.get_policy`.
        images: (n, h, w, c) uint8 or floating point.
        seed: two integers of at least 0; the same seed gives the same result.
        value_range: (low, high) of the pixel values that strong augmentation works
            in; 0 to 255 for uint8.

    Raises:
        ValueError: if a user's function changes the shape.
    """
    if isinstance(policy, NoAugmentation):
        return images
    if isinstance(policy, Custom):
        return _custom(policy, images, seed)
    n, height, width = images.shape[:3]
    return transform(policy, images, policy.draw(seed, n, height, width), value_range)


def transform(
    policy: Weak | Strong,
    images: np.ndarray,
    draw: Draw,
    value_range: tuple[float, float] = (0.0, 255.0),
) -> np.ndarray:
    """Changes the pixels of `images` as drawn."""
    n = np.arange(len(images))[:, None, None]
    moved = images[n, draw.rows[:, :, None], draw.columns[:, None, :]]
    if not policy.num_ops and not policy.cutout:
        return moved
    low, high = value_range
    scale = np.float32(high - low or 1.0)
    values = (moved.astype("float32") - np.float32(low)) / scale
    for operation in draw.each_operation():
        values = _operate(values, *operation, policy.fill)
    values = _hide(values, draw.boxes, policy.fill)
    return _as_type(values * scale + np.float32(low), images.dtype)


def _as_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype == np.uint8:
        values = np.clip(np.round(values), 0, 255)
    return values.astype(dtype, copy=False)


def _custom(policy: Custom, images: np.ndarray, seed: Any) -> np.ndarray:
    import keras

    result = keras.ops.convert_to_numpy(policy(images, seed))
    if result.shape != images.shape:
        raise ValueError(policy.shape_message(images.shape, result.shape))
    floating = images.dtype == np.uint8 and result.dtype.kind == "f"
    if floating and images.size and result.max() <= 1 < images.max():
        raise ValueError(policy.dark_message)
    return _as_type(result, images.dtype)


def _operate(images, operations, magnitudes, matrices, fill):
    """Applies to each image its own operation, on values 0 to 1."""
    result = images.copy()
    for number, name in enumerate(COLORS):
        rows = np.flatnonzero(operations == number)
        if rows.size:
            strength = magnitudes[rows, None, None, None]
            result[rows] = getattr(_COLORS, name)(images[rows], strength)
    rows = np.flatnonzero(operations >= FIRST_GEOMETRIC)
    if rows.size:
        result[rows] = _warp(images[rows], matrices[rows], np.float32(fill))
    return result


def _hide(images, boxes, fill):
    y = np.arange(images.shape[1])[None, :, None]
    x = np.arange(images.shape[2])[None, None, :]
    top, bottom, left, right = boxes.T[:, :, None, None]
    inside = (y >= top) & (y < bottom) & (x >= left) & (x < right)
    return np.where(inside[..., None], np.float32(fill), images)


class _Colors(ColorOperations):
    """The operations on arrays."""

    library = np

    def mean(self, images):
        return images.mean(axis=(1, 2), keepdims=True)

    def gray(self, images):
        if images.shape[-1] != 3:
            return images.mean(axis=-1, keepdims=True)
        return images @ GRAY[:, None]

    def autocontrast(self, images, strength):
        low = images.min(axis=(1, 2), keepdims=True)
        span = images.max(axis=(1, 2), keepdims=True) - low
        return np.where(span > 0, (images - low) / np.where(span > 0, span, 1), images)

    def equalize(self, images, strength):
        n, height, width, channels = images.shape
        levels = np.clip(np.round(images * 255), 0, 255).astype("int64")
        levels = levels.transpose(0, 3, 1, 2).reshape(n * channels, height * width)
        bins = levels + 256 * np.arange(n * channels)[:, None]
        counts = np.bincount(bins.ravel(), minlength=n * channels * 256)
        total = np.cumsum(counts.reshape(n * channels, 256), axis=1)
        least = np.take_along_axis(total, levels.min(axis=1)[:, None], axis=1)
        span = height * width - least
        table = np.where(span > 0, (total - least) / np.maximum(span, 1), -1)
        values = np.take_along_axis(table, levels, axis=1)
        values = values.reshape(n, channels, height, width).transpose(0, 2, 3, 1)
        return np.where(values < 0, images, values).astype("float32")

    def sharpness(self, images, strength):
        height, width = images.shape[1:3]
        if height < 3 or width < 3:
            return images
        smooth = images.copy()
        smooth[:, 1:-1, 1:-1] = smoothed(images)
        return blend(smooth, images, strength)


_COLORS = _Colors()


def _warp(images, matrices, fill):
    """Moves pixels by the transforms, bilinear; `fill` beyond the border."""
    n, height, width, _ = images.shape
    y, x = np.mgrid[:height, :width].astype("float32")
    a0, a1, a2, b0, b1, b2 = matrices.T[:6, :, None, None]
    from_x, from_y = a0 * x + a1 * y + a2, b0 * x + b1 * y + b2
    left, top = np.floor(from_x), np.floor(from_y)
    share_x, share_y = (from_x - left)[..., None], (from_y - top)[..., None]
    item = np.arange(n)[:, None, None]

    def pixel(y, x):
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        at_y = np.clip(y, 0, height - 1).astype("int64")
        at_x = np.clip(x, 0, width - 1).astype("int64")
        return np.where(inside[..., None], images[item, at_y, at_x], fill)

    above = (1 - share_x) * pixel(top, left) + share_x * pixel(top, left + 1)
    below = (1 - share_x) * pixel(top + 1, left) + share_x * pixel(top + 1, left + 1)
    return (1 - share_y) * above + share_y * below
