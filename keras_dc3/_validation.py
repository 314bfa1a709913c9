"""Checks at public boundaries. Each raises one sentence that says how to fix it."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterable, Mapping, MappingView, Sequence, Set
from typing import Any

import numpy as np

from keras_dc3._names import composed, trimmed

_MOST_COUNTED = 2.0**53  # up to here, float64 tells numbers apart


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raises ValueError unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {list(choices)}. Received: {name}={value!r}"
        )


def is_number(value: Any) -> bool:
    """Whether `value` is a number, and not a bool."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def check_probability(name: str, value: Any) -> None:
    """Raises ValueError unless `value` is a number in [0, 1]."""
    if not (is_number(value) and 0.0 <= value <= 1.0):
        raise ValueError(
            f"`{name}` must be a number in [0, 1]. Received: {name}={value!r}"
        )


def check_not_negative(name: str, value: Any) -> None:
    """Raises ValueError unless `value` is a finite number of at least 0."""
    if not (is_number(value) and np.isfinite(value) and value >= 0):
        raise ValueError(
            f"`{name}` must be a finite number of at least 0. "
            f"Received: {name}={value!r}"
        )


def check_positive_int(name: str, value: Any, least: int = 1) -> None:
    """Raises ValueError unless `value` is an integer of at least `least`."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | np.integer)
        or value < least
    ):
        raise ValueError(
            f"`{name}` must be an integer of at least {least}. "
            f"Received: {name}={value!r}"
        )


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


def check_soft_labels(name: str, labels: Any, tolerance: float = 1e-3) -> None:
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
            f"`{name}` must be finite, but {int(bad.sum())} rows hold NaN or infinity: "
            f"the first is row {int(np.argmax(bad))}. Give an image without annotation "
            "no label instead."
        )
    totals = labels.sum(axis=1)
    bad = (labels < 0).any(axis=1) | (np.abs(totals - 1.0) > tolerance)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"Each row of `{name}` must be a distribution over the classes (no value "
            f"below 0, sum 1), but {int(bad.sum())} are not: row {row} is "
            f"{np.round(labels[row], 4).tolist()} with sum {totals[row]:.4g}. Divide "
            "counts by their sum."
        )


def check_writable_folder(path: str | os.PathLike) -> None:
    """Raises OSError unless files can be written into `path`; creates the folder.

    For the start of long work: the folder is tried with a real file, because
    permission bits say nothing for an administrator or a full or read-only disk.
    """
    path = os.fspath(path)
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"1")
    except OSError as error:
        raise OSError(
            f"The output folder {path!r} cannot be written to "
            f"({error.strerror or error}). Name another folder or free this one."
        ) from error


def check_positive_number(name: str, value: Any) -> None:
    """Raises ValueError unless `value` is a finite number above 0."""
    check_not_negative(name, value)
    if value == 0:
        raise ValueError(f"`{name}` must be above 0. Received: {name}={value!r}")


def check_seed(seed: Any) -> None:
    """Raises ValueError unless `seed` is an integer of at least 0."""
    check_positive_int("seed", seed, least=0)


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
            f"`{name}` must be finite and at least 0, but {int(bad.sum())} rows are "
            f"not: row {row} is {counts[row].tolist()}."
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
            f"`{name}` must be in [0, 1], but {int(bad.sum())} values are not: the "
            f"first is {values[bad][0]} at position {int(np.argmax(bad))}. Apply a "
            "sigmoid to logits first."
        )
    return values.clip(0.0, 1.0)


def check_distributions(name: str, values: Any, columns: str = "classes") -> np.ndarray:
    """Returns predicted probabilities (n, k) as float64, clipped like the above.

    Raises:
        ValueError: unless they have rank 2 and each row is finite, in [0, 1] and sums
            to 1 within 1e-3.
    """
    values = np.asarray(values)
    if values.ndim != 2 or not values.shape[1] or values.dtype.kind not in "biuf":
        raise ValueError(
            f"`{name}` must be probabilities, shape (images, {columns}). Received: "
            f"shape {values.shape}, dtype {values.dtype}"
        )
    values = values.astype("float64")
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


def check_ordered(name: str, values: Any) -> None:
    """Raises TypeError for one text, or for what has no order of its own.

    Names of classes and images belong to columns and rows by their order alone.
    """
    if isinstance(values, str | bytes):
        raise TypeError(
            f"`{name}` must be a list of strings, not one text. Received: {values!r}"
        )
    if isinstance(values, Set | Mapping | MappingView):
        raise TypeError(
            f"`{name}` must be a list, in the order of the images or classes: a "
            f"{type(values).__name__} does not say which name belongs to which. "
            f"Received: {repr(values)[:200]}"
        )
    if not isinstance(values, Iterable) or getattr(values, "ndim", 1) != 1:
        raise TypeError(
            f"`{name}` must be a list of strings. Received: {repr(values)[:200]}"
        )


def check_names(name: str, values: Any, *, clean: bool = False) -> tuple[str, ...]:
    """Returns `values` as a tuple of plain strings.

    Args:
        name: of the argument, for messages.
        values: different names.
        clean: whether blanks around a name are refused.

    Raises:
        TypeError: unless they are non-empty strings, in an order of their own.
        ValueError: if one occurs twice.
    """
    check_ordered(name, values)
    first: dict[str, int] = {}
    for position, value in enumerate(values):
        if not isinstance(value, str) or not value:
            raise TypeError(
                f"`{name}` must be non-empty strings; use str(...). Received: "
                f"{value!r} at position {position}"
            )
        if first.setdefault(str(value), position) != position:
            raise ValueError(
                f"`{name}` must differ, but {str(value)!r} stands at positions "
                f"{first[value]} and {position}. Rename or remove one."
            )
    for value in first if clean else ():
        if trimmed(value) != value:
            raise ValueError(
                f"`{name}` must have no outer blanks, which tables do not keep. "
                f"Received: {value!r}"
            )
    return tuple(first)


def check_ids(name: str, values: Any, stacklevel: int = 3) -> tuple[str, ...]:
    """Returns names of images as `check_names` does.

    Warns of names that differ in their Unicode form (NFC or NFD) alone: they are
    different images here, and tables name them alike.
    """
    values = check_names(name, values)
    first: dict[str, str] = {}
    for value in values:
        other = first.setdefault(composed(value), value)
        if other != value:
            warnings.warn(
                f"`{name}` holds {other!a} and {value!a}, which differ only "
                "in their Unicode form (NFC or NFD) and count as two images. If they "
                "are one, remove one of them.",
                stacklevel=stacklevel,
            )
            break
    return values


def check_class_names(
    name: str, values: Any, *, clean: bool = False
) -> tuple[str, ...]:
    """Returns class names as `check_names` does, with composed letters (NFC).

    So that a class is one class in whatever Unicode form a system writes it.

    Raises:
        TypeError, ValueError: as `check_names`; also if two differ in that form alone.
    """
    values = check_names(name, values, clean=clean)
    return check_names(name, list(map(composed, values)), clean=clean)
