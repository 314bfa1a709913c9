"""Reviews put together, and their classes under other names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from keras_dc3._names import composed
from keras_dc3._text import some
from keras_dc3.annotations import Annotations, Records
from keras_dc3.review.plan import MODES

if TYPE_CHECKING:
    from keras_dc3.review.review import Review

_OF_EACH = ("proposed", "group", "accepted", "repetition")


def merge(review: Review, *others: Review) -> Review:
    """See `Review.merge`."""
    parts = (review, *others)
    classes = review.annotations.class_names
    for part in others:
        if not isinstance(part, type(review)):
            raise TypeError(
                f"Only reviews can be merged. Received: {type(part).__name__}"
            )
        if part.annotations.class_names != classes:
            raise ValueError(
                "Reviews can be merged if they have the same classes in one order; use "
                "`rename_classes`. Received: "
                f"{some(map(repr, classes), 10)} and "
                f"{some(map(repr, part.annotations.class_names), 10)}"
            )
    images = tuple(dict.fromkeys(i for p in parts for i in p.annotations.ids))
    people = tuple(dict.fromkeys(a for p in parts for a in p.annotations.annotators))
    records = Records(
        np.concatenate([_image(part, images) for part in parts]),
        np.concatenate([_annotator(part, people) for part in parts]),
        np.concatenate([part.annotations.records.label for part in parts]),
        np.concatenate([part.annotations.records.seconds for part in parts]),
    )
    order = np.argsort(records.image, kind="stable")  # as annotations have them
    return type(review)(
        Annotations(
            images,
            classes,
            annotators=people,
            records=records.take(order),
            notes=tuple(dict.fromkeys(n for p in parts for n in p.annotations.notes)),
            merged=len(parts) > 1,
        ),
        **{
            name: np.concatenate([getattr(part, name) for part in parts])[order]
            for name in _OF_EACH
        },
        mode=next(mode for mode in MODES if mode in {part.mode for part in parts}),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _image(part: Review, images: Sequence[str]) -> np.ndarray:
    number = {name: position for position, name in enumerate(images)}
    new = np.array([number[name] for name in part.annotations.ids], "int64")
    return new[part.annotations.records.image]


def _annotator(part: Review, people: Sequence[str]) -> np.ndarray:
    number = {name: position for position, name in enumerate(people)}
    new = [number[name] for name in part.annotations.annotators]
    return np.array([*new, -1], "int64")[part.annotations.records.annotator]


def rename_classes(
    review: Review, names: Mapping[str, str], class_names: Sequence[str] | None
) -> Review:
    """See `Review.rename_classes`."""
    old = review.annotations.class_names
    names = {composed(name): composed(new) for name, new in names.items()}
    unknown = [name for name in names if name not in old]
    if unknown:
        raise ValueError(
            f"`names` renames {some(map(repr, unknown))}, but the classes are "
            f"{some(map(repr, old), 10)}."
        )
    renamed = [names.get(name, name) for name in old]
    classes = tuple(dict.fromkeys(renamed if class_names is None else class_names))
    number = {composed(name): position for position, name in enumerate(classes)}
    records = review.annotations.records
    used = np.unique(np.concatenate([records.label, review.proposed]))
    lost = [renamed[i] for i in used if i >= 0 and renamed[i] not in number]
    if lost:
        raise ValueError(
            f"Answers or proposals name {some(map(repr, lost))}, which `class_names` "
            f"lacks: {some(map(repr, classes), 10)}. Rename these classes, too."
        )
    new = np.array([*(number.get(name, -1) for name in renamed), -1])
    label, proposed = new[records.label], new[review.proposed]
    return replace(
        review,
        annotations=replace(
            review.annotations,
            class_names=classes,
            counts=None,
            records=replace(records, label=label),
        ),
        proposed=proposed,
        accepted=(proposed >= 0) & (label == proposed),
    )
