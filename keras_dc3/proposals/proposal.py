"""The proposal for one image."""

from __future__ import annotations

from typing import NamedTuple

THRESHOLD = 0.5  # an image is certain if p_a is below it
CERTAIN, AMBIGUOUS = "certain", "ambiguous"


class Proposal(NamedTuple):
    """The proposal for one image.

    `decision` is "certain", then `class_name` is proposed, or "ambiguous", then
    `cluster` is. Class and cluster are known either way.
    """

    id: str
    ambiguity: float
    decision: str
    class_index: int
    class_name: str
    class_probability: float
    cluster: int
    cluster_probability: float
