"""The arguments of a model, its `compile` and `fit`, before anything is built."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_dc3._validation import check_choice, check_positive_int, is_number
from keras_dc3.backbones import Backbone
from keras_dc3.config import DC3Config
from keras_dc3.models.batch_checks import is_training_batch
from keras_dc3.models.data_adapters.data import Data
from keras_dc3.models.passes import JOINED_ROLES

_SPARSE = (
    keras.metrics.SparseCategoricalAccuracy,
    keras.metrics.SparseCategoricalCrossentropy,
    keras.metrics.SparseTopKCategoricalAccuracy,
)
_OF_VALIDATION = ("validation_steps", "validation_batch_size")


def check_model_arguments(
    backbone: Any,
    config: Any,
    training_steps: Any,
    batch_norm: Any,
    evaluate_with: Any,
    rescale: Any,
) -> None:
    """Raises TypeError or ValueError for what a `DC3Model` cannot be made of."""
    if not isinstance(backbone, keras.layers.Layer):
        raise TypeError(
            "`backbone` must be a Keras model or layer from images to features. "
            f"Received: {backbone!r}"
        )
    if isinstance(backbone, Backbone) and rescale is not None:
        raise ValueError(
            f"The backbone {backbone.name!r} takes images of 0 to 255 and scales them "
            f"itself: leave `rescale` out. Received: rescale={rescale!r}"
        )
    if config is not None and not isinstance(config, DC3Config):
        raise TypeError(f"`config` must be a `DC3Config`. Received: {config!r}")
    check_positive_int("training_steps", training_steps)
    check_choice("batch_norm", batch_norm, tuple(JOINED_ROLES))
    check_choice("evaluate_with", evaluate_with, ("ema", "raw"))
    check_choice("rescale", rescale, (None, True, False))


def check_compile_arguments(
    loss: Any, loss_weights: Any, metrics: Any, **others: Any
) -> None:
    """Raises ValueError for what a `DC3Model` cannot be compiled with."""
    if loss is not None or loss_weights is not None:
        raise ValueError(
            "The loss of a `DC3Model` is made by its strategy and its "
            "`DC3Config`: choose them with `ssl=` and `config=` and leave `loss` "
            f"and `loss_weights` out. Received: loss={loss!r}, "
            f"loss_weights={loss_weights!r}"
        )
    _check_metrics(metrics)
    _check_metrics(others.get("weighted_metrics"))


def check_for_replicas(optimizer: Any, **others: Any) -> None:
    """Raises ValueError for what Keras gets wrong where several replicas train.

    Args:
        optimizer: as for `compile`.
        **others: further arguments of `compile`.
    """
    if others.get("steps_per_execution", 1) != 1:
        raise ValueError(
            "`steps_per_execution` must be 1 under a distribution strategy, where "
            f"Keras miscounts steps. Received: {others['steps_per_execution']}"
        )
    if others.get("jit_compile") is True:
        raise ValueError(
            "`jit_compile=True` cannot be used under a distribution strategy, whose "
            'replicas XLA cannot compile together: leave it out, or pass "auto".'
        )
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if steps := getattr(inner, "gradient_accumulation_steps", None):
        raise ValueError(
            "`gradient_accumulation_steps` cannot be used under a distribution "
            "strategy, where Keras would add up gradients within a condition: train "
            f"with a larger batch size instead. Received: {steps}"
        )


def _check_metrics(metrics: Any) -> None:
    """Raises ValueError for a metric that takes labels as class numbers."""
    for metric in keras.tree.flatten(metrics or []):
        name = metric if isinstance(metric, str) else getattr(metric, "__name__", "")
        sparse = isinstance(metric, _SPARSE) or name.lower().startswith("sparse")
        if sparse:
            raise ValueError(
                "Metrics are given all labels as shares of the classes, (n, classes), "
                "also where they come as class numbers; pass the metric without "
                '"sparse", such as "categorical_accuracy". Received: '
                f"{metric!r}"
            )


def as_callbacks(callbacks: Any) -> list[Any]:
    """Returns the callbacks of `fit` or `evaluate` as a list of their own.

    Raises:
        TypeError: for what is no callback.
    """
    if callbacks is None:
        return []
    if isinstance(callbacks, keras.callbacks.Callback):
        return [callbacks]
    if isinstance(callbacks, str | type) or not isinstance(callbacks, Iterable):
        callbacks = [callbacks]
    callbacks = list(callbacks)
    for callback in callbacks:
        hint = ""
        if isinstance(callback, type):
            hint = f" This is the class itself: make one, `{callback.__name__}(...)`."
        if hint or not hasattr(callback, "on_epoch_end"):
            raise TypeError(
                "`callbacks` must be a list of `keras.callbacks.Callback` objects. "
                f"Received: {callback!r}.{hint}"
            )
    return callbacks


def check_fit_arguments(arguments: Mapping[str, Any]) -> None:
    """Raises ValueError for numbers that `keras.Model.fit` takes without a word."""
    epochs, initial_epoch = arguments["epochs"], arguments["initial_epoch"]
    check_positive_int("epochs", epochs)
    check_positive_int("initial_epoch", initial_epoch, least=0)
    if initial_epoch > epochs:
        raise ValueError(
            "`epochs` is the number of the last epoch, not how many to add: to train "
            f"{epochs} more, pass `epochs={initial_epoch + epochs}`. Received: "
            f"initial_epoch={initial_epoch}, epochs={epochs}"
        )
    if initial_epoch == epochs:
        warnings.warn(
            f"Nothing is trained: `initial_epoch` and `epochs` are both {epochs}.",
            stacklevel=4,
        )
    for name in ("batch_size", "steps_per_epoch", *_OF_VALIDATION):
        if arguments.get(name) is not None:
            check_positive_int(name, arguments[name])
    validation_freq = arguments.get("validation_freq", 1)
    if isinstance(validation_freq, list | tuple):
        for epoch in validation_freq:
            check_positive_int("validation_freq", epoch)
    else:
        check_positive_int("validation_freq", validation_freq)
    validation_split = arguments["validation_split"]
    if not (is_number(validation_split) and 0.0 <= validation_split < 1.0):
        raise ValueError(
            "`validation_split` must be a number of at least 0 and below 1. Received: "
            f"validation_split={validation_split!r}"
        )


def check_fit_data(data: Data, arguments: Mapping[str, Any]) -> None:
    """Raises ValueError for data that `fit` cannot take with these arguments."""
    batch_size, split = arguments["batch_size"], arguments["validation_split"]
    if data.comes_in_batches and batch_size is not None:
        raise ValueError(
            "The training data come in batches of their own, so `batch_size` would be "
            f"ignored. {data.where}; for arrays of validation data pass "
            f"`validation_batch_size`. Received: batch_size={batch_size!r}"
        )
    if data.comes_in_batches and arguments["sample_weight"] is not None:
        raise ValueError(
            "The training data come in batches of their own, so `sample_weight` would "
            f"be ignored: {data.weights} instead."
        )
    if arguments["steps_per_epoch"] is None and data.is_endless:
        raise ValueError(
            "The training data repeats without end; pass `steps_per_epoch`, or "
            "remove its `.repeat()`."
        )
    if data.x is None:
        raise ValueError("Training data is missing: pass `fit(data)`.")
    if hasattr(data.x, "image_batches"):
        raise ValueError(
            f"{data.x!r} is a part of a data set: pass the whole, `fit(data)`, with "
            "its labeled and unlabeled images."
        )
    if split and is_training_batch(data.x):
        raise ValueError(
            "`validation_split` would cut labeled and unlabeled images alike; pass "
            "`validation_data=(images, labels)` instead. Received: "
            f"validation_split={split}"
        )
    weights = arguments["class_weight"], arguments["sample_weight"]
    if all(given is not None for given in weights):
        raise ValueError(
            "Pass either `class_weight` or `sample_weight`, not both; multiply "
            "the weights of the classes into those of the images instead."
        )
