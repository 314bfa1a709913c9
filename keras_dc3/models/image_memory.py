"""What a model knows of the images that it was trained on."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from keras_dc3.models.given_images import (
    as_array,
    check_one_scale,
    check_same_scale,
    measured,
    together,
)
from keras_dc3.models.image_values import (
    BYTES,
    KINDS,
    SYMMETRIC,
    ImageValues,
    meant_range,
)

_STORED = "image_values"  # in files of weights
_PARTS = ("labeled", "unlabeled")


class SeenValues(keras.metrics.Metric):
    """The range of the training images so far; under replicas, of the first one's.

    It is never reset.
    """

    def __init__(self, name: str = "seen_values", **kwargs: Any):
        super().__init__(name=name, **kwargs)
        self._extremes = self.add_variable(
            (len(_PARTS), 3),
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
        if len(images["labeled"].shape) == 2:
            return  # features, which have no range of their own
        rows = []
        for part in _PARTS:
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
        for part, (minus_low, high, fraction) in zip(_PARTS, found, strict=True):
            if self._kinds.get(part) == "integers":
                seen[part] = ImageValues("integers")
            elif part in self._kinds:
                values = meant_range(-minus_low, high, fraction > 0)
                seen[part] = ImageValues("floats", *values)
        return seen


class ImageMemory:
    """The kind and range of the training images: learned, told and stored.

    Args:
        rescale: what the user says of integer images, see `DC3Model`.
        on_change: called with the new values.

    Attributes:
        values: the kind and range; None: not known.
        seen: the metric by which training steps tell what they see.
    """

    def __init__(
        self,
        rescale: bool | None,
        on_change: Callable[[ImageValues | None], None],
    ):
        self.values: ImageValues | None = None
        self.seen = SeenValues()
        self._rescale, self._on_change = rescale, on_change
        self._has_told_of_scale = False

    def set(self, values: ImageValues | None) -> None:
        """Forgets what training has seen; None: it is to be learned anew."""
        if values is not None and not isinstance(values, ImageValues):
            raise TypeError(
                "`image_values` must be a `keras_dc3.models.ImageValues` or None. "
                f"Received: {values!r}"
            )
        self.seen.forget()
        self._remember(values)

    def _remember(self, values: ImageValues | None) -> None:
        if values == self.values:
            return
        self._on_change(values)  # which may refuse them
        self.values = values
        self._has_told_of_scale = False

    def learn_before_training(self, parts: Mapping[str, Any]) -> None:
        """Learns from training images that are at hand, or compares them with before.

        A stream's images are not at hand: what it holds is learned in training.

        Args:
            parts: name -> array of images, or part of a data set that knows the kind
                and range of its own.

        Raises:
            ValueError: where parts of the set are scaled in different ways, or all of
                them in another way than what the model was trained on.
        """
        found = {name: _values_of(part) for name, part in parts.items()}
        found = {name: values for name, values in found.items() if values is not None}
        if not found:
            return
        check_one_scale(found)
        seen = together(found.values())
        if self.values is None:
            self._remember(seen)
            self._tell_contradiction()
        else:
            check_same_scale(seen, self.values)

    def learn_from_training(self) -> None:
        """Learns what training has seen since, or warns where it was something else."""
        parts = self.seen.read()
        if not parts:
            return
        if self.values is None:
            self._remember(together(parts.values()))
            self._tell_contradiction()
        if self._has_told_of_scale:
            return
        try:
            check_one_scale(parts)
            for part in parts.values():
                check_same_scale(part, self.values)
        except ValueError as error:  # training has taken place: too late to refuse it
            self._has_told_of_scale = True
            warnings.warn(str(error), stacklevel=4)

    @contextmanager
    def learning(self) -> Iterator[None]:
        """Learns from the training inside it, also where that is stopped."""
        try:
            yield
        except BaseException:
            with suppress(Exception):  # on JAX, variables may have no value then
                self.learn_from_training()
            raise
        self.learn_from_training()

    def _tell_contradiction(self) -> None:
        """Warns where `rescale` says something else of bytes than what was trained."""
        rescale, values = self._rescale, self.values
        if rescale is None or values.kind == "integers":
            return
        said = SYMMETRIC if rescale else BYTES
        if values.range == said:
            return
        if values.takes_bytes:
            then = "mapped to that range, too"
        elif values.takes_bytes_by(rescale):
            then = f"mapped to {said[0]:g} to {said[1]:g}, be these scaled so or not"
        else:
            then = "refused, as what they are in that range is not known"
        warnings.warn(
            f"`rescale={rescale}` says that integer images reach the backbone as "
            f"{said[0]:g} to {said[1]:g}, but the model is trained on {values}, which "
            f"reach it as they are. So integer images will be {then}. Train on uint8 "
            "images, or leave `rescale` out.",
            stacklevel=5,
        )

    def in_words(self, rescales: bool, takes_bytes: bool = False) -> str:
        """Returns what the images are that the model takes, for people.

        Args:
            rescales: whether the network scales images of 0..255 to -1..1.
            takes_bytes: whether the backbone is known to take 0..255 alone.
        """
        values = self.values
        if takes_bytes:
            floats = "floats of 0 to 255"
            if values is not None and values.range != BYTES:
                floats = f"{values}, mapped to 0 to 255"
            return f"integers of 0 to 255, or {floats}; the backbone scales them itself"
        if values is not None and values.kind == "floats":
            bytes_ = "which integers of 0 to 255 are mapped to"
            if not values.takes_bytes:
                bytes_ = "integers are refused"
                if values.takes_bytes_by(self._rescale):
                    bytes_ = f"integers by `rescale={self._rescale}`"
            return f"{values}, as the backbone takes them; {bytes_}"
        scaled = "" if rescales else "not "
        words = f"integers of 0 to 255, {scaled}scaled to -1..1 before the backbone"
        if values is None:
            return f"{words}; floats as the backbone takes them (no training known)"
        return f"{words}; or floats of 0 to 255, likewise"

    def save(self, store: Any) -> None:
        """Saves the values as three numbers in a file of weights."""
        self.learn_from_training()
        if (values := self.values) is not None:
            numbers = [KINDS.index(values.kind), values.low, values.high]
            store[_STORED] = np.array(numbers)

    def load(self, store: dict[str, Any]) -> None:
        """Takes what `save` has saved out of a store, where it is there."""
        if _STORED in store:
            stored = np.asarray(store.pop(_STORED), "float64")
            kind, low, high = stored.tolist()
            self._remember(ImageValues(KINDS[int(kind)], low, high))


def _values_of(part: Any) -> ImageValues | None:
    """Returns the kind and range of images, where they are known."""
    if hasattr(part, "value_range"):  # of a data set
        if part.value_range is None or getattr(part, "dtype", None) is None:
            return None
        if np.dtype(part.dtype).kind != "f":
            return ImageValues("integers")
        return ImageValues("floats", *part.value_range)
    images = as_array(part) if hasattr(part, "shape") else None
    if images is None or images.dtype.kind not in "iuf" or images.ndim == 2:
        return None
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        return None  # training finds it
    return measured(images)


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
