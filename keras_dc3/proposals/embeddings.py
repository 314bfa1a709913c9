"""Where a network puts each image. NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_embeddings(values: Any, number: int) -> np.ndarray | None:
    """Returns embeddings (number, d) as float32 that cannot be written to, or None.

    Raises:
        ValueError: unless they have rank 2, a row for each image and a column at
            least, and are finite.
    """
    if values is None:
        return None
    values = np.asarray(values)
    if values.ndim != 2 or not values.shape[1] or values.dtype.kind not in "biuf":
        raise ValueError(
            "`embeddings` must be numbers, shape (images, features); average feature "
            f"maps over the image first. Received: shape {values.shape}, dtype "
            f"{values.dtype}"
        )
    if len(values) != number:
        raise ValueError(
            "`embeddings` must have one row per image. Received: "
            f"{len(values)} rows for {number} images."
        )
    with np.errstate(over="ignore"):
        values = np.array(values, "float32")
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"`embeddings` must be finite in float32, but {int((~finite).sum())} rows "
            f"hold NaN or infinity: the first is row {int(np.argmin(finite))}."
        )
    values.setflags(write=False)
    return values
