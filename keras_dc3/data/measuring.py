"""One range of stored values for all images of a set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from keras_dc3.data.decoding import read_extremes
from keras_dc3.data.opened_images import ImageFileError
from keras_dc3.data.stored_values import (
    Extremes,
    ValueRange,
    many_flat,
    range_of_all,
    stretched_by_few,
)


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
