"""Arrays, all of which are at hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from keras import tree

from keras_dc3.collective import Collective
from keras_dc3.models.batch_checks import check_positions, is_training_batch
from keras_dc3.models.data_adapters.data import Data, is_soft
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies.batch import POSITIONS


class Arrays(Data):
    """Arrays of images, or a dict of them; and an array of labels."""

    comes_in_batches, may_be_shuffled = False, True

    def first_batch(self) -> tuple[Any, Any]:
        return self.x, self.y

    def to_train_on(
        self, strategy: SSLStrategy, steps: int | None, collective: Collective
    ) -> Data:
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
        return None if self.y is None else is_soft(self.y)
