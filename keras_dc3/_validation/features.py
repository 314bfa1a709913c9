"""Checks of features: numbers that a network has computed of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_CHUNK = 4096  # images looked at together, so that no check doubles the memory


def check_feature_rank(name: str, shape: Sequence[int | None]) -> None:
    """Raises ValueError unless `shape` is that of features, (n, d)."""
    shape = tuple(shape)
    if len(shape) == 2 and shape[1] != 0:
        return
    hint = "`np.stack` makes one array of one vector per image"
    if len(shape) == 1:
        hint += ", and for a single image pass `features[None]`"
    elif len(shape) == 3:
        hint = (
            "features of tokens become one vector per image by `features.mean(axis=1)` "
            "or, of a class token, `features[:, 0]`"
        )
    elif len(shape) == 4:
        hint = (
            "maps of features become one vector per image by `features.mean(axis=(1, "
            "2))`; images themselves belong to `keras_dc3.datasets.from_arrays`"
        )
    raise ValueError(
        f"`{name}` must have shape (images, features), one vector per image. Received: "
        f"shape {shape}; {hint}."
    )


def check_features(name: str, values: Any) -> np.ndarray:
    """Returns features (n, d) as float16 or float32; a memory map stays one.

    Args:
        name: of the argument, for messages.
        values: numbers in floating point.

    Raises:
        TypeError: if they are no numbers, or integers.
        ValueError: if they have another rank, no column, hold NaN or infinity, or are
            too large for float32.
    """
    values = as_floats(name, values)
    check_feature_rank(name, values.shape)
    check_finite(name, values)
    return values


def as_floats(name: str, values: Any) -> np.ndarray:
    """Returns numbers in floating point as float16 or float32, of any shape.

    Raises:
        TypeError: if they are no numbers, or integers.
        ValueError: if they are too large for float32.
    """
    if not isinstance(values, np.ndarray):
        values = np.asarray(values)
    if values.dtype.name == "bfloat16":
        return values.astype("float32")
    kind = values.dtype.kind
    if kind in "iub":
        raise TypeError(
            f"`{name}` must be features in floating point, but they are whole numbers "
            f"({values.dtype}). Images belong to `keras_dc3.datasets.from_arrays`; "
            f'features that were stored as integers become numbers by `{name}.astype("'
            'float32")`.'
        )
    if kind != "f":
        raise TypeError(
            f"`{name}` must be one array of numbers in floating point, float16 or "
            f"float32. Received dtype {values.dtype}; `np.stack` makes one array of "
            "vectors of equal length."
        )
    if values.dtype.itemsize <= 4:
        return values
    with np.errstate(over="ignore"):
        smaller = values.astype("float32")
    if not np.isfinite(smaller).all() and np.isfinite(values).all():
        raise ValueError(
            f"`{name}` hold numbers that are too large for float32, up to "
            f"{np.abs(values).max():.3g} ({values.dtype}). Divide them."
        )
    return smaller


def check_finite(name: str, values: np.ndarray) -> None:
    """Raises ValueError if features (n, d) hold NaN or infinity."""
    for start in range(0, len(values), _CHUNK):
        finite = np.isfinite(values[start : start + _CHUNK]).all(axis=1)
        if not finite.all():
            hint = ""
            if values.dtype == np.float16:
                hint = "; float16 ends at 65,504, float32 holds larger ones"
            raise ValueError(
                f"`{name}` hold NaN or infinity, first of the image at position "
                f"{start + int(np.argmin(finite))}. Compute them again or leave the "
                f"image out{hint}."
            )
