"""A description of a data set in words and tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_dc3._text import number_of, some

if TYPE_CHECKING:
    from keras_dc3.datasets.description import Description

_MOST_CLASSES = 30  # that are listed
_MOST_LISTED = 20  # files and classes that are missing
# Where a part is without images of a class, and of several.
_CONSEQUENCES = {
    "labeled": (
        "some answers name it, never most of them, so that little can be learned of it",
        "some answers name them, never most of them, so that little can be learned of "
        "them",
    ),
    "validation": (
        "no score tells how well it is found",
        "no score tells how well they are found",
    ),
    "test": ("they tell nothing of it", "they tell nothing of them"),
}


def as_text(about: Description) -> str:
    """Returns tables of parts and classes, and what is missing below them."""
    lines = [_headline(about), "", *_table(_part_rows(about)), *_class_lines(about)]
    labels = [about.labels] if about.labels else []
    below = [*labels, *_missing_classes(about), *_skipped_files(about)]
    if about.withdrawn:
        named = some(map(repr, about.withdrawn), 3)
        below.append(f"Images withdrawn: {len(about.withdrawn):,} ({named}).")
    return "\n".join([*lines, *below])


def _headline(about: Description) -> str:
    shape = "x".join(map(str, about.image_shape))
    number = len(about.class_names)
    classes = number_of(number, "class", "classes") if number else "no classes"
    images = f"{number_of(about.total.images, 'image')} {shape} ({about.dtype})"
    if len(about.image_shape) == 1:
        images = f"{number_of(about.total.images, 'image')}, {shape} features of each"
    return f"{about.name}: {images}, {classes}"


def _part_rows(about: Description) -> list[list[str]]:
    rows = [["", "images", "annotated", "annotations per image", "ambiguous", "tied"]]
    parts = dict(about.parts)
    if len(parts) > 1:
        parts["all"] = about.total
    for name, part in parts.items():
        mean = part.annotations_per_image
        rows.append(
            [
                name,
                f"{part.images:,}",
                f"{part.annotated:,}",
                "-" if np.isnan(mean) else f"{mean:.1f}",
                "-" if np.isnan(part.ambiguous) else f"{part.ambiguous:.1%}",
                "-" if np.isnan(part.tied) else f"{part.tied:.1%}",
            ]
        )
    return rows


def _class_lines(about: Description) -> list[str]:
    """Returns the table of classes, and what is to be said about the annotations."""
    if not about.total.annotated:
        return ["", "No image is annotated."]
    shares = about.class_shares
    order = np.arange(len(shares))
    if len(order) > _MOST_CLASSES:
        order = np.argsort(-shares, kind="stable")[: _MOST_CLASSES // 2]
    rows = [["class", *about.parts, "share"]]
    rows += [
        [
            about.class_names[c],
            *(_number(part.class_counts[c]) for part in about.parts.values()),
            f"{shares[c]:.1%}",
        ]
        for c in order
    ]
    lines = ["", *_table(rows)]
    if len(order) < len(shares):
        lines.append(f"and {len(shares) - len(order):,} smaller classes")
    smallest, largest = int(np.argmin(shares)), int(np.argmax(shares))
    if shares[smallest] == shares[largest]:
        lines += ["", f"Each class has the same share, {shares[largest]:.2%}."]
    else:
        lines += [
            "",
            f"Smallest class: {about.class_names[smallest]}, {shares[smallest]:.2%}. "
            f"Largest class: {about.class_names[largest]}, {shares[largest]:.2%}.",
        ]
    if np.isnan(about.total.ambiguous):
        lines.append(
            "No image was annotated twice, so that ambiguity cannot be measured."
        )
    elif about.total.tied:
        number = round(about.total.tied * about.total.annotated)
        lines.append(
            f"Ties: for {number_of(number, 'image')} "
            f"({about.total.tied:.1%} of the annotated ones) several classes were "
            "chosen equally often. They count in equal parts for these classes, here "
            "and in F1 and accuracy."
        )
    return lines


def _number(images: float) -> str:
    """Returns such as "1,203", or "0.5" of an image."""
    rounded = round(float(images), 1)
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.1f}"


def _table(rows: list[list[str]]) -> list[str]:
    """Returns aligned lines, the first column on the left, a rule below the heading."""
    rows = [[" ".join(cell.split()) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _missing_classes(about: Description) -> list[str]:
    """Returns a line for each part with answers that has no image of some class."""
    lines = []
    if about.untaught:
        it = "it" if len(about.untaught) == 1 else "them"
        said = f"nothing can be learned of {it}"
        lines.append(_missing_line("labeled", about.untaught, said))
    for name, part in about.parts.items():
        if not part.annotated:
            continue
        missing = [about.class_names[c] for c in np.flatnonzero(part.class_counts == 0)]
        if name == "labeled":
            missing = [found for found in missing if found not in about.untaught]
        if not missing or name not in _CONSEQUENCES:
            continue
        said = _CONSEQUENCES[name][len(missing) > 1]
        lines.append(_missing_line(name, missing, said))
    return lines


def _missing_line(name: str, classes: Sequence[str], said: str) -> str:
    listed = some(map(repr, classes), _MOST_LISTED, etc=True)
    word = "class" if len(classes) == 1 else "classes"
    return f"Of the {name} images none is of the {word} {listed}: {said}."


def _skipped_files(about: Description) -> list[str]:
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
