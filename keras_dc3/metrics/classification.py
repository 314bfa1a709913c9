"""Scores of classes and of orderings, in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import (
    check_class_labels,
    check_distributions,
    check_indices,
    check_positive_int,
    check_probability,
    check_same_batch,
)
from keras_dc3.metrics.image_weights import F1, Truth


def weighted_f1(y_true: ArrayLike, y_pred: ArrayLike, num_classes: int) -> float:
    """Computes the F1 score averaged over classes by their number of images.

        F1 = sum_c n_c / n * 2 TP_c / (2 TP_c + FP_c + FN_c)

    n_c is the number of images that truly belong to class c. Equal to scikit-learn's
    `f1_score(y_true, y_pred, average="weighted", zero_division=0)`.

    Of soft labels the class with the largest is the true one. Where m classes tie, the
    image belongs to each of them by 1 / m, in n_c, TP and FN alike; no class is
    preferred by its place.

    Args:
        y_true: true classes, int (n,), in 0..num_classes - 1; or soft labels, float
            (n, num_classes), each row sums to 1.
        y_pred: predicted classes, int (n,), in 0..num_classes - 1.
        num_classes: k.

    Returns:
        F1 in [0, 1], larger is better. NaN without any image.

    Raises:
        ValueError: if the classes are not integers in that range, or their lengths
            differ.

    Example:

    >>> f1 = keras_dc3.metrics.weighted_f1([0, 0, 1], [0, 1, 1], num_classes=2)
    >>> round(f1, 4)
    0.6667
    """
    check_positive_int("num_classes", num_classes)
    truth = Truth.of("y_true", y_true, num_classes)
    y_pred = check_indices("y_pred", y_pred)
    check_same_batch(y_true=np.asarray(y_true), y_pred=y_pred)
    check_class_labels("y_pred", y_pred, num_classes)
    return float(F1(truth, y_pred)(np.ones((truth.images, 1)))[0])


def area_under_roc(scores: ArrayLike, positives: ArrayLike) -> float:
    """Computes how well scores order positives before negatives.

    This is the probability that a random positive has a larger score than a random
    negative, ties counting half (Mann-Whitney U / (positives * negatives)).

    Args:
        scores: float (n,), finite; larger means rather positive.
        positives: bool (n,), or 0 and 1.

    Returns:
        The area in [0, 1]: 1 is a perfect order, 0.5 what chance gives, 0 the reverse
        order. NaN where all images are positive or none is.

    Raises:
        ValueError: for wrong shapes, scores that are not finite, or `positives` that
            are not true or false.

    Example:

    >>> keras_dc3.metrics.area_under_roc([0.9, 0.8, 0.3], [True, False, False])
    1.0
    """
    scores, positives = np.asarray(scores), np.asarray(positives)
    if scores.ndim != 1 or (scores.size and scores.dtype.kind not in "biuf"):
        raise ValueError(
            "`scores` must be numbers, shape (images,). Received: shape "
            f"{scores.shape}, dtype {scores.dtype}"
        )
    scores = scores.astype("float64")
    if not np.isfinite(scores).all():
        position = int(np.argmin(np.isfinite(scores)))
        raise ValueError(
            "`scores` must be finite; remove or repair the image. Received: "
            f"{scores[position]} at position {position}"
        )
    if positives.ndim != 1 or not np.isin(positives, (0, 1)).all():
        raise ValueError(
            "`positives` must be true or false for each image, shape (images,). "
            f"Received: shape {positives.shape}, dtype {positives.dtype}"
        )
    check_same_batch(scores=scores, positives=positives)
    positives = positives.astype(bool)
    positive, negative = int(positives.sum()), int((~positives).sum())
    if not positive or not negative:
        return float("nan")
    _, value_of, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[value_of]  # mean rank among ties
    u = ranks[positives].sum() - positive * (positive + 1) / 2
    return float(u / (positive * negative))


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """Returns -sum_c p ln p of each row, (n, k) -> (n,), in nats, 0 to ln k."""
    logarithms = np.log(np.where(probabilities > 0, probabilities, 1.0))
    return np.abs((probabilities * logarithms).sum(axis=1))


def f1_of_most_confident(
    majority: ArrayLike, class_probabilities: ArrayLike, coverage: float
) -> float:
    """Computes the weighted F1 score on a model's most confident images.

    This is the confidence baseline: what plain softmax confidence reaches at the same
    coverage as an ambiguity prediction. Confidence is max p_n; among equal ones the
    smaller entropy counts as more confident, then the earlier image.

    Args:
        majority: the class most people chose, int (n,), in 0..k - 1; or soft labels
            (n, k), in which ties count as in `weighted_f1`.
        class_probabilities: p_n, float (n, k), each row sums to 1.
        coverage: fraction of the images to keep, in [0, 1]; `round(coverage * n)`
            images are scored.

    Returns:
        F1 in [0, 1], larger is better. NaN if no image is kept.

    Raises:
        ValueError: if an argument is not as described, or lengths differ.

    Example:

    >>> keras_dc3.metrics.f1_of_most_confident(
    ...     [0, 1, 1], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], coverage=2 / 3
    ... )
    1.0
    """
    probabilities = check_distributions("class_probabilities", class_probabilities)
    check_probability("coverage", coverage)
    truth = Truth.of("majority", majority, probabilities.shape[1])
    check_same_batch(majority=np.asarray(majority), class_probabilities=probabilities)
    kept = np.zeros((truth.images, 1))
    kept[most_confident(probabilities)[: round(coverage * truth.images)]] = 1.0
    return float(F1(truth, probabilities.argmax(axis=1))(kept)[0])


def most_confident(probabilities: np.ndarray) -> np.ndarray:
    """Returns the positions (n,) of (n, k), the most confident image first."""
    return np.lexsort((entropy(probabilities), -probabilities.max(axis=1)))


def constant_majority_f1(majority: ArrayLike) -> float:
    """Computes the weighted F1 score of always answering the most frequent class.

    With s the share of that class it is s * 2 s / (1 + s): 0.80 where 86% of the
    images are of one class. A model that is not above it has learned nothing.

    Args:
        majority: the class most people chose, int (n,), at least 0; or soft labels
            (n, k), in which ties count as in `weighted_f1`.

    Returns:
        F1 in [0, 1]. NaN without any image.

    Raises:
        ValueError: if `majority` is not as described.

    Example:

    >>> round(keras_dc3.metrics.constant_majority_f1([0, 0, 0, 1]), 4)
    0.6429
    """
    truth = Truth.of("majority", majority)
    if not truth.images:
        return float("nan")
    share = truth.totals().max() / truth.images
    return float(share * 2 * share / (1 + share))
