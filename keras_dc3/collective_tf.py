"""The collective of `tf.distribute`. TensorFlow only."""

from __future__ import annotations

import contextlib
from typing import Any

import tensorflow as tf

from keras_dc3.collective import Collective


class TFCollective(Collective):
    """Sums and gathers over the replicas of a `tf.distribute.Strategy`.

    The methods work inside `strategy.run` (a Keras step); outside, where Keras builds
    a model symbolically, they are the identity.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self.strategy = strategy
        self.replicas = strategy.num_replicas_in_sync

    def scope(self) -> contextlib.AbstractContextManager:
        return self.strategy.scope()

    def _context(self) -> Any:
        context = tf.distribute.get_replica_context()
        if context is None or context.num_replicas_in_sync == 1:
            return None
        return context

    def sum(self, value: Any) -> Any:
        context = self._context()
        if context is None:
            return value
        return context.all_reduce(tf.distribute.ReduceOp.SUM, value)

    def gather(self, value: Any) -> Any:
        context = self._context()
        return value if context is None else context.all_gather(value, axis=0)

    def local(self, value: Any, like: Any) -> Any:
        context = self._context()
        if context is None:
            return value
        rows = tf.shape(like)[0]
        sizes = context.all_gather(rows[None], axis=0)
        replica = tf.cast(context.replica_id_in_sync_group, tf.int32)
        before = tf.range(tf.shape(sizes)[0]) < replica
        start = tf.reduce_sum(tf.where(before, sizes, tf.zeros_like(sizes)))
        return value[start : start + rows]


def current() -> Collective:
    """Returns the collective of the strategy in scope, or the identity."""
    if tf.distribute.has_strategy():
        return TFCollective(tf.distribute.get_strategy())
    return Collective()
