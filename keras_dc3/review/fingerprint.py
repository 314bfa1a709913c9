"""What a review was made for, as short text. NumPy only."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from keras_dc3._names import composed, plain

_DIGITS = 16
_AS_WRITTEN = (str, lambda name: unicodedata.normalize("NFD", name))
PARTS = ("mode", "images", "classes", "pixels", "proposals")


class Proposed(Protocol):
    """What a review knows of the `keras_dc3.Proposals` that it is made from."""

    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    class_probabilities: np.ndarray
    ambiguity: np.ndarray
    cluster: np.ndarray

    def take(self, rows: Sequence[int]) -> Any: ...


def fingerprint(
    mode: str,
    ids: Iterable[str],
    class_names: Sequence[str],
    pixels: Mapping[str, str],
    values: str,
) -> str:
    """Returns mode, ids, class names, pixels and proposals in one word, `dc3-1f...`.

    The order of the images plays no part, that of the classes does. `parts` takes it
    apart again, so that a message can say what differs.

    Args:
        pixels: id -> digest of the image.
        values: of `of_values`.
    """
    return "-".join(
        [
            mode,
            of_ids(ids),
            of_class_names(class_names),
            of_pixels(pixels),
            values,
        ]
    )


def of_ids(ids: Iterable[str]) -> str:
    """Returns the part of the fingerprint that stands for the ids."""
    return digest(sorted(map(plain, ids)))


def of_class_names(class_names: Sequence[str]) -> str:
    """Returns the part of the fingerprint that stands for the class names."""
    return digest(list(map(composed, class_names)))


def is_of_ids(part: str, ids: Iterable[str]) -> bool:
    """Whether a part of a fingerprint stands for these ids, in whatever Unicode form.

    Version 0.1.0 took the letters as they were.
    """
    ids = list(ids)
    return part == of_ids(ids) or any(
        part == digest(sorted(form(name) for name in ids)) for form in _AS_WRITTEN
    )


def is_of_class_names(part: str, class_names: Sequence[str]) -> bool:
    """Whether a part of a fingerprint stands for these class names, likewise."""
    return part == of_class_names(class_names) or any(
        part == digest([form(name) for name in class_names]) for form in _AS_WRITTEN
    )


def differing(
    of: Mapping[str, str], ids: Iterable[str], class_names: Sequence[str]
) -> str | None:
    """Returns what parts of a fingerprint do not stand for, "images" or "classes"."""
    if not is_of_ids(of["images"], ids):
        return "images"
    return None if is_of_class_names(of["classes"], class_names) else "classes"


def of_pixels(pixels: Mapping[str, str]) -> str:
    """Returns the part of the fingerprint that stands for the images themselves."""
    return digest(sorted((plain(name), value) for name, value in pixels.items()))


def of_values(proposals: Proposed) -> str:
    """Returns the part of the fingerprint that stands for what the proposals say.

    The noise of rounding plays no part.
    """
    order = np.argsort(np.array(proposals.ids, dtype=object))
    found = (proposals.class_probabilities, proposals.ambiguity, proposals.cluster)
    text = b"".join(np.round(v[order], 4).astype("<f4").tobytes() for v in found)
    return hashlib.sha256(text).hexdigest()[:_DIGITS]


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
