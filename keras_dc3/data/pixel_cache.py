"""Decoded images that are kept, in memory or on disk. NumPy only."""

from __future__ import annotations

import os
import zlib
from typing import Any

import numpy as np

from keras_dc3._validation import tell_of_pictures
from keras_dc3._writing import whole_path


class MemoryCache:
    """Keeps every image once it was decoded."""

    def __init__(self):
        self._kept: dict[int, tuple[int, np.ndarray]] = {}

    def get(self, row: int, stamp: int) -> np.ndarray | None:
        """Returns an image, None if it is not there or was of another file."""
        known, pixels = self._kept.get(row, (None, None))
        return pixels if known == stamp else None

    def put(self, row: int, stamp: int, pixels: np.ndarray) -> None:
        """Keeps an image."""
        self._kept[row] = stamp, pixels


class DiskCache:
    """Keeps every image, once it was decoded, in a folder.

    Two files: `<key>.npy` with uint8 (n, h, w, c), and `<key>.sums.npy` with a check
    sum of each image and of the stamp of its file, 0 where it is not there yet. An
    image that was half written when a process died, or whose file has changed, does
    not fit its sum and is decoded again; so processes may share the files, and a
    stopped one goes on.

    Args:
        folder: made if missing.
        key: names the content; another order or size of the images needs another.
        shape: (n, h, w, c).

    Raises:
        OSError: if the folder cannot be written to or has no room for all images.
    """

    def __init__(self, folder: str | os.PathLike, key: str, shape: tuple[int, ...]):
        self._folder, self._shape = os.fspath(folder), tuple(shape)
        self._paths = [
            os.path.join(self._folder, f"{key}{end}") for end in (".npy", ".sums.npy")
        ]
        self._arrays: list[np.ndarray] | None = None
        if not os.path.exists(self._paths[0]):
            tell_of_pictures("The cache", self._folder, stacklevel=3)
        self._open()

    def get(self, row: int, stamp: int) -> np.ndarray | None:
        """Returns an image, None if it is not there or was of another file."""
        pixels, sums = self._open()
        if not sums[row]:
            return None
        found = np.array(pixels[row])
        return found if _sum(found, stamp) == sums[row] else None

    def put(self, row: int, stamp: int, pixels: np.ndarray) -> None:
        """Keeps an image."""
        kept, sums = self._open()
        kept[row] = pixels
        sums[row] = _sum(pixels, stamp)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": None}  # files, not their content

    def _open(self) -> list[np.ndarray]:
        if self._arrays is None:
            kinds = zip(
                self._paths,
                (self._shape, self._shape[:1]),
                ("uint8", "uint32"),
                strict=True,
            )
            try:
                os.makedirs(self._folder, exist_ok=True)
                self._arrays = [_mapped(*kind) for kind in kinds]
            except OSError as error:
                size = int(np.prod(self._shape)) / 1e9
                reason = os.strerror(error.errno) if error.errno else error
                raise OSError(
                    f"The cache of {self._shape[0]:,} images, {size:.1f} GB, cannot be "
                    f"kept in {self._folder!r} ({reason}). Name "
                    "another folder, or pass `cache=None`."
                ) from error
        return self._arrays


def file_stamp(path: str | os.PathLike) -> int:
    """Returns a number that changes with a file: its size and times.

    The time of writing can be set, and is the same in all files of some archives; that
    of the last change, of a name too, is the system's own (but on Windows).
    """
    status = os.stat(path)
    times = f"{status.st_mtime_ns} {status.st_ctime_ns}"
    return zlib.crc32(f"{status.st_size} {times}".encode())


def _sum(pixels: np.ndarray, stamp: int) -> int:
    return zlib.crc32(np.ascontiguousarray(pixels), stamp) or 1


def _mapped(path: str, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Returns the array of a file, which is made if it is not there."""
    if os.path.exists(path):
        try:
            found = np.lib.format.open_memmap(path, mode="r+")
            if found.shape == shape and found.dtype == dtype:
                return found
        except ValueError:
            pass  # damaged: made anew
    with whole_path(path) as temporary:
        new = np.lib.format.open_memmap(temporary, "w+", dtype, shape)
        del new
        if hasattr(os, "posix_fallocate"):
            # Writing to a mapped file on a full disk would kill the process.
            with open(temporary, "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, os.path.getsize(temporary))
    return np.lib.format.open_memmap(path, mode="r+")
