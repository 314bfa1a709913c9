"""What the files of a set of images are like, from their headers alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from keras_dc3.data.decoding import ImageFileError, ImageHeader, read_header

_LARGE = 80_000_000  # pixels; a little above, Pillow warns and does not name the file


class Inspection(NamedTuple):
    """What is known of some files of a set.

    number: files looked at, of `total`. sizes: (h, w) -> the first file of that size.
    color: whether any can hold color. frames, deep: files of several frames or pages,
    and of more than 8 bits per value. unreadable: file -> why.
    """

    number: int
    total: int
    sizes: dict[tuple[int, int], str]
    color: bool
    frames: list[str]
    deep: list[str]
    unreadable: dict[str, str]

    def remarks(self, max_value: float | None) -> Iterator[str]:
        """Yields a sentence on everything that a user should know of."""
        of = f"of the {self.total:,} images"
        if self.number < self.total:
            of = f"of {self.number:,} images looked at"
        if self.frames:
            yield (
                f"{len(self.frames):,} {of} hold several frames or pages; the first of "
                f"each is used: {some(self.frames)}."
            )
        if self.deep and max_value is None:
            yield (
                f"{len(self.deep):,} {of} have more than 8 bits per value; each is "
                "scaled by the bits that its own largest value needs. Pass `max_value`,"
                " such as 4095 for a camera of 12 bits, to scale all alike: "
                f"{some(self.deep)}."
            )
        large = [name for (h, w), name in self.sizes.items() if h * w > _LARGE]
        if large:
            yield (
                f"Some {of} have more than {_LARGE:,} pixels, and each is decoded "
                f"whole before it is made smaller: {some(large)}. If reading takes "
                "long, make smaller copies, or pass `cache`."
            )


def inspect(folder: str, files: Sequence[str], most: int, threads: int) -> Inspection:
    """Looks into the headers of files, at most so many, spread evenly over all.

    Args:
        folder: where they are.
        files: paths in it.
        most: how many to look at.
        threads: to look with.
    """
    chosen = files
    if most < len(files):
        places = np.linspace(0, len(files) - 1, most).astype(int)
        chosen = [files[place] for place in places]
    found = Inspection(len(chosen), len(files), {}, False, [], [], {})
    color = False
    with ThreadPoolExecutor(threads) as pool:
        headers = pool.map(lambda name: _header(folder, name), chosen)
        for name, header in zip(chosen, headers, strict=True):
            if isinstance(header, ImageFileError):
                found.unreadable[name] = str(header)
                continue
            found.sizes.setdefault(header.size, name)
            color |= header.color
            if header.frames:
                found.frames.append(name)
            if header.deep:
                found.deep.append(name)
    return found._replace(color=color)


def some(names: Sequence[str], most: int = 5) -> str:
    """Returns the first names, such as "a, b, ..."."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _header(folder: str, name: str) -> ImageHeader | ImageFileError:
    try:
        return read_header(os.path.join(folder, name))
    except ImageFileError as error:
        return error
