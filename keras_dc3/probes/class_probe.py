"""Classes from features: a linear map, the least that any training must beat."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import check_same_batch, check_soft_labels
from keras_dc3.metrics.k_means import check_points
from keras_dc3.probes.held_out import Standardization, folds_of
from keras_dc3.probes.logistic import fit_softmax, principal_axes, softmax

PENALTIES = (3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0)


class ClassProbe:
    """Class probabilities by linear maps of features, each blind to a fold of images.

        W_f = argmin sum_i CE(l_i, softmax(x_i W + b)) + penalty / 2 ||W||^2
              over the images i of the other folds
        p(x) = mean_f softmax(x W_f + b_f)

    with features x of mean 0 and deviation 1, and the penalty under which the images
    that were held out have the least cross-entropy. It takes seconds and no luck, so
    that a training on the same features that does worse has been set up badly.

    Args:
        folds: how many; at least 2.
        seed: of the division into folds; an integer of at least 0.

    Attributes:
        penalty: the one chosen.
        held_out: (n, k), for the images of `fit`, by the map that has not seen each.

    Example:

    >>> features, labels = np.random.default_rng(0).normal(size=(40, 3)), np.eye(2)
    >>> labels = labels[(features[:, 0] > 0).astype(int)]
    >>> probe = keras_dc3.probes.ClassProbe().fit(features, labels)
    >>> probe.predict([[2.0, 0.0, 0.0]]).argmax(axis=1)
    array([1])
    """

    def __init__(self, folds: int = 5, seed: int = 0):
        self.folds = folds
        self.seed = seed

    def fit(self, features: ArrayLike, soft_labels: ArrayLike) -> Self:
        """Fits it.

        Args:
            features: float (n, d), finite.
            soft_labels: what people answered, float (n, k), each row sums to 1.

        Raises:
            ValueError: if these are not as described, or fewer images than folds.
        """
        features = check_points("features", features, "images, features")
        check_soft_labels("soft_labels", soft_labels)
        labels = np.asarray(soft_labels, "float64")
        check_same_batch(features=features, soft_labels=labels)
        fold = folds_of(len(labels), self.folds, self.seed)
        self._standardization = Standardization.of(features)
        features = self._standardization.apply(features)
        # Along their axes they are fitted far faster, and no weight is different.
        axes, squares = principal_axes(features)
        inputs, squares = _with_one(features @ axes), np.append(squares, len(features))
        least = np.inf
        for penalty in PENALTIES:
            penalties = np.full(inputs.shape[1], penalty)
            penalties[-1] = 0.0
            maps, held_out = [], np.empty_like(labels)
            for number in range(self.folds):
                seen = fold != number
                maps.append(fit_softmax(inputs[seen], labels[seen], penalties, squares))
                held_out[~seen] = softmax(inputs[~seen] @ maps[-1])
            loss = -(labels * np.log(np.maximum(held_out, 1e-12))).sum()
            if loss >= least:
                break  # the loss has one valley
            least = loss
            self.penalty, self.held_out, found = penalty, held_out, maps
        self._maps = [np.vstack([axes @ one[:-1], one[-1:]]) for one in found]
        return self

    @property
    def mean_map(self) -> np.ndarray:
        """The mean of W_f over b_f, (d + 1, k), for features of mean 0, deviation 1."""
        return np.mean(self._maps, axis=0)

    def predict(self, features: ArrayLike) -> np.ndarray:
        """Returns class probabilities (m, k) of other images.

        Args:
            features: of the same network, float (m, d), finite.

        Raises:
            ValueError: if these are not as described.
        """
        inputs = _with_one(self._standardization.apply(features))
        return np.mean([softmax(inputs @ one) for one in self._maps], axis=0)


def _with_one(inputs: np.ndarray) -> np.ndarray:
    return np.c_[inputs, np.ones(len(inputs))]
