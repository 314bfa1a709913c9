"""The private parts of Keras that this package uses, all of them in this place.

Tried before every merge with the oldest Keras that setup.py allows and the newest; 3.12
and 3.15 when this was written. When a newer one changes one of them, this is the module
to look at; everything else calls what Keras documents.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import tree


def layers_in(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns a layer and all layers inside it."""
    return list(layer._flatten_layers(include_self=True, recursive=True))


def own_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns the layers directly inside a layer."""
    return list(layer._flatten_layers(include_self=False, recursive=False))


def has_layers(layer: keras.layers.Layer) -> bool:
    """Whether a layer is made of others."""
    return bool(layer._layers)


def own_state(layer: keras.layers.Layer) -> list[Any]:
    """Returns the variables of a layer that no gradient changes, whatever is frozen."""
    return list(layer._non_trainable_variables)


def takes_training(layer: keras.layers.Layer) -> bool:
    """Whether the `call` of a layer takes the argument `training`."""
    return layer._call_has_training_arg


def operation_of(tensor: keras.KerasTensor) -> Any:
    """Returns the layer or operation that a symbolic tensor comes from."""
    return tensor._keras_history.operation


def schedule_of(optimizer: Any) -> Any:
    """Returns what the rate of an optimizer is computed by; None for a number."""
    rate = getattr(optimizer, "_learning_rate", None)
    return rate if callable(rate) else None


def set_schedule(optimizer: Any, schedule: Any) -> None:
    """Replaces the schedule that the rate of an optimizer is computed by."""
    optimizer._learning_rate = schedule


def has_direction(metric: keras.metrics.Metric) -> bool:
    """Whether callbacks that choose by a metric are told which way is better."""
    return hasattr(metric, "_direction")


def more_is_better(metric: keras.metrics.Metric) -> None:
    """Tells such callbacks so."""
    metric._direction = "up"


def begin_with(model: keras.Model, epoch: int | None) -> None:
    """Makes a `fit` that begins go on with an epoch; None: with its `initial_epoch`."""
    model._initial_epoch = epoch


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
