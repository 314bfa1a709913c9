"""What a review sheet asks about proposals. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_dc3.proposals.data import ProposalData
from keras_dc3.review.fingerprint import of_values
from keras_dc3.review.plan import Step
from keras_dc3.review.sheet import Sheet

_ORDERS = {
    "dc3": "Classes of certain images come first, then clusters of ambiguous ones; "
    "of each the largest first.",
    "classes": "The predicted classes come in the order of the classes.",
    "none": "",
}


def sheet(
    proposals: ProposalData,
    mode: str,
    groups: Sequence[Step],
    alone: Sequence[str],
    order: str | None = None,
) -> Sheet:
    """Returns a review sheet of some groups, and of images to ask about alone.

    Args:
        order: of the groups, in a sentence. Default: that of the mode.
    """
    return Sheet(
        mode=mode,
        ids=proposals.ids,
        class_names=proposals.class_names,
        groups=groups,
        alone=alone,
        verdict=proposals.verdict,
        values=of_values(proposals),
        probabilities=proposals.class_probabilities,
        embeddings=proposals.embeddings,
        order=_ORDERS[mode] if order is None else order,
    )


def class_steps(proposals: ProposalData) -> list[Step]:
    """Returns a step per predicted class, its most probable images first."""
    steps: list[Step] = []
    for label, name in enumerate(proposals.class_names):
        rows = np.flatnonzero(proposals.class_index == label)
        if rows.size:
            sure = proposals.class_probability[rows]
            order = rows[np.argsort(-sure, kind="stable")]
            ids = tuple(proposals.ids[row] for row in order)
            about = f"predicted class, mean probability {sure.mean():.0%}"
            steps.append(Step(ids, f"class {name}", name, about, label))
    return steps
