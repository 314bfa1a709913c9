"""Arrays that stay as they are. NumPy only."""

from __future__ import annotations

import numpy as np


def frozen(array: np.ndarray) -> np.ndarray:
    """Returns the array, or a copy of a view, such that it cannot be written to."""
    array = array if array.base is None else array.copy()
    array.setflags(write=False)
    return array
