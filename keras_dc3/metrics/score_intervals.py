"""The interval of every score that `proposal_scores` and `honest_context` give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import check_distributions
from keras_dc3.metrics import intervals
from keras_dc3.metrics.classification import most_confident
from keras_dc3.metrics.honest_context import (
    checked_reference,
    disagreed,
    honest_context,
    suspicions,
)
from keras_dc3.metrics.image_weights import (
    F1,
    AreaUnderROC,
    InnerDistance,
    Truth,
    surest,
)
from keras_dc3.metrics.intervals import Interval
from keras_dc3.metrics.proposal_scores import Groupings, groupings, proposal_scores

_LARGEST_D = math.sqrt(2.0)


def score_intervals(
    soft_labels: ArrayLike,
    classes: ArrayLike,
    clusters: ArrayLike | None = None,
    ambiguity: ArrayLike | None = None,
    *,
    features: ArrayLike | None = None,
    human_threshold: float = 0.8,
    seed: int = 0,
    reference_probabilities: ArrayLike | None = None,
) -> dict[str, Interval]:
    """Computes 95% intervals of the scores of proposals.

    They tell what the choice of the images may have done: with other images of the
    same kind, the score would lie there. They are over images only: another training,
    with another seed, may differ by more, which only several trainings tell.

    A bootstrap over the images: they are drawn anew with replacement, as many as there
    are, 1,000 times (of more than 5,000 images as often as makes five million, at
    least 200 times); its middle 95% are moved to have the score as their mean. The
    clusters of k-means are not made anew. Few images make such an interval too narrow,
    or empty where all are right. So F1 is widened to Wilson's interval of a share of
    its images, and an AUROC to Newcombe's (`keras_dc3.metrics.intervals`). `ambiguous`
    and `accuracy` have Wilson's; `d_minus_f1` is widened to what follows from the
    intervals of both.

    Args are those of `proposal_scores` and `honest_context`.

    Returns:
        name -> (low, high), of all scores of `proposal_scores` but `degenerated`, and,
        where `classes` are probabilities, of `honest_context`. (NaN, NaN) where the
        score is NaN, or does not vary.

    Raises:
        ValueError: if an argument is not as described, or lengths differ.

    Example:

    >>> soft_labels = [[1.0, 0.0], [0.0, 1.0]] * 50
    >>> intervals = keras_dc3.metrics.score_intervals(soft_labels, [0, 1] * 50)
    >>> [round(end, 3) for end in intervals["f1"]]
    [0.963, 1.0]
    """
    options = {"seed": seed, "features": features}
    scores = dict(proposal_scores(soft_labels, classes, clusters, ambiguity, **options))
    found = groupings(soft_labels, classes, clusters, ambiguity, **options)
    truth = Truth.of("soft_labels", found.labels)
    orders: dict[str, np.ndarray] = {}
    areas: dict[str, AreaUnderROC] = {}
    people = np.zeros(len(found.labels), bool)
    if np.ndim(classes) == 2:
        scores |= honest_context(
            soft_labels,
            classes,
            ambiguity,
            human_threshold,
            seed,
            reference_probabilities=reference_probabilities,
        )
        people = disagreed(found.labels, human_threshold)
        probabilities = check_distributions("classes", classes)
        if ambiguity is not None:
            ambiguity = np.asarray(ambiguity, "float64")
        orders["f1_confident"] = probabilities
        if reference_probabilities is not None:
            reference = checked_reference(reference_probabilities, found.labels)
            orders["f1_confident_reference"] = reference
        told = suspicions(found.labels, probabilities, ambiguity, seed)
        areas = {n: AreaUnderROC(v, people) for n, v in told.items()}
    del scores["degenerated"]
    statistics = _statistics(found, truth, orders, areas)
    resampled = intervals.bootstrap(statistics, len(found.labels), seed)
    sizes = (len(found.labels), int(found.certain.sum()))
    sides = (int(people.sum()), int((~people).sum()))
    result = {
        name: _interval(name, value, resampled, sizes, sides)
        for name, value in scores.items()
    }
    if found.all_certain:  # by definition, not by measuring
        result["ambiguous"] = intervals.NO_INTERVAL
    result["d_minus_f1"] = _of_difference(scores, result)
    return {name: _in_range(name, interval) for name, interval in result.items()}


def _statistics(
    found: Groupings,
    truth: Truth,
    orders: Mapping[str, np.ndarray],
    areas: Mapping[str, AreaUnderROC],
) -> Callable[[np.ndarray], Mapping[str, np.ndarray]]:
    """Returns the scores of resampled images, as a function of weights (n, b).

    Args:
        found: classes and clusters of the images.
        truth: what people answered.
        orders: score -> the probabilities whose most confident images it is of.
        areas: score -> its area under the ROC curve.
    """
    labels = found.labels[found.clustered]
    f1 = F1(truth, found.classes)
    totals = truth.totals()
    most = int(np.argmax(totals)) if totals.size else 0
    constant = F1(truth, np.full(len(found.labels), most))
    of_orders = {
        name: (most_confident(p), F1(truth, p.argmax(axis=1)))
        for name, p in orders.items()
    }
    distances = {n: InnerDistance(labels, of) for n, of in found.clusters.items()}

    def scores(weights: np.ndarray) -> Mapping[str, np.ndarray]:
        certain = weights * found.certain[:, None]
        number = certain.sum(axis=0)
        result = {"f1": f1(certain), "f1_constant_majority": constant(certain)}
        for name, (order, of_order) in of_orders.items():
            result[name] = of_order(surest(order, weights, number))
        for name, area in areas.items():
            result[name] = area(weights)
        for name, distance in distances.items():
            result[name], by_size = distance(weights[found.clustered])
            result[f"{name}_size_weighted"] = by_size
        return result

    return scores


def _interval(
    name: str,
    value: float,
    resampled: Mapping[str, np.ndarray],
    sizes: tuple[int, int],
    sides: tuple[int, int],
) -> Interval:
    if name in ("ambiguous", "accuracy"):
        return intervals.wilson(value, sizes[0])
    if name not in resampled:  # no score, or made of two others
        return intervals.NO_INTERVAL
    interval = intervals.spread(value, resampled[name])
    if name.startswith("f1"):
        return intervals.wider(interval, intervals.wilson(value, sizes[1]))
    if name.startswith("auroc"):
        by_numbers = intervals.of_area_under_roc(value, *sides)
        return intervals.wider(interval, by_numbers)
    if interval[0] == interval[1]:  # nothing varies: it says nothing
        return intervals.NO_INTERVAL
    return interval


def _of_difference(
    scores: Mapping[str, float], found: Mapping[str, Interval]
) -> Interval:
    """Returns the interval of d - F1, which are of different images.

    Reference:
        Zou and Donner, "Construction of confidence limits about effect measures",
        Statistics in Medicine 27, 2008.
    """
    d, f1 = scores["d"], scores["f1"]
    low = math.hypot(d - found["d"][0], found["f1"][1] - f1)
    high = math.hypot(found["d"][1] - d, f1 - found["f1"][0])
    return d - f1 - low, d - f1 + high


def _in_range(name: str, interval: Interval) -> Interval:
    if name == "d_minus_f1":
        return interval
    return intervals.within(interval, 0.0, _LARGEST_D if name[0] == "d" else 1.0)
