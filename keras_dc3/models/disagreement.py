"""What a model learns of people's disagreement, after a `fit` on several answers."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_dc3._text import number_of
from keras_dc3.annotations import disagreement
from keras_dc3.models.evaluation import infer
from keras_dc3.models.proposing import with_features
from keras_dc3.probes import DisagreementProbe
from keras_dc3.probes.disagreement_probe import LEAST_IMAGES

_BATCH = 64  # images of a pass
_MOST_IMAGES = 4000  # more take minutes, and tell little more
_SURE = 1.645  # standard errors: by chance, one of 20 times


def learn(model: Any, data: Any) -> str | None:
    """Lets the `DisagreementHead` of a trained model learn from labeled images.

    It learns from features of the images and from the answers to them, where the labels
    that were trained on are those answers: soft labels, of at least 20 images with two
    answers or more, and of 4,000 of them at most, drawn at random; and only if it tells
    more of images held out than chance would. The features are those of the network
    that nothing trains, where there is one: they still hold what does not tell classes
    apart.

    Args:
        model: a trained `DC3Model`.
        data: what it was trained on.

    Returns:
        What to tell; None where there is nothing to learn from.
    """
    labeled, labels = getattr(data, "labeled", None), getattr(data, "labels", None)
    head = model.network.disagreement_head
    if head is None or not model.config.predicts_ambiguity or np.ndim(labels) != 2:
        return None
    if not getattr(labeled, "has_counts", False):
        return None
    several = np.flatnonzero(np.isfinite(disagreement(labeled.counts)))
    if len(several) < LEAST_IMAGES:
        return None
    rows = np.random.default_rng(0).permutation(several)[:_MOST_IMAGES]
    labeled = labeled.subset(np.sort(rows))
    counts, number = np.asarray(labeled.counts, "float64"), len(labeled)
    features = np.concatenate(list(_features(model, labeled)))
    if not np.isfinite(features).all():
        return None  # the training has diverged, which is told
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # said below
        probe = DisagreementProbe().fit(features, counts)
    if probe.explained <= _SURE * probe.explained_error:
        return (
            f"The answers to {number_of(number, 'labeled image')} do not tell on which "
            "images people disagree: p_a follows what the model is unsure of."
        )
    head.learn(probe.coefficients)
    return (
        f"Learned from the answers to {number_of(number, 'labeled image')} on which "
        "images people disagree (tried on images held out, it tells "
        f"{probe.explained:.0%} of that; 0% is chance). As before, an image is certain "
        "where p_a is below 0.5; on each side of 0.5, p_a now rises with the chance "
        "that two people answer differently."
    )


def forget(model: Any) -> None:
    """Takes back what was learned, as what the heads see is about to change."""
    head = model.network.disagreement_head
    if head is not None:
        head.forget()


def _features(model: Any, part: Any) -> Iterator[np.ndarray]:
    of_images = with_features(model, "frozen_features")
    for images in part.image_batches(_BATCH):
        yield infer(of_images, images, _BATCH)["features"]
