"""Compiling, saving and loading of `DC3Model`, where Keras alone loses something."""

from __future__ import annotations

import os
from typing import Any

import keras
from keras import ops

from keras_dc3._writing import whole_path
from keras_dc3.metrics import Verdict
from keras_dc3.models.accuracy import MajorityAccuracy
from keras_dc3.models.arguments import check_metrics
from keras_dc3.models.own_scaling import has_rescaling
from keras_dc3.models.remembering import STORED
from keras_dc3.models.step import MeanOfShares
from keras_dc3.optimizers import reference_optimizer

_FILES = (".keras", ".h5", ".hdf5")


def _is_remote(name: str) -> bool:
    """Whether Keras sends the file elsewhere, such as to gs:// or hf://."""
    return "://" in name or name.startswith(("/gcs/", "/cns/", "/cfs/", "/readahead/"))


def _may_replace(name: str) -> bool:
    answer = ""
    while answer not in ("y", "n"):
        answer = input(f"{name!r} already exists - overwrite? [y/n] ").strip().lower()
    return answer == "y"


def _check_saved_folder(name: str) -> None:
    """Raises ValueError for a folder whose content is no saved model."""
    found = os.listdir(name) if os.path.isdir(name) else []
    if found and "config.json" not in found:
        raise ValueError(
            f"The folder {name!r} holds files that are no saved model; name an empty "
            "or new folder to save to."
        )


def _flat(metrics: Any) -> list[Any]:
    return keras.tree.flatten(metrics) if metrics is not None else []


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
        check_metrics([*_flat(metrics), *_flat(kwargs.get("weighted_metrics"))])
        if self.collective.replicas > 1 and kwargs.get("steps_per_execution", 1) != 1:
            raise ValueError(
                "`steps_per_execution` must be 1 under a distribution strategy, where "
                f"Keras miscounts steps. Received: {kwargs['steps_per_execution']}"
            )
        super().compile(optimizer=optimizer, metrics=metrics, **kwargs)
        if self.collective.replicas > 1:
            # Keras' own weighs each replica's share by the number of its images. Like
            # that one, it is no layer of the model: a built one takes no more of these,
            # and `evaluate` would give the loss once for each.
            tracker = MeanOfShares(self.collective, "loss")
            object.__setattr__(self, "_loss_tracker", tracker)
        self._build_optimizer()

    def compile_from_config(self, config: dict[str, Any]) -> None:
        # Keras skips this for models that override `compile`.
        config = keras.saving.deserialize_keras_object(config)
        self.compile(**config)

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Saves the model, as `keras.Model.save`, whole or not at all.

        What stood at `filepath` stays until the new model is complete, also if the
        process is killed. `keras.saving.save_model(model, ...)` knows nothing of that.

        Args:
            filepath: a `.keras` file; or with `zipped=False` a folder, new, empty or
                with a model saved before.
            overwrite: False asks before an old one is replaced.
            zipped: as for `keras.Model.save`.
            **kwargs: likewise.

        Raises:
            OSError: if it cannot be written; the message names `filepath`.
            ValueError: if it is a folder that holds something else.
        """
        name, as_folder = str(filepath), zipped is False
        if _is_remote(name) or not (as_folder or name.endswith(_FILES)):
            super().save(filepath, overwrite=overwrite, zipped=zipped, **kwargs)
            return
        if as_folder:
            _check_saved_folder(name)
        if not overwrite and os.path.exists(name) and not _may_replace(name):
            return
        with whole_path(filepath, folder=as_folder) as temporary:
            super().save(temporary, zipped=zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None
    ) -> None:
        """Saves all weights, as `keras.Model.save_weights`, whole or not at all.

        Args:
            filepath: a `.weights.h5` file.
            overwrite: False asks before an old one is replaced.
            max_shard_size: as for `keras.Model.save_weights`. Several files are written
                by Keras directly, not replaced as a whole.

        Raises:
            OSError: if it cannot be written; the message names `filepath`.
        """
        name = str(filepath)
        one_file = max_shard_size is None and name.endswith(".weights.h5")
        if _is_remote(name) or not one_file:
            super().save_weights(filepath, overwrite, max_shard_size)
            return
        if not overwrite and os.path.exists(name) and not _may_replace(name):
            return
        with whole_path(filepath) as temporary:
            super().save_weights(temporary)

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None):
        # Under a distribution strategy Keras would build model and metrics from the
        # mean over the replicas of the first batch, which fails for uneven batches.
        if not self.built or self.collective.replicas == 1:
            super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)
            return
        self.build_metrics()

    def build_metrics(self) -> None:
        """Creates the variables of all metrics, which Keras does in the first step."""
        with self.collective.scope():
            nothing = ops.ones((1, self.num_classes), "float32") / self.num_classes
            self.compute_metrics(None, nothing, {"classes": nothing})
        self.reset_metrics()

    def get_build_config(self) -> dict[str, Any] | None:
        if not self.built:
            return None
        return {
            "image_shape": self._image_shape,
            "rescale": self.network.rescale,
            "verdict": None if self.verdict is None else self.verdict.to_json(),
        }

    def build_from_config(self, config: dict[str, Any]) -> None:
        if config:
            self.build((None, *config["image_shape"]))
            # As it was decided in training; a file of before goes by layers alone.
            rescale = config.get("rescale", not has_rescaling(self.backbone))
            self.network.set_rescale(rescale)
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
            store[f"seed_{i}"] = keras.ops.convert_to_numpy(seed)
        self.learn_from_training()
        if self.image_values is not None:
            store[STORED] = self.stored_image_values()

    def load_own_variables(self, store: Any) -> None:
        names = list(store.keys())
        saved = {name: store[name] for name in names if name.startswith("seed_")}
        if STORED in names:
            names.remove(STORED)
            self.restore_image_values(store[STORED])
        super().load_own_variables(
            {name: store[name] for name in names if name not in saved}
        )
        for i, seed in enumerate(self._seeds()):
            if f"seed_{i}" in saved:
                seed.assign(saved[f"seed_{i}"])
