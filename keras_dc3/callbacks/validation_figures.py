"""What a validation leaves behind for the callbacks, beside the logs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._ties import equal_shares

_ONE_SIDED = 1.645  # standard deviations: 95% of a normal distribution lie below


@dataclass(frozen=True)
class ValidationFigures:
    """How the class predictions compare with always saying the commonest class.

    Attributes:
        images: number of validation images.
        accuracy: share of the images whose majority label is predicted. Where m classes
            tie for the most answers, an image counts 1 / m for each, here and below.
        commonest: the class that is the majority label of most images.
        share: its share of the images, the accuracy of always saying it.
        most: accuracy - share is below this, with 95% confidence.
        labeled: number of images by majority label, float (k,).
        predicted: number of images by predicted class, (k,).
    """

    images: int
    accuracy: float
    commonest: int
    share: float
    most: float
    labeled: np.ndarray
    predicted: np.ndarray

    @classmethod
    def of(cls, soft_labels: Any, classes: Any) -> ValidationFigures:
        """Makes them from soft labels (n, k) and predicted probabilities (n, k)."""
        n, k = soft_labels.shape
        credit, predicted = equal_shares(soft_labels), classes.argmax(axis=1)
        labeled = credit.sum(axis=0)
        commonest = int(labeled.argmax())
        right = credit[np.arange(n), predicted]
        # In pairs: on many images both are right, or both wrong.
        gains = right - credit[:, commonest]
        return cls(
            images=n,
            accuracy=float(right.mean()),
            commonest=commonest,
            share=float(labeled[commonest] / n),
            most=float(gains.mean() + _ONE_SIDED * gains.std() / math.sqrt(n)),
            labeled=labeled,
            predicted=np.bincount(predicted, minlength=k),
        )
