"""Which values training has seen, by whatever way the images came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops, tree

from keras_dc3.models.image_values import ImageValues, meant_range

PARTS = ("labeled", "unlabeled")


def _extremes(images: Any) -> Any:
    """Returns (minus the smallest value, the largest, the largest fraction), (3,).

    0 stands in for what is not finite, and for no image at all.
    """
    if not keras.backend.is_float_dtype(images.dtype):
        return ops.zeros((3,), "float32")
    # A batch may be empty, of which there is no largest value.
    values = ops.cast(ops.reshape(images, (-1,)), "float32")
    values = ops.concatenate([values, ops.zeros((1,), "float32")])
    fractions = ops.abs(values - ops.round(values))
    found = ops.stack([ops.max(-values), ops.max(values), ops.max(fractions)])
    return ops.where(ops.isfinite(found), found, 0.0)


class SeenValues(keras.metrics.Metric):
    """The range of the training images so far; under replicas, of the first one's.

    It logs nothing. It is a metric because Keras carries metrics through its steps on
    every backend, and does not save them. It is never reset.
    """

    def __init__(self, name: str = "seen_values", **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self._extremes = self.add_variable(
            (len(PARTS), 3),
            "zeros",
            dtype="float32",
            aggregation="only_first_replica",
            name="extremes",
        )
        self._kinds: dict[str, str] = {}  # of each part, known while tracing

    def update_state(self, images: Any) -> None:
        """Adds a batch: a training batch, or plain images (n, h, w, c)."""
        if images is None:
            return
        if not isinstance(images, Mapping):
            images = {"labeled": images}
        rows = []
        for part in PARTS:
            row = ops.zeros((3,), "float32")
            for view in tree.flatten(images.get(part, ())):
                row = ops.maximum(row, _extremes(view))
                is_float = keras.backend.is_float_dtype(view.dtype)
                self._kinds.setdefault(part, "floats" if is_float else "integers")
            rows.append(row)
        self._extremes.assign(ops.maximum(self._extremes, ops.stack(rows)))

    def result(self) -> dict[str, Any]:
        return {}

    def reset_state(self) -> None:
        """Does nothing: it is about all of training."""

    def forget(self) -> None:
        """Begins anew."""
        super().reset_state()
        self._kinds = {}

    def read(self) -> dict[str, ImageValues]:
        """Returns what was seen of each part of the batches so far."""
        found = ops.convert_to_numpy(self._extremes).astype("float64")
        seen = {}
        for part, (minus_low, high, fraction) in zip(PARTS, found, strict=True):
            if self._kinds.get(part) == "integers":
                seen[part] = ImageValues("integers")
            elif part in self._kinds:
                values = meant_range(-minus_low, high, fraction > 0)
                seen[part] = ImageValues("floats", *values)
        return seen
