"""The image files of a folder as a source, of this machine or by address."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

from keras_dc3.data.image_folder import (
    READABLE,
    FolderListing,
    is_clutter,
    list_images,
)
from keras_dc3.scale.sources.places import stamp_of, store_of
from keras_dc3.scale.sources.source import Item, Piece, Source, digest, named


class Folder(Source):
    """The images of a folder of this machine, and of the folders in it.

    Ids are those of `datasets.from_directory`: paths in the folder, with "/". They are
    kept in memory, about a hundred bytes an image.

    Args:
        folder: its path.
    """

    kind = "folder of images"
    ids_differ = True

    def __init__(self, folder: str):
        super().__init__()
        self.folder = folder
        if not self._files:
            raise ValueError(
                f"There is no image in {folder!r} that can be read. Name the folder "
                "that holds the images; TFRecord, Parquet and CSV files are named "
                "themselves, such as 'fish-*.tfrecord'."
            )
        self.total = len(self._files)
        if self._listing.left_out:
            left_out = self._listing.left_out.items()
            kinds = ", ".join(f"{n:,} {end}" for end, n in left_out)
            warnings.warn(
                f"{kinds} left out of {folder!r}: image files of a kind that cannot be "
                f"read, beside {self.total:,} of others.",
                stacklevel=2,
            )

    def __getstate__(self) -> dict[str, Any]:
        """Another machine lists the folder itself, if it has to."""
        return {key: v for key, v in vars(self).items() if key != "_listing"}

    @cached_property
    def _listing(self) -> FolderListing:
        return list_images(self.folder)

    @property
    def _files(self) -> Sequence[str]:
        return self._listing.files

    def fingerprint(self) -> str:
        """Returns what changes with names, sizes and times of the files."""
        return digest(map(self._line, self._files))

    def _line(self, name: str) -> str:
        found = os.stat(os.path.join(self.folder, name))
        return f"{name}\t{found.st_size}\t{found.st_mtime_ns}"

    def items(self, start: int) -> Iterator[Item]:
        """Yields the files, from a position on."""
        for row in range(start, len(self._files)):
            name = self._files[row]
            yield Item(name, os.path.join(self.folder, name))

    def pieces(self, part: int, size: int) -> Iterator[Piece]:
        """Yields the files in pieces that name them."""
        return named(self.items(0), part, size)

    def read(self, piece: Piece) -> Iterator[Item]:
        """Yields the files that a piece names."""
        return iter(piece.where)


class RemoteFolder(Source):
    """The images of a folder by its address, and of the folders in it.

    Which files are images their extensions say, as in a folder of this machine.

    Args:
        address: such as "gs://bucket/fish".
    """

    kind = "folder of images"
    ids_differ = True

    def __init__(self, address: str):
        super().__init__()
        self.folder = address.rstrip("/")
        if not self._stamps:
            raise ValueError(
                f"There is no image in {address!r} that can be read. Name the folder "
                "that holds the images."
            )
        self.total = len(self._stamps)

    def __getstate__(self) -> dict[str, Any]:
        """Another machine lists the folder itself, if it has to."""
        return {key: v for key, v in vars(self).items() if key != "_stamps"}

    @cached_property
    def _stamps(self) -> dict[str, tuple[Any, Any]]:
        """Name -> what changes with the file, in order."""
        store, root = store_of(self.folder)
        root = root.rstrip("/")
        stamps = {}
        for path, info in store.find(root, detail=True).items():
            name = path[len(root) :].lstrip("/")
            is_image = os.path.splitext(name.lower())[1] in READABLE
            if is_image and not any(map(is_clutter, name.split("/"))):
                stamps[name] = stamp_of(info)
        return dict(sorted(stamps.items()))

    def fingerprint(self) -> str:
        """Returns what changes with the files, as far as their store tells."""
        return digest((name, *stamp) for name, stamp in self._stamps.items())

    def items(self, start: int) -> Iterator[Item]:
        """Yields the files, from a position on."""
        for name in islice(self._stamps, start, None):
            yield Item(name, f"{self.folder}/{name}")

    def pieces(self, part: int, size: int) -> Iterator[Piece]:
        """Yields the files in pieces that name them."""
        return named(self.items(0), part, size)

    def read(self, piece: Piece) -> Iterator[Item]:
        """Yields the files that a piece names."""
        return iter(piece.where)
