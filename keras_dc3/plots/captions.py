"""What is written below an image."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_dc3._names import KnownNames, match_all
from keras_dc3._text import cut, one_line
from keras_dc3._validation import check_soft_labels
from keras_dc3.proposals.summary import shares

if TYPE_CHECKING:
    from keras_dc3.proposals import Proposals

_LINE = 21  # characters of small print below an image


def caption(proposals: Proposals, row: int) -> list[str]:
    """Returns the lines that name the class of an image and its probability."""
    name = one_line(proposals.class_name[row])
    probability = f"({proposals.class_probability[row]:.0%})"
    if len(name) + 1 + len(probability) <= 17:
        return [f"{name} {probability}"]
    return [cut(name, 17), probability]


def said(
    proposals: Proposals, people: np.ndarray | None, rows: Sequence[int]
) -> list[list[str]]:
    """Returns the lines that tell what people answered about each image."""
    if people is None:
        return [[] for _ in rows]
    notes = []
    for row in rows:
        parts = shares(people[row], proposals.class_names, 2)
        # Lines break between the parts only.
        whole = "people: " + ", ".join(part.replace(" ", "\u00a0") for part in parts)
        lines = textwrap.wrap(whole, _LINE, break_long_words=False)
        if len(lines) > 2 or max(map(len, lines)) > _LINE:
            lines = ["people:", *(cut(part, _LINE) for part in parts)]
        notes.append(lines)
    return notes


def answers_of(proposals: Proposals, soft_labels: Any) -> np.ndarray | None:
    """Returns soft labels (n, k) in the order of the proposals."""
    if soft_labels is None:
        return None
    if isinstance(soft_labels, Mapping):
        matches = match_all(proposals.ids, KnownNames(soft_labels), what="soft labels")
        missing = [proposals.ids[position] for position in matches.lost]
        if missing:
            raise ValueError(
                f"`soft_labels` lack {len(missing)} of the proposals' images, such as "
                f"{missing[0]!r}; give one for each id."
            )
        soft_labels = [soft_labels[one] for one in matches.found.values()]
    check_soft_labels("soft_labels", soft_labels)
    soft_labels = np.asarray(soft_labels, "float64")
    if soft_labels.shape != proposals.class_probabilities.shape:
        raise ValueError(
            "`soft_labels` must have one row per proposal and one column per class, "
            f"shape {proposals.class_probabilities.shape}. Received: "
            f"{soft_labels.shape}"
        )
    return soft_labels
