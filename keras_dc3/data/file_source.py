"""Where `FileImages` and its subsets read from: files, and what is known of them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np

from keras_dc3.data.decoding import ImageFileError, ImageFormat, import_pillow
from keras_dc3.data.inspection import Inspection, inspect, some
from keras_dc3.data.pixel_cache import DiskCache, MemoryCache, file_stamp

_WAY_OUT = (
    'Or leave such files out: `from_directory(..., on_error="skip")`, '
    "`FileImages(...).readable()`."
)


class FileSource:
    """Reads images by their position in a list of files.

    Args:
        folder: where the files are.
        files: paths in it.
        asked: how images are to become arrays; what it leaves open, the files decide.
        most: files whose headers are looked at for that.
        threads: to read with.
        cache: None, "memory" or a folder.
    """

    def __init__(
        self,
        folder: str,
        files: Sequence[str],
        asked: ImageFormat,
        most: int,
        threads: int,
        cache: str | os.PathLike | None,
    ):
        self.folder, self.files, self.asked = folder, files, asked
        self.most, self.threads, self.cache = most, threads, cache
        self.set_aside: dict[str, str] = {}  # file -> why it is not in the set

    @cached_property
    def inspection(self) -> Inspection:
        """What some files are like. Told by warnings when first asked for."""
        found = inspect(self.folder, self.files, self.most, self.threads)
        for remark in found.remarks(self.asked.max_value):
            warnings.warn(remark, stacklevel=2)
        return found

    @cached_property
    def format(self) -> ImageFormat:
        """How images become arrays, size and channels included.

        Raises:
            ValueError: if the files differ in size and none was asked for.
            ImageFileError: if no file can be read.
        """
        found, size = self.inspection, self.asked.image_size
        if not found.sizes and found.number and None in (size, self.asked.channels):
            raise ImageFileError(
                f"None of {found.number:,} image files in {self.folder!r} can be read. "
                f"The first: {next(iter(found.unreadable.values()))}"
            )
        if size is None and len(found.sizes) > 1:
            examples = [
                f"{height}x{width} ({name})"
                for (height, width), name in found.sizes.items()
            ]
            raise ValueError(
                f"The images have {len(examples):,} different sizes (height x width): "
                f"{some(examples, 3)}. Pass `image_size=(height, width)` and, if they "
                'are not to be stretched, `fit="pad"` or "crop".'
            )
        return dataclasses.replace(
            self.asked,
            image_size=size or next(iter(found.sizes)),
            channels=self.asked.channels or (3 if found.color else 1),
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(h, w, c)."""
        return (*self.format.image_size, self.format.channels)

    def check(self) -> None:
        """Raises ImageFileError if a file looked at cannot be read.

        Also OSError if there is no room for the cache.
        """
        bad = {
            name: why
            for name, why in self.inspection.unreadable.items()
            if name not in self.set_aside
        }
        if bad:
            raise ImageFileError(
                f"{len(bad):,} of {self.inspection.number:,} image files looked at "
                f"cannot be read: {some(list(bad))}. The first: "
                f"{next(iter(bad.values()))} {_WAY_OUT}"
            )
        _ = self._kept

    def read(
        self, rows: np.ndarray, broken: dict[int, str] | None = None
    ) -> np.ndarray:
        """Returns (m, h, w, c), the images at (m,) positions, which may repeat.

        Args:
            rows: the positions.
            broken: where given, images that cannot be read are noted in it, position
                -> why, and left black.

        Raises:
            ImageFileError: for an image that cannot be read.
        """
        rows, places = np.unique(rows, return_inverse=True)
        images = np.zeros((len(rows), *self.image_shape), "uint8")

        def fill(start: int) -> None:
            for i in range(start, len(rows), threads):
                try:
                    images[i] = self._one(int(rows[i]))
                except ImageFileError as error:
                    if broken is None:
                        raise ImageFileError(f"{error} {_WAY_OUT}") from error
                    broken[int(rows[i])] = str(error)

        _ = self._kept  # made before threads could make it twice
        threads = min(self.threads, len(rows))
        if threads > 1:
            # Made here, not kept: threads of a parent process would not answer.
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(fill, range(threads)))
        elif threads:
            fill(0)
        return images[places]

    def _one(self, row: int) -> np.ndarray:
        path = os.path.join(self.folder, self.files[row])
        if self._kept is None:
            return self.format.read(path)
        try:
            stamp = file_stamp(path)
        except OSError:
            return self.format.read(path)  # which says what is wrong
        pixels = self._kept.get(row, stamp)
        if pixels is None:
            pixels = self.format.read(path)
            self._kept.put(row, stamp, pixels)
        return pixels

    @cached_property
    def _kept(self) -> MemoryCache | DiskCache | None:
        if self.cache is None:
            return None
        if self.cache == "memory":
            return MemoryCache()
        shape = (len(self.files), *self.image_shape)
        return DiskCache(self.cache, self._key(), shape)

    def _key(self) -> str:
        """Returns a name for the list of files and all that shapes their pixels."""
        content = hashlib.sha256()
        shaping = (os.path.abspath(self.folder), self.format)
        for part in (import_pillow().__version__, *shaping, *self.files):
            content.update(f"{part}\n".encode())
        return content.hexdigest()[:24]
