"""Data sets, which make their own batches."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

from keras_dc3.models.data_adapters.batches import adapt_batches
from keras_dc3.models.data_adapters.data import Data
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies.batch import POSITIONS


def is_data_set(x: Any) -> bool:
    """Whether `x` follows the data protocol of `DC3Model.fit`."""
    return hasattr(x, "training_batches") and hasattr(x, "num_classes")


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
        return _OwnBatches(self.x, adapt_batches(make(strategy.views, **options)), told)


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
        return self._batches.weigh(weights)

    def number_of_batches(self, batch_size: int | None) -> int | None:
        return self._batches.number_of_batches(batch_size)
