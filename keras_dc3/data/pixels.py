"""What both executors of an augmentation compute alike, whatever the tensors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


def smoothed(images: Any) -> Any:
    """Returns images (n, h, w, c), any tensor, with each pixel blurred by its eight.

    As PIL's filter SMOOTH, of weight 5 in the middle; without the border, so that they
    are (n, h - 2, w - 2, c).
    """
    height, width = images.shape[1:3]
    total = 4 * images[:, 1:-1, 1:-1]
    for y in range(3):
        for x in range(3):
            total = total + images[:, y : y + height - 2, x : x + width - 2]
    return total / 13


def blend(other: Any, images: Any, strength: Any) -> Any:
    """Returns what lies between another image (0) and the images (1)."""
    return other + strength * (images - other)


class ColorOperations(ABC):
    """RandAugment's operations on colors, one method each, for values of 0 to 1.

    Each takes images (n, h, w, c) and a magnitude, which may be one for each image, and
    returns such images. Where its tensors need a way of their own, an executor has it.
    """

    @property
    @abstractmethod
    def library(self) -> Any:
        """The module whose `floor`, `round` and `where` take the tensors."""

    @abstractmethod
    def mean(self, images: Any) -> Any:
        """Returns the mean of each channel, (n, 1, 1, c)."""

    @abstractmethod
    def gray(self, images: Any) -> Any:
        """Returns (n, h, w, 1)."""

    @abstractmethod
    def autocontrast(self, images: Any, strength: Any) -> Any:
        """Stretches each channel to 0..1; a flat channel stays."""

    @abstractmethod
    def equalize(self, images: Any, strength: Any) -> Any:
        """Makes each channel's 256 levels equally frequent; a flat channel stays."""

    @abstractmethod
    def sharpness(self, images: Any, strength: Any) -> Any:
        """Blends with the 3x3 smoothed image; the border stays, as in PIL."""

    def identity(self, images: Any, strength: Any) -> Any:
        return images

    def brightness(self, images: Any, strength: Any) -> Any:
        return images * strength

    def color(self, images: Any, strength: Any) -> Any:
        return blend(self.gray(images), images, strength)

    def contrast(self, images: Any, strength: Any) -> Any:
        return blend(self.mean(self.gray(images)), images, strength)

    def posterize(self, images: Any, bits: Any) -> Any:
        """Keeps so many bits, rounded down, of 8."""
        step = 2 ** (8 - self.library.floor(bits))
        return self.library.floor(self.library.round(images * 255) / step) * step / 255

    def solarize(self, images: Any, threshold: Any) -> Any:
        """Inverts values above a threshold."""
        return self.library.where(images >= threshold, 1 - images, images)
