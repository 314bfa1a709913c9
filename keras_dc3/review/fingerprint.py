"""What a review was made for, as short text. Standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_DIGITS = 16
PARTS = ("mode", "images", "classes", "pixels")


def fingerprint(
    mode: str,
    ids: Iterable[str],
    class_names: Sequence[str],
    pixels: Mapping[str, str],
) -> str:
    """Returns mode, ids, class names and pixels in one word, such as `dc3-1f...-...`.

    The order of the images plays no part, that of the classes does. `parts` takes it
    apart again, so that a message can say what differs.

    Args:
        pixels: id -> digest of the image.
    """
    return "-".join(
        [
            mode,
            of_ids(ids),
            of_class_names(class_names),
            of_pixels(pixels),
        ]
    )


def of_ids(ids: Iterable[str]) -> str:
    """Returns the part of the fingerprint that stands for the ids."""
    return digest(sorted(ids))


def of_class_names(class_names: Sequence[str]) -> str:
    """Returns the part of the fingerprint that stands for the class names."""
    return digest(list(class_names))


def of_pixels(pixels: Mapping[str, str]) -> str:
    """Returns the part of the fingerprint that stands for the images themselves."""
    return digest(sorted(pixels.items()))


def parts(text: str) -> dict[str, str] | None:
    """Returns name of the part -> part; None if the text is no fingerprint."""
    pieces = text.split("-")
    if len(pieces) != len(PARTS) or not all(pieces):
        return None
    return dict(zip(PARTS, pieces, strict=True))


def digest(value: Any) -> str:
    """Returns a digest of anything that JSON can hold."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
