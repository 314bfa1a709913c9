"""What the scores of a model's proposals have to be read against."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._decision import is_certain
from keras_dc3._validation import (
    check_distributions,
    check_probability,
    check_same_batch,
    check_seed,
    check_unit_interval,
)
from keras_dc3.metrics.classification import (
    area_under_roc,
    constant_majority_f1,
    entropy,
    f1_of_most_confident,
)
from keras_dc3.metrics.image_weights import Truth
from keras_dc3.metrics.proposal_scores import check_class_count, checked_labels


def honest_context(
    soft_labels: ArrayLike,
    class_probabilities: ArrayLike,
    ambiguity: ArrayLike | None = None,
    human_threshold: float = 0.8,
    seed: int = 0,
    *,
    reference_probabilities: ArrayLike | None = None,
) -> dict[str, float]:
    """Computes what the scores of `proposal_scores` have to be read against.

    Args:
        soft_labels: l, what people answered, float (n, k), each row sums to 1.
        class_probabilities: p_n, float (n, k), each row sums to 1.
        ambiguity: p_a, float (n,), in [0, 1], or None: all images are certain.
        human_threshold: an image counts as ambiguous for people if its largest soft
            label is below this, in [0, 1].
        seed: of the labels drawn for `auroc_label_quality`; an integer of at least 0.
        reference_probabilities: p_n of another model, such as the strategy alone, for
            the same images, float (n, k); or None.

    Returns:
        A dict of

        - `f1_constant_majority`: F1 of always answering the most frequent class of the
          images predicted certain, on these;
        - `f1_confident`: F1 of the same model on as many images as are predicted
          certain, but those with the largest max p_n: where `f1` is not above it,
          plain softmax confidence selects as well;
        - `f1_confident_reference`: the same, of the other model: its F1 on as many
          images, those it is most confident of. Only with `reference_probabilities`;
        - `accuracy`: share of all images whose predicted class is the majority label,
          the largest soft label; where m classes tie, each of them is right by 1 / m;
        - `auroc_ambiguity`, `auroc_softmax`, `auroc_margin`, `auroc_entropy`: how well
          p_a, 1 - max p_n, 1 - (largest - second largest p_n) and the entropy of p_n
          find the images that are ambiguous for people; 1 is perfect, 0.5 is chance;
        - `auroc_label_quality`: likewise 1 - p_n of the given label, cleanlab's label
          quality score "self_confidence" (Northcutt et al., 2021). The given label is
          one human answer per image, drawn from its soft label. This rival thus sees
          one person's answer on each image that is scored; p_a, and the other scores
          from p_n, see none. It depends on the order of the images.

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

    Reference:
        Northcutt et al., "Confident learning: Estimating uncertainty in dataset
        labels", Journal of Artificial Intelligence Research 70, 2021.
    """
    labels = checked_labels(soft_labels)
    probabilities = check_distributions("class_probabilities", class_probabilities)
    check_class_count("class_probabilities", probabilities, labels)
    check_same_batch(soft_labels=labels, class_probabilities=probabilities)
    check_probability("human_threshold", human_threshold)
    check_seed(seed)
    n = len(labels)
    certain = np.ones(n, bool)
    if ambiguity is not None:
        ambiguity = check_unit_interval("ambiguity", ambiguity)
        check_same_batch(soft_labels=labels, ambiguity=ambiguity)
        certain = is_certain(ambiguity)
    people = disagreed(labels, human_threshold)
    nan = float("nan")
    coverage = float(certain.mean()) if n else 0.0
    confident = {"f1_confident": f1_of_most_confident(labels, probabilities, coverage)}
    if reference_probabilities is not None:
        reference = checked_reference(reference_probabilities, labels)
        confident["f1_confident_reference"] = f1_of_most_confident(
            labels, reference, coverage
        )
    credit = Truth.of("soft_labels", labels).credit(probabilities.argmax(axis=1))
    return {
        "f1_constant_majority": constant_majority_f1(labels[certain]),
        **confident,
        "accuracy": float(credit.mean()) if n else nan,
        "auroc_ambiguity": nan,
        **{
            name: area_under_roc(values, people)
            for name, values in suspicions(
                labels, probabilities, ambiguity, seed
            ).items()
        },
    }


def disagreed(labels: np.ndarray, human_threshold: float) -> np.ndarray:
    """Returns (n,) bool: whether an image is ambiguous for people."""
    # 1e-6: 0.8 as float32 or as a quotient must not pass for less than 0.8.
    return labels.max(axis=1) < human_threshold - 1e-6


def suspicions(
    labels: np.ndarray,
    probabilities: np.ndarray,
    ambiguity: np.ndarray | None,
    seed: int,
) -> dict[str, np.ndarray]:
    """Returns name of a score -> (n,), what is to find the ambiguous images."""
    given = probabilities[np.arange(len(labels)), _given_labels(labels, seed)]
    return {
        **({} if ambiguity is None else {"auroc_ambiguity": ambiguity}),
        "auroc_softmax": 1.0 - probabilities.max(axis=1),
        "auroc_margin": 1.0 - _margin(probabilities),
        "auroc_entropy": entropy(probabilities),
        "auroc_label_quality": 1.0 - given,
    }


def checked_reference(values: Any, labels: np.ndarray) -> np.ndarray:
    """Returns `reference_probabilities` as float64; ValueError unless they fit."""
    name = "reference_probabilities"
    values = check_distributions(name, values)
    check_class_count(name, values, labels)
    check_same_batch(soft_labels=labels, reference_probabilities=values)
    return values


def _margin(probabilities: np.ndarray) -> np.ndarray:
    """Returns the largest less the second largest of each row; of one class, 0."""
    padded = np.pad(probabilities, ((0, 0), (1, 0)))
    second, first = np.sort(padded, axis=1)[:, -2:].T
    return first - second


def _given_labels(labels: np.ndarray, seed: int) -> np.ndarray:
    """Draws a class for each image from its soft label, (n,)."""
    edges = np.cumsum(labels, axis=1)
    draws = np.random.default_rng(seed).random(len(labels)) * edges[:, -1]
    return (draws[:, None] >= edges).sum(axis=1)
