"""What the files of a set of images are like, found before any is trained on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._text import some
from keras_dc3.data.decoding import ImageHeader, read_extremes, read_header
from keras_dc3.data.opened_images import LARGE, MAX_PIXELS, ImageFileError
from keras_dc3.data.stored_values import (
    Extremes,
    ValueRange,
    many_flat,
    range_of_all,
    stretched_by_few,
)


class Inspection(NamedTuple):
    """What is known of some files of a set.

    number: files looked at, of `total`. sizes: (h, w) -> the first file of that size.
    color: whether any can hold color. frames, deep: files of several frames or pages,
    and of values with more than 8 bits or a sign. unreadable: file -> its error.
    pixels: how many the readable files have together. looked_at: the files.
    """

    number: int
    total: int
    sizes: dict[tuple[int, int], str]
    color: bool
    frames: list[str]
    deep: list[str]
    unreadable: dict[str, ImageFileError]
    pixels: int = 0
    looked_at: frozenset[str] = frozenset()

    @property
    def of(self) -> str:
        """The words "of the 12 images", or of those that were looked at."""
        if self.number < self.total:
            return f"of {self.number:,} images looked at"
        return f"of the {self.total:,} images"

    def remarks(self) -> Iterator[str]:
        """Yields a sentence on everything that a user should know of."""
        of = self.of
        if self.frames:
            yield (
                f"{len(self.frames):,} {of} hold several frames or pages; the first of "
                f"each is used: {some(self.frames, etc=True)}."
            )
        large = [name for (h, w), name in self.sizes.items() if h * w > LARGE]
        if large:
            yield (
                f"Some {of} have more than {LARGE:,} pixels, and each is decoded "
                f"whole before it is made smaller: {some(large, etc=True)}. If reading "
                "takes long, make smaller copies, or pass `cache`."
            )


def inspect(
    folder: str,
    files: Sequence[str],
    most: int,
    threads: int,
    max_pixels: int | None = MAX_PIXELS,
) -> Inspection:
    """Looks into the headers of files, at most so many, spread evenly over all.

    Args:
        folder: where they are.
        files: paths in it.
        most: how many to look at.
        threads: to look with.
        max_pixels: of a file; one with more counts as unreadable.
    """
    chosen = spread(files, most)
    found = Inspection(len(chosen), len(files), {}, False, [], [], {})
    color, pixels = False, 0
    with ThreadPoolExecutor(threads) as pool:
        headers = pool.map(lambda name: _header(folder, name, max_pixels), chosen)
        for name, header in zip(chosen, headers, strict=True):
            if isinstance(header, ImageFileError):
                found.unreadable[name] = header
                continue
            pixels += header.size[0] * header.size[1]
            found.sizes.setdefault(header.size, name)
            color |= header.color
            if header.frames:
                found.frames.append(name)
            if header.deep:
                found.deep.append(name)
    return found._replace(color=color, pixels=pixels, looked_at=frozenset(chosen))


def spread(items: Sequence[Any], most: int) -> Sequence[Any]:
    """Returns at most so many of the items, such as files, spread evenly over all."""
    if most >= len(items):
        return items
    places = np.linspace(0, len(items) - 1, most).astype(int)
    return [items[place] for place in places]


def _header(
    folder: str, name: str, max_pixels: int | None
) -> ImageHeader | ImageFileError:
    try:
        return read_header(os.path.join(folder, name), max_pixels)
    except ImageFileError as error:
        return error


def common_range(
    folder: str, files: Sequence[str], threads: int, max_pixels: int | None
) -> tuple[ValueRange | None, str, set[str]]:
    """Returns what becomes black and white in all files, and sentences on it.

    Files that cannot be read are passed over, and returned, too; the range is None if
    no other is left.

    Args:
        folder: where the files are.
        files: of values with more than 8 bits or a sign.
        threads: to read with.
        max_pixels: of a file.

    Raises:
        ValueError: if some hold fractions and some whole numbers.
    """

    def look(name: str) -> Extremes | None:
        try:
            return read_extremes(os.path.join(folder, name), max_pixels)
        except ImageFileError:
            return None

    with ThreadPoolExecutor(threads) as pool:
        found = dict(zip(files, pool.map(look, files), strict=True))
    known = {name: value for name, value in found.items() if value is not None}
    unread = {name for name, value in found.items() if value is None}
    if not known:
        return None, "", unread
    kinds = {value.fractions: name for name, value in known.items()}
    if len(kinds) > 1:
        raise ValueError(
            f"Some images hold fractions, such as {kinds[True]!r}, and some whole "
            f"numbers of more than 8 bits, such as {kinds[False]!r}, so that no one "
            "scale follows from them. Pass `value_range=(low, high)`, the stored values"
            " that become black and white, or convert the images to one kind."
        )
    chosen = range_of_all(list(known.values()))
    low = min(value.low for value in known.values())
    high = max(value.high for value in known.values())
    how = (
        f"{chosen.low:g} becomes black and {chosen.high:g} white, as the stored values "
        f"are {low:g} to {high:g}."
    )
    if chosen.root:
        how += (
            " Gray follows the square root of a value, since in proportion to it many "
            "images would be left with fewer than 20 gray values."
        )
    return chosen, how + _lost(list(known.values()), chosen), unread


def _lost(images: Sequence[Extremes], chosen: ValueRange) -> str:
    """Returns what to say where the scale leaves most images flat, or is stretched."""
    flat = many_flat(images, chosen)
    inner = stretched_by_few(images, chosen) if flat or chosen.root else None
    told = ""
    if flat:
        told = " Many images are left with fewer than 20 gray values, nearly flat."
    if inner is not None:
        low, high = inner
        told += (
            f" Most values lie between {low:g} and {high:g}: if a few odd pixels, such "
            "as hot ones or a number for no data, stretch the scale, pass "
            f"`value_range=({low:g}, {high:g})`."
        )
    return told
