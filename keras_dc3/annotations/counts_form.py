"""Annotations of which only the counts are known."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_dc3._validation import check_counts
from keras_dc3.annotations.building import check_clean_names
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.names import class_order, nearest
from keras_dc3.annotations.telling import tell_odd_classes
from keras_dc3.annotations.wide_form import names_or_numbers

if TYPE_CHECKING:
    from keras_dc3.annotations.annotations import Annotations


def from_counts(
    cls: type[Annotations],
    counts: Any,
    images: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
) -> Annotations:
    """Takes how many annotators chose each class; who they are is not known.

    Soft labels, and answers in percent, are counts, too: whatever stands in a row is
    divided by its sum. Let each annotator weigh one; rows that look like percentages
    are told, as nobody knows how many answered then.

    Args:
        counts: (n, k), finite and at least 0; a row of zeros is an image without
            annotation. Or a dict of image -> dict of class -> count.
        images: n names. Default: "0", "1", ...; of a dict, its keys.
        class_names: k names. Default: "0", "1", ...; of a dict, the classes with a
            count above 0, in the order of `class_order`.

    Returns:
        Annotations without records.

    Raises:
        ValueError, TypeError: if the parts do not fit.
        AnnotationError: if a dict holds a class that is not in `class_names`, or none.

    Example:

    >>> Annotations.from_counts([[3, 1], [0, 4]], ["a.png", "b.png"], ["cat", "dog"])
    <Annotations of 2 images: 8, 2 classes, 50.0% ambiguous>
    >>> Annotations.from_counts({"a.png": {"cat": 3, "dog": 1}, "b.png": {"dog": 4}})
    <Annotations of 2 images: 8, 2 classes, 50.0% ambiguous>
    """
    found = isinstance(counts, Mapping) and class_names is None
    if isinstance(counts, Mapping):
        if images is not None:
            raise ValueError(
                "`counts` as a dict names its images; use `select` for another order "
                "instead of `images`."
            )
        images, class_names, counts = _from_dict(counts, class_names)
    counts = check_counts("counts", counts)
    notes = tell_percentages(counts)
    if found:
        times = counts.sum(axis=0).tolist()
        notes += tell_odd_classes(dict(zip(class_names, times, strict=True)), None)
    if notes:
        warnings.warn("\n  ".join(["The counts:", *notes]), stacklevel=2)
    return cls(
        images=names_or_numbers("images", images, len(counts)),
        class_names=names_or_numbers("class_names", class_names, counts.shape[1]),
        counts=counts,
        notes=notes,
    )


def tell_percentages(counts: np.ndarray) -> list[str]:
    """Returns what to tell of counts (n, k) that are percentages by all appearance."""
    total = counts.sum(axis=1)
    total = total[total > 0]
    if counts.dtype.kind != "f" or not total.size or (abs(total - 100) > 1.5).any():
        return []
    return [
        f"The numbers of each image add up to {total.min():g}"
        + (f" to {total.max():g}" if total.max() > total.min() else "")
        + ": they seem to be percentages. Soft labels are right, but it is not known "
        "how many people answered, and what is called annotations per image is this "
        "sum."
    ]


def _from_dict(
    counts: Mapping[str, Mapping[str, float]], class_names: Sequence[str] | None
) -> tuple[list[str], tuple[str, ...], np.ndarray]:
    for image, row in counts.items():
        numbers = isinstance(row, Mapping) and all(
            isinstance(v, int | float | np.number) and not isinstance(v, bool)
            for v in row.values()
        )
        if not numbers or not all(isinstance(name, str) for name in row):
            raise TypeError(
                "`counts` must be a dict of image -> dict of class -> number. Received "
                f"for {image!r}: {row!r}"
            )
    # Not `> 0`: what is negative or NaN must reach the check of the numbers.
    chosen = {n: i for i, row in counts.items() for n, v in row.items() if v != 0}
    if class_names is None:
        if not chosen:
            raise AnnotationError("`counts` holds no annotation: all counts are 0.")
        class_names = class_order(chosen)
    class_names = check_clean_names("class_names", class_names)
    unknown = [name for name in chosen if name not in class_names]
    if unknown:
        near = nearest(unknown[0], class_names)
        raise AnnotationError(
            f"{unknown[0]!r}, counted for {chosen[unknown[0]]!r}, is none of the "
            f"classes {list(class_names)}."
            + (f" Did you mean {near!r}?" if near else " Add it to `class_names`.")
        )
    matrix = [[row.get(name, 0) for name in class_names] for row in counts.values()]
    return list(counts), class_names, np.array(matrix).reshape(-1, len(class_names))
