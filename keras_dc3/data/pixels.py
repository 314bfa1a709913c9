"""What the operations on colors compute: on bytes in whole numbers, else on floats.

NumPy only. Most images are bytes, and whole numbers of 8 and 16 bits take a fraction of
the time that floats take. Results are within two levels of what floats would give.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

_GRAY = np.array([0.299, 0.587, 0.114])  # shares of red, green and blue
_LEVELS = 256  # of which equalize makes images


def pixels_of(dtype: np.dtype, value_range: tuple[float, float]) -> Pixels:
    """Returns the operations for images of this type that fill this range."""
    if dtype == np.uint8 and tuple(value_range) == (0, 255):
        return Bytes()
    return Floats(dtype, value_range)


class Pixels(ABC):
    """RandAugment's operations on colors, one method each.

    Each takes images (m, h, w, c), as `opened` returns them, and their magnitudes,
    (m,), and returns such images. It changes none in place.
    """

    top: int  # the highest value of a pixel; the lowest is 0

    @abstractmethod
    def opened(self, images: np.ndarray) -> np.ndarray:
        """Returns images of a data set as the operations take them."""

    @abstractmethod
    def closed(self, images: np.ndarray) -> np.ndarray:
        """Returns them as images of the data set."""

    @abstractmethod
    def rounded(self, values: np.ndarray) -> np.ndarray:
        """Returns floating-point values of pixels as pixels."""

    @abstractmethod
    def weights(self, strength: np.ndarray) -> np.ndarray:
        """Returns strengths of 0 to 1 as `blend` takes them."""

    @abstractmethod
    def blend(
        self, other: np.ndarray, images: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Returns what lies between other pixels (strength 0) and the images (1).

        Other pixels and weights are spread to the shape of the images.
        """

    @abstractmethod
    def sums(self, images: np.ndarray) -> np.ndarray:
        """Returns (m, c), the pixels of each channel added up."""

    @abstractmethod
    def gray(self, images: np.ndarray) -> np.ndarray:
        """Returns (m, h, w), the channels weighed by `shares_of_gray`."""

    @abstractmethod
    def smoothed(self, images: np.ndarray) -> np.ndarray:
        """Returns (m, h - 2, w - 2, c), each pixel blurred by its eight neighbors.

        As Pillow's filter SMOOTH, of weight 5 in the middle, 13 in all.
        """

    @abstractmethod
    def stretched(
        self, images: np.ndarray, low: np.ndarray, span: np.ndarray
    ) -> np.ndarray:
        """Returns (m, h, w * c), moved to 0 and stretched to `top` (see autocontrast).

        Args:
            images: (m, h, w * c).
            low: (m, 1, w * c), the lowest value of the channel.
            span: (m, 1, w * c), up to the highest; 0 leaves the channel as it is.
        """

    @abstractmethod
    def levels(self, images: np.ndarray) -> np.ndarray:
        """Returns which of the 256 levels each pixel has, of the images' shape."""

    @abstractmethod
    def of_levels(
        self, images: np.ndarray, table: np.ndarray, at: np.ndarray
    ) -> np.ndarray:
        """Returns pixels of an image's new levels.

        Args:
            images: what takes the place of values below 0.
            table: floating-point values, 0 to 1.
            at: positions in it, of the images' shape.
        """

    @abstractmethod
    def posterize(self, images: np.ndarray, bits: np.ndarray) -> np.ndarray:
        """Keeps so many bits, rounded down, of 8."""

    @abstractmethod
    def solarize(self, images: np.ndarray, threshold: np.ndarray) -> np.ndarray:
        """Inverts values above a threshold."""

    def identity(self, images: np.ndarray, strength: np.ndarray) -> np.ndarray:
        return images

    def brightness(self, images: np.ndarray, strength: np.ndarray) -> np.ndarray:
        """Blends with black."""
        return self.blend(self.rounded(np.zeros(1)), images, self._weights(strength))

    def color(self, images: np.ndarray, strength: np.ndarray) -> np.ndarray:
        """Blends with gray."""
        if images.shape[-1] == 1:
            return images
        gray, weights = self.gray(images), self._weights(strength)[..., 0]
        result = np.empty_like(images)
        for channel in range(images.shape[-1]):  # side by side they are slow to spread
            own = images[..., channel]
            result[..., channel] = self.blend(gray, own, weights)
        return result

    def contrast(self, images: np.ndarray, strength: np.ndarray) -> np.ndarray:
        """Blends with the mean of the gray image."""
        height, width, channels = images.shape[1:]
        mean = self.sums(images) @ shares_of_gray(channels) / (height * width)
        return self.blend(self.rounded(_each(mean)), images, self._weights(strength))

    def sharpness(self, images: np.ndarray, strength: np.ndarray) -> np.ndarray:
        """Blends with the smoothed image; the border stays, as in Pillow."""
        if min(images.shape[1:3]) < 3:
            return images
        result, inner = images.copy(), images[:, 1:-1, 1:-1]
        smooth = self.smoothed(images)
        result[:, 1:-1, 1:-1] = self.blend(smooth, inner, self._weights(strength))
        return result

    def autocontrast(self, images: np.ndarray, strength: np.ndarray) -> np.ndarray:
        """Stretches each channel to all values; a flat channel stays."""
        rows = in_rows(images)
        low = _by_channel(rows.min(axis=1), images).min(axis=1)
        span = _by_channel(rows.max(axis=1), images).max(axis=1) - low
        width = images.shape[2]
        low, span = (np.tile(part, width)[:, None] for part in (low, span))
        return self.stretched(rows, low, span).reshape(images.shape)

    def equalize(self, images: np.ndarray, strength: np.ndarray) -> np.ndarray:
        """Makes each channel's levels equally frequent; a flat channel stays."""
        m, height, width, channels = images.shape
        firsts = _LEVELS * np.arange(m * channels).reshape(m, 1, channels)
        at = in_rows(self.levels(images)) + np.tile(firsts, width)
        counts = np.bincount(at.ravel(), minlength=m * channels * _LEVELS)
        total = np.cumsum(counts.reshape(m * channels, _LEVELS), axis=1)
        number = height * width
        least = total[np.arange(len(total)), (total > 0).argmax(axis=1)][:, None]
        span = number - least
        table = np.where(span > 0, (total - least) / np.maximum(span, 1), -1.0)
        return self.of_levels(images, table.ravel(), at.reshape(images.shape))

    def _weights(self, strength: np.ndarray) -> np.ndarray:
        return _each(self.weights(strength))


class Bytes(Pixels):
    """For uint8 images of 0 to 255, which they are taken as."""

    top = 255

    def opened(self, images: np.ndarray) -> np.ndarray:
        return images

    closed = opened

    def rounded(self, values: np.ndarray) -> np.ndarray:
        return np.rint(values).astype("uint8")

    def weights(self, strength: np.ndarray) -> np.ndarray:
        return np.rint(256 * strength).astype("uint16")

    def blend(
        self, other: np.ndarray, images: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        total = np.multiply(images, weights, dtype="uint16")  # at most 255 * 256 in all
        total += np.multiply(other, 256 - weights, dtype="uint16")
        return _without_fraction(total)

    def sums(self, images: np.ndarray) -> np.ndarray:
        columns = in_rows(images).sum(axis=1, dtype="uint32")
        return _by_channel(columns, images).sum(axis=1)

    def gray(self, images: np.ndarray) -> np.ndarray:
        channels = images.shape[-1]
        shares = shares_of_gray(channels)
        parts = np.diff(np.rint(256 * np.cumsum(shares)), prepend=0).astype("uint16")
        total = np.multiply(images[..., 0], parts[0], dtype="uint16")
        for channel in range(1, channels):
            total += np.multiply(images[..., channel], parts[channel], dtype="uint16")
        return _without_fraction(total)

    def smoothed(self, images: np.ndarray) -> np.ndarray:
        total = _weighed_sums(images.astype("uint16"))
        total += 6
        total //= 13
        return total.astype("uint8")

    def stretched(
        self, images: np.ndarray, low: np.ndarray, span: np.ndarray
    ) -> np.ndarray:
        flat = span == 0
        by = np.rint(255 * 256 / np.where(flat, 255, span)).astype("uint16")
        total = images - np.where(flat, 0, low).astype("uint8")
        return _without_fraction(np.multiply(total, by, dtype="uint16"))

    def levels(self, images: np.ndarray) -> np.ndarray:
        return images

    def of_levels(
        self, images: np.ndarray, table: np.ndarray, at: np.ndarray
    ) -> np.ndarray:
        old = np.resize(np.arange(256), table.shape)
        new = self.rounded(np.where(table < 0, old, 255 * table))
        return new.take(at, mode="clip")  # nothing to clip, but it is faster

    def posterize(self, images: np.ndarray, bits: np.ndarray) -> np.ndarray:
        dropped = 2.0 ** (8 - np.minimum(np.floor(bits), 8))
        return images & _each(256 - dropped).astype("uint8")

    def solarize(self, images: np.ndarray, threshold: np.ndarray) -> np.ndarray:
        above = images >= _each(np.ceil(threshold * 255)).astype("uint8")
        return images ^ (above.view("uint8") * np.uint8(255))


class Floats(Pixels):
    """For all other images, which are taken as float32 values of 0 to 1.

    Args:
        dtype: of the images.
        value_range: (low, high), which become 0 and 1.
    """

    top = 1

    def __init__(self, dtype: np.dtype, value_range: tuple[float, float]):
        low, high = value_range
        self.dtype, self.low = np.dtype(dtype), np.float32(low)
        self.scale = np.float32(high - low or 1.0)

    def opened(self, images: np.ndarray) -> np.ndarray:
        return (images.astype("float32") - self.low) / self.scale

    def closed(self, images: np.ndarray) -> np.ndarray:
        values = images * self.scale + self.low
        if self.dtype == np.uint8:
            values = np.clip(np.rint(values), 0, 255)
        return values.astype(self.dtype, copy=False)

    def rounded(self, values: np.ndarray) -> np.ndarray:
        return values.astype("float32")

    def weights(self, strength: np.ndarray) -> np.ndarray:
        return strength.astype("float32")

    def blend(
        self, other: np.ndarray, images: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        return other + weights * (images - other)

    def sums(self, images: np.ndarray) -> np.ndarray:
        return _by_channel(in_rows(images).sum(axis=1), images).sum(axis=1)

    def gray(self, images: np.ndarray) -> np.ndarray:
        shares = shares_of_gray(images.shape[-1]).astype("float32")
        return sum(images[..., i] * share for i, share in enumerate(shares))

    def smoothed(self, images: np.ndarray) -> np.ndarray:
        return _weighed_sums(images) / np.float32(13)

    def stretched(
        self, images: np.ndarray, low: np.ndarray, span: np.ndarray
    ) -> np.ndarray:
        flat = span == 0
        by = np.where(flat, np.float32(1), span)
        return (images - np.where(flat, np.float32(0), low)) / by

    def levels(self, images: np.ndarray) -> np.ndarray:
        return np.clip(np.rint(images * 255), 0, 255).astype("int64")

    def of_levels(
        self, images: np.ndarray, table: np.ndarray, at: np.ndarray
    ) -> np.ndarray:
        values = table.astype("float32").take(at, mode="clip")
        return np.where(values < 0, images, values)

    def posterize(self, images: np.ndarray, bits: np.ndarray) -> np.ndarray:
        step = _each(2 ** (8 - np.floor(bits))).astype("float32")
        return np.floor(np.rint(images * 255) / step) * step / np.float32(255)

    def solarize(self, images: np.ndarray, threshold: np.ndarray) -> np.ndarray:
        above = images >= _each(threshold).astype("float32")
        return np.where(above, 1 - images, images)


def shares_of_gray(channels: int) -> np.ndarray:
    """Returns (c,), how much of gray each channel makes; 1 in all."""
    return _GRAY if channels == 3 else np.full(channels, 1 / channels)


def in_rows(images: np.ndarray) -> np.ndarray:
    """Returns (m, h, w * c): NumPy is slow where a last axis is short."""
    return images.reshape(*images.shape[:2], -1)


def _by_channel(columns: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Returns (m, w * c) as (m, w, c)."""
    return columns.reshape(len(images), *images.shape[2:])


def _each(values: np.ndarray) -> np.ndarray:
    """Returns (m,) as (m, 1, 1, 1)."""
    return values[:, None, None, None]


def _weighed_sums(images: np.ndarray) -> np.ndarray:
    """Returns (m, h - 2, w - 2, c): five times each pixel and its eight neighbors."""
    down = images[:, :-2] + images[:, 1:-1] + images[:, 2:]
    total = down[:, :, :-2] + down[:, :, 1:-1] + down[:, :, 2:]
    total += 4 * images[:, 1:-1, 1:-1]
    return total


def _without_fraction(total: np.ndarray) -> np.ndarray:
    """Returns uint16 of 8 bits after the point rounded to uint8; changes `total`."""
    total += 128
    total >>= 8
    return total.astype("uint8")
