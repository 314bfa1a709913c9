"""Judges whether proposals are of use: takes what a model said, asks five questions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import (
    check_distributions,
    check_names,
    check_probability,
    check_same_batch,
    check_seed,
    check_unit_interval,
)
from keras_dc3.metrics.findings import Verdict
from keras_dc3.metrics.image_weights import Truth
from keras_dc3.metrics.judging import Judge, answered
from keras_dc3.metrics.proposal_scores import (
    check_class_count,
    checked_chosen,
    checked_labels,
)


def verdict(
    soft_labels: ArrayLike,
    class_probabilities: ArrayLike,
    clusters: ArrayLike | None = None,
    ambiguity: ArrayLike | None = None,
    *,
    supervised_probabilities: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    human_threshold: float = 0.8,
    seed: int = 0,
) -> Verdict:
    """Judges from images with known answers whether a model's proposals are of use.

    Five questions, each answered by the difference of two figures of the same images,
    with its 95% interval over the images (not over trainings):

    - `classes`: is the proposed class right more often than the commonest class would
      be, over all images?
    - `certain`: is it right more often for the images called certain (p_a < 0.5) than
      for equally many of which the model is most confident (max p_n)?
    - `ambiguity`: does p_a find what people disagree on: is its area under the ROC
      curve above 0.5?
    - `clusters`: do people's answers differ less within the clusters of the ambiguous
      images than within their predicted classes? More groups always differ less. So
      where there are fewer of the one kind, its groups are cut at random into as many
      as of the other, in proportion to their sizes; five such cuts are averaged. The
      difference is that of d by size (`size_weighted_inner_distance`).
    - `unlabeled`: is the class right more often than that of a model trained on the
      labeled images alone?

    "yes" if the whole interval is above 0, "no" if it is below 0.02 (2 points: that
    much better it surely is not), else "too few images to tell". The interval is a
    paired bootstrap of the difference, widened for few images as by Agresti and Min
    (shares) or Newcombe (area under the ROC curve), see `keras_dc3.metrics.intervals`.
    What was not given is "not measured".

    An image on which m classes tie counts 1 / m right for each of them (`weighted_f1`).

    Args:
        soft_labels: l, what people answered, float (n, k), each row sums to 1; or one
            class per image, int (n,), from which disagreement cannot be measured.
        class_probabilities: p_n, float (n, k), each row sums to 1.
        clusters: p_o, float (n, k'), or the predicted clusters, int (n,); or None.
        ambiguity: p_a, float (n,), in [0, 1]; or None for a model without.
        supervised_probabilities: p_n of a model trained on the labeled images alone
            (`ssl="supervised"`, `DC3Config.vanilla()`), for the same images, float
            (n, k); or None.
        class_names: k names, to name the commonest class; default: its number.
        human_threshold: people disagree on an image if its largest soft label is below
            this, in [0, 1].
        seed: of the resampling and the cuts, an integer of at least 0.

    Returns:
        A `Verdict`: `print` it.

    Raises:
        ValueError: if an argument is not as described, or lengths differ.

    Example:

    >>> classes = [0, 0, 1, 1] * 25
    >>> verdict = keras_dc3.metrics.verdict(classes, np.eye(2)[classes])
    >>> verdict["classes"].answer
    'yes'
    >>> verdict["ambiguity"].answer
    'not measured'
    """
    probabilities = check_distributions("class_probabilities", class_probabilities)
    check_probability("human_threshold", human_threshold)
    check_seed(seed)
    k = probabilities.shape[1]
    names = tuple(map(str, range(k))) if class_names is None else class_names
    names = check_names("class_names", names)
    if len(names) != k:
        raise ValueError(
            "`class_names` must name each column of `class_probabilities`. Received: "
            f"{len(names)} names for {k} columns."
        )
    labels = None
    if np.ndim(soft_labels) == 2:
        labels = checked_labels(soft_labels)
        check_class_count("class_probabilities", probabilities, labels)
    truth = Truth.of("soft_labels", soft_labels, k)
    check_same_batch(
        soft_labels=np.empty(truth.images), class_probabilities=probabilities
    )
    if ambiguity is not None:
        ambiguity = check_unit_interval("ambiguity", ambiguity)
        check_same_batch(class_probabilities=probabilities, ambiguity=ambiguity)
    if clusters is not None:
        clusters = checked_chosen("clusters", clusters, "clusters")
        check_same_batch(class_probabilities=probabilities, clusters=clusters)
    judge = Judge(truth, labels, probabilities, ambiguity, names, seed)
    supervised = None
    if supervised_probabilities is not None:
        name = "supervised_probabilities"
        supervised = check_distributions(name, supervised_probabilities)
        check_class_count(name, supervised, probabilities)
        check_same_batch(
            class_probabilities=probabilities, supervised_probabilities=supervised
        )
    questions = (
        judge.classes(),
        judge.certain(),
        judge.ambiguity(human_threshold),
        judge.clusters(clusters),
        judge.unlabeled(supervised),
    )
    return Verdict(
        truth.images,
        tuple(answered(questions, truth.images, seed)),
        judge.right_of_certain(),
    )
