"""Distortions of small gray images. NumPy only."""

from __future__ import annotations

import numpy as np


def upscale(images: np.ndarray) -> np.ndarray:
    """Returns (n, 2 h, 2 w), bilinear, of (n, h, w)."""
    for axis in (1, 2):
        size = images.shape[axis]
        at = (np.arange(2 * size) + 0.5) / 2 - 0.5
        low = np.floor(at).astype("int64")
        share = (at - low).reshape((1, -1, 1) if axis == 1 else (1, 1, -1))
        left = images.take(np.clip(low, 0, size - 1), axis)
        right = images.take(np.clip(low + 1, 0, size - 1), axis)
        images = left + share * (right - left)
    return images


def blur(image: np.ndarray, strength: float) -> np.ndarray:
    """Returns (h, w) smoothed by a Gaussian of up to 2.5 pixels."""
    sigma = 2.5 * strength
    reach = np.arange(-6, 7)
    weights = np.exp(-(reach**2) / (2 * sigma**2))
    weights /= weights.sum()
    for axis in (0, 1):
        image = np.apply_along_axis(np.convolve, axis, image, weights, "same")
    return image


def occlude(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Returns (h, w) with a bar over up to 60% of the image, across or upright."""
    image = image.copy()
    view = image.T if rng.random() < 0.5 else image
    thick = round(0.6 * strength * len(view))
    top = rng.integers(0, len(view) - thick + 1)
    view[top : top + thick] = 0.5
    return image


def add_noise(
    image: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Returns (h, w) with Gaussian noise of up to 0.5, cut off to 0..1."""
    return np.clip(image + rng.normal(0, 0.5 * strength, image.shape), 0, 1)


def degrade(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Returns (h, w) blurred, occluded or noisy, drawn evenly.

    Args:
        image: (h, w) in 0..1.
        strength: in (0, 1].
        rng: draws what is done, and where.
    """
    kind = rng.integers(3)
    if kind == 0:
        return blur(image, strength)
    return (occlude if kind == 1 else add_noise)(image, strength, rng)
