"""The image files of a folder as a source, of this machine or by address."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

from keras_dc3.data.image_folder import READABLE, is_clutter, list_images
from keras_dc3.scale.sources.places import stamp_of, store_of
from keras_dc3.scale.sources.source import Item, Source, digest


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
        listing = list_images(folder)
        self._folder, self._files = folder, listing.files
        if not self._files:
            raise ValueError(
                f"There is no image in {folder!r} that can be read. Name the folder "
                "that holds the images; TFRecord, Parquet and CSV files are named "
                "themselves, such as 'fish-*.tfrecord'."
            )
        self.total = len(self._files)
        if listing.left_out:
            kinds = ", ".join(f"{n:,} {end}" for end, n in listing.left_out.items())
            warnings.warn(
                f"{kinds} left out of {folder!r}: image files of a kind that cannot be "
                f"read, beside {self.total:,} of others.",
                stacklevel=2,
            )

    def fingerprint(self) -> str:
        """Returns what changes with names, sizes and times of the files."""
        return digest(map(self._line, self._files))

    def _line(self, name: str) -> str:
        found = os.stat(os.path.join(self._folder, name))
        return f"{name}\t{found.st_size}\t{found.st_mtime_ns}"

    def items(self, start: int) -> Iterator[Item]:
        """Yields the files, from a position on."""
        for row in range(start, len(self._files)):
            name = self._files[row]
            yield Item(name, os.path.join(self._folder, name))


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
        store, root = store_of(address)
        root = root.rstrip("/")
        self._address, self._stamps = address.rstrip("/"), {}
        for path, info in store.find(root, detail=True).items():
            name = path[len(root) :].lstrip("/")
            is_image = os.path.splitext(name.lower())[1] in READABLE
            if is_image and not any(map(is_clutter, name.split("/"))):
                self._stamps[name] = stamp_of(info)
        self._files = sorted(self._stamps)
        if not self._files:
            raise ValueError(
                f"There is no image in {address!r} that can be read. Name the folder "
                "that holds the images."
            )
        self.total = len(self._files)

    def fingerprint(self) -> str:
        """Returns what changes with the files, as far as their store tells."""
        return digest((name, *self._stamps[name]) for name in self._files)

    def items(self, start: int) -> Iterator[Item]:
        """Yields the files, from a position on."""
        for row in range(start, len(self._files)):
            name = self._files[row]
            yield Item(name, f"{self._address}/{name}")
