"""Saving a model whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

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
