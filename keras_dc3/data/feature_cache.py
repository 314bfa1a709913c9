"""Features of many images on disk, in parts that a killed process leaves whole.

A folder holds `plain.npy` (n, d) and, for each kind of view, such as `weak.npy`
(v, n, d), all float16; and `features.json`: the key, which tells what they were
computed from, and for each part of the images a mark of its pixels and a check sum of
its features. A part counts only while all three hold, so that nothing half written or
stale is ever read.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import warnings
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from keras_dc3._validation import check_empty_folder
from keras_dc3._writing import whole_file, whole_path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

FORMAT = 1
STATE = "features.json"
PLAIN = "plain"
_TOLERANCE = 1e-2  # of what a network answers on other hardware


class FeatureCache:
    """The features of n images, in a folder or in memory.

    Args:
        folder: where they are; None keeps them in memory.
        key: what they are computed from, name for people -> plain value. "answers" is
            a list of numbers that may differ by rounding.
        number: n.
        width: d.
        views: kind of view -> how many of each image.
        chunk: images of a part.

    Raises:
        OSError: if the folder cannot be written to or has no room.
        ValueError: if it holds other things, such as pictures.
    """

    def __init__(
        self,
        folder: str | os.PathLike | None,
        key: Mapping[str, Any],
        number: int,
        width: int,
        views: Mapping[str, int],
        chunk: int,
    ):
        self._folder = None if folder is None else os.fspath(folder)
        self._key = json.loads(json.dumps({"format": FORMAT, **key}))
        self._shapes = {PLAIN: (number, width)}
        self._shapes |= {n: (v, number, width) for n, v in views.items() if v}
        self._chunk, self._number = chunk, number
        self._parts: list[list[int] | None] = [None] * math.ceil(number / chunk)
        self.arrays: dict[str, np.ndarray] = {}

    @property
    def size(self) -> int:
        """How many bytes all features take."""
        return sum(2 * math.prod(shape) for shape in self._shapes.values())

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Surrounds reading and writing; no other process may write meanwhile."""
        if self._folder is None:
            self.arrays = {n: np.zeros(s, "float16") for n, s in self._shapes.items()}
            yield
            return
        if not os.path.exists(self._path(STATE)):
            check_empty_folder(self._folder)
        try:
            os.makedirs(self._folder, exist_ok=True)
            lock = open(self._path(".lock"), "w")  # noqa: SIM115
        except OSError as error:
            raise OSError(
                f"Features cannot be kept in {self._folder!r} "
                f"({os.strerror(error.errno)}). Name another `folder`."
            ) from error
        with lock:
            self._lock(lock)
            self._open()
            yield
            self.arrays = {n: self._mapped(n, "r") for n in self._shapes}

    def rows(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yields the number of each part, and the rows of its images."""
        for part in range(len(self._parts)):
            start = part * self._chunk
            yield part, np.arange(start, min(start + self._chunk, self._number))

    def state_of(self, part: int, rows: np.ndarray, mark: int) -> str:
        """Returns whether a part is "done", "missing", or "changed" since it was done.

        Args:
            part: its number.
            rows: of its images.
            mark: of their pixels.
        """
        known = self._parts[part]
        if known is None:
            return "missing"
        if known[0] != mark:
            return "changed"
        return "done" if known[1] == self._sum(rows) else "missing"

    def put(self, part: int, rows: np.ndarray, mark: int, features: Mapping) -> None:
        """Writes the features of a part, kind -> (m, d) or (v, m, d)."""
        for name, values in features.items():
            with np.errstate(over="ignore"):
                stored = values.astype("float16")
            if not np.isfinite(stored).all():
                raise ValueError(
                    "The backbone answers with NaN, infinity or numbers beyond 65,504, "
                    f"the largest of float16, for an image of rows {rows[0]} to "
                    f"{rows[-1]} ({name}). Check the images, or divide its features."
                )
            self.arrays[name][..., rows, :] = stored
        if self._folder is None:
            return
        for array in self.arrays.values():
            array.flush()
        self._parts[part] = [mark, self._sum(rows)]
        self._write()

    def _sum(self, rows: np.ndarray) -> int:
        total = 0
        for name in self._shapes:
            part = self.arrays[name][..., rows[0] : rows[-1] + 1, :]
            total = zlib.crc32(np.ascontiguousarray(part), total)
        return total

    def _open(self) -> None:
        """Takes up what is there, or begins anew and says why."""
        known = self._read()
        names = [f"{name}.npy" for name in (PLAIN, "weak", "strong")]
        found = [name for name in names if os.path.exists(self._path(name))]
        if known is not None:
            other = self._differences(known)
            if not other:
                parts = known.get("parts")
                if isinstance(parts, list) and len(parts) == len(self._parts):
                    self._parts = parts
            else:
                warnings.warn(
                    f"The features in {self._folder!r} are of other {', '.join(other)} "
                    "and are computed anew.",
                    stacklevel=6,
                )
                for name in found:
                    os.remove(self._path(name))
        self._check_room()
        self._write()
        for name, shape in self._shapes.items():
            if not self._is_whole(name, shape):
                self._parts = [None] * len(self._parts)
                self._allocate(name, shape)
            self.arrays[name] = self._mapped(name, "r+")

    def _differences(self, known: Any) -> list[str]:
        """Returns the names of what differs from the key of files that are there."""
        theirs = known.get("key")
        theirs = theirs if isinstance(theirs, dict) else {}
        return [
            name
            for name, value in self._key.items()
            if not _equal(value, theirs.get(name))
        ]

    def _read(self) -> Any:
        try:
            with open(self._path(STATE), encoding="utf-8") as file:
                state = json.load(file)
        except FileNotFoundError:
            return None
        except ValueError:
            return {}  # damaged: nothing in it holds
        return state if isinstance(state, dict) else {}

    def _write(self) -> None:
        with whole_file(self._path(STATE), encoding="utf-8") as file:
            json.dump({"key": self._key, "parts": self._parts}, file)

    def _check_room(self) -> None:
        there = sum(
            os.path.getsize(self._path(f"{name}.npy"))
            for name, shape in self._shapes.items()
            if self._is_whole(name, shape)
        )
        free = shutil.disk_usage(self._folder).free
        if self.size - there > free:
            raise OSError(
                f"The features take {size_in_words(self.size)}, but the disk of "
                f"{self._folder!r} has {size_in_words(free)} left. Name a `folder` on "
                "another disk, or ask for fewer views."
            )

    def _is_whole(self, name: str, shape: tuple[int, ...]) -> bool:
        try:
            found = self._mapped(name, "r")
        except (OSError, ValueError):
            return False
        return found.shape == shape and found.dtype == np.float16

    def _allocate(self, name: str, shape: tuple[int, ...]) -> None:
        with whole_path(self._path(f"{name}.npy")) as temporary:
            new = np.lib.format.open_memmap(temporary, "w+", "float16", shape)
            del new
            if hasattr(os, "posix_fallocate"):
                # Writing to a mapped file on a full disk would kill the process.
                with open(temporary, "r+b") as file:
                    os.posix_fallocate(file.fileno(), 0, os.path.getsize(temporary))

    def _mapped(self, name: str, mode: str) -> np.ndarray:
        return np.lib.format.open_memmap(self._path(f"{name}.npy"), mode=mode)

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _lock(self, file: Any) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise OSError(
                f"Another process computes features into {self._folder!r}. Wait for "
                "it, or name another `folder`."
            ) from error


def size_in_words(size: int) -> str:
    """Returns such as "230 MB"."""
    if size >= 1e9:
        return f"{size / 1e9:,.1f} GB"
    return f"{math.ceil(size / 1e6):,} MB"


def _equal(value: Any, other: Any) -> bool:
    if isinstance(value, list) and value and isinstance(value[0], float):
        try:
            other = np.array(other, "float64")
        except (TypeError, ValueError):
            return False
        scale = float(np.abs(value).max())
        return other.shape == np.shape(value) and bool(
            np.allclose(value, other, atol=_TOLERANCE * scale)
        )
    return value == other
