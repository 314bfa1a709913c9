"""Figures as plain text."""

from __future__ import annotations

from collections.abc import Sequence

from keras_dc3.agreement.estimate import Estimate
from keras_dc3.agreement.ordinal import in_order

MOST_PEOPLE = 20  # with a row of their own

# Attribute -> heading, in the order of the tables; seconds with fewer digits.
MEASURES = {
    "kappa_between": "kappa between annotators",
    "kappa_within": "kappa within an annotator",
    "alpha": "Krippendorff's alpha",
    "fleiss": "Fleiss' kappa",
    "raw": "raw agreement",
    "raw_within": "raw agreement within",
    "seconds_mean": "seconds per answer, mean",
    "seconds_median": "seconds per answer, median",
}
OF_PEOPLE = {
    "kappa_between": "kappa with others",
    "kappa_within": "kappa within",
    "raw": "raw with others",
    "seconds_mean": "seconds, mean",
    "seconds_median": "seconds, median",
}


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Returns lines with columns of one width, the first row underlined."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * (sum(widths) + 2 * len(widths) - 2), *lines[1:]]


def order_of_classes(class_names: Sequence[str], weights: str | None) -> list[str]:
    """Returns the lines that tell the order of the classes, if it counts."""
    if weights is None:
        return []
    return [
        f"Classes in order: {in_order(class_names)}. Cohen's kappa has {weights} "
        "weights, alpha the ordinal distance; Fleiss' kappa and raw agreement know no "
        "order.",
        "",
    ]


def shown(name: str, figure: Estimate) -> str:
    """Returns the text of a figure called `name`."""
    return figure.format(".3g" if name.startswith("seconds") else ".3f")


def listed_notes(notes: Sequence[str]) -> list[str]:
    """Returns the lines of what was odd."""
    return ["", "Notes", *(f"  {note}" for note in notes)] if notes else []
