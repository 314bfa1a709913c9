"""What a model would say of the images that it was trained on, had it not seen them.

A model that has learned an answer repeats it. Taken for a voice of its own, the answer
would count twice: it would settle the image, and make its label look surer than it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from keras_dc3._decision import is_certain
from keras_dc3.data import SemiSupervisedData
from keras_dc3.probes import ClassProbe
from keras_dc3.proposals import Proposals

_FOLDS = 5


class Unseen(NamedTuple):
    """Proposals in which no image is judged by its own answers.

    Attributes:
        proposals: for all images.
        unjudged: ids of those of which no model can say anything, as each was trained
            on their answers. Their class probabilities are the shares of the classes.
    """

    proposals: Proposals
    unjudged: tuple[str, ...] = ()

    @property
    def judged(self) -> Proposals:
        """The proposals for the other images."""
        there = set(self.unjudged)
        rows = [i for i, name in enumerate(self.proposals.ids) if name not in there]
        return self.proposals.take(rows)


def as_if_unseen(
    proposals: Proposals,
    data: SemiSupervisedData,
    earlier: Unseen | None = None,
    seed: int = 0,
) -> Unseen:
    """Returns proposals in which no image is judged by its own answers.

    Of labeled images, the class probabilities become those of a linear map of their
    features (`probes.ClassProbe`) that was fitted to the other labeled ones. From
    pixels there are no features that have not seen the answers: then they are those of
    the last model that was trained before an image was answered, or where there is
    none, the shares of the classes among all labeled images, which is to say nothing of
    the image. As before, an image is certain where its class is as probable as that of
    the least probable one of the others that the model calls certain.

    Args:
        proposals: of the model, for the labeled images and others.
        data: that it was trained on.
        earlier: of the round before, of the same classes; None in the first one.
        seed: of the division into folds.
    """
    known = [proposals.row_of[name] for name in data.labeled.ids]
    labels = data.labels
    if labels.ndim == 1:
        labels = np.eye(data.num_classes)[labels]
    p = proposals.class_probabilities.copy()
    p[known], unjudged = _held_out(data, np.asarray(labels, "float64"), earlier, seed)
    confidence, ambiguity = p.max(axis=1), proposals.ambiguity.copy()
    others = np.ones(len(p), bool)
    others[known] = False
    certain = others & is_certain(ambiguity)
    least = confidence[certain].min() if certain.any() else np.inf
    ambiguity[known] = _ambiguity(confidence[known], least)
    made = Proposals.from_columns(
        proposals.ids,
        ambiguity,
        p,
        proposals.cluster,
        proposals.cluster_probability,
        proposals.class_names,
        embeddings=proposals.embeddings,
        verdict=proposals.verdict,
    )
    return Unseen(made, unjudged)


def _held_out(
    data: SemiSupervisedData, labels: np.ndarray, earlier: Unseen | None, seed: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns class probabilities (n, k) of the labeled images, each unseen.

    And the ids of those of which nothing is known.
    """
    if data.labeled.holds_features and len(labels) >= 2 * _FOLDS:
        features = np.concatenate(list(data.labeled.image_batches(4096)))
        return ClassProbe(_FOLDS, seed).fit(features, labels).held_out, ()
    shares = labels.sum(axis=0) + 1
    p = np.tile(shares / shares.sum(), (len(labels), 1))
    if earlier is None:
        return p, tuple(data.labeled.ids)
    judged, unjudged = earlier.judged, []
    for row, name in enumerate(data.labeled.ids):
        if name in judged.row_of:
            p[row] = judged.class_probabilities[judged.row_of[name]]
        else:
            unjudged.append(name)
    return p, tuple(unjudged)


def _ambiguity(confidence: np.ndarray, least: float) -> np.ndarray:
    """Returns p_a, below 0.5 where the confidence is at least `least`."""
    if not np.isfinite(least):  # the model calls no image certain
        return 1 - 0.5 * confidence
    certain = 0.5 * (1 - confidence) / max(1 - least, 1e-9)
    ambiguous = 0.5 + 0.5 * (least - confidence) / least
    below = np.nextafter(0.5, 0)
    return np.where(confidence >= least, certain.clip(0, below), ambiguous.clip(0.5, 1))
