"""What an augmentation is: its parameters, and its random draws. NumPy only.

A policy draws all that is random about a batch here, once for every backend;
`augment` (TensorFlow) and `augment_numpy` only move and change pixels. So one seed
gives the same augmentation everywhere.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._registration import suggest
from keras_dc3._validation import (
    check_choice,
    check_not_negative,
    check_positive_int,
    check_probability,
)

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


@dataclass(frozen=True)
class NoAugmentation:
    """Leaves the images as they are.

    Example:

    >>> plain = keras_dc3.data.NoAugmentation()
    """


@dataclass(frozen=True)
class Weak:
    """Random horizontal flip and reflect-padded random shift.

    Args:
        flip: whether half of the images are mirrored; False where a mirrored image
            means something else, as for digits.
        max_shift: largest shift in either direction, as a fraction of each side in
            [0, 1), rounded to pixels. The default is 4 pixels at 32; the paper's
            authors shift by up to 12 pixels (0.375) there.

    Example:

    >>> weak = keras_dc3.data.Weak(flip=False, max_shift=0.1)
    """

    flip: bool = True
    max_shift: float = 0.125

    def __post_init__(self) -> None:
        check_choice("flip", self.flip, (True, False))
        check_not_negative("max_shift", self.max_shift)
        if self.max_shift >= 1:
            raise ValueError(
                "`max_shift` is a fraction of the image's side in [0, 1), not a number "
                f"of pixels. Received: max_shift={self.max_shift}"
            )

    num_ops = 0
    cutout = 0.0
    fill = 0.5

    def draw(self, seed: Any, n: int, height: int, width: int) -> Draw:
        """Draws for n images of this size; `seed` is a list of integers from 0."""
        return _draw(np.random.default_rng(seed), self, (), n, height, width)


@dataclass(frozen=True)
class Strong:
    """A weak augmentation, then RandAugment for each image by itself, then cutout.

    RandAugment applies `num_ops` operations in turn, each drawn from `operations`
    with a magnitude from its range in `OPERATIONS`. Cutout hides a square.

    Args:
        weak: the flip and shift that come first.
        num_ops: operations per image, 0 for none.
        cutout: the largest size of the hidden part, as a fraction of the image's
            sides in [0, 1], a square for square images; drawn uniformly from 0 on. 0
            for no cutout.
        fill: what fills hidden and uncovered pixels, from 0 (lowest value of the
            images' range) to 1 (highest).
        operations: the names to draw from. Colors mean nothing for one channel, where
            "color" changes nothing.

    Example:

    >>> strong = keras_dc3.data.Strong(num_ops=1, operations=("brightness", "rotate"))
    """

    weak: Weak = field(default_factory=Weak)
    num_ops: int = 2
    cutout: float = 0.5
    fill: float = 0.5
    operations: tuple[str, ...] = tuple(NAMES)

    def __post_init__(self) -> None:
        check_positive_int("num_ops", self.num_ops, least=0)
        check_probability("cutout", self.cutout)
        check_probability("fill", self.fill)
        if not isinstance(self.weak, Weak):
            raise TypeError(f"`weak` must be a `Weak`. Received: {self.weak!r}")
        object.__setattr__(self, "operations", tuple(self.operations))
        for name in self.operations:
            if name not in OPERATIONS:
                raise ValueError(
                    f"Unknown operation {name!r}.{suggest(name, NAMES)} Known "
                    f"operations: {', '.join(NAMES)}."
                )
        if self.num_ops and not self.operations:
            raise ValueError("`operations` is empty; pass `num_ops=0` for none.")

    def draw(self, seed: Any, n: int, height: int, width: int) -> Draw:
        """Draws for n images of this size; `seed` is a list of integers from 0."""
        rng = np.random.default_rng(seed)
        draw = _draw(rng, self.weak, self.operations, n, height, width, self.num_ops)
        sides = np.array([height, width])
        half = rng.random((n, 1)) * self.cutout * sides / 2
        center = rng.random((n, 2)) * sides
        low = np.clip(np.round(center - half), 0, sides)
        high = np.clip(np.round(center + half), 0, sides)
        boxes = np.stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]], axis=1)
        return draw._replace(boxes=boxes.astype("int32"))


@dataclass(frozen=True)
class Custom:
    """A user's own function of images (n, h, w, c), of the same shape and type.

    Args:
        function: `f(images)`, or `f(images, seed)` with a seed of two integers if it
            takes an argument of that name, or a Keras layer. It gets tensors in a
            TensorFlow pipeline and NumPy arrays elsewhere, and keeps their shape and
            range of values. Only what follows from `seed` is repeatable; Keras layers
            draw anew, whatever their seed.

    Example:

    >>> flipped = keras_dc3.data.Custom(lambda images: images[:, ::-1])
    >>> data = keras_dc3.datasets.from_arrays(
    ...     np.zeros((20, 8, 8, 3), "uint8"), np.eye(2)[[0, 1] * 10], augment=flipped
    ... )
    """

    function: Callable[..., Any]

    def __call__(self, images: Any, seed: Any) -> Any:
        """Returns the function's images, unchecked."""
        import keras

        if isinstance(self.function, keras.layers.Layer):
            return self.function(images, training=True)
        return self.function(images, **({"seed": seed} if self._takes_seed else {}))

    @property
    def dark_message(self) -> str:
        """Why images of 0 to 255 must not come back as values of at most 1."""
        return (
            f"The augmentation {self.function!r} made values of 0 to 1 of images of 0 "
            "to 255; it must keep their range. Multiply by 255."
        )

    @property
    def _takes_seed(self) -> bool:
        try:
            return "seed" in inspect.signature(self.function).parameters
        except (TypeError, ValueError):
            return False  # built-in functions show no signature


Policy = NoAugmentation | Weak | Strong | Custom
POLICIES: dict[str, type] = {"none": NoAugmentation, "weak": Weak, "strong": Strong}


def get_policy(identifier: Any) -> Policy:
    """Returns the augmentation that a name, policy, function or Keras layer means.

    Args:
        identifier: "none", "weak", "strong", a policy, None (no augmentation), a
            function of images or a Keras layer (see `Custom`).

    Raises:
        ValueError: for an unknown name. TypeError: for anything else.

    Example:

    >>> keras_dc3.data.get_policy("weak")
    Weak(flip=True, max_shift=0.125)
    """
    if identifier is None:
        return NoAugmentation()
    if isinstance(identifier, Policy):
        return identifier
    if isinstance(identifier, str):
        if identifier in POLICIES:
            return POLICIES[identifier]()
        raise ValueError(
            f"Unknown augmentation {identifier!r}."
            f"{suggest(identifier, list(POLICIES))} Known names: "
            f"{', '.join(POLICIES)}; or pass a function of images."
        )
    if inspect.isclass(identifier) and issubclass(identifier, Policy):
        return identifier()
    if callable(identifier):
        return Custom(identifier)
    raise TypeError(
        f"An augmentation must be one of the names {list(POLICIES)}, a policy such as "
        f"`Weak(flip=False)`, or a function of images. Received: {identifier!r}"
    )


def _draw(
    rng: np.random.Generator,
    weak: Weak,
    operations: tuple[str, ...],
    n: int,
    height: int,
    width: int,
    num_ops: int = 0,
) -> Draw:
    flipped = (rng.random((n, 1)) < 0.5) & weak.flip
    rows = _shifted(rng, n, height, weak.max_shift)
    columns = _shifted(rng, n, width, weak.max_shift)
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
