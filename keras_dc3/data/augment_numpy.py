"""What changes the pixels of images, for every backend. NumPy only.

It works on whole numbers where images are bytes, a few images at a time that a
processor's cache holds. NumPy lets go of Python's lock meanwhile, so that the threads
of tf.data run side by side.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3.data.draws import NAMES, Draw
from keras_dc3.data.moves import mirrored_and_shifted, slid, turned
from keras_dc3.data.pixels import Pixels, pixels_of
from keras_dc3.data.policies import Custom, NoAugmentation, Policy, Strong, Weak

_PIECE = 2**18  # bytes of images that are changed together


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
    if not policy.num_ops and not policy.cutout:
        return mirrored_and_shifted(images, draw.flipped, draw.shifts)
    pixels = pixels_of(images.dtype, value_range)
    fill = pixels.rounded(np.float32(policy.fill * pixels.top))
    result = np.empty_like(images)
    size = max(1, _PIECE // max(1, images[:1].nbytes))
    for first in range(0, len(images), size):
        rows = slice(first, first + size)
        part = draw.of(rows)
        moved = mirrored_and_shifted(images[rows], part.flipped, part.shifts)
        values = pixels.opened(moved)
        for operation in part.each_operation():
            values = _operate(pixels, values, *operation, fill)
        result[rows] = pixels.closed(_hide(values, part.boxes, fill))
    return result


def _as_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Returns values of pixels as a type of images, bytes rounded and cut off."""
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


def _operate(
    pixels: Pixels,
    images: np.ndarray,
    operations: np.ndarray,
    magnitudes: np.ndarray,
    matrices: np.ndarray,
    fill: np.ndarray,
) -> np.ndarray:
    """Applies to each image its own operation, all at once that have the same."""
    result = images
    for number in sorted(set(operations.tolist())):
        rows = np.flatnonzero(operations == number)
        given = magnitudes[rows], matrices[rows]
        if len(rows) == len(images):
            return _apply(pixels, NAMES[number], images, *given, fill)
        changed = _apply(pixels, NAMES[number], images[rows], *given, fill)
        if result is images:
            result = np.empty_like(images)
        result[rows] = changed
    return result


def _apply(
    pixels: Pixels,
    name: str,
    images: np.ndarray,
    magnitudes: np.ndarray,
    matrices: np.ndarray,
    fill: np.ndarray,
) -> np.ndarray:
    if name == "rotate":
        return turned(pixels, images, matrices, fill)
    height, width = images.shape[1:3]
    _, a1, a2, b0, _, b2 = matrices.T[:, :, None]
    if name in ("shear_x", "translate_x"):
        return slid(pixels, images, a1 * np.arange(height) + a2, 2, fill)
    if name in ("shear_y", "translate_y"):
        return slid(pixels, images, b0 * np.arange(width) + b2, 1, fill)
    return getattr(pixels, name)(images, magnitudes)


def _hide(images: np.ndarray, boxes: np.ndarray, fill: np.ndarray) -> np.ndarray:
    for image, (top, bottom, left, right) in zip(images, boxes.tolist(), strict=True):
        image[top:bottom, left:right] = fill
    return images
