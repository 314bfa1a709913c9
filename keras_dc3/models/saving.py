"""Saving a model whole or not at all, and copying a part of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import keras

from keras_dc3._writing import whole_path


def save_whole(
    write: Callable[[str], None],
    filepath: Any,
    overwrite: bool = True,
    folder: bool = False,
) -> None:
    """Writes what Keras saves, in one piece.

    Args:
        write: writes to the path that it is given.
        filepath: where it is to stand.
        overwrite: False asks before an old one is replaced.
        folder: whether it is a folder of files.

    Raises:
        OSError: if it cannot be written; the message names `filepath`.
        ValueError: if a folder holds something else than a saved model.
    """
    name = str(filepath)
    if folder:
        _check_saved_folder(name)
    if not overwrite and os.path.exists(name) and not _may_replace(name):
        return
    with whole_path(filepath, folder=folder) as temporary:
        write(temporary)


def copied_backbone(
    backbone: keras.layers.Layer, classes: dict[str, type]
) -> keras.layers.Layer:
    """Returns a new layer with the configuration of a backbone.

    Args:
        backbone: a layer or model.
        classes: name -> class of its layers, which need not be registered.

    Raises:
        ValueError: if one of its layers lacks a `get_config`.
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


def is_remote(name: str) -> bool:
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
