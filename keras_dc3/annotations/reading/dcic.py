"""Annotations of the DCIC data sets (Schmarje et al., 2022)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.reading.answers import Answers
from keras_dc3.annotations.reading.files import read_json
from keras_dc3.annotations.reading.source import Source

_ANONYMOUS = ("", "INVALID")


def read_dcic(path: str | os.PathLike, image: Callable[[str], str] | None) -> Answers:
    """Returns the answers of an `annotations.json`; see `Annotations.from_dcic`."""
    if image is not None and not callable(image):
        raise TypeError(
            "`image` must be a function from the path to the name of an image. "
            f"Received: image={image!r}"
        )
    sets = read_json(
        path, "Annotations.from_dcic", "name an `annotations.json` of DCIC"
    )
    name = repr(os.fspath(path))
    if not isinstance(sets, list):
        raise AnnotationError(
            f"{name} must hold a list of sets of annotations. Found: "
            f"{type(sets).__name__}."
        )
    columns: dict[str, list[str]] = {"image": [], "annotator": [], "label": []}
    parts = []
    for number, one in enumerate(sets):
        place = f"{name}, set {number}"
        _check(place, one, "annotations", list)
        person = str(one.get("user_mail") or "")
        for position, answer in enumerate(one["annotations"]):
            _check(f"{place}, annotation {position}", answer, "image_path", str)
            found, label = answer["image_path"], answer.get("class_label")
            if image is not None:
                found = _renamed(f"{place}, annotation {position}", image, found)
            if label is not None and not isinstance(label, str):
                raise AnnotationError(
                    f"{place}, annotation {position}: `class_label` must be text or "
                    f"null. Found: {label!r}"
                )
            columns["image"].append(found)
            columns["annotator"].append("" if person in _ANONYMOUS else person)
            columns["label"].append(label or "")
        parts.append((place, range(len(one["annotations"]))))
    return Answers(**columns, seconds=None, source=Source(parts, "annotation", name))


def _check(place: str, entry: Any, key: str, kind: type) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get(key), kind):
        raise AnnotationError(
            f"{place}: there must be an object with {key!r} ({kind.__name__}). Is this "
            "an `annotations.json` of a DCIC data set?"
        )


def _renamed(place: str, function: Callable[[str], str], path: str) -> str:
    try:
        name = function(path)
    except Exception as error:
        raise AnnotationError(
            f"{place}: the function `image` fails on {path!r} with "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(name, str):
        raise AnnotationError(
            f"{place}: the function `image` must return text. Received: {name!r}"
        )
    return name
