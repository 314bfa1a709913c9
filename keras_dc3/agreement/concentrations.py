"""What is believed of people's answers, where images differ in how much people differ.

NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dc3.proposals.belief import log_gamma

_WEIGHTS = 2.0 ** np.arange(-8, 7)
_PREFERENCE = np.exp(-0.5 * (np.log2(_WEIGHTS) / 3) ** 2)
_AS_IMAGES = 5  # which the preference weighs
_STEPS, _STILL = 1000, 1e-7  # steps of a fit at most; shares that no longer change


@dataclass(frozen=True)
class Moments:
    """What is believed of n images.

    Attributes:
        label: (n, k), the mean of the belief, the best guess of people's answers.
        error: (n,), expected squared distance of people's answers l to it,
            E|l - label|^2.
        gain: (n,), by how much one more answer is expected to lower the error. As the
            label after the answer has the label before as its mean, this is the
            expected squared distance between both.
    """

    label: np.ndarray
    error: np.ndarray
    gain: np.ndarray


class Concentrations:
    """Dirichlet-multinomial beliefs with a mixture of concentrations.

    The distribution l of people's answers to an image is taken to be drawn from

        sum_g pi_g Dirichlet(w_g p)

    with p the prior mean of the image: a small w_g is of images on which people agree,
    though nobody knows on what, a large one of images on which they differ as p says.
    The shares pi are those that explain the answers best, over images with two answers
    or more, by expectation and maximization; the images that the preference for w near
    1 counts as are five. Given answers x, t of them,

        p(x | g) = G(w_g) / G(w_g + t) prod_c G(w_g p_c + x_c) / G(w_g p_c)

    G the gamma function, and component g with A_g = w_g + t has the mean
    m_g = (w_g p + x) / A_g, E|l - m_g|^2 = (1 - |m_g|^2) / (A_g + 1).

    Args:
        prior: (n, k) above 0, rows sum to 1.
        counts: (n, k) answers, whole or not.
        given: (n, k), these answers as people gave them, by which the chances of the
            concentrations are found; None: `counts`. Corrected counts have shares in
            classes that nobody named, which would be taken for people who differ.
    """

    def __init__(
        self, prior: np.ndarray, counts: np.ndarray, given: np.ndarray | None = None
    ):
        self.prior, self.counts = prior, counts
        self.total = counts.sum(axis=1)
        given = counts if given is None else given
        self.several = given.sum(axis=1) > 1
        self._evidence = _log_evidence(prior, given)
        self._products = [
            np.einsum("ij,ij->i", a, b)
            for a, b in ((prior, prior), (prior, counts), (counts, counts))
        ]
        best = self._evidence.max(axis=1, keepdims=True)
        self._likelihood = np.exp(self._evidence - best)

    def fit(
        self,
        weights: np.ndarray | None = None,
        start: np.ndarray | None = None,
        steps: int = _STEPS,
    ) -> np.ndarray:
        """Returns pi, the share of each concentration.

        Args:
            weights: (n,), how often each image counts; None: once.
            start: pi to start from.
            steps: of expectation and maximization.
        """
        preference = _PREFERENCE / _PREFERENCE.sum()
        likely = self._likelihood[self.several]
        number = np.ones(len(likely)) if weights is None else weights[self.several]
        share = preference if start is None else start
        for _ in range(steps if len(likely) else 0):
            of = number / (likely @ share)
            found = share * (of @ likely)
            before = share
            share = (found + _AS_IMAGES * preference) / (number.sum() + _AS_IMAGES)
            if np.abs(share - before).max() < _STILL:
                break
        return share

    def moments(self, share: np.ndarray) -> Moments:
        """Returns what is believed at shares pi of the concentrations."""
        p, x = self.prior, self.counts
        size = _WEIGHTS + self.total[:, None]
        chance = self._chances(share)

        def mean(of: np.ndarray) -> np.ndarray:
            return (chance * of).sum(axis=1, keepdims=True)

        label = mean(_WEIGHTS / size) * p + mean(1 / size) * x
        pp, px, xx = (product[:, None] for product in self._products)
        squares = (_WEIGHTS**2 * pp + 2 * _WEIGHTS * px + xx) / size**2
        label_square = np.einsum("ij,ij->i", label, label)
        error = mean((1 - squares) / (size + 1) + squares)[:, 0] - label_square
        # After an answer c the label is a p + b (x + e_c), with a and b (n, k) means
        # over the components as they are believed in after it.
        both = size * (size + 1)
        ww, w, one = (mean(_WEIGHTS**power / both) for power in (2, 1, 0))
        a, b = (ww * p + w * x) / label, (w * p + one * x) / label
        after = a**2 * pp + b**2 * (xx + 1 + 2 * x) + 2 * a * b * (px + p)
        gain = (label * after).sum(axis=1) - label_square
        return Moments(label, error.clip(0.0), gain.clip(0.0))

    def drawn(self, share: np.ndarray, column: np.ndarray, draws: int, seed: int):
        """Returns draws (draws, n) of what people answer: the share of one class each.

        Of component g, the share of class c is Beta(w_g p_c + x_c, A_g less that).

        Args:
            share: pi.
            column: (n,) the class of each image.
            draws: how many.
            seed: of these.
        """
        rng, rows = np.random.default_rng(seed), np.arange(len(column))
        until = np.cumsum(self._chances(share), axis=1)
        group = (rng.random((draws, len(column), 1)) > until[:, :-1]).sum(axis=2)
        weight = _WEIGHTS[group]
        own = weight * self.prior[rows, column] + self.counts[rows, column]
        return rng.beta(own, weight + self.total - own)

    def held_out(self, share: np.ndarray) -> np.ndarray:
        """Returns (n, k), what a label gives to an answer that it has not seen.

        That is, the label made of all answers but one, at the class of that one; NaN
        where there is no such answer. With R the chances of the components given all
        answers, it is 1 / sum_g R_g (A_g - 1) / (w_g p_c + x_c - 1).
        """
        found = np.full(self.counts.shape, np.nan)
        rows, columns = np.nonzero(self.counts >= 1)
        others = self.counts[rows, columns][:, None] - 1
        given = _WEIGHTS * self.prior[rows, columns][:, None] + others
        size = _WEIGHTS + self.total[rows][:, None] - 1
        chance = self._chances(share)[rows]
        found[rows, columns] = 1 / (chance * size / given).sum(axis=1)
        return found

    def _chances(self, share: np.ndarray) -> np.ndarray:
        chance = self._likelihood * share
        return chance / chance.sum(axis=1, keepdims=True)


def _log_evidence(prior: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """ln of the probability of the answers to each image, (n, g)."""
    rows, columns = np.nonzero(counts)
    p, x = prior[rows, columns], counts[rows, columns]
    total = counts.sum(axis=1)
    found = np.empty((len(prior), len(_WEIGHTS)))
    for g, w in enumerate(_WEIGHTS):
        rising = log_gamma(w * p + x) - log_gamma(w * p)
        found[:, g] = np.bincount(rows, rising, minlength=len(prior))
        found[:, g] += log_gamma(np.array([w])) - log_gamma(w + total)
    return found
