"""Where pixels come from: mirrored and shifted images, and moves between pixels.

NumPy only. Whatever the type of the pixels, they are moved alike; those between pixels
are blended by the images' own arithmetic (see `pixels`).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided

from keras_dc3.data.pixels import Pixels, in_rows


def mirrored_and_shifted(
    images: np.ndarray, flipped: np.ndarray, shifts: np.ndarray
) -> np.ndarray:
    """Returns new images (m, h, w, c), mirrored left to right and shifted.

    Args:
        images: (m, h, w, c).
        flipped: (m,) bool, which ones are mirrored, before they are shifted.
        shifts: (m, 2), how many pixels further down and right each output pixel is
            taken from, each below the side; beyond the border, images are reflected.
    """
    result = np.empty_like(images)
    height = images.shape[1]
    for out, image, mirror, (down, right) in zip(
        result, images, flipped.tolist(), shifts.tolist(), strict=True
    ):
        rows = image[_reflected(height, down)] if down else image
        if not mirror:
            _shift_columns(out, rows, right)
            continue
        for channel in range(image.shape[-1]):  # side by side they are slow to turn
            _shift_columns(out[..., channel], rows[:, ::-1, channel], right)
    return result


def _reflected(size: int, shift: int) -> np.ndarray:
    """Returns (size,), the positions along a side, shifted and reflected."""
    positions = np.arange(shift, size + shift)
    return (size - 1) - np.abs((size - 1) - np.abs(positions))


def _shift_columns(out: np.ndarray, rows: np.ndarray, shift: int) -> None:
    """Writes (h, w, ...), taken from `shift` columns further right, reflected."""
    width = rows.shape[1]
    if shift >= 0:
        out[:, : width - shift] = rows[:, shift:]
        out[:, width - shift :] = rows[:, width - 1 - shift : -1][:, ::-1]
    else:
        out[:, -shift:] = rows[:, :shift]
        out[:, :-shift] = rows[:, 1 : 1 - shift][:, ::-1]


def slid(
    pixels: Pixels, images: np.ndarray, by: np.ndarray, axis: int, fill: float
) -> np.ndarray:
    """Returns images (m, h, w, c), their rows or columns slid along themselves.

    Args:
        pixels: what blends.
        images: (m, h, w, c).
        by: (m, h) for rows, (m, w) for columns: how many pixels further each output
            pixel is taken from, bilinear.
        axis: 2, along which rows are slid, or 1, along which columns are.
        fill: value of a pixel, beyond the border.
    """
    size = images.shape[axis]
    by = np.clip(by, -size - 1, size + 1)
    whole = np.floor(by).astype("int64")
    share = by - whole
    before, after = max(0, -int(whole.min())), max(0, int(whole.max()) + 1)
    widths = [(0, 0)] * images.ndim
    widths[axis] = (before, after)
    padded = _padded(images, widths, fill)
    take = _rows_from if axis == 2 else _columns_from
    found = take(padded, whole + before, size + 1)
    near = found[:, :, :-1] if axis == 2 else found[:, :-1]
    far = found[:, :, 1:] if axis == 2 else found[:, 1:]
    if not share.any():
        return np.ascontiguousarray(near)
    weights = pixels.weights(share)
    if axis == 2:
        weights = weights[:, :, None]
    else:
        weights = np.repeat(weights, images.shape[3], axis=1)[:, None]
    moved = pixels.blend(in_rows(near), in_rows(far), weights)
    return moved.reshape(images.shape)


def _padded(
    images: np.ndarray, widths: list[tuple[int, int]], fill: float
) -> np.ndarray:
    """Returns images with so much of a value before and after along each axis."""
    sizes = zip(images.shape, widths, strict=True)
    padded = np.full(
        [size + sum(width) for size, width in sizes], fill, dtype=images.dtype
    )
    inside = zip(widths, images.shape, strict=True)
    padded[tuple(slice(first, first + size) for (first, _), size in inside)] = images
    return padded


def _rows_from(padded: np.ndarray, starts: np.ndarray, number: int) -> np.ndarray:
    """Returns (m, h, number, c), of each row so many pixels from a start, (m, h)."""
    m, height, width, channels = padded.shape
    windows = as_strided(
        padded,
        (m, height, width - number + 1, number * channels),
        (*padded.strides[:3], padded.itemsize),
        writeable=False,
    )
    rows = windows[np.arange(m)[:, None], np.arange(height), starts]
    return rows.reshape(m, height, number, channels)


def _columns_from(padded: np.ndarray, starts: np.ndarray, number: int) -> np.ndarray:
    """Returns (m, number, w, c), of each column so many pixels from a start, (m, w)."""
    m, height, width, channels = padded.shape
    down = np.arange(number)
    if (starts == starts[:, :1]).all():  # whole rows, which are faster
        return padded[np.arange(m)[:, None], starts[:, :1] + down]
    first = (np.arange(m)[:, None] * height + starts) * width + np.arange(width)
    at = first[:, None] + (down * width)[:, None]
    return padded.reshape(-1, channels).take(at, axis=0, mode="clip")


def turned(
    pixels: Pixels, images: np.ndarray, matrices: np.ndarray, fill: float
) -> np.ndarray:
    """Returns images (m, h, w, c), each output pixel taken from where it is sent to.

    Args:
        pixels: what blends.
        images: (m, h, w, c).
        matrices: (m, 6), see `Draw`; pixels in between are bilinear.
        fill: value of a pixel, beyond the border.
    """
    m, height, width, channels = images.shape
    a0, a1, a2, b0, b1, b2 = matrices.astype("float32").T[:, :, None, None]
    y = np.arange(height, dtype="float32")[:, None]
    x = np.arange(width, dtype="float32")
    left, right = _split(a0 * x + (a1 * y + a2), width)
    top, below = _split(b0 * x + (b1 * y + b2), height)
    right, below = pixels.weights(right), pixels.weights(below)
    row, size = width + 4, (height + 4) * (width + 4)
    at = (top * row + left).astype("int64")
    at += (np.arange(m) * size)[:, None, None] + 2 * row + 2
    result = np.empty_like(images)
    for channel in range(channels):  # side by side they are slow to blend
        plane = _padded(images[..., channel], [(0, 0), (2, 2), (2, 2)], fill).ravel()
        above, above_right, under, under_right = (
            plane[further:].take(at, mode="clip") for further in (0, 1, row, row + 1)
        )
        above = pixels.blend(above, above_right, right)
        under = pixels.blend(under, under_right, right)
        result[..., channel] = pixels.blend(above, under, below)
    return result


def _split(places: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns whole places, from -2 to `size` (all beyond are alike), and the rest."""
    whole = np.floor(places)
    rest = places - whole
    return np.clip(whole, -2, size, out=whole).astype("int32"), rest
