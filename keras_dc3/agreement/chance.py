"""Agreement from counts: Krippendorff's alpha, Fleiss' kappa, raw. NumPy only."""

from __future__ import annotations

import numpy as np

from keras_dc3.agreement.estimate import ratio
from keras_dc3.agreement.ordinal import ordinal_alpha


class CountMeasures:
    """Alpha, Fleiss' kappa and raw agreement of images with counts n_c, m in all.

    * alpha, nominal, on images with two or more answers, N in all:
      `1 - (N - 1) sum_i sum_c n_c (m - n_c) / (m - 1) / (N^2 - sum_c N_c^2)`;
      ordinal, see `ordinal_alpha`;
    * Fleiss' kappa, which is defined for one number of answers per image, on the
      images with the number that most images with two or more have (the larger of
      equals);
    * raw: the share of agreeing pairs among all pairs of answers to one image.

    Args:
        counts: (n, k) int64.
        ordinal: whether the classes have an order, for alpha.

    Attributes:
        answered: how many images have an answer.
        several: (n,) bool, images with two or more answers.
        full: (n,) bool, images that Fleiss' kappa is computed on.
        answers: the number of answers of these.
    """

    def __init__(self, counts: np.ndarray, ordinal: bool = False):
        self.ordinal = ordinal
        total = counts.sum(axis=1)
        self.answered = int((total > 0).sum())
        self.several = total >= 2
        sizes = np.bincount(total[self.several], minlength=1)
        self.answers = int(len(sizes) - 1 - np.argmax(sizes[::-1]))
        self.full = self.several & (total == self.answers)
        self.counts = counts * self.several[:, None].astype("float64")
        total = self.counts.sum(axis=1)
        squares = (self.counts**2).sum(axis=1)
        self.disagreed = ratio(total**2 - squares, total - 1)
        self.disagreed[~self.several] = 0.0
        self.agreed, self.pairs = squares - total, total * (total - 1)

    def evaluate(self, weights: np.ndarray) -> np.ndarray:
        """Returns (b, 3): alpha, Fleiss' kappa, raw agreement, for weights (b, n).

        NaN where chance agreement is perfect, one class for all.
        """
        classes = weights @ self.counts
        number = classes.sum(axis=1)
        expected = number**2 - (classes**2).sum(axis=1)
        observed = (number - 1) * (weights @ self.disagreed)
        alpha = 1 - ratio(observed, expected)
        if self.ordinal:
            alpha = ordinal_alpha(self.counts, weights)
        raw = ratio(weights @ self.agreed, weights @ self.pairs)
        full = weights[:, self.full]
        shares = full @ self.counts[self.full]
        shares = ratio(shares, shares.sum(axis=1, keepdims=True))
        chance = (shares**2).sum(axis=1)
        mean = ratio(full @ self.agreed[self.full], full @ self.pairs[self.full])
        room = np.where(1 - chance > 1e-12, 1 - chance, 0.0)
        return np.stack([alpha, ratio(mean - chance, room), raw], axis=1)
