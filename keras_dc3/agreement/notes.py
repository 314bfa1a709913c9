"""What is told of answers that are odd. NumPy only."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from keras_dc3._text import number_of


def left_out(number: int, alone: int, rounds_are_blind: bool) -> str:
    """Returns what is told of blind answers beside answers to proposals."""
    whose = "of the control share"
    if alone:
        whose = f"({alone:,} of them to images asked about alone)"
    are = "is" if number == 1 else "are"
    told = f"{number_of(number, 'blind answer')} {whose} {are} left out"
    if not rounds_are_blind:
        return f"{told}."
    return (
        f"{told}, but for kappa within an annotator: no image came again with a "
        "proposal, so that it is that of blind answers, and tells nothing of proposals."
    )


def of_split(number: int) -> list[str]:
    """Returns what is told of so many answers that are split between two classes."""
    if not number:
        return []
    return [
        f"{number_of(number, 'answer')} split between two classes: that with the "
        "larger share counts here."
    ]


def odd_people(
    annotations: Any,
    rows: np.ndarray,
    number: np.ndarray,
    repetition: np.ndarray | None,
) -> list[str]:
    """Returns what is told of who answered the records at `rows`, in what rounds."""
    notes, people = [], annotations.records.annotator[rows]
    unknown = int((people < 0).sum())
    if unknown:
        notes.append(
            f"{number_of(unknown, 'answer')} of unknown annotators "
            f"{'counts' if unknown == 1 else 'count'} as one person each; kappa is "
            "computed without them."
        )
    if repetition is not None:
        twice = people[(number > 0) & ~repetition[rows]]
        for person, times in zip(*np.unique(twice, return_counts=True), strict=True):
            notes.append(
                f"{annotations.annotators[person]!r} answered "
                f"{number_of(times, 'image again that was', 'images again that were')} "
                "no hidden repetitions. They count as repetitions; if these are two "
                "people of one name, rename one of them."
            )
    alike = defaultdict(list)
    for name in annotations.annotators:
        alike["".join(name.casefold().split())].append(name)
    for names in alike.values():
        if len(names) > 1:
            notes.append(
                f"{', '.join(map(repr, names))} count as {len(names)} annotators. If "
                "they are one person, write the name the same everywhere."
            )
    return notes
