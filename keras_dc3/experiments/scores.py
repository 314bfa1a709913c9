"""Scores of a cell from its raw outputs, alone and beside other cells."""

from __future__ import annotations

import numpy as np

from keras_dc3 import metrics

# Clusters of different models compare only on the same images: so many of those the
# strategy alone is least sure about.
COMMON_FRACTION = 0.6
Outputs = dict[str, np.ndarray]


def score_outputs(
    outputs: Outputs, alone: Outputs | None = None
) -> dict[str, float | bool]:
    """Returns all scores of a cell.

    Args:
        outputs: `soft_labels` (n, k), `classes` (n, k), `clusters` (n,),
            `features` (n, d), and `ambiguity` (n,) where it is predicted.
        alone: those of the strategy alone with the same seed: adds
            `f1_confident_reference` and, on the `COMMON_FRACTION` of the images that
            it is least sure about, `common_d` by cluster and its rivals.

    Raises:
        ValueError: if these are of other images.
    """
    labels, classes = outputs["soft_labels"], outputs["classes"]
    if alone is not None and not np.array_equal(labels, alone["soft_labels"]):
        raise ValueError(
            "The runs of one seed must be scored on the same images, but their soft "
            "labels differ from those of the strategy alone: `make_data` was changed "
            "between them, or gives other images each time."
        )
    ambiguity = outputs.get("ambiguity")
    features = outputs["features"].astype("float64")
    scores = {
        **metrics.proposal_scores(
            labels,
            classes,
            outputs["clusters"],
            ambiguity,
            features=features,
        ),
        **metrics.honest_context(
            labels,
            classes,
            ambiguity,
            reference_probabilities=None if alone is None else alone["classes"],
        ),
    }
    if alone is None:
        return scores
    confidence = alone["classes"].max(axis=1)
    count = round(COMMON_FRACTION * len(labels))
    rows = np.argsort(confidence, kind="stable")[:count]
    common = metrics.proposal_scores(
        labels[rows],
        classes[rows],
        outputs["clusters"][rows],
        np.ones(len(rows)),
        features=features[rows],
    )
    common = {f"common_{n}": v for n, v in common.items() if n.startswith("d_")}
    del common["common_d_minus_f1"]
    d = metrics.mean_inner_distance(labels[rows], outputs["clusters"][rows])
    return {**scores, "common_d": d, **common}
