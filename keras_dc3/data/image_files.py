"""A set of images that stay in their files until they are looked at."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._text import some
from keras_dc3._validation import check_positive_int
from keras_dc3.annotations import SparseCounts
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.decoding import ImageFormat
from keras_dc3.data.file_source import FileSource
from keras_dc3.data.opened_images import ImageFileError, import_pillow
from keras_dc3.data.stored_values import ValueRange

_CHUNK = 256  # images read together where all are read once


class FileImages(AnnotatedImages):
    """Images in files, read when they are asked for. Takes the place of `ImageSet`.

    Memory holds the ids and annotations alone. What `image_size` and `channels` leave
    open is decided by the files, when the first image or `image_shape` is asked for:
    the size that all have, and color if any has it.

    Then files are looked into, so that a damaged one is told before training: the
    headers of `inspect` files, and of those as many are decoded as have 300 million
    pixels together. Values of more than 8 bits, or with a sign, keep one scale for all
    images, never one for each: `value_range`, or what follows from the smallest and
    largest value of all, by the rule of `data.read_image`. Where more than a quarter of
    the images would be left with fewer than 20 gray values, these follow the square
    root of the stored ones. A warning tells, and `stored_range` is what was chosen. It
    also tells where images stay nearly flat because a few odd pixels, such as hot ones
    or a number for no data, stretch the scale, and proposes a `value_range`.

    Args:
        folder: where the files are.
        files: n paths in it, such as those of `list_images`.
        counts: (n, k), how many annotators chose each class, as an array or as
            `SparseCounts`; None if the images were never annotated.
        class_names: k different names. Default "0", "1", ... if `counts` are given.
        ids: n different strings that name the images; default `files`.
        cache: "memory" keeps each image once it was decoded. A folder keeps them there,
            for later runs too, in one file of the size of all images; delete it when
            you are done. None decodes an image each time.
        inspect: files that are looked at, spread evenly over all.
        threads: to read with; default one per core, 16 at most.
        **options: of `ImageFormat`: `image_size`, `fit`, `channels`, `background`,
            `max_value`, `value_range` and `max_pixels`.

    Raises:
        ImportError: without Pillow.
        ValueError, TypeError: if a part does not fit; the message says how to fix it.
        ImageFileError: later, for a file that cannot be read; see `readable`.

    Example:

    >>> files = keras_dc3.data.list_images("fish").files
    >>> images = keras_dc3.data.FileImages("fish", files, image_size=(64, 64))
    >>> images.read([0, 2]).shape
    (2, 64, 64, 3)
    """

    value_range = (0.0, 255.0)

    def __init__(
        self,
        folder: str | os.PathLike,
        files: Sequence[str],
        counts: ArrayLike | SparseCounts | None = None,
        class_names: Sequence[str] | None = None,
        *,
        ids: Sequence[str] | None = None,
        cache: str | os.PathLike | None = None,
        inspect: int = 10_000,
        threads: int | None = None,
        **options: Any,
    ):
        import_pillow()
        asked = ImageFormat(**options)
        check_positive_int("inspect", inspect)
        threads = min(os.cpu_count() or 1, 16) if threads is None else threads
        check_positive_int("threads", threads)
        files = _checked_files(files)
        if ids is not None:
            ids = tuple(ids)
            _check_ids_of_files(ids, files)
        super().__init__(files if ids is None else ids, counts, class_names)
        self._source = FileSource(
            os.fspath(folder), files, asked, inspect, threads, cache
        )

    def _described(self) -> str:
        return f"images in {self._source.folder!r}"  # whose size may not be known yet

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(h, w, c).

        Raises:
            ValueError: if the files differ in size and no `image_size` was given.
            ImageFileError: if a file looked at cannot be read.
        """
        self._source.check()
        return self._source.image_shape

    @property
    def dtype(self) -> np.dtype:
        """uint8."""
        return np.dtype("uint8")

    @property
    def stored_range(self) -> ValueRange | None:
        """(low, high, root): the stored values that become black and white.

        Of images of more than 8 bits per value, or with a sign; None if there is none.
        Pass it as `value_range` where further images are to be read alike.
        """
        return self._source.stored_range

    @property
    def paths(self) -> tuple[str, ...]:
        """The path of each file."""
        files = self._source.files
        if self._rows is not None:
            files = [files[row] for row in self._rows]
        return tuple(os.path.join(self._source.folder, name) for name in files)

    @property
    def skipped(self) -> dict[str, str]:
        """Files that `readable` has left out -> why."""
        return dict(self._source.set_aside)

    def read(self, indices: ArrayLike) -> np.ndarray:
        """Returns (m, h, w, c), the images at (m,) positions, which may repeat.

        Raises:
            ImageFileError: for an image that cannot be read.
        """
        indices = np.asarray(indices, "int64")
        return self._source.read(indices if self._rows is None else self._rows[indices])

    def marks(self, indices: ArrayLike) -> np.ndarray:
        """Returns (m,) uint32, numbers that change with the files and their reading.

        A file that was written anew counts as changed, whatever it holds.
        """
        indices = np.asarray(indices, "int64")
        rows = indices if self._rows is None else self._rows[indices]
        return np.array([self._source.mark(row) for row in rows], "uint32")

    def image_batches(self, batch_size: int) -> Iterator[np.ndarray]:
        """Yields the images in order, (batch_size, h, w, c) and a rest.

        One batch is read ahead.
        """
        check_positive_int("batch_size", batch_size)
        ends = range(0, len(self), batch_size)
        parts = [slice(start, min(start + batch_size, len(self))) for start in ends]
        with ThreadPoolExecutor(1) as pool:
            waiting = None
            for part in parts:
                ahead = pool.submit(self.read, np.arange(part.start, part.stop))
                if waiting is not None:
                    yield waiting.result()
                waiting = ahead
            if waiting is not None:
                yield waiting.result()

    def readable(self) -> Self:
        """Returns the images that can be decoded, after decoding all of them once.

        A warning tells how many were left out, and `skipped` which and why. With a
        `cache` the work is not lost.
        """
        broken: dict[int, ImageFileError] = {}
        rows = np.arange(len(self)) if self._rows is None else self._rows
        progress = keras.utils.Progbar(len(rows), verbose=len(rows) > _CHUNK)
        for start in range(0, len(rows), _CHUNK):
            self._source.read(rows[start : start + _CHUNK], broken)
            progress.update(min(start + _CHUNK, len(rows)))
        part = self.subset(np.flatnonzero(~np.isin(rows, list(broken))))
        files = self._source.files
        part._source = copy.copy(self._source)
        part._source.set_aside = {
            **self._source.set_aside,
            **{
                files[row]: f"cannot be read ({broken[row].reason})"
                for row in sorted(broken)
            },
        }
        part._source.all_decoded = self._rows is None
        if broken:
            names = [files[row] for row in sorted(broken)]
            are = "are" if len(broken) > 1 else "is"
            warnings.warn(
                f"{len(broken):,} of {len(self):,} images cannot be read and {are} "
                f"left out: {some(names, etc=True)}. The first: {broken[min(broken)]}",
                stacklevel=2,
            )
        return part


def _checked_files(files: Sequence[str]) -> tuple[str, ...]:
    if isinstance(files, str | bytes):
        raise TypeError(f"`files` must be a list of paths. Received: {files!r}")
    files = tuple(files)
    if not files:
        raise ValueError("`files` names no file; there is no image to read.")
    for position, name in enumerate(files):
        if not isinstance(name, str) or not name:
            raise TypeError(
                "`files` must be paths as strings, relative to the folder. Received: "
                f"{name!r} at position {position}"
            )
        parts = name.replace("\\", "/").split("/") if ".." in name else ()
        if os.path.isabs(name) or ".." in parts:
            raise ValueError(
                f"`files` must lie in the folder, but {name!r} at position {position} "
                "leads out of it. Name the folder that holds all images."
            )
    return files


def _check_ids_of_files(ids: tuple[str, ...], files: tuple[str, ...]) -> None:
    if len(ids) != len(files):
        raise ValueError(
            f"`ids` must name each file. Received: {len(ids)} ids for {len(files)} "
            "files."
        )
    first: dict[str, str] = {}
    for name, file in zip(ids, files, strict=True):
        if first.setdefault(name, file) != file:
            raise ValueError(
                f"`ids` must differ, but the files {first[name]!r} and {file!r} have "
                f"the same id {name!r}. Rename or remove one of them."
            )
