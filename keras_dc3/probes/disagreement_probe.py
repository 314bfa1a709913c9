"""How much people will disagree on an image, learned from where they did."""

from __future__ import annotations

import warnings
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import check_counts, check_same_batch
from keras_dc3.annotations import disagreement
from keras_dc3.layers.disagreement_head import LEAST_SHARE
from keras_dc3.metrics.k_means import check_points
from keras_dc3.probes.class_probe import ClassProbe
from keras_dc3.probes.held_out import Standardization, folds_of
from keras_dc3.probes.logistic import fit_logistic, sigmoid

# Before any answer is known, all features together move the logit by a normal deviation
# of 1/2. Choosing this by images that are held out was worse on CIFAR-10H, as pairs
# of answers tell too little of it.
_PENALTY = 4.0
_OF_CLASSES = 0.1  # the penalty of 1 - max p and sqrt(p), to that of a feature
_SLOPE, _OF_SLOPE = 0.5, 16.0  # where b begins, and its penalty
LEAST_IMAGES = 20  # with two answers or more


class DisagreementCoefficients(NamedTuple):
    """What a `DisagreementProbe` has found, as `layers.DisagreementHead` takes it.

    Attributes:
        mean: of the features, (d,).
        deviation: of the features, (d,).
        class_kernel: W, (d, k), the mean of the maps of the `ClassProbe`.
        class_bias: c, (k,), likewise.
        of_classes: a, b, then v, (3 + k,).
        kernel: w, (d,).

    Example:

    >>> features = np.random.default_rng(0).normal(size=(40, 3))
    >>> probe = keras_dc3.probes.DisagreementProbe().fit(features, [[2, 1]] * 40)
    >>> found = probe.coefficients
    >>> found.class_kernel.shape, found.of_classes.shape, found.kernel.shape
    ((3, 2), (5,), (3,))
    """

    mean: np.ndarray
    deviation: np.ndarray
    class_kernel: np.ndarray
    class_bias: np.ndarray
    of_classes: np.ndarray
    kernel: np.ndarray


class DisagreementProbe:
    """Expects how often two people will give an image different classes.

        t_i  = 1 - sum_c n_ic (n_ic - 1) / (n_i (n_i - 1))
        s(x) = sigmoid(a + b logit(g(p(x))) + v . (1 - max p(x), sqrt(p(x))) + w . x)

    with n_ic answers of class c to image i, t_i the share of pairs of its answers that
    differ, p the class probabilities of a `ClassProbe`, g = 1 - sum_c p_c^2 the share
    of pairs that differ if people answer by p, and d features x with mean 0 and
    deviation 1. s is fitted to t by cross-entropy, an image weighing 1 - 1 / n_i,
    **on class probabilities of maps that have not seen the image**: those that have are
    too sure of it. Penalties 8 (b - 1/2)^2, 2 d ||w||^2 and 0.2 d ||v||^2 let it begin
    as a function of g, and depart as far as answers tell.

    What people disagree about is not what a model is unsure of: an image may be hard
    for the model and plain to people. To decide which classes to take unseen, ask the
    model (`Proposals.ambiguity`); to decide which images need several answers, this.

    Args:
        folds: of the images, of which each is held out once; at least 2.
        seed: of the division into folds; an integer of at least 0.

    Attributes:
        explained: how much better than their mean it tells the disagreement of images
            that were held out: 1 - deviance / deviance of the mean; 1 is perfect.
            Where it is 0 or less, `fit` warns, and s is a function of g alone.
        explained_error: the standard error of `explained`, over images.
        mean: t, on average.
        class_probe: the `ClassProbe`.

    Example:

    >>> features = np.random.default_rng(0).normal(size=(200, 3))
    >>> unclear = np.abs(features[:, 0]) < 0.5
    >>> counts = np.where(unclear[:, None], [[2, 2]], [[4, 0]])
    >>> probe = keras_dc3.probes.DisagreementProbe().fit(features, counts)
    >>> probe.predict([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]]).shape
    (2,)
    """

    def __init__(self, folds: int = 5, seed: int = 0):
        self.folds = folds
        self.seed = seed

    def fit(self, features: ArrayLike, counts: ArrayLike) -> Self:
        """Fits it to the images that have several answers.

        Args:
            features: what a network sees in the images, float (n, d), finite.
            counts: how many people chose which class, (n, k). Images of one answer, and
                of shares instead of numbers, take part in the classes alone; those of
                no answer in nothing.

        Raises:
            ValueError: if these are not as described, or fewer than 20 images have
                two answers or more.
        """
        features = check_points("features", features, "images, features")
        counts = check_counts("counts", counts)
        check_same_batch(features=features, counts=counts)
        asked = counts.sum(axis=1)
        features, counts, asked = (a[asked > 0] for a in (features, counts, asked))
        differ = disagreement(counts)
        several = ~np.isnan(differ)
        if several.sum() < LEAST_IMAGES:
            raise ValueError(
                "Disagreement is learned from images with two answers or more, at "
                f"least {LEAST_IMAGES} of them. Received: {int(several.sum())} in "
                f"{len(asked)} images (shares do not tell how many people answered)."
            )
        self.class_probe = ClassProbe(self.folds, self.seed)
        self.class_probe.fit(features, counts / asked[:, None])
        self._standardization = Standardization.of(features)
        targets, weights = differ[several], (1 - 1 / asked)[several]
        self.mean = float(np.average(targets, weights=weights))
        inputs = self._inputs(features, self.class_probe.held_out)[several]
        self._learn(inputs, targets, weights, features.shape[1])
        if self.explained <= 0:
            warnings.warn(
                f"Where people disagree was not learned from {len(targets)} images "
                "with several answers: of images that were held out, their mean of "
                f"{self.mean:.2f} tells as much. What is expected follows the class "
                "probabilities alone.",
                stacklevel=2,
            )
        return self

    def predict(self, features: ArrayLike) -> np.ndarray:
        """Returns the expected share of pairs of answers that differ, (m,), in [0, 1].

        Arguments and errors are those of `ClassProbe.predict`.
        """
        inputs = self._inputs(features, self.class_probe.predict(features))
        return sigmoid(inputs[:, : len(self._found)] @ self._found)

    @property
    def coefficients(self) -> DisagreementCoefficients:
        """What was found: a, b, v, w of the equation, and the map of classes."""
        mean, deviation = self._standardization
        maps = self.class_probe.mean_map
        k = maps.shape[1]
        found = np.zeros(3 + k + len(mean))
        found[: len(self._found)] = self._found
        return DisagreementCoefficients(
            mean, deviation, maps[:-1], maps[-1], found[: 3 + k], found[3 + k :]
        )

    def _inputs(self, features: ArrayLike, classes: np.ndarray) -> np.ndarray:
        """Returns 1, logit(g), then 1 - max p and sqrt(p), then x, of each image."""
        share = np.clip(1 - (classes**2).sum(axis=1), LEAST_SHARE, 1 - LEAST_SHARE)
        return np.c_[
            np.ones(len(classes)),
            np.log(share / (1 - share)),
            1 - classes.max(axis=1),
            np.sqrt(classes),
            self._standardization.apply(features),
        ]

    def _learn(
        self, inputs: np.ndarray, targets: np.ndarray, weights: np.ndarray, d: int
    ) -> None:
        """Finds the coefficients, and what they explain of images held out."""
        few = inputs.shape[1] - d
        penalties = np.full(inputs.shape[1], _PENALTY * d)
        penalties[:few] *= _OF_CLASSES
        penalties[:2] = 0.0, _OF_SLOPE
        prior = np.zeros(inputs.shape[1])
        prior[1] = _SLOPE
        fold = folds_of(len(targets), self.folds, self.seed)
        expected = np.empty(len(targets))
        for number in range(self.folds):
            seen = fold != number
            found = fit_logistic(
                inputs[seen], targets[seen], penalties, weights[seen], prior
            )
            expected[~seen] = sigmoid(inputs[~seen] @ found)
        constant = _deviances(np.full(len(targets), self.mean), targets, weights)
        gains = constant - _deviances(expected, targets, weights)
        total = constant.sum()
        self.explained = float(gains.sum() / total) if total else 0.0
        deviation = np.sqrt(len(gains)) * gains.std(ddof=1)
        self.explained_error = float(deviation / total) if total else 0.0
        if self.explained <= 0:
            inputs, penalties, prior = inputs[:, :2], penalties[:2], prior[:2]
        self._found = fit_logistic(inputs, targets, penalties, weights, prior)


def _deviances(
    expected: np.ndarray, targets: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Returns of each image how much worse it is told than it could be, (n,)."""
    expected = np.clip(expected, 1e-9, 1 - 1e-9)
    losses = targets * np.log(expected) + (1 - targets) * np.log1p(-expected)
    least = [
        np.where(t > 0, t * np.log(np.where(t > 0, t, 1)), 0)
        for t in (targets, 1 - targets)
    ]
    return weights * (sum(least) - losses)
