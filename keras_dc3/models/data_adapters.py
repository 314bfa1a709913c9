"""The kinds of data that `fit` and `evaluate` take, each behind the same face.

A data set, arrays or a dict of arrays, a `tf.data.Dataset`, a `PyDataset`, a PyTorch
`DataLoader`, and generators or other streams; see `adapt`.
"""

from __future__ import annotations

import copy
import functools
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping
from inspect import signature
from typing import Any

import keras
import numpy as np
from keras import tree

from keras_dc3.models.batch_checks import (
    check_batch,
    check_image_shapes,
    check_positions,
    check_training_batch,
    is_training_batch,
)
from keras_dc3.models.checked_batches import (
    ChangedBatches,
    CheckedCollation,
    as_numpy,
    checked,
)
from keras_dc3.models.class_weighting import weighed_batches
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies.batch import POSITIONS


def adapt(x: Any, y: Any = None) -> Data:
    """Returns the adapter of a user's data.

    Args:
        x: as for `fit` or `evaluate`.
        y: labels, where `x` is an array or a dict of arrays.
    """
    if is_data_set(x):
        return DataSet(x, y)
    if y is not None or isinstance(x, dict | np.ndarray):
        return Arrays(x, y)
    if isinstance(x, keras.utils.PyDataset):
        return NumberedBatches(x)
    if hasattr(x, "element_spec") and not hasattr(x, "__next__"):
        return TensorFlowDataset(x)
    if _is_loader(x):
        return Loader(x)
    return Data(x)


def adapt_validation(data: Any) -> Data:
    """Returns the adapter of `validation_data`: batches, or (images, labels)."""
    if not isinstance(data, tuple | list):
        return adapt(data)
    images, *labels = data
    return adapt(images, labels[0] if labels else None)


def is_data_set(x: Any) -> bool:
    """Whether `x` follows the data protocol of `DC3Model.fit`."""
    return hasattr(x, "training_batches") and hasattr(x, "num_classes")


def _is_loader(x: Any) -> bool:
    return any(
        cls.__module__.startswith("torch.") and cls.__name__ == "DataLoader"
        for cls in type(x).__mro__
    )


def is_stream(x: Any) -> bool:
    """Whether images come in batches, and are not at hand all at once."""
    return isinstance(x, keras.utils.PyDataset) or (
        hasattr(x, "__iter__")
        and not hasattr(x, "shape")
        and not isinstance(x, list | tuple | str | bytes | set)
    )


def to_predict(
    x: Any, batch_size: int | None, steps: int | None
) -> tuple[Any, int | None, int | None]:
    """Returns images, batch size and steps as Keras takes them to predict.

    Args:
        x, batch_size, steps: as for `DC3Model.predict`.

    Raises:
        ValueError: for a dict.
    """
    if hasattr(x, "image_batches"):  # a part of a data set
        size = batch_size or 32
        number = math.ceil(len(x.ids) / size)
        batches = ((images,) for images in x.image_batches(size))
        return batches, None, number if steps is None else min(steps, number)
    if is_training_batch(x):
        raise ValueError(
            "Images must be an array or tensor of shape (n, height, width, "
            f"channels). Received: a dict with {sorted(map(str, x))}; pass one of "
            "its values."
        )
    return x, batch_size, steps


class Data:
    """A generator or another stream, which cannot be looked into; and the face of all.

    Args:
        x: what a user has given.
        y: labels beside it, or None.
    """

    # What to do where batches have a size and weights of their own.
    where = "Give it where the data are made"
    weights = "yield `(inputs, labels, weights)`"
    is_endless = False  # known to repeat without end
    has_unknown_end = False  # a `tf.data.Dataset` that does not know its length

    def __init__(self, x: Any, y: Any = None):
        self.x, self.y = x, y

    @property
    def labels(self) -> Any:
        """The labels of all labeled images; None where they are not at hand."""
        return getattr(self.x, "labels", self.y)

    @property
    def comes_in_batches(self) -> bool:
        """Whether the size of a batch is the data's own."""
        return hasattr(self.x, "__next__")

    @property
    def may_be_shuffled(self) -> bool:
        """Whether Keras can change the order."""
        return not self.comes_in_batches

    @property
    def may_not_end(self) -> bool:
        """Whether nobody knows how many batches there are."""
        return self.has_unknown_end or hasattr(self.x, "__next__")

    def first_batch(self) -> tuple[Any, Any] | None:
        """Returns the inputs and labels of a batch, or their specs, without taking it.

        None where that cannot be done.

        Raises:
            ValueError: if there are no labels.
        """
        return None

    @property
    def has_plain_images(self) -> bool:
        """Whether it is known that batches are images without unlabeled ones."""
        first = self.first_batch()
        return first is not None and not is_training_batch(first[0])

    def check(self, model: Any) -> tuple[int | None, tuple | None]:
        """Checks the first batch to train on, as far as it can be looked into.

        Args:
            model: the `DC3Model`; what it does not know yet is not checked.

        Returns:
            The number of classes and the shape (h, w, c) of the images, those of the
            model or, where it does not know them, those of the batch; None: not known.

        Raises:
            ValueError: for data that the model cannot be trained on.
        """
        first = self.first_batch()
        if first is None and not model.built:
            raise ValueError(
                "The model is not built, and a generator cannot be looked into "
                "without losing its first batch. Call `model.build((None, height, "
                "width, channels))` first, with `num_classes` given, or pass a "
                "`tf.data.Dataset` or a `keras.utils.PyDataset`."
            )
        if self.is_empty:
            raise ValueError("The training data is empty: it has no batch.")
        num_classes, image_shape = model.num_classes, model.image_shape
        if first is None:
            return num_classes, image_shape
        inputs, labels = first
        check_training_batch(inputs, labels, model.ssl, num_classes)
        trains_more = model.config.predicts_ambiguity or model.config.inverse_weight
        if not is_training_batch(inputs) and trains_more:
            warnings.warn(
                "There are no unlabeled images, so the cross-entropy alone is trained: "
                "ambiguity and clusters stay random. Add unlabeled images, or say "
                "`config=DC3Config.vanilla()` for a plain classifier.",
                stacklevel=5,
            )
        check_image_shapes(inputs, image_shape)
        if num_classes is None and len(labels.shape) == 2 and labels.shape[1] > 1:
            num_classes = int(labels.shape[1])
        check_batch(inputs, labels, num_classes, whole=self.y is not None)
        images = inputs["labeled"] if is_training_batch(inputs) else inputs
        return num_classes, tuple(images.shape)[1:]

    def weigh(self, weights: Mapping[int, float]) -> bool:
        """Adds the weights of images to batches with soft labels; whether it can.

        Args:
            weights: of all classes.
        """
        return False

    def parts(self) -> dict[str, Any]:
        """Returns the images that are at hand: name -> array, or part of a data set."""
        return {}

    def to_train_on(self, strategy: SSLStrategy, steps: int | None) -> Data:
        """Returns the data of the batches that a strategy asks for.

        Args:
            strategy: the strategy.
            steps: of an epoch, None for all images once.
        """
        return self

    def num_unlabeled(self, strategy: SSLStrategy) -> int | None:
        """Returns how many unlabeled images there are; None: batches have no positions.

        Args:
            strategy: one that needs positions.

        Raises:
            ValueError: if batches have positions, but nobody has said of how many.
        """
        first = self.first_batch()
        if first is None:
            return strategy.num_unlabeled  # who says it, yields positions
        if not is_training_batch(first[0]) or POSITIONS not in first[0]:
            return None
        if strategy.num_unlabeled is None:
            name = type(strategy).__name__
            raise ValueError(
                "The batches hold the positions of unlabeled images, but it is not "
                f"known of how many: pass `num_unlabeled` to `{name}`, as in "
                f"`{name}(num_unlabeled=50_000)`."
            )
        check_positions(first[0][POSITIONS], strategy.num_unlabeled)
        return strategy.num_unlabeled

    def checked(self, num_classes: int, image_shape: tuple | None) -> Any:
        """Returns data for Keras that fail at the first impossible batch."""
        if not hasattr(self.x, "__next__"):
            return self.x
        is_of_tensors = hasattr(self.x, "element_spec")  # of a `tf.data.Dataset`
        batches = map(as_numpy, self.x) if is_of_tensors else self.x
        return (checked(batch, num_classes, image_shape) for batch in batches)

    def number_of_batches(self, batch_size: int | None) -> int | None:
        """Returns how many batches there are; None if that is unknown, or no end."""
        try:
            return len(self.x)
        except TypeError:
            return None

    @property
    def is_empty(self) -> bool:
        """Whether it is known that there is no batch."""
        return self.number_of_batches(None) == 0

    def number_of_steps(
        self, batch_size: int | None, validation_split: float
    ) -> int | None:
        """Returns the training steps of an epoch as Keras counts them, None if unknown.

        Args:
            batch_size, validation_split: as for `fit`.
        """
        return self.number_of_batches(batch_size)

    def labeled_batches(
        self, batch_size: int, steps: int | None
    ) -> Iterable[tuple[Any, Any]] | None:
        """Returns the (images, labels) to evaluate; None where they come only once."""
        return None

    def has_soft_labels(self) -> bool | None:
        """Returns whether labels to evaluate are soft; None if none can be seen."""
        batches = self.labeled_batches(1, 1)
        batch = None if batches is None else next(iter(batches), None)
        labels = None if batch is None else batch[1]
        return None if labels is None else _is_soft(labels)


class Arrays(Data):
    """Arrays of images, or a dict of them; and an array of labels."""

    comes_in_batches, may_be_shuffled = False, True

    def first_batch(self) -> tuple[Any, Any]:
        return self.x, self.y

    def to_train_on(self, strategy: SSLStrategy, steps: int | None) -> Data:
        x = self.x
        if not strategy.needs_positions or not is_training_batch(x) or POSITIONS in x:
            return self
        views = x.get("unlabeled")
        if not isinstance(views, Mapping) or not views:
            return self  # which is told where the batch is checked
        rows = len(tree.flatten(views)[0])
        return Arrays({**x, POSITIONS: np.arange(rows, dtype="int32")}, self.y)

    def num_unlabeled(self, strategy: SSLStrategy) -> int | None:
        if not is_training_batch(self.x):
            return None
        positions = np.asarray(self.x[POSITIONS])
        number = strategy.num_unlabeled or int(positions.max(initial=0)) + 1
        check_positions(positions, number)
        return number

    def parts(self) -> dict[str, Any]:
        if self.y is None:
            return {}
        if not isinstance(self.x, Mapping):
            return {"given": self.x}
        return {"labeled": self.x["labeled"], **dict(self.x["unlabeled"])}

    @property
    def is_empty(self) -> bool:
        return not isinstance(self.x, Mapping) and not len(self.x)

    def number_of_batches(self, batch_size: int | None) -> int:
        return math.ceil(len(tree.flatten(self.x)[0]) / (batch_size or 32))

    def number_of_steps(
        self, batch_size: int | None, validation_split: float
    ) -> int | None:
        if self.y is None:
            return None
        number = math.floor(len(self.y) * (1.0 - (validation_split or 0.0)))
        return math.ceil(number / (batch_size or 32))

    def labeled_batches(
        self, batch_size: int, steps: int | None
    ) -> Iterator[tuple[Any, Any]] | None:
        if self.y is None:
            return None
        n = len(self.y) if steps is None else min(len(self.y), steps * batch_size)
        x, y = np.asarray(self.x), np.asarray(self.y)
        starts = range(0, n, batch_size)
        return ((x[i : i + batch_size], y[i : i + batch_size]) for i in starts)

    def has_soft_labels(self) -> bool | None:
        return None if self.y is None else _is_soft(self.y)


class DataSet(Data):
    """A data set of `keras_dc3.datasets`, or what follows the same protocol."""

    where = "Give it to the function that made the data set"
    weights = 'pass `class_weight`, such as `class_weight="balanced"`'
    comes_in_batches, may_be_shuffled = True, False

    def parts(self) -> dict[str, Any]:
        names = ("labeled", "unlabeled")
        return {name: getattr(self.x, name, None) for name in names}

    def to_train_on(self, strategy: SSLStrategy, steps: int | None) -> Data:
        if self.y is not None:
            raise ValueError(
                "A data set brings its own labels: call `fit(data)` without `y`."
            )
        if strategy.needs_unlabeled and getattr(self.x, "unlabeled", 0) is None:
            raise ValueError(
                f"The strategy `{type(strategy).__name__}` needs unlabeled "
                f"images, but {self.x!r} has none; add some, or use "
                '`ssl="supervised"`.'
            )
        options = {}
        if strategy.unlabeled_ratio != 1:
            options["unlabeled_ratio"] = strategy.unlabeled_ratio
        if steps is not None:
            options["steps_per_epoch"] = steps
        make = self.x.training_batches
        told = strategy.needs_positions and POSITIONS in signature(make).parameters
        if told:
            options[POSITIONS] = True
        return _OwnBatches(self.x, adapt(make(strategy.views, **options)), told)


class _OwnBatches(DataSet):
    """The training batches of a data set, which it has checked."""

    def __init__(self, data: Any, batches: Data, have_positions: bool):
        super().__init__(data)
        self._batches, self._have_positions = batches, have_positions

    def num_unlabeled(self, strategy: SSLStrategy) -> int | None:
        return len(self.x.unlabeled) if self._have_positions else None

    @property
    def has_unknown_end(self) -> bool:
        return self._batches.has_unknown_end

    def first_batch(self) -> tuple[Any, Any] | None:
        return self._batches.first_batch()

    def checked(self, num_classes: int, image_shape: tuple | None) -> Any:
        return self._batches.x

    def weigh(self, weights: Mapping[int, float]) -> bool:
        if not isinstance(self._batches, NumberedBatches | TensorFlowDataset):
            return False
        self._batches.x = weighed_batches(self._batches.x, weights)
        return True

    def number_of_batches(self, batch_size: int | None) -> int | None:
        return self._batches.number_of_batches(batch_size)


class NumberedBatches(Data):
    """A `keras.utils.PyDataset`."""

    comes_in_batches = may_be_shuffled = True

    def first_batch(self) -> tuple[Any, Any]:
        return _inputs_and_labels(self.x[0])

    def checked(self, num_classes: int, image_shape: tuple | None) -> Any:
        check = functools.partial(
            checked, num_classes=num_classes, image_shape=image_shape
        )
        return ChangedBatches(self.x, check)

    def labeled_batches(
        self, batch_size: int, steps: int | None
    ) -> Iterator[tuple[Any, Any]]:
        number = min(len(self.x), steps or len(self.x))
        return (self.x[i][:2] for i in range(number))


class TensorFlowDataset(Data):
    """A `tf.data.Dataset`."""

    comes_in_batches, may_be_shuffled = True, False

    @property
    def is_endless(self) -> bool:
        return int(self.x.cardinality()) == -1

    @property
    def has_unknown_end(self) -> bool:
        return int(self.x.cardinality()) == -2

    def first_batch(self) -> tuple[Any, Any]:
        return _inputs_and_labels(self.x.element_spec)

    def checked(self, num_classes: int, image_shape: tuple | None) -> Any:
        from keras_dc3.data.pipeline import check_values

        return check_values(self.x, num_classes)

    def labeled_batches(
        self, batch_size: int, steps: int | None
    ) -> Iterator[tuple[Any, Any]]:
        taken = self.x if steps is None else self.x.take(steps)
        return (batch[:2] for batch in taken)

    def has_soft_labels(self) -> bool:
        return _is_soft(self.x.element_spec[1])


class Loader(Data):
    """A `torch.utils.data.DataLoader`."""

    comes_in_batches = may_be_shuffled = True

    def first_batch(self) -> tuple[Any, Any]:
        return _inputs_and_labels(as_numpy(next(iter(self.x))))

    def checked(self, num_classes: int, image_shape: tuple | None) -> Any:
        checked = copy.copy(self.x)
        checked.collate_fn = CheckedCollation(
            self.x.collate_fn, num_classes, image_shape
        )
        return checked

    def labeled_batches(
        self, batch_size: int, steps: int | None
    ) -> Iterator[tuple[Any, Any]]:
        return (as_numpy(batch[:2]) for batch in itertools.islice(self.x, steps))


def _is_soft(labels: Any) -> bool:
    return len(labels.shape) == 2 and labels.shape[1] != 1


def _inputs_and_labels(element: Any) -> tuple[Any, Any]:
    if not isinstance(element, tuple | list) or len(element) < 2:
        raise ValueError(
            "Training data must yield `(inputs, labels)`. Received elements of type "
            f"{type(element).__name__}; labels are missing."
        )
    return element[0], element[1]
