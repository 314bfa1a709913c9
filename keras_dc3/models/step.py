"""The training step of `DC3Model`: loss, logged quantities, and what follows."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops, tree

from keras_dc3.collective import Collective
from keras_dc3.models.epoch_statistics import EpochStatistics
from keras_dc3.models.seen_values import SeenValues
from keras_dc3.objective import TERMS
from keras_dc3.strategies.strategy import LABELED

# Logged beside the terms of the objective.
RATES = ("ambiguous", "mask_rate")
# Features move fast at first: after this part of training, clusters start anew.
_RESTART = 0.2


def restart_step(training_steps: int) -> int:
    """Returns the step at which the clusters start anew."""
    return round(_RESTART * training_steps)


class MeanOfShares(keras.metrics.Mean):
    """The mean over all images of what replicas hold shares of.

    Each replica adds the sum of its images over the number of all replicas' images,
    times the number of replicas, as Keras does with a loss. Replicas therefore count
    alike, however many images each has, and a batch as many as it has in all.

    Args:
        collective: the replicas.
        name: of the logged quantity.
    """

    def __init__(self, collective: Collective, name: str):
        super().__init__(name=name)
        self._collective = collective

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Adds a batch; `sample_weight` is the number of this replica's images."""
        images = self._collective.sum(ops.cast(sample_weight, "float32"))
        super().update_state(values, images / self._collective.replicas)


def term_metrics(collective: Collective) -> dict[str, keras.metrics.Metric]:
    """Returns a mean for each logged quantity, and what is kept beside the logs."""
    means = {name: MeanOfShares(collective, f"{name}_loss") for name in TERMS}
    means |= {name: keras.metrics.Mean(name=name) for name in RATES}
    return {
        **means,
        "statistics": EpochStatistics(),
        "seen_values": SeenValues(),
    }


class StepMixin:
    """`compute_loss`, `compute_metrics` and `train_step` of `DC3Model`."""

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        targets, mean = self._targets(y), self.collective.mean
        if training:
            self._terms["seen_values"].update_state(x)
        if "classes" in y_pred:  # plain images: evaluation, or supervised training
            if training and self.ssl.needs_unlabeled:
                raise ValueError(
                    f"The strategy `{type(self.ssl).__name__}` needs unlabeled "
                    "images, but the batch is plain `(images, labels)`. Pass "
                    '`({"labeled": images, "unlabeled": {view: images}}, labels)`, a '
                    'data set, or use `ssl="supervised"`.'
                )
            loss = ops.categorical_crossentropy(targets, y_pred["classes"])
            loss = mean(loss, sample_weight)
            total = loss + self._additional_losses()
            if training:
                terms = {"supervised": loss}
                self._log_terms(terms, ops.shape(targets)[0])
                self.epoch_statistics.update_state(x, y_pred, terms, total)
            return total
        anchor, partner = self._unlabeled(y_pred)
        logits = {view: outputs["class_logits"] for view, outputs in y_pred.items()}
        labeled_loss = self.ssl.labeled_loss(targets, logits[LABELED])
        unlabeled_loss = self.ssl.unlabeled_loss(logits)
        unlabeled, mask = anchor["class_logits"], self.ssl.mask(logits)
        mask = self._per_image("mask", mask, unlabeled)
        terms = self.objective(
            targets,
            y_pred[LABELED],
            anchor,
            partner,
            self._per_image("labeled_loss", labeled_loss, logits[LABELED]),
            self.ssl.loss_weight(self.step.value)
            * (mask * self._per_image("unlabeled_loss", unlabeled_loss, unlabeled)),
            sample_weight,
        ).terms._asdict()
        total = sum(terms.values()) + self._additional_losses()
        predicted = self._probabilities(anchor)
        self._log(terms, predicted["ambiguity"], mask, ops.shape(targets)[0])
        self.epoch_statistics.update_state(x, y_pred, terms, total, predicted, mask)
        return total

    def _unlabeled(self, outputs: dict[str, Any]) -> tuple[Any, Any]:
        """Returns the outputs of the anchor view, and of its partner or None."""
        partner = self.ssl.partner
        return outputs[self.ssl.anchor], outputs[partner] if partner else None

    def remember(self, outputs: dict[str, Any]) -> None:
        """Gives the prototypes, where there are any, the unlabeled images of a step.

        It belongs to the forward pass, like the moving statistics of
        BatchNormalization; `after_step` moves the prototypes.
        """
        head = self.network.prototype_head
        if head is None:
            return
        anchor, partner = self._unlabeled(outputs)
        ranked = self.objective.rank(anchor, partner)
        if not self.config.predicts_ambiguity:
            ranked = ops.ones_like(ranked)
        gather = self.collective.gather
        head.remember(
            gather(ops.stop_gradient(anchor["features"])),
            gather(ops.softmax(ops.stop_gradient(anchor["class_logits"]), axis=-1)),
            gather(ops.stop_gradient(ranked)),
        )

    def _per_image(self, name: str, values: Any, logits: Any) -> Any:
        """Returns a strategy's values in float32, checked to be one per image."""
        values = ops.convert_to_tensor(values)
        # A known number for an unknown number of images would be spread over them.
        if len(values.shape) != 1 or (
            values.shape[0] is not None and values.shape[0] != logits.shape[0]
        ):
            raise ValueError(
                f"`{type(self.ssl).__name__}.{name}` must return one value per "
                f"image, shape ({logits.shape[0]},). Received: shape "
                f"{tuple(values.shape)}"
            )
        # Where both numbers are unknown while tracing, this compares them.
        return ops.reshape(ops.cast(values, "float32"), (ops.shape(logits)[0],))

    def _additional_losses(self) -> Any:
        return sum((self._aggregate_additional_loss(v) for v in self.losses), 0.0)

    def _log(self, terms: dict[str, Any], ambiguity: Any, mask: Any, rows: Any) -> None:
        self._log_terms(terms, rows)
        # By image, not by batch: a replica may have fewer, or none.
        self._terms["ambiguous"].update_state(ambiguity >= 0.5)
        self._terms["mask_rate"].update_state(mask)

    def _log_terms(self, terms: dict[str, Any], rows: Any) -> None:
        for name, term in terms.items():
            self._terms[name].update_state(term * self.collective.replicas, rows)

    def _targets(self, y: Any) -> Any:
        """Returns labels as float32 distributions (n, k)."""
        if y is None:
            raise ValueError("Labels are missing: pass `(inputs, labels)`.")
        if len(y.shape) == 2 and y.shape[1] == 1:
            y = ops.squeeze(y, axis=1)
        if len(y.shape) == 1:
            return ops.one_hot(ops.cast(y, "int32"), self.num_classes, dtype="float32")
        return ops.cast(y, "float32")

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        plain = "classes" in y_pred
        if plain:
            classes = y_pred["classes"]
        else:
            classes = ops.softmax(y_pred[LABELED]["class_logits"], axis=-1)
        logs = super().compute_metrics(x, self._targets(y), classes, sample_weight)
        if plain:  # what is not computed is not logged
            for name, metric in self._terms.items():
                if name != "supervised":
                    logs.pop(metric.name, None)
        return logs

    def _get_metrics_result_or_logs(self, logs: Any) -> Any:
        # Keras takes the figures of an epoch's last batch for those of the epoch where
        # a step does not log every metric.
        results = self.get_metrics_result()
        if not logs or not set(logs) <= set(results):
            return super()._get_metrics_result_or_logs(logs)
        return {name: results[name] for name in logs}

    def metric_names(self) -> list[str]:
        """Returns the names of all metrics that the steps may log."""
        with self.collective.scope():  # Keras knows them once it has seen a batch
            nothing = ops.ones((1, self.num_classes), "float32") / self.num_classes
            super().compute_metrics(None, nothing, nothing, None)
        self.reset_metrics()
        return list(self.get_metrics_result())

    def metrics_without_direction(self) -> list[str]:
        """Returns the names of compiled metrics of which Keras knows no direction.

        To be called after `metric_names`.
        """
        return [
            part.name
            for metric in self.metrics
            for part in getattr(metric, "metrics", ())
            if not hasattr(part, "_direction")
        ]

    @property
    def epoch_statistics(self) -> EpochStatistics:
        """What the steps of the epoch leave behind for the callbacks."""
        return self._terms["statistics"]

    def reset_metrics(self) -> None:
        for metric in self.metrics:
            # Validation comes before the end of an epoch is told to the callbacks.
            if not (self._evaluating and metric is self.epoch_statistics):
                metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        results = super().get_metrics_result()
        if self._evaluating:  # the objective's terms belong to training alone
            for metric in self._terms.values():
                results.pop(metric.name, None)
        return results

    def after_step(self) -> None:
        """Moves prototypes and the average of the weights, and counts the step."""
        if self.network.prototype_head is not None:
            restart = self.step.value == restart_step(self.training_steps)
            self.network.prototype_head.move(restart)
        self.average.update(self.network, updates=self.step.value)
        self.step.assign(self.step.value + 1)

    def train_step(self, *args: Any) -> Any:
        """One step; `(data)` on TensorFlow and PyTorch, `(state, data)` on JAX."""
        backend = keras.backend.backend()
        if backend == "jax":
            logs, state = super().train_step(*args)
            trainable, non_trainable, optimizer, metrics = state
            pairs = [
                *zip(self.trainable_variables, trainable, strict=True),
                *zip(self.non_trainable_variables, non_trainable, strict=True),
            ]
            with keras.StatelessScope(pairs) as scope:
                self.after_step()
            non_trainable = [
                scope.get_current_value(v) for v in self.non_trainable_variables
            ]
            return logs, (trainable, non_trainable, optimizer, metrics)
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
