"""Compiling, saving and loading of `DC3Model`, where Keras alone loses something."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3.metrics import Verdict
from keras_dc3.models.accuracy import MajorityAccuracy
from keras_dc3.optimizers import reference_optimizer


class SavingMixin:
    """`compile`, and what `.keras` and weights files need to resume bit-equal."""

    def compile(
        self,
        optimizer: Any = "auto",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = "auto",
        **kwargs: Any,
    ) -> None:
        """Configures training; the constructor has called it without arguments.

        Args:
            optimizer: `"auto"`: the authors' (`keras_dc3.optimizers`), for
                `training_steps` steps.
            loss: must be None; the loss is made by `ssl` and `config`.
            loss_weights: must be None; the weights are fields of `config`.
            metrics: of the class prediction; `"auto"`: accuracy, in which m classes
                that tie for the most answers are right by 1 / m (Keras takes one).
            **kwargs: as for `keras.Model.compile`.
        """
        if loss is not None or loss_weights is not None:
            raise ValueError(
                "The loss of a `DC3Model` is made by its strategy and its "
                "`DC3Config`: choose them with `ssl=` and `config=` and leave `loss` "
                f"and `loss_weights` out. Received: loss={loss!r}, "
                f"loss_weights={loss_weights!r}"
            )
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = reference_optimizer(self.training_steps)
        if isinstance(metrics, str) and metrics == "auto":
            metrics = [MajorityAccuracy()]
        if self.collective.replicas > 1 and kwargs.get("steps_per_execution", 1) != 1:
            raise ValueError(
                "`steps_per_execution` must be 1 under a distribution strategy, where "
                f"Keras miscounts steps. Received: {kwargs['steps_per_execution']}"
            )
        super().compile(optimizer=optimizer, metrics=metrics, **kwargs)
        self._build_optimizer()

    def compile_from_config(self, config: dict[str, Any]) -> None:
        # Keras skips this for models that override `compile`.
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None):
        # Under a distribution strategy Keras would build model and metrics from the
        # mean over the replicas of the first batch, which fails for uneven batches.
        if not self.built or self.collective.replicas == 1:
            super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)
            return
        with self.collective.scope():
            nothing = ops.ones((1, self.num_classes), "float32") / self.num_classes
            self.compute_metrics(None, nothing, {"classes": nothing})
        self.reset_metrics()

    def get_build_config(self) -> dict[str, Any] | None:
        if not self.built:
            return None
        verdict = None if self.verdict is None else self.verdict.to_json()
        return {"image_shape": self._image_shape, "verdict": verdict}

    def build_from_config(self, config: dict[str, Any]) -> None:
        if config:
            self.build((None, *config["image_shape"]))
            if config.get("verdict"):
                self.verdict = Verdict.from_json(config["verdict"])

    def _seeds(self) -> list[Any]:
        """Returns the states of all random generators, in a fixed order."""
        saved = {id(weight) for weight in self.weights}
        metrics = {id(v) for metric in self.metrics for v in metric.variables}
        return [
            variable
            for variable in self.non_trainable_variables
            if id(variable) not in saved | metrics
        ]

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        for i, seed in enumerate(self._seeds()):  # Keras does not save these
            store[f"seed_{i}"] = keras.ops.convert_to_numpy(seed.value)

    def load_own_variables(self, store: Any) -> None:
        names = list(store.keys())
        saved = {name: store[name] for name in names if name.startswith("seed_")}
        super().load_own_variables(
            {name: store[name] for name in names if name not in saved}
        )
        for i, seed in enumerate(self._seeds()):
            if f"seed_{i}" in saved:
                seed.assign(saved[f"seed_{i}"])
