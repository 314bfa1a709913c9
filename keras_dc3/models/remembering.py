"""What a `DC3Model` knows of the images that it was trained on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
from keras import ops

from keras_dc3.models.given_images import (
    as_array,
    check_one_scale,
    check_same_scale,
    measured,
    together,
)
from keras_dc3.models.image_values import BYTES, KINDS, SYMMETRIC, ImageValues
from keras_dc3.models.inputs import is_training_batch

STORED = "image_values"  # in files of weights


class RememberingMixin:
    """The kind and range of the training images: learned, told and saved."""

    _image_values: ImageValues | None = None
    _has_told_of_scale = False

    @property
    def image_values(self) -> ImageValues | None:
        """The kind and range of the images that the model was trained on.

        Learned from the first images that `fit` or `train_on_batch` sees, saved with
        the model and by `save_weights`, though not in `get_weights` and `set_weights`,
        and stated by `summary()` and beside an export.
        By it one image has one answer, whether it comes as integers of 0..255, as
        floats of 0..255 or as it was in training. What can be none of these is
        refused, or answered with NaN inside a graph. A functional model that was made
        of this one before `fit` goes on with what was known then: make it anew.

        None for a model that was not trained yet, or saved by an older version. It may
        be set, though not during `fit`: to None, to be learned anew, or to a range that
        is known better than measured.
        """
        return self._image_values

    @image_values.setter
    def image_values(self, values: ImageValues | None) -> None:
        if values is not None and not isinstance(values, ImageValues):
            raise TypeError(
                "`image_values` must be a `keras_dc3.models.ImageValues` or None. "
                f"Received: {values!r}"
            )
        self._terms["seen_values"].forget()
        self._remember(values)
        self.train_function = None  # it may be traced for others

    def _remember(self, values: ImageValues | None) -> None:
        if values == self._image_values:
            return
        self._image_values = values
        self._has_told_of_scale = False
        if self.built:
            self.network.image_values = values
        self.test_function = self.predict_function = None  # likewise

    def learn_before_training(self, images: Any, data: Any = None) -> None:
        """Learns from training images that are at hand, or compares them with before.

        A stream's images are not at hand: what it holds is learned in training.

        Args:
            images: of a whole training set in memory, or its specs.
            data: the data set that they come from.

        Raises:
            ValueError: where parts of the set are scaled in different ways, or all of
                them in another way than what the model was trained on.
        """
        if data is not None:
            parts = {
                name: _of_part(getattr(data, name, None))
                for name in ("labeled", "unlabeled")
            }
        elif is_training_batch(images):
            parts = {"labeled": images["labeled"], **dict(images["unlabeled"])}
            parts = {name: _of_array(part) for name, part in parts.items()}
        else:
            parts = {"given": _of_array(images)}
        parts = {name: part for name, part in parts.items() if part is not None}
        if not parts:
            return
        check_one_scale(parts)
        seen = together(parts.values())
        if self.image_values is None:
            self._remember(seen)
            self._tell_contradiction()
        else:
            check_same_scale(seen, self.image_values)

    def prepare_answers(self) -> None:
        """Brings up to date what answers depend on beside the weights."""
        self.learn_from_training()
        self.follow_weights()

    def follow_weights(self) -> None:
        """Makes the average a copy of the weights, as it is before the first step.

        They may have been loaded into the backbone since the model was built.
        """
        if not self.built:
            return
        try:
            is_new = not int(ops.convert_to_numpy(self.step))
        except Exception:  # a graph is made; every backend has its own error
            return
        if is_new:
            self.average.reset(self.network)

    def learn_from_training(self) -> None:
        """Learns what training has seen since, or warns where it was something else."""
        parts = self._terms["seen_values"].read()
        if not parts:
            return
        if self.image_values is None:
            self._remember(together(parts.values()))
            self._tell_contradiction()
        if self._has_told_of_scale:
            return
        try:
            check_one_scale(parts)
            for part in parts.values():
                check_same_scale(part, self.image_values)
        except ValueError as error:  # training has taken place: too late to refuse it
            self._has_told_of_scale = True
            warnings.warn(str(error), stacklevel=3)

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

    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        self.follow_weights()  # a teacher's
        logs = super().train_on_batch(*args, **kwargs)
        if self.image_values is None:
            self.learn_from_training()
        return logs

    def _tell_contradiction(self) -> None:
        """Warns where `rescale` says something else of bytes than what was trained."""
        rescale, values = self.rescale, self.image_values
        if rescale is None or values.kind == "integers":
            return
        said = SYMMETRIC if rescale else BYTES
        if values.range == said:
            return
        if values.takes_bytes:
            then = "mapped to that range, too"
        elif self.network.takes_bytes:
            then = f"mapped to {said[0]:g} to {said[1]:g}, be these scaled so or not"
        else:
            then = "refused, as what they are in that range is not known"
        warnings.warn(
            f"`rescale={rescale}` says that integer images reach the backbone as "
            f"{said[0]:g} to {said[1]:g}, but the model is trained on {values}, which "
            f"reach it as they are. So integer images will be {then}. Train on uint8 "
            "images, or leave `rescale` out.",
            stacklevel=4,
        )

    def images_in_words(self) -> str:
        """Returns what the images are that the model takes, for people."""
        values = self.image_values
        if not self.built:
            return "not known yet"
        if values is not None and values.kind == "floats":
            bytes_ = "which integers of 0 to 255 are mapped to"
            if not values.takes_bytes:
                bytes_ = "integers are refused"
                if self.network.takes_bytes:
                    bytes_ = f"integers by `rescale={self.rescale}`"
            return f"{values}, as the backbone takes them; {bytes_}"
        rescale = "" if self.network.rescale else "not "
        words = f"integers of 0 to 255, {rescale}scaled to -1..1 before the backbone"
        if values is None:
            return f"{words}; floats as the backbone takes them (no training known)"
        return f"{words}; or floats of 0 to 255, likewise"

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, images={self.images_in_words()!r}>"

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """Prints what `keras.Model.summary` does, and what images the model takes."""
        super().summary(*args, **kwargs)
        (kwargs.get("print_fn") or print)(f" Images: {self.images_in_words()}")

    def stored_image_values(self) -> np.ndarray | None:
        """Returns `image_values` as three numbers for a file of weights."""
        values = self.image_values
        if values is None:
            return None
        return np.array([KINDS.index(values.kind), values.low, values.high])

    def restore_image_values(self, stored: Any) -> None:
        """Takes over what `stored_image_values` returned."""
        kind, low, high = np.asarray(stored, "float64").tolist()
        self._remember(ImageValues(KINDS[int(kind)], low, high))


def _of_array(images: Any) -> ImageValues | None:
    images = as_array(images)
    if images is None or images.dtype.kind not in "iuf":
        return None
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        return None  # training finds it
    return measured(images)


def _of_part(part: Any) -> ImageValues | None:
    """Returns the kind and range of a part of a data set, where it knows them."""
    dtype = getattr(part, "dtype", None)
    if dtype is None or getattr(part, "value_range", None) is None:
        return None
    if np.dtype(dtype).kind != "f":
        return ImageValues("integers")
    return ImageValues("floats", *part.value_range)
