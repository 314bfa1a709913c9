"""What a loss must know of the other replicas: global sums, counts and gathers.

The objective is written against this interface alone. Without a distribution
strategy every method is the identity; `tf_collective` is the same for `tf.distribute`.
"""

from __future__ import annotations

import contextlib
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3._validation import check_rank, check_same_batch
from keras_dc3.collective.share import Share


class Collective:
    """One replica: nothing to communicate.

    Attributes:
        replicas: how many there are, over all processes.
        workers: the processes that share them.
        worker: the number of this one, from 0.
        engine: what runs them, with its version.
    """

    replicas: int = 1
    workers: int = 1
    worker: int = 0
    engine: str = f"keras {keras.__version__}"

    @property
    def share(self) -> Share | None:
        """Which part of each batch this process reads; None: all of it."""
        if self.workers == 1:
            return None
        parts = self.replicas // self.workers
        return Share(self.worker * parts, parts, self.replicas)

    def distribute(self, shares: Any, own: Any = None) -> Any:
        """Returns what Keras iterates over, of the `share` of each batch.

        Args:
            shares: a `tf.data.Dataset` of the parts of one step after the other.
            own: kept as its `own`, for whoever needs this process's rows at once.
        """
        return shares

    def joined(self, rows: np.ndarray) -> np.ndarray:
        """Returns the rows of all processes, in their order; all must call it."""
        return rows

    def scope(self) -> contextlib.AbstractContextManager:
        """Returns the context in which variables must be created."""
        return contextlib.nullcontext()

    def sum(self, value: Any) -> Any:
        """Returns the sum of a tensor over all replicas, same shape."""
        return value

    def gather(self, value: Any) -> Any:
        """Returns the rows (n, ...) of all replicas, in replica order: (N, ...)."""
        return value

    def local(self, value: Any, like: Any) -> Any:
        """Returns the rows of a gathered `value` (N, ...) that belong to this replica.

        Args:
            value: tensor (N, ...) with one row per image of the global batch.
            like: tensor (n, ...) with one row per image of this replica.
        """
        return value

    def spread(self, images: Any) -> tuple[Any, slice]:
        """Returns images to compute with, and which of their rows are this replica's.

        They are the images themselves, or, where a replica has none, those of all
        replicas: a network cannot be run on no image, and whatever is normalized by the
        statistics of all replicas has the same of so many copies of the global batch.

        Args:
            images: float tensor (n, ...) with this replica's images.
        """
        return images, slice(None)

    def mean(self, values: Any, weights: Any = None) -> Any:
        """Returns this replica's share of the mean of `values` over the global batch.

        The local sum of `weights * values` over the GLOBAL number of rows: the sum of
        these shares over the replicas is the mean, and so are their gradients, which
        Keras' optimizers add up. Rows of weight 0 count; no rows at all give 0.

        Args:
            values: float tensor (n,).
            weights: float tensor (n,), or None for ones.
        """
        if weights is not None:
            weights = ops.convert_to_tensor(weights)
            check_rank("sample_weight", weights, 1, "(images,)")
            check_same_batch(values=values, sample_weight=weights)
            values = values * ops.cast(weights, values.dtype)
        count = self.sum(ops.cast(ops.shape(values)[0], values.dtype))
        return ops.sum(values) / ops.maximum(count, 1.0)
