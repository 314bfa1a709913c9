"""The threshold on p_a: when an image is certain, and what that is called.

Standard library only.
"""

from __future__ import annotations

from typing import Any

CERTAIN, AMBIGUOUS = "certain", "ambiguous"
_THRESHOLD = 0.5


def is_certain(ambiguity: Any) -> Any:
    """Returns where p_a, an array or a tensor, is below 0.5."""
    return ambiguity < _THRESHOLD


def is_ambiguous(ambiguity: Any) -> Any:
    """Returns where p_a is at least 0.5; like `is_certain`, not where it is NaN."""
    return ambiguity >= _THRESHOLD
