"""Checks of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_dc3._text import number_of

_MOST_COUNTED = 2.0**53  # up to here, float64 tells numbers apart


def check_channels_last(name: str, shape: Sequence[int | None]) -> None:
    """Raises ValueError for images whose channels stand first, (n, c, h, w).

    Args:
        name: of the images.
        shape: of a batch of images, four numbers or None.
    """
    _, first, second, last = shape
    if first in (1, 3, 4) and (second or 0) > 4 and (last or 0) > 4:
        raise ValueError(
            f"The channels of the {name} images seem to stand first; they must stand "
            "last, (n, height, width, channels): use `np.moveaxis(images, 1, -1)`. "
            f"Received: shape {tuple(shape)}"
        )


def check_rank(name: str, tensor: Any, rank: int, shape: str) -> None:
    """Raises ValueError unless `tensor` has `rank` axes; `shape` says which."""
    if len(tensor.shape) != rank:
        raise ValueError(
            f"`{name}` must have shape {shape}. "
            f"Received: {name}.shape={tuple(tensor.shape)}"
        )


def check_same_batch(**tensors: Any) -> None:
    """Raises ValueError where statically known first axes differ."""
    known = {
        name: tensor.shape[0]
        for name, tensor in tensors.items()
        if isinstance(tensor.shape[0], int)  # JAX may have a symbol for it
    }
    if len(set(known.values())) > 1:
        sizes = ", ".join(f"{name}: {size}" for name, size in known.items())
        raise ValueError(
            f"All arguments must hold the same number of images. Received: {sizes}"
        )


def check_class_labels(name: str, labels: Any, num_classes: int) -> None:
    """Raises ValueError unless integer `labels` (n,) all lie in 0..num_classes - 1."""
    labels = np.asarray(labels)
    wrong = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if wrong.size:
        raise ValueError(
            f"`{name}` must lie in 0..{num_classes - 1} for {num_classes} classes, but "
            f"{wrong.size} do not: the first is {labels[wrong[0]]} at position "
            f"{wrong[0]}. Pass `num_classes` if there are more classes, or correct it."
        )


def check_soft_labels(name: str, labels: Any) -> None:
    """Raises ValueError unless each row of `labels` (n, k) is a distribution."""
    labels = np.asarray(labels, dtype="float64")
    if labels.ndim != 2:
        raise ValueError(
            f"`{name}` must have shape (images, classes). "
            f"Received: {name}.shape={labels.shape}"
        )
    bad = ~np.isfinite(labels).all(axis=1)
    if bad.any():
        raise ValueError(
            f"`{name}` must be finite, but "
            f"{number_of(int(bad.sum()), 'row holds', 'rows hold')} NaN or infinity: "
            f"the first is row {int(np.argmax(bad))}. Give an image without "
            "annotation no label instead."
        )
    totals = labels.sum(axis=1)
    bad = (labels < 0).any(axis=1) | (np.abs(totals - 1.0) > 1e-3)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"Each row of `{name}` must be a distribution over the classes (no value "
            f"below 0, sum 1), but {int(bad.sum())} are not: row {row} is "
            f"{np.round(labels[row], 4).tolist()} with sum {totals[row]:.4g}. Divide "
            "counts by their sum."
        )


def check_counts(name: str, counts: Any) -> np.ndarray:
    """Returns annotation counts (n, k) as int64 or float64.

    Raises:
        ValueError: unless they have rank 2 and are finite, not negative and small
            enough to be added up.
    """
    if np.ma.isMaskedArray(counts) and np.ma.getmaskarray(counts).any():
        raise ValueError(
            f"`{name}` must be numbers everywhere, but some are masked. Fill the gaps, "
            "for example with `counts.filled(0)`."
        )
    try:
        counts = np.asarray(counts)
    except ValueError as error:
        raise ValueError(
            f"`{name}` must hold a number for each image and class, shape (images, "
            "classes). Received: rows of several lengths"
        ) from error
    if counts.dtype.kind not in "biuf" or counts.ndim != 2 or counts.shape[1] < 1:
        raise ValueError(
            f"`{name}` must hold a number for each image and class, shape (images, "
            f"classes). Received: shape {counts.shape}, dtype {counts.dtype}"
        )
    bad = ~(np.isfinite(counts) & (counts >= 0)).all(axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"`{name}` must be finite and at least 0, but "
            f"{number_of(int(bad.sum()), 'row is', 'rows are')} not: row {row} is "
            f"{counts[row].tolist()}."
        )
    if counts.dtype.kind == "f" or counts.dtype.itemsize == 8:
        with np.errstate(over="ignore"):
            bad = counts.sum(axis=1, dtype="float64") > _MOST_COUNTED
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"The `{name}` of an image must add up to 2**53 at most, but row {row} "
                f"is {counts[row].tolist()}. Divide each row by its sum."
            )
    return counts.astype("float64" if counts.dtype.kind == "f" else "int64", copy=False)


def check_indices(name: str, values: Any) -> np.ndarray:
    """Returns class or cluster numbers (n,) as int64.

    Raises:
        ValueError: unless they have rank 1 and are integers of at least 0.
    """
    values = np.asarray(values)
    if values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
        raise ValueError(
            f"`{name}` must be integers, shape (images,); use np.argmax on "
            f"probabilities. Received: shape {values.shape}, dtype {values.dtype}"
        )
    if values.size and values.min() < 0:
        raise ValueError(
            f"`{name}` must be at least 0. Received: {values.min()} at position "
            f"{int(np.argmin(values))}"
        )
    return values.astype("int64")


def check_unit_interval(name: str, values: Any) -> np.ndarray:
    """Returns probabilities (n,) as float64, clipped where rounding left [0, 1].

    Raises:
        ValueError: unless they have rank 1 and are finite and in [0, 1].
    """
    values = np.asarray(values)
    if values.ndim != 1 or (values.size and values.dtype.kind not in "biuf"):
        raise ValueError(
            f"`{name}` must be numbers, shape (images,). Received: shape "
            f"{values.shape}, dtype {values.dtype}"
        )
    values = values.astype("float64")
    bad = ~((values >= -1e-6) & (values <= 1 + 1e-6))
    if bad.any():
        raise ValueError(
            f"`{name}` must be in [0, 1], but "
            f"{number_of(int(bad.sum()), 'value is', 'values are')} not: the first is "
            f"{values[bad][0]} at position {int(np.argmax(bad))}. Apply a sigmoid to "
            "logits first."
        )
    return values.clip(0.0, 1.0)


def check_matrix(name: str, values: Any, wanted: str) -> np.ndarray:
    """Returns numbers (n, d), d at least 1.

    Args:
        name: of the argument.
        values: to check.
        wanted: what they must be, for the message.

    Raises:
        ValueError: if they have another rank, no column, or are no numbers.
    """
    values = np.asarray(values)
    if values.ndim != 2 or not values.shape[1] or values.dtype.kind not in "biuf":
        raise ValueError(
            f"`{name}` must be {wanted}. Received: shape {values.shape}, dtype "
            f"{values.dtype}"
        )
    return values


def check_distributions(name: str, values: Any, columns: str = "classes") -> np.ndarray:
    """Returns predicted probabilities (n, k) as float64, clipped like the above.

    Raises:
        ValueError: unless they have rank 2 and each row is finite, in [0, 1] and sums
            to 1 within 1e-3.
    """
    wanted = f"probabilities, shape (images, {columns})"
    values = check_matrix(name, values, wanted).astype("float64")
    good = ((values >= -1e-6) & (values <= 1 + 1e-6)).all(axis=1)
    good &= np.abs(np.where(good[:, None], values, 0.0).sum(axis=1) - 1.0) <= 1e-3
    if not good.all():
        row = int(np.argmin(good))
        raise ValueError(
            f"Each row of `{name}` must be in [0, 1] and sum to 1, but "
            f"{int((~good).sum())} do not: row {row} is "
            f"{np.round(values[row], 4).tolist()}. Apply a softmax to logits first."
        )
    return values.clip(0.0, 1.0)
