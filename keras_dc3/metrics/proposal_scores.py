"""The scores of a model's proposals (paper 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._decision import is_certain
from keras_dc3._validation import (
    check_class_labels,
    check_distributions,
    check_indices,
    check_same_batch,
    check_seed,
    check_soft_labels,
    check_unit_interval,
)
from keras_dc3.metrics.classification import weighted_f1
from keras_dc3.metrics.k_means import check_points, joined_features, k_means
from keras_dc3.metrics.mean_inner_distance import (
    mean_inner_distance,
    size_weighted_inner_distance,
)


def checked_chosen(name: str, values: Any, columns: str) -> np.ndarray:
    """Returns int (n,) of numbers (n,), or of the largest probability in (n, k)."""
    values = np.asarray(values)
    if values.ndim == 2:
        return check_distributions(name, values, columns).argmax(axis=1)
    return check_indices(name, values)


def checked_labels(soft_labels: ArrayLike) -> np.ndarray:
    """Returns soft labels as float64; ValueError unless they are distributions."""
    check_soft_labels("soft_labels", soft_labels)
    return np.asarray(soft_labels, dtype="float64")


def check_class_count(name: str, values: Any, labels: np.ndarray) -> None:
    """Raises ValueError where `values` (n, k) and `labels` differ in k."""
    shape = np.shape(values)
    if len(shape) == 2 and shape[1] != labels.shape[1]:
        raise ValueError(
            f"`{name}` must have as many columns as `soft_labels`, one per class. "
            f"Received: {shape[1]} columns and {labels.shape[1]} classes."
        )


def proposal_scores(
    soft_labels: ArrayLike,
    classes: ArrayLike,
    clusters: ArrayLike | None = None,
    ambiguity: ArrayLike | None = None,
    seed: int = 0,
    *,
    features: ArrayLike | None = None,
) -> dict[str, float | bool]:
    """Scores the proposals of a model against what people answered.

    An image is predicted certain if p_a < 0.5: its class is scored. The others are
    predicted ambiguous: their clusters are. The true class is the majority label, the
    largest soft label; where m classes tie, the image belongs to each of them by 1 / m
    (`weighted_f1`), so that no class is preferred by its place.

    Without `ambiguity` (a vanilla model) all images are certain, as in the paper: F1
    is that of all images, and all `d` are over all images with the predicted class as
    the cluster; `clusters` are not looked at.

    Args:
        soft_labels: l, what people answered, float (n, k), each row sums to 1.
        classes: p_n, float (n, k), or the predicted classes, int (n,).
        clusters: p_o, float (n, k'), or the predicted clusters, int (n,). Needed with
            `ambiguity`.
        ambiguity: p_a, float (n,), in [0, 1], or None.
        seed: of the shuffling for `d_shuffled`, and of k-means; an integer of at least
            0.
        features: what the model sees in the images, such as the output of its backbone,
            float (n, d), finite; or None. They need `classes` to be p_n.

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
        - `d_class`, `d_class_size_weighted`: d of the same images with the predicted
          class as the cluster, and with each class weighing by its number of images;
        - `d_k_means`, `d_k_means_size_weighted`: the same with the clusters that
          k-means finds among these images by features and p_n (`joined_features`). Only
          with `features`;
        - `d_shuffled`: d of the same images with the clusters shuffled among them: what
          clusters of these sizes reach by chance. It and k-means depend on the order of
          the images; the other scores do not.

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
    found = groupings(soft_labels, classes, clusters, ambiguity, seed, features)
    certain, labels = found.certain, found.labels[found.clustered]
    f1 = weighted_f1(
        found.labels[certain], found.classes[certain], found.labels.shape[1]
    )
    by_cluster = {
        name: mean_inner_distance(labels, of) for name, of in found.clusters.items()
    }
    by_size = {
        name: size_weighted_inner_distance(labels, of)
        for name, of in found.clusters.items()
        if name != "d_shuffled"
    }
    d = by_cluster.pop("d")
    return {
        "f1": f1,
        "d": d,
        "d_minus_f1": d - f1,
        "ambiguous": found.ambiguous,
        "degenerated": found.degenerated,
        **by_cluster,
        **{f"{name}_size_weighted": value for name, value in by_size.items()},
    }


@dataclass(frozen=True)
class Groupings:
    """What is scored of n images.

    Attributes:
        labels: (n, k) float64, soft labels.
        classes: (n,) int64, predicted.
        certain: (n,) bool, of which F1 is taken.
        clustered: (n,) bool, of which d is taken.
        clusters: name of a d -> the cluster of each of the clustered images, in order.
    """

    labels: np.ndarray
    classes: np.ndarray
    certain: np.ndarray
    clustered: np.ndarray
    clusters: dict[str, np.ndarray]
    all_certain: bool

    @property
    def ambiguous(self) -> float:
        """The fraction predicted ambiguous."""
        if not len(self.labels):
            return float("nan")
        return 0.0 if self.all_certain else float(self.clustered.mean())

    @property
    def degenerated(self) -> bool:
        """Whether 10% or less are on one side."""
        if self.all_certain:
            return False
        sides = min(self.certain.sum(), self.clustered.sum())
        return bool(10 * sides <= len(self.labels))


def groupings(
    soft_labels: ArrayLike,
    classes: ArrayLike,
    clusters: ArrayLike,
    ambiguity: ArrayLike,
    seed: int,
    features: ArrayLike,
) -> Groupings:
    """Returns what is scored, checked. The arguments are those of `proposal_scores`."""
    labels = checked_labels(soft_labels)
    check_class_count("classes", classes, labels)
    points = _points(classes, features)
    classes = checked_chosen("classes", classes, "classes")
    check_class_labels("classes", classes, labels.shape[1])
    check_same_batch(soft_labels=labels, classes=classes)
    check_seed(seed)
    if ambiguity is None:
        certain = clustered = np.ones(len(labels), bool)
        clusters = classes
    else:
        if clusters is None:
            raise ValueError(
                "`clusters` must be given with `ambiguity`, as the images predicted "
                "ambiguous are scored by cluster. Received: clusters=None"
            )
        clusters = checked_chosen("clusters", clusters, "clusters")
        ambiguity = check_unit_interval("ambiguity", ambiguity)
        check_same_batch(soft_labels=labels, clusters=clusters, ambiguity=ambiguity)
        certain = is_certain(ambiguity)
        clustered = ~certain
    clusters = clusters[clustered]
    found = {
        "d": clusters,
        "d_class": classes[clustered],
        "d_shuffled": np.random.default_rng(seed).permutation(clusters),
    }
    if points is not None:
        found["d_k_means"] = clusters  # none, if there is no image
        if clusters.size:
            number = len(np.unique(clusters))
            found["d_k_means"] = k_means(points[clustered], number, seed)[1]
    return Groupings(labels, classes, certain, clustered, found, ambiguity is None)


def _points(classes: ArrayLike, features: ArrayLike) -> np.ndarray | None:
    """Returns what k-means divides, (n, d + k), or None without features."""
    if features is None:
        return None
    if np.ndim(classes) != 2:
        raise ValueError(
            "`classes` must be probabilities, shape (images, classes), if `features` "
            f"are given. Received: shape {np.shape(classes)}"
        )
    features = check_points("features", features, "images, features")
    classes = check_distributions("classes", classes)
    check_same_batch(classes=classes, features=features)
    return joined_features(features, classes)
