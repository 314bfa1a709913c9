"""What can be measured: annotations, or a review with what was proposed. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from keras_dc3.annotations import Annotations
from keras_dc3.annotations.counted_labels import labels_of
from keras_dc3.review.plan import ALONE


@dataclass(frozen=True)
class Given:
    """What was given, checked. Arrays have one entry per record of the annotations.

    Attributes:
        annotations: the answers; without records only where no review was given.
        is_review: whether it tells what was proposed.
        proposed: (m,) int64, the class proposed; -1 for blind answers.
        repetition: (m,) bool, whether an image was shown again to see whether the
            answer stays the same; None where this is not told.
        alone: (m,) bool, whether somebody chose to ask about the image without a
            proposal.
    """

    annotations: Annotations
    is_review: bool
    proposed: np.ndarray
    repetition: np.ndarray | None
    alone: np.ndarray

    @classmethod
    def of(cls, name: str, given: Any) -> Self:
        """Takes annotations, or what has them as `annotations`, with `proposed`.

        Args:
            name: of the argument, for messages.
            given: annotations, or a review; its `repetition` and `group` may lack.

        Raises:
            TypeError: if it is neither.
            ValueError: if the parts of a review do not fit.
        """
        wanted = f"`{name}` must be annotations or a review"
        annotations = labels_of(given, wanted, Annotations)
        m = 0 if annotations.records is None else len(annotations.records)
        if annotations is given:
            return cls(annotations, False, np.full(m, -1), None, np.zeros(m, bool))
        if annotations.records is None:
            raise ValueError(f"`{name}` must hold single answers, not counts alone.")
        k = len(annotations.class_names)

        def of_each(part: str, what: str, kinds: str) -> np.ndarray:
            values = np.asarray(getattr(given, part))
            if values.shape != (m,) or (m and kinds and values.dtype.kind not in kinds):
                dtype = f", dtype {values.dtype}" if kinds else ""
                raise ValueError(
                    f"`{name}.{part}` must hold {what} for each of {m:,} answers. "
                    f"Received: shape {values.shape}{dtype}"
                )
            return values

        proposed, repetition = of_each("proposed", "one class number", "iu"), None
        if m and not (proposed.min() >= -1 and proposed.max() < k):
            raise ValueError(
                f"`{name}.proposed` must lie in -1..{k - 1} for {k} classes. Received: "
                f"{proposed.min()} to {proposed.max()}"
            )
        if getattr(given, "repetition", None) is not None:
            repetition = of_each("repetition", "True or False", "b")
        alone = np.zeros(m, bool)
        if getattr(given, "group", None) is not None:
            alone = (of_each("group", "one name", "") == ALONE) & (proposed < 0)
        return cls(annotations, True, proposed, repetition, alone)
