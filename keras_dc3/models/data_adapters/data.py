"""The face of all kinds of data that a model is trained or evaluated on."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from keras_dc3.collective import Collective
from keras_dc3.models.batch_checks import (
    check_batch,
    check_image_shapes,
    check_positions,
    check_training_batch,
    is_training_batch,
)
from keras_dc3.models.checked_batches import as_numpy, checked
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies.batch import POSITIONS


class Data:
    """A generator or another stream, which cannot be looked into; and the face of all.

    Args:
        x: what a user has given.
        y: labels beside it, or None.
    """

    # What to do where batches have a size and weights of their own.
    where = "Give it where the data are made"
    weights = "yield `(inputs, labels, weights)`"
    is_shared = False  # each worker makes its share of a batch by itself
    is_endless = False  # known to repeat without end
    has_unknown_end = False  # a `tf.data.Dataset` that does not know its length

    def __init__(self, x: Any, y: Any = None):
        self.x, self.y = x, y

    @property
    def element_spec(self) -> Any:
        """What the batches are, where they tell it."""
        return getattr(self.x, "element_spec", None)

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

    def to_train_on(
        self, strategy: SSLStrategy, steps: int | None, collective: Collective
    ) -> Data:
        """Returns the data of the batches that a strategy asks for.

        Args:
            strategy: the strategy.
            steps: of an epoch, None for all images once.
            collective: the replicas that share each batch.
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
        return None if labels is None else is_soft(labels)


def is_soft(labels: Any) -> bool:
    """Whether labels, or their spec, are a distribution for each image."""
    return len(labels.shape) == 2 and labels.shape[1] != 1
