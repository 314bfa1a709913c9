"""What `describe` says below its tables: classes and files that are missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_dc3._text import some

if TYPE_CHECKING:
    from keras_dc3.datasets.description import Description

_MOST_LISTED = 20  # files and classes
_CONSEQUENCES = {
    "labeled": "nothing can be learned of {}",
    "validation": "no score tells how well {} found",
    "test": "they tell nothing of {}",
}


def missing_classes(about: Description) -> list[str]:
    """Returns a line for each part with answers that has no image of some class."""
    lines = []
    for name, consequence in _CONSEQUENCES.items():
        part = about.parts.get(name)
        if part is None or not part.annotated:
            continue
        missing = [about.class_names[c] for c in np.flatnonzero(part.class_counts == 0)]
        if not missing:
            continue
        listed = some(map(repr, missing), _MOST_LISTED, etc=True)
        one = len(missing) == 1
        it = "it" if one else "them"
        if name == "validation":
            it = "it is" if one else "they are"
        lines.append(
            f"Of the {name} images none is of the class{'' if one else 'es'} {listed}: "
            f"{consequence.format(it)}."
        )
    return lines


def skipped_files(about: Description) -> list[str]:
    """Returns lines on the image files that were left out."""
    if not about.skipped:
        return []
    number = len(about.skipped)
    lines = [f"Image files left out: {number:,}."]
    listed = list(about.skipped.items())[:_MOST_LISTED]
    lines += [f"  {name} {why}" for name, why in listed]
    if number > _MOST_LISTED:
        lines.append(f"  and {number - _MOST_LISTED:,} more")
    return lines


def skipped_of(parts: Iterable[Any]) -> Mapping[str, str]:
    """Returns the files that `FileImages.readable` has left out of any part -> why."""
    skipped: dict[str, str] = {}
    for part in parts:
        skipped.update(getattr(part, "skipped", {}))
    return skipped
