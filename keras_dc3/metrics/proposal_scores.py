"""The scores of a model's proposals (paper 3.2), and what to read them against."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3._validation import (
    check_class_labels,
    check_distributions,
    check_indices,
    check_probability,
    check_same_batch,
    check_seed,
    check_soft_labels,
    check_unit_interval,
)
from keras_dc3.metrics.classification import (
    area_under_roc,
    constant_majority_f1,
    entropy,
    f1_of_most_confident,
    weighted_f1,
)
from keras_dc3.metrics.mean_inner_distance import (
    mean_inner_distance,
    size_weighted_inner_distance,
)


def _chosen(name: str, values: Any, columns: str) -> np.ndarray:
    """Returns int (n,) of numbers (n,), or of the largest probability in (n, k)."""
    values = np.asarray(values)
    if values.ndim == 2:
        return check_distributions(name, values, columns).argmax(axis=1)
    return check_indices(name, values)


def _labels(soft_labels: Any) -> np.ndarray:
    check_soft_labels("soft_labels", soft_labels)
    return np.asarray(soft_labels, dtype="float64")


def _check_class_count(name: str, values: Any, labels: np.ndarray) -> None:
    shape = np.shape(values)
    if len(shape) == 2 and shape[1] != labels.shape[1]:
        raise ValueError(
            f"`{name}` must have as many columns as `soft_labels`, one per class. "
            f"Received: {shape[1]} columns and {labels.shape[1]} classes."
        )


def proposal_scores(
    soft_labels: Any,
    classes: Any,
    clusters: Any = None,
    ambiguity: Any = None,
    seed: int = 0,
) -> dict[str, float | bool]:
    """Scores the proposals of a model against what people answered.

    An image is predicted certain if p_a < 0.5: its class is scored. The others are
    predicted ambiguous: their clusters are. The true class is the majority label, the
    largest soft label (the first of equals).

    Without `ambiguity` (a vanilla model) all images are certain, as in the paper: F1
    is that of all images, and all `d` are over all images with the predicted class as
    the cluster; `clusters` are not looked at.

    Args:
        soft_labels: l, what people answered, float (n, k), each row sums to 1.
        classes: p_n, float (n, k), or the predicted classes, int (n,).
        clusters: p_o, float (n, k'), or the predicted clusters, int (n,). Needed with
            `ambiguity`.
        ambiguity: p_a, float (n,), in [0, 1], or None.
        seed: of the shuffling for `d_shuffled`; an integer of at least 0.

    Returns:
        A dict of

        - `f1`: weighted F1 on the images predicted certain; larger is better;
        - `d`: mean inner distance (eq. 4) on the images predicted ambiguous, by
          cluster, in [0, sqrt(2)]; smaller is better;
        - `d_minus_f1`: `d - f1`, the paper's choice among runs; smaller is better;
        - `ambiguous`: the fraction predicted ambiguous, 0.0 for a vanilla model;
        - `degenerated`: whether 10% or less of the images are on either side, which
          makes the scores above meaningless; False for a vanilla model;
        - `d_size_weighted`: d with each cluster weighing by its number of images;
        - `d_class`: d of the same images with the predicted class as the cluster;
        - `d_shuffled`: d of the same images with the clusters shuffled among them: what
          clusters of these sizes reach by chance. It alone depends on the order of the
          images.

        A score is NaN where it has no image: `f1` if all are predicted ambiguous, every
        `d` if none is, and `d_minus_f1` then too.

    Raises:
        ValueError: if an argument is not as described, or lengths differ.

    Example:

    >>> scores = keras_dc3.metrics.proposal_scores(
    ...     soft_labels=[[1.0, 0.0], [0.0, 1.0], [0.6, 0.4], [0.4, 0.6]],
    ...     classes=[0, 1, 0, 0],
    ...     clusters=[3, 3, 2, 2],
    ...     ambiguity=[0.1, 0.2, 0.9, 0.8],
    ... )
    >>> scores["f1"], round(scores["d"], 4), scores["ambiguous"]
    (1.0, 0.1414, 0.5)

    Reference:
        Schmarje et al., "A data-centric approach for improving ambiguous labels with
        combined semi-supervised classification and clustering", 2022, section 3.2.
    """
    labels = _labels(soft_labels)
    _check_class_count("classes", classes, labels)
    classes = _chosen("classes", classes, "classes")
    check_class_labels("classes", classes, labels.shape[1])
    check_same_batch(soft_labels=labels, classes=classes)
    check_seed(seed)
    n = len(labels)
    if ambiguity is None:
        certain = clustered = np.ones(n, bool)
        clusters = classes
        ambiguous, degenerated = (0.0 if n else float("nan")), False
    else:
        if clusters is None:
            raise ValueError(
                "`clusters` must be given with `ambiguity`, as the images predicted "
                "ambiguous are scored by cluster. Received: clusters=None"
            )
        clusters = _chosen("clusters", clusters, "clusters")
        ambiguity = check_unit_interval("ambiguity", ambiguity)
        check_same_batch(soft_labels=labels, clusters=clusters, ambiguity=ambiguity)
        certain = ambiguity < 0.5
        clustered = ~certain
        ambiguous = float(clustered.mean()) if n else float("nan")
        degenerated = bool(10 * min(certain.sum(), clustered.sum()) <= n)
    f1 = weighted_f1(labels[certain].argmax(axis=1), classes[certain], labels.shape[1])
    labels, clusters = labels[clustered], clusters[clustered]
    d = mean_inner_distance(labels, clusters)
    shuffled = np.random.default_rng(seed).permutation(clusters)
    return {
        "f1": f1,
        "d": d,
        "d_minus_f1": d - f1,
        "ambiguous": ambiguous,
        "degenerated": degenerated,
        "d_size_weighted": size_weighted_inner_distance(labels, clusters),
        "d_class": mean_inner_distance(labels, classes[clustered]),
        "d_shuffled": mean_inner_distance(labels, shuffled),
    }


def honest_context(
    soft_labels: Any,
    class_probabilities: Any,
    ambiguity: Any = None,
    human_threshold: float = 0.8,
) -> dict[str, float]:
    """Computes what the scores of `proposal_scores` have to be read against.

    Args:
        soft_labels: l, what people answered, float (n, k), each row sums to 1.
        class_probabilities: p_n, float (n, k), each row sums to 1.
        ambiguity: p_a, float (n,), in [0, 1], or None: all images are certain.
        human_threshold: an image counts as ambiguous for people if its largest soft
            label is below this, in [0, 1].

    Returns:
        A dict of

        - `f1_constant_majority`: F1 of always answering the most frequent class of the
          images predicted certain, on these;
        - `f1_confident`: F1 of the same model on as many images as are predicted
          certain, but those with the largest max p_n: where `f1` is not above it,
          plain softmax confidence selects as well;
        - `accuracy`: share of all images whose predicted class is the majority label;
        - `auroc_ambiguity`, `auroc_softmax`, `auroc_entropy`: how well p_a, 1 - max p_n
          and the entropy of p_n find the images that are ambiguous for people; 1 is
          perfect, 0.5 is chance.

        All in [0, 1], larger is better. NaN where there is nothing to compute it from:
        no image predicted certain, all or no images ambiguous for people, and
        `auroc_ambiguity` without `ambiguity`.

    Raises:
        ValueError: if an argument is not as described, or lengths differ.

    Example:

    >>> context = keras_dc3.metrics.honest_context(
    ...     soft_labels=[[1.0, 0.0], [0.0, 1.0], [0.6, 0.4]],
    ...     class_probabilities=[[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]],
    ...     ambiguity=[0.1, 0.2, 0.9],
    ... )
    >>> context["f1_confident"], context["auroc_ambiguity"]
    (1.0, 1.0)
    """
    labels = _labels(soft_labels)
    probabilities = check_distributions("class_probabilities", class_probabilities)
    _check_class_count("class_probabilities", probabilities, labels)
    check_same_batch(soft_labels=labels, class_probabilities=probabilities)
    check_probability("human_threshold", human_threshold)
    n = len(labels)
    certain = np.ones(n, bool)
    if ambiguity is not None:
        ambiguity = check_unit_interval("ambiguity", ambiguity)
        check_same_batch(soft_labels=labels, ambiguity=ambiguity)
        certain = ambiguity < 0.5
    majority = labels.argmax(axis=1)
    # 1e-6: 0.8 as float32 or as a quotient must not pass for less than 0.8.
    people = labels.max(axis=1) < human_threshold - 1e-6
    nan = float("nan")
    return {
        "f1_constant_majority": constant_majority_f1(majority[certain]),
        "f1_confident": f1_of_most_confident(
            majority, probabilities, float(certain.mean()) if n else 0.0
        ),
        "accuracy": float((probabilities.argmax(axis=1) == majority).mean())
        if n
        else nan,
        "auroc_ambiguity": nan
        if ambiguity is None
        else area_under_roc(ambiguity, people),
        "auroc_softmax": area_under_roc(1.0 - probabilities.max(axis=1), people),
        "auroc_entropy": area_under_roc(entropy(probabilities), people),
    }
