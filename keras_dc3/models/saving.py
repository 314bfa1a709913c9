"""Saving a model whole or not at all, with its seeds, and copying it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_dc3._keras import layers_in
from keras_dc3._writing import whole_path


def save_whole(
    write: Callable[..., None],
    filepath: Any,
    overwrite: bool,
    files: tuple[str, ...],
    folder: bool = False,
) -> None:
    """Writes what Keras saves, in one piece where that can be done.

    Args:
        write: Keras' method: it writes to the path that it is given.
        filepath: where it is to stand.
        overwrite: False asks before an old one is replaced.
        files: how the name of one file ends. Keras writes what ends otherwise.
        folder: whether it is a folder of files.

    Raises:
        OSError: if it cannot be written; the message names `filepath`.
        ValueError: if a folder holds something else than a saved model.
    """
    name = str(filepath)
    if _is_remote(name) or not (folder or name.endswith(files)):
        write(filepath, overwrite=overwrite)
        return
    if folder:
        _check_saved_folder(name)
    if not overwrite and os.path.exists(name) and not _may_replace(name):
        return
    with whole_path(filepath, folder=folder) as temporary:
        write(temporary)


def copied(model: Any, averaged: bool) -> Any:
    """Returns a new model with the weights of a `DC3Model`, or with their averages.

    Raises:
        ValueError: if a layer of its backbone lacks a `get_config`.
    """
    with model.collective.scope():
        classes = classes_of(model)
        backbone = _copied(model.backbone, classes)  # first: its error says more
        config = {**model.get_config(), "evaluate_with": "raw", "backbone": backbone}
        config["image_backbone"] = None
        copy = type(model).from_config(config, custom_objects=classes)
        copy.image_backbone = model.image_backbone  # frozen: one for both
        copy.build((None, *model.image_shape))
        pairs = zip(copy.network.weights, model.network.weights, strict=True)
        for target, source in pairs:
            # A copy of its own: on JAX an assigned array would share its buffer.
            value = model.average.value_of(source) if averaged else source.value
            target.assign(ops.copy(value))
        copy.average.reset(copy.network)
    return copy


def classes_of(model: Any) -> dict[str, type]:
    """Returns name -> class of all that a `DC3Model` is made of, registered or not."""
    parts = [*layers_in(model), model.ssl]
    return {type(part).__name__: type(part) for part in parts}


def as_model(backbone: keras.layers.Layer, image_shape: tuple) -> keras.Model:
    """Returns a backbone, or a functional model around it where it is a layer."""
    if isinstance(backbone, keras.Model):
        return backbone
    images = keras.Input(image_shape, dtype=backbone.compute_dtype)
    return keras.Model(images, backbone(images), name=backbone.name)


def save_seeds(model: keras.Model, store: Any) -> None:
    """Saves the states of all random generators, which Keras does not."""
    for i, seed in enumerate(_seeds(model)):
        store[f"seed_{i}"] = ops.convert_to_numpy(seed)


def load_seeds(model: keras.Model, store: dict[str, Any]) -> None:
    """Takes what `save_seeds` has saved out of a store, and gives it to a model."""
    names = [name for name in store if name.startswith("seed_")]
    saved = {name: store.pop(name) for name in names}
    for i, seed in enumerate(_seeds(model)):
        if f"seed_{i}" in saved:
            seed.assign(saved[f"seed_{i}"])


def _seeds(model: keras.Model) -> list[Any]:
    """Returns the states of all random generators, in a fixed order."""
    known = {id(weight) for weight in model.weights}
    known |= {id(v) for metric in model.metrics for v in metric.variables}
    return [v for v in model.non_trainable_variables if id(v) not in known]


def _copied(
    backbone: keras.layers.Layer, classes: dict[str, type]
) -> keras.layers.Layer:
    """Returns a new layer with the configuration of a backbone.

    Args:
        backbone: a layer or model.
        classes: name -> class of its layers, which need not be registered.
    """
    try:
        return keras.saving.deserialize_keras_object(
            keras.saving.serialize_keras_object(backbone),
            custom_objects=classes,
            safe_mode=False,  # this process made it
        )
    except Exception as error:
        raise ValueError(
            f"The backbone {backbone.name!r} cannot be copied; each of its "
            "layers must have a `get_config` from which it can be made again: "
            f"{str(error).strip().splitlines()[0]}"
        ) from error


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
