"""Where `FileImages` and its subsets read from: files, and what is known of them."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import warnings
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np

from keras_dc3._text import some
from keras_dc3.data.decoding import ImageFormat
from keras_dc3.data.inspection import Inspection, common_range, inspect, spread
from keras_dc3.data.opened_images import ImageFileError, import_pillow
from keras_dc3.data.pixel_cache import DiskCache, MemoryCache, file_stamp
from keras_dc3.data.stored_values import ValueRange

# Pixels decoded before training: to see whether files are whole, and what values they
# have. Seconds; where all files have more, some are looked at, spread evenly.
MOST_DECODED = 300_000_000
_MOST_NAMED = 20  # files that an error lists
_SIXTEEN_BITS = ValueRange(0.0, 65535.0)
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
        self.all_decoded = False  # and what cannot be is set aside

    @cached_property
    def inspection(self) -> Inspection:
        """What some files are like. Told by warnings when first asked for."""
        found = inspect(
            self.folder, self.files, self.most, self.threads, self.asked.max_pixels
        )
        for remark in found.remarks():
            warnings.warn(remark, stacklevel=2)
        return found

    @cached_property
    def stored_range(self) -> ValueRange | None:
        """The one range of stored values of more than 8 bits, or with a sign.

        As asked for, else found in the files, and told by a warning; None if no file
        has such values.

        Raises:
            ValueError: if some files hold fractions and some whole numbers.
        """
        found, asked = self.inspection, self.asked.stored_range
        if asked is not None:
            return asked
        if not found.deep:
            # Those that nobody has looked at, if any is of more, are scaled alike, too.
            return _SIXTEEN_BITS if found.number < found.total else None
        files = spread(found.deep, self._affordable(len(found.deep)))
        limit = self.asked.max_pixels
        value_range, how, unread = common_range(self.folder, files, self.threads, limit)
        if value_range is not None:
            deep = [name for name in found.deep if name not in unread]
            warnings.warn(
                f"{len(deep):,} {found.of} have more than 8 bits per value, or a "
                f"sign, and are scaled alike: {how} Pass `value_range=(low, high)`, "
                "such as (0, 4095) for a camera of 12 bits, to choose what is black "
                f"and white: {some(deep, etc=True)}.",
                stacklevel=2,
            )
        return value_range

    @cached_property
    def format(self) -> ImageFormat:
        """How images become arrays, size and channels included.

        Raises:
            ValueError: if the files differ in size and none was asked for.
            ImageFileError: if no file can be read.
        """
        found, size = self.inspection, self.asked.image_size
        if not found.sizes and found.number and None in (size, self.asked.channels):
            raise _unreadable(found.unreadable, found, self.folder)
        if size is None and len(found.sizes) > 1:
            examples = [
                f"{height}x{width} ({name})"
                for (height, width), name in found.sizes.items()
            ]
            raise ValueError(
                f"The images have {len(examples):,} different sizes (height x width): "
                f"{some(examples, 3, etc=True)}. Pass `image_size=(height, width)` "
                'and, if they are not to be stretched, `fit="pad"` or "crop".'
            )
        return dataclasses.replace(
            self.asked,
            image_size=size or next(iter(found.sizes)),
            channels=self.asked.channels or (3 if found.color else 1),
            max_value=None,
            value_range=self.stored_range,
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(h, w, c)."""
        return (*self.format.image_size, self.format.channels)

    def check(self) -> None:
        """Raises ImageFileError if a file looked at cannot be read; it names all.

        Also OSError if there is no room for the cache.
        """
        bad = {
            name: error
            for name, error in {
                **self.inspection.unreadable,
                **self._damaged,
            }.items()
            if name not in self.set_aside
        }
        if bad:
            raise _unreadable(bad, self.inspection, self.folder)
        _ = self._kept

    @cached_property
    def _damaged(self) -> dict[str, ImageFileError]:
        """Files whose header can be read, but not the rest; decoded to see that.

        A warning tells where some files were not decoded.
        """
        if self.all_decoded:
            return {}
        found = self.inspection
        rows = [
            row
            for row, name in enumerate(self.files)
            if name in found.looked_at and name not in found.unreadable
        ]
        chosen = spread(rows, self._affordable(len(rows)))
        try:
            fits = bool(self.format)
        except ValueError:
            fits = False  # which is told later: the damaged files come first

        def error_of(row: int) -> ImageFileError | None:
            try:
                if fits:
                    self._one(row)
                else:
                    self.asked.read(os.path.join(self.folder, self.files[row]))
            except ImageFileError as error:
                return error
            return None

        _ = self._kept if fits else None  # made before threads could make it twice
        with ThreadPoolExecutor(self.threads) as pool:
            errors = zip(chosen, pool.map(error_of, chosen), strict=True)
            bad = {self.files[row]: error for row, error in errors if error is not None}
        if len(chosen) < len(rows) or found.number < found.total:
            warnings.warn(
                f"{len(chosen):,} of the {found.total:,} images were decoded to see "
                "whether they are whole, which takes long for all: another may turn "
                'out to be damaged in training. `on_error="skip"` decodes all before.',
                stacklevel=2,
            )
        return bad

    def _affordable(self, number: int) -> int:
        """Returns how many of so many files are decoded before training."""
        pixels = self.inspection.pixels
        return number if pixels <= MOST_DECODED else -(-number * MOST_DECODED // pixels)

    def read(
        self, rows: np.ndarray, broken: dict[int, ImageFileError] | None = None
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
                    broken[int(rows[i])] = error

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

    def mark(self, row: int) -> int:
        """Returns a number that changes with a file and how it is read."""
        path = os.path.join(self.folder, self.files[row])
        about = f"{import_pillow().__version__} {self.format} {os.path.abspath(path)}"
        return zlib.crc32(about.encode(), file_stamp(path))

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


def _unreadable(
    bad: dict[str, ImageFileError], found: Inspection, folder: str
) -> ImageFileError:
    """Returns the error for files that cannot be read.

    Args:
        bad: file -> its error.
        found: what the files are like.
        folder: where they are.
    """
    number = f"{found.number:,} image files"
    if found.number < found.total:
        number += " looked at"
    how_many = f"{len(bad):,} of {number} in {folder!r} cannot be read"
    if len(bad) == found.number:
        how_many = f"None of {number} in {folder!r} can be read"
    if len(bad) == 1:
        told = f"{how_many}. {next(iter(bad.values()))}"
    else:
        some_of = list(bad.items())[:_MOST_NAMED]
        listed = "; ".join(f"{name!r} ({error.reason})" for name, error in some_of)
        if len(bad) > _MOST_NAMED:
            listed += f"; and {len(bad) - _MOST_NAMED:,} more"
        remedies = [
            error.remedy.replace(" it.", " them.")
            for error in bad.values()
            if not error.pixels
        ]
        largest = max(bad.values(), key=lambda error: error.pixels)
        if largest.pixels:
            remedies.append(largest.remedy)
        told = f"{how_many}: {listed}. {' '.join(dict.fromkeys(remedies))}"
    result = ImageFileError(f"{told} {_WAY_OUT}")
    result.files = {name: error.reason for name, error in bad.items()}
    return result
