"""What a matrix of annotation counts says. NumPy only.

Everywhere `counts` is (n, k): how many annotators chose each of the k classes for
each of the n images. Fractional weights are allowed; a row of zeros is an image
nobody annotated.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3 import _ties
from keras_dc3._names import composed
from keras_dc3._text import number_of
from keras_dc3._validation import check_counts, check_seed


def is_annotated(counts: ArrayLike) -> np.ndarray:
    """Returns (n,) bool: whether anybody annotated the image.

    Example:

    >>> keras_dc3.annotations.is_annotated([[2, 1], [0, 0]]).tolist()
    [True, False]
    """
    return check_counts("counts", counts).sum(axis=1) > 0


def soft_labels(counts: ArrayLike) -> np.ndarray:
    """Returns (n, k) float32, `counts` divided by their sum over the classes.

    A row is NaN where nobody annotated the image: an unknown label must not pass for
    a distribution.

    Example:

    >>> keras_dc3.annotations.soft_labels([[3, 1], [0, 2]]).tolist()
    [[0.75, 0.25], [0.0, 1.0]]
    """
    counts = check_counts("counts", counts).astype("float64")
    total = counts.sum(axis=1, keepdims=True)
    total[total == 0] = np.nan
    return (counts / total).astype("float32")


def majority(counts: ArrayLike) -> np.ndarray:
    """Returns (n,) int64, the class chosen most often.

    -1 where nobody annotated the image. Where several classes tie (`is_tied`), it is
    the lowest class number, which prefers a class by its place: scores and
    `datasets.describe` therefore count a tie in equal parts (`majority_shares`).

    Example:

    >>> keras_dc3.annotations.majority([[2, 1], [0, 3]]).tolist()
    [0, 1]
    """
    counts = check_counts("counts", counts)
    return np.where(counts.sum(axis=1) > 0, counts.argmax(axis=1), -1)


def is_tied(counts: ArrayLike) -> np.ndarray:
    """Returns (n,) bool: whether several classes were chosen most often, equally.

    Example:

    >>> keras_dc3.annotations.is_tied([[2, 2], [0, 3]]).tolist()
    [True, False]
    """
    return _ties.is_tied(check_counts("counts", counts))


def warn_of_ties(tied: np.ndarray) -> None:
    """Warns the caller of a caller that `majority` prefers a class by its place."""
    if tied.any():
        warnings.warn(
            f"{int(tied.sum()):,} of {len(tied):,} images have a tie: several classes "
            "were chosen equally often, and `majority` is the first of them in the "
            "order of `class_names`. `tied` says which images; `soft_labels` and "
            "`sample_hard_labels(seed)` prefer no class.",
            stacklevel=3,
        )


def majority_shares(counts: ArrayLike) -> np.ndarray:
    """Returns (n, k) float64: 1 for the class chosen most often, 0 for the others.

    Where m classes tie, each of them has 1 / m. Rows of images that nobody annotated
    are 0.

    Example:

    >>> keras_dc3.annotations.majority_shares([[2, 2], [0, 3]]).tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    return _ties.equal_shares(check_counts("counts", counts))


def entropy(counts: ArrayLike) -> np.ndarray:
    """Returns (n,) float32, the entropy of the soft label in nats, 0 to ln k.

    NaN where nobody annotated the image.

    Example:

    >>> keras_dc3.annotations.entropy([[2, 2], [0, 3]]).round(3)
    array([0.693, 0.   ], dtype=float32)
    """
    soft = soft_labels(counts).astype("float64")
    terms = soft * np.log(np.where(soft > 0, soft, 1.0))
    return np.abs(terms.sum(axis=1)).astype("float32")


def is_ambiguous(counts: ArrayLike) -> np.ndarray:
    """Returns (n,) bool: whether more than one class was chosen.

    Example:

    >>> keras_dc3.annotations.is_ambiguous([[2, 1], [0, 3]]).tolist()
    [True, False]
    """
    return (check_counts("counts", counts) > 0).sum(axis=1) > 1


def disagreement(counts: ArrayLike) -> np.ndarray:
    """Returns (n,) float64, the share of pairs of answers to the image that differ.

        1 - sum_c n_c (n_c - 1) / (n (n - 1))

    of n answers, n_c of them of class c. However many there are, it is on average how
    likely two people are to choose different classes; 1 - sum_c (n_c / n)^2 is less of
    it the fewer they are. NaN where there are no two answers, or shares that do not
    tell how many.

    Example:

    >>> keras_dc3.annotations.disagreement([[3, 0], [2, 2], [1, 0]]).round(3)
    array([0.   , 0.667,   nan])
    """
    counts = check_counts("counts", counts)
    asked = counts.sum(axis=1)
    pairs = (counts * (counts - 1)).sum(axis=1) / np.maximum(asked * (asked - 1), 1)
    known = (counts == np.round(counts)).all(axis=1) & (asked >= 2)
    return np.where(known, 1 - pairs, np.nan)


def sample_hard_labels(
    counts: ArrayLike, seed: int | np.random.Generator
) -> np.ndarray:
    """Draws one class per image from its soft label.

    Args:
        counts: (n, k); every row needs at least one annotation.
        seed: integer of at least 0, the same seed gives the same classes; or a
            generator to draw from.

    Returns:
        (n,) int64 in 0..k - 1.

    Raises:
        ValueError: if an image has no annotation.

    Example:

    >>> counts = [[4, 0], [0, 3]]
    >>> keras_dc3.annotations.sample_hard_labels(counts, seed=0).tolist()
    [0, 1]
    """
    counts = check_counts("counts", counts).astype("float64")
    draws = seed
    if not isinstance(draws, np.random.Generator):
        check_seed(seed)
        draws = np.random.default_rng(seed)
    empty = np.flatnonzero(counts.sum(axis=1) == 0)
    if empty.size:
        raise ValueError(
            "A hard label can only be sampled for an annotated image, but "
            f"{number_of(empty.size, 'row')} of `counts` "
            f"{'is' if empty.size == 1 else 'are'} all zero: the first is row "
            f"{empty[0]}. Leave those images unlabeled."
        )
    edges = np.cumsum(counts, axis=1)
    places = draws.random(len(counts)) * edges[:, -1]
    return (places[:, None] >= edges).sum(axis=1)


def in_class_order(
    values: np.ndarray, given: Sequence[str], class_names: Sequence[str]
) -> np.ndarray:
    """Returns values (n, m) of classes in another order, (n, k); 0 for new classes.

    Args:
        values: counts or soft labels; NaN rows stay NaN.
        given: the m names of their columns.
        class_names: the k names in the order wanted.

    Raises:
        ValueError: if a class was chosen that is none of `class_names`.
    """
    given = list(map(composed, given))
    number = {composed(name): column for column, name in enumerate(class_names)}
    chosen = np.nansum(values, axis=0) > 0
    unknown = [
        name
        for name, used in zip(given, chosen, strict=True)
        if used and name not in number
    ]
    if unknown:
        raise ValueError(
            f"The annotations choose {unknown}, which are none of the classes "
            f"{list(class_names)}. Add them to `class_names`, or use "
            "`annotations.rename_classes`."
        )
    ordered = np.zeros((len(values), len(class_names)), values.dtype)
    for column, name in enumerate(given):
        if name in number:
            ordered[:, number[name]] = values[:, column]
    return ordered
