"""One figure for a whole set of proposals, to choose among epochs by."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._decision import is_certain
from keras_dc3._validation import (
    check_distributions,
    check_same_batch,
    check_unit_interval,
)
from keras_dc3.metrics.proposal_scores import check_class_count, checked_labels


def selective_score(
    soft_labels: ArrayLike, classes: ArrayLike, ambiguity: ArrayLike | None = None
) -> float:
    """Scores classes and ambiguity together, over all images.

        score = (1 - c) A + c A_c

    A is the agreement over all images: the mean share of people who gave an image the
    class that the model predicts (with one-hot labels, the accuracy). A_c is that of
    the images predicted certain, p_a < 0.5, and c their share of the images. Calling
    all images ambiguous, or all certain, gives A and gains nothing; what lifts the
    score are better classes, and certain images that people do agree on. It is
    1 - 2 AUGRC of the decision, the area under the generalized risk-coverage curve.

    Args:
        soft_labels: l, what people answered, float (n, k), each row sums to 1.
        classes: p_n, float (n, k).
        ambiguity: p_a, float (n,), in [0, 1], or None for a vanilla model: the score
            is then A.

    Returns:
        A float in [0, 1]; larger is better. NaN without any image.

    Raises:
        ValueError: if an argument is not as described, or lengths differ.

    Example:

    >>> keras_dc3.metrics.selective_score(
    ...     soft_labels=[[1.0, 0.0], [0.5, 0.5]],
    ...     classes=[[0.9, 0.1], [0.6, 0.4]],
    ...     ambiguity=[0.1, 0.9],
    ... )
    0.875

    Reference:
        Traub et al., "Overcoming common flaws in the evaluation of selective
        classification systems", 2024.
    """
    labels = checked_labels(soft_labels)
    check_class_count("classes", classes, labels)
    classes = check_distributions("classes", classes).argmax(axis=1)
    check_same_batch(soft_labels=labels, classes=classes)
    n = len(labels)
    if not n:
        return float("nan")
    agreement = labels[np.arange(n), classes]
    if ambiguity is None:
        return float(agreement.mean())
    ambiguity = check_unit_interval("ambiguity", ambiguity)
    check_same_batch(soft_labels=labels, ambiguity=ambiguity)
    certain = is_certain(ambiguity)
    # c A_c is the sum over the certain images, divided by n.
    return float(
        (1.0 - certain.mean()) * agreement.mean() + agreement[certain].sum() / n
    )
