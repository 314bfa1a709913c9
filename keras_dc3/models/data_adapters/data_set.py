"""Data sets, which make their own batches."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np

from keras_dc3.collective import Collective
from keras_dc3.models.data_adapters.batches import adapt_batches
from keras_dc3.models.data_adapters.data import Data
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies.batch import POSITIONS


def is_data_set(x: Any) -> bool:
    """Whether `x` follows the data protocol of `DC3Model.fit`."""
    return hasattr(x, "training_batches") and hasattr(x, "num_classes")


def validation_of(data: Any, collective: Collective, steps: int | None) -> Any:
    """Returns the validation batches of a data set; None where it has none.

    Several workers read their own images each, where the data set can do that.

    Args:
        data: the data set.
        collective: the replicas that evaluate together.
        steps: batches to evaluate, None for all.
    """
    make, share = data.validation_batches, collective.share
    if share is None or steps is not None or "share" not in signature(make).parameters:
        return make()
    batches, part = make(share=share), data.validation
    if batches is None:
        return None
    rows = np.arange(len(part))[share.all_rows(len(part))]
    return collective.distribute(batches, (part.subset(rows), part.targets[rows]))


class DataSet(Data):
    """A data set of `keras_dc3.datasets`, or what follows the same protocol."""

    where = "Give it to the function that made the data set"
    weights = 'pass `class_weight`, such as `class_weight="balanced"`'
    comes_in_batches, may_be_shuffled = True, False

    def parts(self) -> dict[str, Any]:
        names = ("labeled", "unlabeled")
        return {name: getattr(self.x, name, None) for name in names}

    def to_train_on(
        self, strategy: SSLStrategy, steps: int | None, collective: Collective
    ) -> Data:
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
        known = signature(make).parameters
        told = strategy.needs_positions and POSITIONS in known
        if told:
            options[POSITIONS] = True
        if collective.share is not None and "share" in known:
            options["share"] = collective.share
        batches = adapt_batches(make(strategy.views, **options))
        if "share" not in options:
            return _OwnBatches(self.x, batches, told)
        return _SharedBatches(self.x, batches, told, collective)


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


class _SharedBatches(_OwnBatches):
    """The parts of such batches that one of several workers makes."""

    is_shared = True

    def __init__(
        self, data: Any, batches: Data, have_positions: bool, collective: Collective
    ):
        super().__init__(data, batches, have_positions)
        self._collective = collective

    def checked(self, num_classes: int, image_shape: tuple | None) -> Any:
        return self._collective.distribute(self._batches.x)

    def number_of_batches(self, batch_size: int | None) -> int | None:
        number = self._batches.number_of_batches(batch_size)
        return number and number // self._collective.share.parts
