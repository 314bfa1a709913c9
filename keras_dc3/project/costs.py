"""What the answers of a round have cost. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dc3.review import Review
from keras_dc3.review.plan import ALONE


@dataclass(frozen=True)
class Cost:
    """Of the answers to some sheets.

    Attributes:
        answers: how many.
        images: to how many images.
        actions: clicks or keys: one for an image alone or to accept a group, two for
            each image of a group that was changed.
        seconds: that they took; of times that are unknown the mean of the others.
        people: names.
    """

    answers: int
    images: int
    actions: int
    seconds: float
    people: tuple[str, ...]


def cost_of(review: Review) -> Cost:
    """Returns what the answers of a review have cost."""
    records, group = review.annotations.records, review.group
    alone = (group == "") | (group == ALONE)
    in_groups = list(
        dict.fromkeys(zip(records.annotator[~alone], group[~alone], strict=True))
    )
    changed = int((~alone & ~review.accepted).sum())
    seconds = records.seconds[~np.isnan(records.seconds)]
    whole = float(seconds.mean()) * len(records) if seconds.size else float("nan")
    return Cost(
        answers=len(records),
        images=len(np.unique(records.image)),
        actions=int(alone.sum()) + len(in_groups) + 2 * changed,
        seconds=whole,
        people=review.annotations.annotators,
    )
