"""Which file of a folder an id is. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from keras_dc3._names import KnownNames


def files_of(
    folder: str | os.PathLike, ids: Sequence[str]
) -> Iterator[tuple[str, str | None, str]]:
    """Yields id, path of its file, and why there is none, for each id.

    The path is None where there is none, the reason "" where there is one. Names match
    as everywhere, see `KnownNames`; files outside the folder are none.

    Args:
        folder: the ids are relative to it.
        ids: names of images.
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
        found, _ = known.find(name)
        if len(found) == 1:
            yield name, os.path.join(folder, *found[0].split("/")), ""
        elif found:
            some = ", ".join(map(ascii, sorted(found)[:3]))
            yield name, None, f"can be any of the files {some}"
        else:
            yield name, None, "is no file in the folder"


def _listed(folder: str) -> Iterator[str]:
    """Yields the paths in a folder, with "/"; hidden ones are passed over."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        inside = os.path.relpath(place, folder)
        for name in files:
            if not name.startswith("."):
                path = name if inside == os.curdir else os.path.join(inside, name)
                yield path.replace(os.sep, "/")
