"""A Keras model whose private steps are adapted, or called under public names."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
from keras import tree

from keras_dc3._keras.fused_normalization import fused_normalization
from keras_dc3._keras.uneven_batches import of_any_size


class AdaptedModel(keras.Model):
    """A Keras model whose private steps are adapted or called under public names.

    Around each training step come `before_step` and `after_step`, on every backend.
    """

    def before_step(self) -> None:
        """Does what belongs to a training step before all else; it changes nothing."""

    def after_step(self) -> None:
        """Does what belongs to a training step once the weights have been changed."""

    def train_step(self, *args: Any) -> Any:
        """One step; `(data)` on TensorFlow and PyTorch, `(state, data)` on JAX."""
        backend = keras.backend.backend()
        if backend == "jax":
            given = [*zip(self.metrics_variables, args[0][3], strict=True)]
            with keras.StatelessScope(given):
                self.before_step()
            logs, state = super().train_step(*args)
            trainable, non_trainable, optimizer, metrics = state
            pairs = [
                *zip(self.trainable_variables, trainable, strict=True),
                *zip(self.non_trainable_variables, non_trainable, strict=True),
                *zip(self.metrics_variables, metrics, strict=True),
            ]
            with keras.StatelessScope(pairs) as scope:
                self.after_step()
            non_trainable = [
                scope.get_current_value(v) for v in self.non_trainable_variables
            ]
            return logs, (trainable, non_trainable, optimizer, metrics)
        self.before_step()
        with fused_normalization(self):
            logs = super().train_step(*args)
        if backend == "tensorflow":
            import tensorflow as tf

            # Where the number of batches is unknown, Keras runs what does not depend
            # on the batch once more at the end of an epoch.
            batch = [part for part in tree.flatten(args[0]) if part is not None]
            with tf.control_dependencies(batch):
                self.after_step()
        else:
            self.after_step()
        return logs

    def make_train_function(self, force: bool = False) -> Any:
        if self.workers == 1:
            return super().make_train_function(force)
        if self.train_function is None or force:
            self.train_function = self._step_of_workers(self.train_step)
        return self.train_function

    def make_test_function(self, force: bool = False) -> Any:
        if self.workers == 1:
            return super().make_test_function(force)
        if self.test_function is None or force:
            self.test_function = self._step_of_workers(self.test_step)
        return self.test_function

    @property
    def workers(self) -> int:
        """Over how many processes `tf.distribute` spreads the replicas."""
        return 1

    fit = of_any_size(keras.Model.fit)
    evaluate = of_any_size(keras.Model.evaluate)
    train_on_batch = of_any_size(keras.Model.train_on_batch)
    test_on_batch = of_any_size(keras.Model.test_on_batch)

    @of_any_size
    def predict(self, *args: Any, **kwargs: Any) -> Any:
        return self._alone(super().predict, *args, **kwargs)

    @of_any_size
    def predict_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        return self._alone(super().predict_on_batch, *args, **kwargs)

    def _alone(self, predict: Any, *args: Any, **kwargs: Any) -> Any:
        """Predicts without the other workers, which need not do so at the same time."""
        strategy = self.distribute_strategy if self.workers > 1 else None
        if strategy is None:
            return predict(*args, **kwargs)
        self._distribute_strategy = None  # which is the default one then
        try:
            # In a thread of its own, as a scope may be open in this one.
            with ThreadPoolExecutor(1) as thread:
                return thread.submit(predict, *args, **kwargs).result()
        finally:
            self._distribute_strategy = strategy

    def _step_of_workers(self, step: Any) -> Any:
        """Returns the function of a step, where Keras' own fails with several workers.

        Its figures are scalars, and Keras averages them over an axis there.
        """
        import tensorflow as tf

        strategy = self.distribute_strategy

        def of_replica(data: Any) -> dict[str, Any]:
            logs = step(data)
            values = tf.stack([tf.cast(value, "float32") for value in logs.values()])
            mean = tf.distribute.get_replica_context().all_reduce(
                tf.distribute.ReduceOp.MEAN, values
            )
            return dict(zip(logs, tf.unstack(mean, len(logs)), strict=True))

        def of_all(data: Any) -> dict[str, Any]:
            logs = strategy.run(of_replica, args=(data,))
            return {
                name: strategy.experimental_local_results(value)[0]
                for name, value in logs.items()
            }

        def of_next(iterator: Any) -> dict[str, Any]:
            return of_all(next(iterator))

        if self.run_eagerly:
            return of_next
        options = {"reduce_retracing": True, "autograph": False}
        compiled = tf.function(of_next, **options)
        compiled_on_data = tf.function(of_all, **options)

        def function(iterator: Any) -> dict[str, Any]:
            if isinstance(iterator, tf.distribute.DistributedIterator):
                return compiled(iterator)
            return compiled_on_data(next(iterator))

        return function

    def compile_from_config(self, config: dict[str, Any]) -> None:
        # Keras skips this for models that override `compile`.
        self.compile(**keras.saving.deserialize_keras_object(config))

    def builds_by_batch(self) -> bool:
        """Whether Keras may build model and metrics by a symbolic batch."""
        return True

    def build_metrics(self) -> None:
        """Creates the variables of all metrics, where Keras may not."""
        raise NotImplementedError

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None):
        if self.builds_by_batch():
            super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)
        else:
            self.build_metrics()

    def _get_metrics_result_or_logs(self, logs: Any) -> Any:
        # Keras takes the figures of an epoch's last batch for those of the epoch where
        # a step does not log every metric.
        results = self.get_metrics_result()
        if not logs or not set(logs) <= set(results):
            return super()._get_metrics_result_or_logs(logs)
        return {name: results[name] for name in logs}

    def in_order(self, logs: dict[str, Any]) -> Any:
        """Returns figures as `evaluate` does without `return_dict`."""
        return self._flatten_metrics_in_order(logs)

    def added_losses(self) -> Any:
        """Returns the sum of what layers have added by `add_loss`, a scalar."""
        return sum((self._aggregate_additional_loss(v) for v in self.losses), 0.0)

    def track_loss_by(self, metric: keras.metrics.Metric) -> None:
        """Replaces the metric of the logged loss.

        Like Keras' own, it is no layer of the model: a built one takes no more of
        these, and `evaluate` would give the loss once for each.
        """
        object.__setattr__(self, "_loss_tracker", metric)
