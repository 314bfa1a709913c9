"""Whether a folder is one that a run may write to."""

from __future__ import annotations

import os
import warnings

from keras_dc3._validation import tell_of_pictures
from keras_dc3.proposals import shards
from keras_dc3.scale.concluding import FAILED
from keras_dc3.scale.sources.places import is_address
from keras_dc3.scale.task import Task

LOCK, WORK = "lock", "scoring"  # the file of a run's lock, and what it says is done


def check_place(folder: str, asked: Task) -> None:
    """Raises ValueError where a run would spoil what it reads, or what is not its own.

    It warns of a folder within that of the images.

    Args:
        folder: to write to, which may not be there yet.
        asked: what the run is to do.
    """
    if _is_within(folder, asked.model.folder):
        raise ValueError(
            f"{folder!r} is the folder of the exported model, or lies in it, and what "
            "is written there would make another model of it. Name a new folder."
        )
    for name in asked.source.files:
        place = os.path.dirname(os.path.abspath(name))
        if not is_address(name) and os.path.realpath(place) == os.path.realpath(folder):
            raise ValueError(
                f"{folder!r} holds {os.path.basename(name)!r}, which is read: files "
                "that are written beside it may be taken for more of the same. Name a "
                "new folder."
            )
    _check_own(folder)
    if not os.path.exists(os.path.join(folder, shards.MANIFEST)):
        _tell_of_images(folder, asked.source.folder)


def _tell_of_images(folder: str, images: str | None) -> None:
    if images and not is_address(images) and _is_within(folder, images):
        warnings.warn(
            f"What is scored goes into {folder!r}, within the folder of the images. "
            "These stay as they are; name a folder elsewhere if it was not meant.",
            stacklevel=4,
        )
    else:
        tell_of_pictures("What is scored", folder, stacklevel=4)


def _check_own(folder: str) -> None:
    """Raises ValueError if files of somebody else would be replaced."""
    begun = os.path.exists(os.path.join(folder, shards.MANIFEST))
    begun |= os.path.isdir(folder) and bool(shards.numbers_in(folder))
    for name in [LOCK] if begun else [LOCK, shards.SUMMARY, FAILED]:
        path = os.path.join(folder, name)
        if os.path.lexists(path) and not (name == LOCK and _is_lock(path)):
            raise ValueError(
                f"{folder!r} holds a file {name!r} of something else than a run of "
                "`keras-dc3 score`, which would be replaced. Name a new folder."
            )


def _is_lock(path: str) -> bool:
    """Whether a file is the lock of a run, which says so, or nothing yet."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(1000)
    except (OSError, ValueError):
        return False
    return not text or f", {WORK}, since " in text


def _is_within(path: str, folder: str) -> bool:
    """Whether a path is a folder, or lies in it."""
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return os.path.join(path, "").startswith(os.path.join(folder, ""))
