"""The collective of `tf.distribute`: values of all replicas are brought together."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import tensorflow as tf

from keras_dc3.collective.collective import Collective

_TRAINS = ("chief", "worker")  # the tasks of a cluster that do


class TFCollective(Collective):
    """Sums and gathers over the replicas of a `tf.distribute.Strategy`.

    The methods work inside `strategy.run` (a Keras step); outside, where Keras builds
    a model symbolically, they are the identity.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self.strategy = strategy
        self.replicas = strategy.num_replicas_in_sync
        self.engine = f"tensorflow {tf.__version__}"
        resolver = strategy.cluster_resolver
        if resolver is not None and resolver.task_type is not None:
            cluster = resolver.cluster_spec().as_dict()
            self.workers = sum(len(cluster.get(name, ())) for name in _TRAINS)
            before = len(cluster.get("chief", ()))
            first = resolver.task_type == "chief"
            self.worker = resolver.task_id + (0 if first else before)

    def scope(self) -> contextlib.AbstractContextManager:
        return self.strategy.scope()

    def distribute(self, shares: Any, own: Any = None) -> Any:
        parts = self.replicas // self.workers
        distributed = self.strategy.distribute_datasets_from_function(lambda _: shares)
        # TensorFlow counts the parts, but Keras takes the number for that of batches.
        distributed._cardinality = int(shares.cardinality()) // parts
        distributed.own = own
        return distributed

    def joined(self, rows: np.ndarray) -> np.ndarray:
        if self.workers == 1:
            return rows
        parts = iter(np.array_split(rows, self.replicas // self.workers))
        values = self.strategy.experimental_distribute_values_from_function(
            lambda _: tf.constant(next(parts))
        )
        return self.strategy.gather(values, axis=0).numpy()

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
        if context is None:
            return value
        gathered = context.all_gather(value, axis=0)
        gathered.set_shape((None, *value.shape[1:]))  # which it forgets in a graph
        return gathered

    def local(self, value: Any, like: Any) -> Any:
        context = self._context()
        if context is None:
            return value
        rows = tf.shape(like)[0]
        start = self._start(context, context.all_gather(rows[None], axis=0))
        return value[start : start + rows]

    def spread(self, images: Any) -> tuple[Any, slice]:
        context = self._context()
        if context is None:
            return images, slice(None)
        rows = tf.shape(images)[0]
        sizes = context.all_gather(rows[None], axis=0)
        shared = tf.reduce_any(sizes == 0)
        # Of the two parts one is always empty, as a branch could not hold the gather;
        # and one image is gathered for nothing, as TensorFlow cannot gather none.
        gathered = context.all_gather(images[: tf.where(shared, rows, 1)], axis=0)
        gathered = gathered[: tf.where(shared, tf.reduce_sum(sizes), 0)]
        start = tf.where(shared, self._start(context, sizes), 0)
        images = tf.concat([gathered, images[: tf.where(shared, 0, rows)]], axis=0)
        return images, slice(start, start + rows)

    def _start(self, context: Any, sizes: Any) -> Any:
        """Returns how many of the gathered rows stand before this replica's."""
        replica = tf.cast(context.replica_id_in_sync_group, tf.int32)
        before = tf.range(tf.shape(sizes)[0]) < replica
        return tf.reduce_sum(tf.where(before, sizes, tf.zeros_like(sizes)))


def current() -> Collective:
    """Returns the collective of the strategy in scope, or the identity."""
    if tf.distribute.has_strategy():
        return TFCollective(tf.distribute.get_strategy())
    return Collective()
