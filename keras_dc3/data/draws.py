"""What is drawn for an image, RandAugment's ranges among it, by a seed that is given.

NumPy only, for every backend: `augment_numpy` moves and changes pixels as drawn here.
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


class Draw(NamedTuple):
    """All that is random about the augmentation of n images (h, w).

    flipped (n,): bool, whether the image is mirrored left to right. shifts (n, 2):
    int32, how many pixels further down and right each pixel of the mirrored image is
    taken from, reflected at the border. operations (n, num_ops): int32 positions in
    `NAMES`. magnitudes (n, num_ops): float32. matrices (n, num_ops, 6): float32, output
    to input pixel, of operations that move pixels, else the identity. boxes (n, 4):
    int32, top, bottom, left and right of the hidden square, ends exclusive, cut off at
    the border.
    """

    flipped: np.ndarray
    shifts: np.ndarray
    operations: np.ndarray
    magnitudes: np.ndarray
    matrices: np.ndarray
    boxes: np.ndarray

    def of(self, rows: slice) -> Draw:
        """Returns what was drawn for some of the images."""
        return Draw(*(part[rows] for part in self))

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
    flipped = (rng.random(n) < 0.5) & flip
    shifts = [_shifts(rng, n, size, max_shift) for size in (height, width)]
    known = np.array([NAMES.index(name) for name in operations] or [0], "int32")
    chosen = known[rng.integers(len(known), size=(n, num_ops))]
    ranges = np.array(list(OPERATIONS.values()))
    low, high = ranges[chosen, 0], ranges[chosen, 1]
    magnitudes = low + (high - low) * rng.random((n, num_ops))
    return Draw(
        flipped,
        np.stack(shifts, axis=1).astype("int32"),
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


def _shifts(
    rng: np.random.Generator, n: int, size: int, max_shift: float
) -> np.ndarray:
    """Returns (n,), how far to shift along a side of this size."""
    most = min(round(max_shift * size), size - 1)
    return rng.integers(-most, most + 1, size=n)


def matrices(
    operations: np.ndarray, magnitudes: np.ndarray, height: int, width: int
) -> np.ndarray:
    """Returns (..., 6) float32, the output-to-input transforms about the center.

    (a0, a1, a2, b0, b1, b2) takes output pixel (x, y) to input pixel
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
    return np.stack([a0, a1, a2, b0, b1, b2], axis=-1).astype("float32")
