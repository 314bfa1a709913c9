"""What is drawn for an image, RandAugment's ranges among it, by a seed that is given.

NumPy only, for every backend.

`augment` (TensorFlow) and `augment_numpy` only move and change pixels as drawn here, so
that one seed gives the same augmentation everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

# Operation -> range of its magnitude, as in FixMatch (Sohn et al., 2020, table 12).
# Brightness, color, contrast and sharpness blend (0: black, gray, flat, blurred; 1:
# the image); posterize keeps so many bits, rounded down; solarize inverts values
# above so much; rotate is in degrees; shear and translate are in image sides.
OPERATIONS: dict[str, tuple[float, float]] = {
    "identity": (0.0, 0.0),
    "autocontrast": (0.0, 0.0),
    "equalize": (0.0, 0.0),
    "brightness": (0.05, 0.95),
    "color": (0.05, 0.95),
    "contrast": (0.05, 0.95),
    "sharpness": (0.05, 0.95),
    "posterize": (4.0, 9.0),
    "solarize": (0.0, 1.0),
    "rotate": (-30.0, 30.0),
    "shear_x": (-0.3, 0.3),
    "shear_y": (-0.3, 0.3),
    "translate_x": (-0.3, 0.3),
    "translate_y": (-0.3, 0.3),
}
NAMES = list(OPERATIONS)
FIRST_GEOMETRIC = NAMES.index("rotate")  # from here on one kernel does them all
COLORS = NAMES[:FIRST_GEOMETRIC]
GRAY = np.array([0.299, 0.587, 0.114], "float32")  # shares of red, green and blue


class Draw(NamedTuple):
    """All that is random about the augmentation of n images (h, w).

    rows (n, h), columns (n, w): int32, the pixel each output pixel is taken from.
    operations (n, num_ops): int32 positions in `NAMES`. magnitudes (n, num_ops)
    float32. matrices (n, num_ops, 8): float32, output to input pixel, of geometric
    operations, else the identity. boxes (n, 4): int32, top, bottom, left and right of
    the hidden square, ends exclusive, cut off at the border.
    """

    rows: np.ndarray
    columns: np.ndarray
    operations: np.ndarray
    magnitudes: np.ndarray
    matrices: np.ndarray
    boxes: np.ndarray

    def each_operation(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yields the operation, magnitude and matrix of each image, turn by turn."""
        for turn in range(self.operations.shape[1]):
            yield (
                self.operations[:, turn],
                self.magnitudes[:, turn],
                self.matrices[:, turn],
            )


def drawn(
    rng: np.random.Generator,
    n: int,
    height: int,
    width: int,
    flip: bool,
    max_shift: float,
    operations: tuple[str, ...] = (),
    num_ops: int = 0,
) -> Draw:
    """Returns flips, shifts and operations for n images, and boxes that hide nothing.

    Args:
        rng: draws everything.
        n: how many images there are.
        height: of them.
        width: of them.
        flip: whether half of them are mirrored.
        max_shift: see `Weak`.
        operations: the names to draw from.
        num_ops: operations per image.
    """
    flipped = (rng.random((n, 1)) < 0.5) & flip
    rows = _shifted(rng, n, height, max_shift)
    columns = _shifted(rng, n, width, max_shift)
    columns = np.where(flipped, width - 1 - columns, columns)
    known = np.array([NAMES.index(name) for name in operations] or [0], "int32")
    chosen = known[rng.integers(len(known), size=(n, num_ops))]
    ranges = np.array(list(OPERATIONS.values()))
    low, high = ranges[chosen, 0], ranges[chosen, 1]
    magnitudes = low + (high - low) * rng.random((n, num_ops))
    return Draw(
        rows.astype("int32"),
        columns.astype("int32"),
        chosen,
        magnitudes.astype("float32"),
        matrices(chosen, magnitudes, height, width),
        np.zeros((n, 4), "int32"),
    )


def hidden_boxes(
    rng: np.random.Generator, n: int, height: int, width: int, cutout: float
) -> np.ndarray:
    """Returns `Draw.boxes` of up to the fraction `cutout` of the sides."""
    sides = np.array([height, width])
    half = rng.random((n, 1)) * cutout * sides / 2
    center = rng.random((n, 2)) * sides
    low = np.clip(np.round(center - half), 0, sides)
    high = np.clip(np.round(center + half), 0, sides)
    boxes = np.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]], axis=1)
    return boxes.astype("int32")


def _shifted(
    rng: np.random.Generator, n: int, size: int, max_shift: float
) -> np.ndarray:
    """Returns (n, size), the positions along a side, shifted and reflected."""
    most = min(round(max_shift * size), size - 1)
    shifted = np.arange(size) + rng.integers(-most, most + 1, size=(n, 1))
    return (size - 1) - np.abs((size - 1) - np.abs(shifted))


def matrices(
    operations: np.ndarray, magnitudes: np.ndarray, height: int, width: int
) -> np.ndarray:
    """Returns (..., 8) float32, the output-to-input transforms about the center.

    (a0, a1, a2, b0, b1, b2, 0, 0) takes output pixel (x, y) to input pixel
    (a0 x + a1 y + a2, b0 x + b1 y + b2); the identity for operations of color.

    Args:
        operations: (...) positions in `NAMES`.
        magnitudes: (...) in the units of `OPERATIONS`.
    """

    def magnitude(name):
        return np.where(operations == NAMES.index(name), magnitudes, 0.0)

    angle = np.deg2rad(magnitude("rotate"))
    a0, a1 = np.cos(angle), np.sin(angle) + magnitude("shear_x")
    b0, b1 = -np.sin(angle) + magnitude("shear_y"), np.cos(angle)
    x, y = (width - 1) / 2, (height - 1) / 2
    a2 = x - a0 * x - a1 * y + magnitude("translate_x") * width
    b2 = y - b0 * x - b1 * y + magnitude("translate_y") * height
    zero = np.zeros_like(a0)
    parts = [a0, a1, a2, b0, b1, b2, zero, zero]
    return np.stack(parts, axis=-1).astype("float32")
