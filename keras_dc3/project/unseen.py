"""What a model would say of the images that it was trained on, had it not seen them.

A model that has learned an answer repeats it. Taken for a voice of its own, the answer
would count twice: it would settle the image, and make its label look surer than it is.
"""

from __future__ import annotations

import numpy as np

from keras_dc3._decision import is_certain
from keras_dc3.data import SemiSupervisedData
from keras_dc3.probes import ClassProbe
from keras_dc3.proposals import Proposals

_FOLDS = 5


def as_if_unseen(
    proposals: Proposals, data: SemiSupervisedData, seed: int = 0
) -> Proposals:
    """Returns proposals in which no image is judged by its own answers.

    Of labeled images, the class probabilities become those of a linear map of their
    features (`probes.ClassProbe`) that was fitted to the other labeled ones. From
    pixels there are no features that have not seen the answers: then they are the
    shares of the classes among all labeled images, which is to say nothing of the
    image. As before, an image is certain where its class is as probable as that of the
    least probable one of the others that the model calls certain.

    Args:
        proposals: of the model, for the labeled images and others.
        data: that it was trained on.
        seed: of the division into folds.
    """
    known = [proposals.row_of[name] for name in data.labeled.ids]
    labels = data.labels
    if labels.ndim == 1:
        labels = np.eye(data.num_classes)[labels]
    p = proposals.class_probabilities.copy()
    p[known] = _held_out(data, np.asarray(labels, "float64"), seed)
    confidence, ambiguity = p.max(axis=1), proposals.ambiguity.copy()
    others = np.ones(len(p), bool)
    others[known] = False
    certain = others & is_certain(ambiguity)
    least = confidence[certain].min() if certain.any() else np.inf
    ambiguity[known] = _ambiguity(confidence[known], least)
    return Proposals.from_columns(
        proposals.ids,
        ambiguity,
        p,
        proposals.cluster,
        proposals.cluster_probability,
        proposals.class_names,
        embeddings=proposals.embeddings,
        verdict=proposals.verdict,
    )


def _held_out(data: SemiSupervisedData, labels: np.ndarray, seed: int) -> np.ndarray:
    """Returns class probabilities (n, k) of the labeled images, each unseen."""
    if data.labeled.holds_features and len(labels) >= 2 * _FOLDS:
        features = np.concatenate(list(data.labeled.image_batches(4096)))
        return ClassProbe(_FOLDS, seed).fit(features, labels).held_out
    shares = labels.sum(axis=0) + 1
    return np.broadcast_to(shares / shares.sum(), labels.shape)


def _ambiguity(confidence: np.ndarray, least: float) -> np.ndarray:
    """Returns p_a, below 0.5 where the confidence is at least `least`."""
    if not np.isfinite(least):  # the model calls no image certain
        return 1 - 0.5 * confidence
    certain = 0.5 * (1 - confidence) / max(1 - least, 1e-9)
    ambiguous = 0.5 + 0.5 * (least - confidence) / least
    below = np.nextafter(0.5, 0)
    return np.where(confidence >= least, certain.clip(0, below), ambiguous.clip(0.5, 1))
