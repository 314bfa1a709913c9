"""Images decoded ahead of the model, in order, by several threads."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import numpy as np

from keras_dc3.data.decoding import ImageFormat
from keras_dc3.data.opened_images import ImageFileError
from keras_dc3.scale.sources.places import is_address, read_file
from keras_dc3.scale.sources.source import Item

_AHEAD = 2  # batches that wait, decoded, while the model runs
_PATIENCE = 0.1  # seconds after which a reader looks whether it is still wanted


@dataclass
class Batch:
    """Images of one shard that were decoded, and those that could not be.

    Attributes:
        shard: its number.
        ids: n of them.
        images: uint8 (n, h, w, c).
        failed: (id, reason) of each image that cannot be had.
        rows: the places of the n in the order of all of them.
        frames: ids of the n whose files hold several frames, of which one was read.
    """

    shard: int
    ids: list[str]
    images: np.ndarray
    failed: list[tuple[str, str]]
    rows: list[int]
    frames: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)


class Decoder:
    """Makes an array of each image.

    Args:
        image_shape: (h, w, c) of all.
        **options: of `ImageFormat`.
    """

    def __init__(self, image_shape: tuple[int, int, int], **options: Any):
        self.image_shape = image_shape
        self._format = ImageFormat(
            image_size=image_shape[:2], channels=image_shape[2], **options
        )

    @property
    def settings(self) -> dict[str, Any]:
        """What shapes the pixels, as plain values."""
        asked = self._format
        return {
            "fit": asked.fit,
            "background": list(asked.background),
            "value_range": None if asked.value_range is None else [*asked.value_range],
            "max_pixels": None if asked.max_pixels is None else int(asked.max_pixels),
        }

    def pixels(
        self, item: Item, of_frames: Callable[[], None] | None = None
    ) -> np.ndarray:
        """Returns uint8 (h, w, c).

        Args:
            item: the image.
            of_frames: called where there are several frames or pages.

        Raises:
            Exception: nearly any, if the image cannot be had.
        """
        image = item.image
        if image is None:
            raise ValueError(item.reason)
        if isinstance(image, np.ndarray):
            if image.shape != self.image_shape or image.dtype != "uint8":
                raise ValueError(f"it is {image.dtype} {image.shape}")
            return image
        path, content = image, None
        if isinstance(image, bytes):
            path, content = item.id, image
        elif is_address(image):
            content = read_file(image)
        return self._format.read(path, content, scales_alone=False, of_frames=of_frames)


def why(error: Exception) -> str:
    """Returns in a few words why an image cannot be had."""
    if isinstance(error.__cause__ or error, FileNotFoundError):
        return "there is no such file; a path in a table counts from the table's folder"
    reason = error.reason if isinstance(error, ImageFileError) else str(error)
    return " ".join(reason.split()) or type(error).__name__


class ReadAhead:
    """Batches, decoded while the model runs. To be used in a `with` statement.

    At most three are in memory beside the one that is worked on.

    Args:
        parts: (number of the shard, items) of each batch, in order.
        decoder: makes arrays of them.
        threads: to decode with.

    Attributes:
        waited: seconds that a batch was waited for.
    """

    def __init__(
        self, parts: Iterable[tuple[int, list[Item]]], decoder: Decoder, threads: int
    ):
        self._parts, self._decoder = parts, decoder
        self._pool = ThreadPoolExecutor(threads)
        self._threads = threads
        self._ready: queue.Queue = queue.Queue(_AHEAD)
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self.waited = 0.0

    def __enter__(self) -> Self:
        self._reader.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._ended.set()
        self._reader.join()
        self._pool.shutdown()

    def __iter__(self) -> Iterator[Batch]:
        while True:
            begun = time.perf_counter()
            batch = self._ready.get()
            self.waited += time.perf_counter() - begun
            if batch is None:
                return
            if isinstance(batch, BaseException):
                raise batch
            yield batch

    def _read(self) -> None:
        try:
            for shard, items in self._parts:
                self._put(self._decoded(shard, items))
                if self._ended.is_set():
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, batch: Batch | BaseException | None) -> None:
        while not self._ended.is_set():
            try:
                self._ready.put(batch, timeout=_PATIENCE)
                return
            except queue.Full:
                continue

    def _decoded(self, shard: int, items: list[Item]) -> Batch:
        images = np.zeros((len(items), *self._decoder.image_shape), "uint8")
        reasons: list[str | None] = [None] * len(items)
        frames: set[int] = set()

        def fill(first: int) -> None:
            for row in range(first, len(items), self._threads):
                try:
                    images[row] = self._decoder.pixels(
                        items[row], partial(frames.add, row)
                    )
                except Exception as error:
                    reasons[row] = why(error)

        list(self._pool.map(fill, range(min(self._threads, len(items)))))
        good = [row for row, reason in enumerate(reasons) if reason is None]
        failed = [
            (item.id, reason)
            for item, reason in zip(items, reasons, strict=True)
            if reason is not None
        ]
        if failed:
            images = images[good]
        ids = [items[row].id for row in good]
        several = [items[row].id for row in good if row in frames]
        return Batch(shard, ids, images, failed, good, several)
