"""Annotations in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from keras_dc3._text import number_of
from keras_dc3.annotations import without_class

if TYPE_CHECKING:
    from keras_dc3.annotations.annotations import Annotations


def summarize(annotations: Annotations) -> str:
    """Returns the lines of `Annotations.summary`."""
    n, total = len(annotations), annotations.annotations_per_image
    annotated = total > 0
    number = int(annotated.sum())
    by = by_annotators(len(annotations.annotators))
    lines = [
        f"Annotations of {number_of(n, 'image')}: {amount(total.sum())}{by}",
        f"  annotated   {_count(number, n)}{_range(total[annotated])}",
    ]
    if not number:
        return "\n".join(lines)
    if annotations.cannot_disagree:
        lines.append(
            "  ambiguous   cannot be measured: there is at most one annotation per "
            "image, and all soft labels are one-hot"
        )
    else:
        ambiguous = int(annotations.ambiguous.sum())
        lines.append(
            f"  ambiguous   {_count(ambiguous, number)} of the annotated images: more "
            "than one class was chosen"
        )
        tied = int(annotations.tied.sum())
        if tied:
            lines.append(
                f"  tied        {_count(tied, number)} of the annotated images: "
                "several classes were chosen equally often"
            )
        single = int((annotated & (total <= 1) & ~annotations.ambiguous).sum())
        if single:
            lines.append(
                f"  single      {_count(single, number)} of the annotated images: one "
                "annotation, which shows no ambiguity"
            )
    records = annotations.records
    if records is not None:
        invalid = int((records.label < 0).sum())
        if invalid:
            why = without_class.in_words(without_class.by_reason(records))
            lines.append(
                f"  no answer   {_count(invalid, len(records))} when asked"
                f"{f': {why}' if why else ''}"
            )
        split = int(records.is_split.sum())
        if split:
            lines.append(
                f"  split       {_count(split, len(records))} of the answers between "
                "two classes"
            )
        known = records.seconds[~np.isnan(records.seconds)]
        if known.size:
            lines.append(
                f"  seconds     {np.median(known):.3g} per answer (median of "
                f"{known.size:,} known times of {len(records):,})"
            )
    lines += ["", "Classes (share of the soft labels)"]
    share = np.nanmean(annotations.soft_labels[annotated].astype("float64"), axis=0)
    width = max(map(len, annotations.class_names))
    lines += [
        f"  {name:<{width}}  {part:6.1%}"
        for name, part in zip(annotations.class_names, share, strict=True)
    ]
    notes = [*annotations.notes, *without_class.told(annotations)]
    if notes:
        lines += ["", "Notes", *(f"  {note}" for note in notes)]
    return "\n".join(lines)


def amount(number: float) -> str:
    """Returns a number of annotations, fractions with one digit."""
    return f"{int(number):,}" if number == int(number) else f"{number:,.1f}"


def by_annotators(number: int) -> str:
    """Returns such as " by 3 annotators"; "" if nobody is known."""
    return f" by {number:,} annotator{'s' if number > 1 else ''}" if number else ""


def _range(total: np.ndarray) -> str:
    if not total.size:
        return ""
    low, high = f"{total.min():.3g}", f"{total.max():.3g}"
    spread = low if low == high else f"{low} to {high}, mean {total.mean():.3g},"
    return f": {spread} per image"


def _count(number: int, total: int) -> str:
    return f"{number:>9,} ({number / total if total else 0:.1%})"
