"""Images by their ids, in whatever form somebody has them. NumPy only."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from keras_dc3._names import KnownNames
from keras_dc3.data.decoding import read_header, read_image
from keras_dc3.data.image_files import FileImages
from keras_dc3.data.image_folder import list_images
from keras_dc3.data.opened_images import ImageFileError
from keras_dc3.data.stored_values import ValueRange

_BATCH = 256  # images of a set that are read together


def to_show(images: Any) -> Any:
    """Returns what people look at: of a set of features, its pictures.

    Raises:
        ValueError: for features without pictures.
    """
    if not getattr(images, "holds_features", False):
        return images
    if images.pictures is None:
        raise ValueError(
            f"There are no pictures to look at: {images!r} holds features alone. Pass "
            "the images themselves, as a folder or a dict of id -> image; or `images` "
            "where the data are made, such as `from_embeddings(..., images=folder)`."
        )
    return images.pictures


def find_images(
    images: Any, ids: Iterable[str]
) -> Iterator[tuple[str, np.ndarray | str]]:
    """Yields (id, image) for each id, or (id, why there is none).

    Names match as everywhere, see `KnownNames`.

    Args:
        images: id -> image; a set of images with `ids` and `read(positions)`; or the
            path of a folder to which the ids are relative, read as for training.
        ids: the images to find.

    Raises:
        ValueError: if there is no such folder.
    """
    if isinstance(images, str | os.PathLike):
        folder = os.path.abspath(os.fspath(images))
        if not os.path.isdir(folder):
            raise ValueError(
                "`images` must be a folder, images with ids, or an array. Received: "
                f"images={os.fspath(images)!r}, where there is no folder."
            )
        return _in_folder(folder, ids)
    if isinstance(images, Mapping):
        return _in_mapping(images, ids)
    return _in_set(images, ids)


def files_of(
    folder: str | os.PathLike, ids: Iterable[str]
) -> Iterator[tuple[str, str | None, str]]:
    """Yields id, path of its file, and why there is none, for each id.

    The path is None where there is none, the reason "" where there is one. Files
    outside the folder are none.
    """
    folder = os.path.abspath(os.fspath(folder))
    known: KnownNames | None = None
    for name in ids:
        path = os.path.normpath(os.path.join(folder, name))
        if "\0" in name or os.path.commonpath([folder, path]) != folder:
            yield name, None, "lies outside the folder"
            continue
        if os.path.isfile(path):
            yield name, path, ""
            continue
        if known is None:
            known = KnownNames(_listed(folder))
        one, why = _only(name, known, "the files ", "is no file in the folder")
        yield name, None if one is None else os.path.join(folder, *one.split("/")), why


def without_picture(images: Any, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yields (id, why) for each id that has no image. Reads none.

    Args:
        images, ids: as for `find_images`.
    """
    if isinstance(images, str | os.PathLike):
        yield from ((n, why) for n, path, why in files_of(images, ids) if path is None)
        return
    known = KnownNames(images if isinstance(images, Mapping) else images.ids)
    for name in ids:
        one, why = _only(name, known)
        if one is None:
            yield name, why


def _in_folder(
    folder: str, ids: Iterable[str]
) -> Iterator[tuple[str, np.ndarray | str]]:
    reader = FolderReader(folder)
    for name, path, why in files_of(folder, ids):
        if path is None:
            yield name, why
            continue
        try:
            yield name, reader.read(path)
        except ImageFileError as error:
            yield name, f"cannot be read ({error.reason})"


def _in_mapping(
    images: Mapping[str, Any], ids: Iterable[str]
) -> Iterator[tuple[str, np.ndarray | str]]:
    known = KnownNames(images)
    for name in ids:
        one, why = _only(name, known)
        yield name, why if one is None else np.asarray(images[one])


def _in_set(images: Any, ids: Iterable[str]) -> Iterator[tuple[str, np.ndarray | str]]:
    """Those that there are not come first."""
    position = {name: row for row, name in enumerate(images.ids)}
    known, found = KnownNames(images.ids), []
    for name in ids:
        one, why = _only(name, known)
        if one is None:
            yield name, why
        else:
            found.append((name, position[one]))
    for start in range(0, len(found), _BATCH):
        names, rows = zip(*found[start : start + _BATCH], strict=True)
        yield from zip(names, np.asarray(images.read(np.array(rows))), strict=True)


def _only(
    name: str,
    known: KnownNames,
    kind: str = "",
    nothing: str = "is not among `images`",
) -> tuple[str | None, str]:
    """Returns the known name that an id means, or None and why there is none."""
    found, _ = known.find(name)
    if len(found) > 1:
        return None, f"can be any of {kind}{', '.join(map(ascii, sorted(found)[:3]))}"
    return (found[0], "") if found else (None, nothing)


def _listed(folder: str) -> Iterator[str]:
    """Yields the paths in a folder, with "/"; hidden ones are passed over."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = os.path.relpath(place, folder)
        for name in files:
            if not name.startswith("."):
                path = name if inside == os.curdir else os.path.join(inside, name)
                yield path.replace(os.sep, "/")


class FolderReader:
    """Reads images of a folder in their own sizes.

    Values of more than 8 bits, or with a sign, have the scale of `FileImages`, which
    follows from all images of the folder; found when the first such image is read.
    Where it does not follow, as some hold fractions and some whole numbers, each image
    has its own: nothing can be trained on such a folder without `value_range`.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: str | os.PathLike):
        self._folder = folder

    def read(self, path: str | os.PathLike) -> np.ndarray:
        """Returns the image as `data.read_image` does; raises as it does."""
        value_range = self._range if read_header(path).deep else None
        return read_image(path, value_range=value_range)

    @cached_property
    def _range(self) -> ValueRange | None:
        images = FileImages(self._folder, list_images(self._folder).files)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # told where they are read
            try:
                return images.stored_range
            except ValueError:
                return None
