"""Scores as functions of how often each image counts, to resample images.

Everywhere `weights` is (n, b): how often each of n images counts in each of b
resamples. A score of them is (b,), NaN where a resample has nothing to compute it from.
Weights of one give the score itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keras_dc3._ties import equal_shares
from keras_dc3._validation import (
    check_class_labels,
    check_indices,
    check_soft_labels,
)


class Truth(NamedTuple):
    """True classes of n images: image[j] belongs to class label[j] by share[j].

    An image has one entry of share 1, or 1 / m for each of m classes that tie.
    """

    image: np.ndarray
    label: np.ndarray
    share: np.ndarray
    images: int

    @classmethod
    def of(cls, name: str, values: Any, num_classes: int | None = None) -> Truth:
        """Returns the truth of true classes, int (n,), or of soft labels (n, k).

        Raises:
            ValueError: if they are neither, or not of `num_classes` classes.
        """
        shape = np.shape(values)
        if len(shape) == 2 and num_classes not in (None, shape[1]):
            raise ValueError(
                f"`{name}` must be integers, shape (images,), or soft labels, shape "
                f"(images, {num_classes}), one column per class. Received: shape "
                f"{shape}"
            )
        if np.ndim(values) != 2 or not np.size(values):
            values = np.zeros(0, "int64") if np.ndim(values) == 2 else values
            labels = check_indices(name, values)
            if num_classes is not None:
                check_class_labels(name, labels, num_classes)
            n = len(labels)
            return cls(np.arange(n), labels, np.ones(n), n)
        check_soft_labels(name, values)
        shares = equal_shares(values)
        image, label = np.nonzero(shares)
        return cls(image, label, shares[image, label], len(shares))

    def credit(self, predicted: np.ndarray) -> np.ndarray:
        """Returns (n,), how right each prediction is: 1, 0, or 1 / m where m tie."""
        right = self.label == predicted[self.image]
        return np.bincount(
            self.image[right], weights=self.share[right], minlength=self.images
        )

    def totals(self) -> np.ndarray:
        """Returns (at most k,), the number of images of each class."""
        return np.bincount(self.label, weights=self.share)


class _Groups:
    """Sums of rows by the number of their group."""

    def __init__(self, numbers: np.ndarray):
        self.order = np.argsort(numbers, kind="stable")
        self.found, self._starts = np.unique(numbers[self.order], return_index=True)

    def sums(self, ordered: np.ndarray) -> np.ndarray:
        """Returns (groups, b) of rows (m, b) in the order `order`."""
        if not len(self.found):
            return np.zeros((0, ordered.shape[1]))
        return np.add.reduceat(ordered, self._starts, axis=0)


class F1:
    """`weighted_f1`, of resamples."""

    def __init__(self, truth: Truth, predicted: np.ndarray):
        self._of_truth, self._of_predicted = _Groups(truth.label), _Groups(predicted)
        order = self._of_truth.order
        self._image = truth.image[order]
        self._share = truth.share[order][:, None]
        self._right = (truth.label == predicted[truth.image])[order][:, None]
        _, self._mine, self._theirs = np.intersect1d(
            self._of_truth.found, self._of_predicted.found, return_indices=True
        )

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        shares = weights[self._image] * self._share
        support = self._of_truth.sums(shares)
        correct = self._of_truth.sums(shares * self._right)
        predicted = np.zeros_like(support)
        given = self._of_predicted.sums(weights[self._of_predicted.order])
        predicted[self._mine] = given[self._theirs]
        # 2 TP + FP + FN = support + predicted
        f1 = 2.0 * correct / np.maximum(support + predicted, 1e-12)
        return _ratio((support * f1).sum(axis=0), support.sum(axis=0))


class AreaUnderROC:
    """`area_under_roc`, of resamples."""

    def __init__(self, scores: np.ndarray, positives: np.ndarray):
        order = np.argsort(scores, kind="stable")
        ordered, positive = scores[order], positives[order]
        negatives = ordered[~positive]
        self._positive, self._negative = order[positive], order[~positive]
        # Of each positive: how many negatives lie below it, and how many not above.
        self._below = np.searchsorted(negatives, ordered[positive], "left")
        self._level = np.searchsorted(negatives, ordered[positive], "right")
        self._ties = bool((self._below != self._level).any())

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        positive = weights[self._positive]
        number = np.zeros((len(self._negative) + 1, weights.shape[1]), weights.dtype)
        np.cumsum(weights[self._negative], axis=0, out=number[1:])
        below = number[self._below]
        if self._ties:
            below = (below + number[self._level]) / 2
        won = np.einsum("ij,ij->j", positive, below)
        return _ratio(won, positive.sum(axis=0) * number[-1])


class InnerDistance:
    """`mean_inner_distance` and `size_weighted_inner_distance`, of resamples."""

    def __init__(self, labels: np.ndarray, clusters: np.ndarray):
        groups = _Groups(clusters)
        self._parts = [
            (rows, labels[rows], (labels[rows] ** 2).sum(axis=1)[:, None])
            for rows in np.split(groups.order, groups._starts[1:])
            if rows.size
        ]

    def __call__(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns d with each cluster weighing the same, and by its size."""
        zeros = np.zeros((4, weights.shape[1]))
        means, clusters, sums, images = zeros
        for rows, labels, squares in self._parts:
            counted = weights[rows]
            size = counted.sum(axis=0)
            centroids = (labels.T @ counted) / np.maximum(size, 1e-12)
            # |l - mu|^2 = |l|^2 - 2 l mu + |mu|^2
            distances = (centroids**2).sum(axis=0) + squares - 2 * labels @ centroids
            total = (counted * np.sqrt(np.maximum(distances, 0.0))).sum(axis=0)
            means += total / np.maximum(size, 1e-12)
            clusters += size > 0
            sums += total
            images += size
        return _ratio(means, clusters), _ratio(sums, images)


def surest(order: np.ndarray, weights: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Returns the weights (n, b) of the first `number` (b,) images in an order.

    Args:
        order: (n,) positions, the surest image first.
    """
    ordered = weights[order]
    before = np.cumsum(ordered, axis=0) - ordered
    chosen = np.empty_like(ordered)
    chosen[order] = np.clip(number - before, 0.0, ordered)
    return chosen


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    known = below > 0
    return np.where(known, above / np.where(known, below, 1.0), np.nan)
