"""Annotations of the DCIC data sets (Schmarje et al., 2022)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from keras_dc3.annotations.building import Answers, build, check_options
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.files import read_json
from keras_dc3.annotations.source import Source

if TYPE_CHECKING:
    from keras_dc3.annotations.annotations import Annotations

_ANONYMOUS = ("", "INVALID")
_NO_LIMIT = 1.0  # there are no times here


def from_dcic(
    cls: type[Annotations],
    path: str | os.PathLike,
    *,
    image: Callable[[str], str] | None = None,
    class_names: Sequence[str] | None = None,
    no_answer: Sequence[str] = ("",),
    repeated: str = "keep",
) -> Annotations:
    """Reads the `annotations.json` of a DCIC data set.

    It is a list of sets of answers. In the published files the people are anonymous,
    and a set may hold the votes of several: there, every answer is that of an unknown
    person. Where `user_mail` names somebody, it is the annotator. `annotation_time`
    has no known unit and is not read. An answer `null` is none.

    Args:
        path: the file.
        image: a function from `image_path`, such as "Plankton/fold1/x.png", to the
            name of the image. Default: the path is the name.
        class_names: the classes, in the order that numbers them. Default: all labels
            found, in the order of `class_order`.
        no_answer, repeated: as for `from_csv`.

    Raises:
        FileNotFoundError: if there is no such file.
        AnnotationError: if it is no such file, or a label is no class.

    Example:

    >>> annotations = keras_dc3.Annotations.from_dcic(  # doctest: +SKIP
    ...     "Turkey/annotations.json", image=lambda path: path.rsplit("/", 1)[1]
    ... )
    """
    check_options(class_names, no_answer, repeated, _NO_LIMIT)
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
    return cls(
        **build(
            Answers(**columns, seconds=None, source=Source(parts, "annotation", name)),
            class_names=class_names,
            no_answer=no_answer,
            repeated=repeated,
            max_seconds=_NO_LIMIT,
        )
    )


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
