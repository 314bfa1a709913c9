"""Agreement as plain text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from keras_dc3.agreement.estimate import Estimate
from keras_dc3.agreement.ordinal import in_order

if TYPE_CHECKING:
    from keras_dc3.agreement.comparing import Comparison
    from keras_dc3.agreement.measuring import Agreement

_MOST_PEOPLE = 20

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


def agreement_table(agreement: Agreement) -> str:
    """Returns the lines of `str(agreement)`."""
    people = len(agreement.annotators)
    by = f" by {people:,} annotator{'s' if people > 1 else ''}" if people else ""
    more = f", {agreement.undecided:,} more without a class"
    lines = [
        f"Agreement on {agreement.images:,} images: {agreement.answers:,} answers{by}"
        f"{more if agreement.undecided else ''}",
        "",
    ]
    lines += _order(agreement)
    rows = [("", "value (95% interval)", "images", "")]
    for name, heading in MEASURES.items():
        figure = getattr(agreement, name)
        rows.append((heading, shown(name, figure), f"{figure.images:,}", figure.note))
    lines += aligned(rows)
    if people > 1:
        lines += ["", *_people(agreement)]
    return "\n".join([*lines, *_notes(agreement.notes)])


def _order(agreement: Agreement) -> list[str]:
    if agreement.weights is None:
        return []
    return [
        f"Classes in order: {in_order(agreement.class_names)}. Cohen's kappa has "
        f"{agreement.weights} weights, alpha the ordinal distance; Fleiss' kappa and "
        "raw agreement know no order.",
        "",
    ]


def _people(agreement: Agreement) -> list[str]:
    most = sorted(agreement.people, key=lambda person: -person.answers)
    rows = [("annotator", "answers", *OF_PEOPLE.values())]
    for person in most[:_MOST_PEOPLE]:
        figures = [shown(name, getattr(person, name)) for name in OF_PEOPLE]
        rows.append((person.name, f"{person.answers:,}", *figures))
    lines = aligned(rows)
    if len(most) > _MOST_PEOPLE:
        lines.append(f"... and {len(most) - _MOST_PEOPLE:,} more, in `people`")
    return lines


def comparison_table(comparison: Comparison) -> str:
    """Returns the lines of `str(comparison)`."""
    conditions = comparison.conditions
    rows = [("", *conditions)]
    for name, heading in MEASURES.items():
        figures = [getattr(part, name) for part in conditions.values()]
        if any(math.isfinite(figure.value) for figure in figures):
            rows.append((heading, *(shown(name, figure) for figure in figures)))
    for heading, differences in (
        ("kappa between, difference", comparison.kappa_difference),
        ("kappa within, difference", comparison.kappa_within_difference),
        ("alpha, difference", comparison.alpha_difference),
        ("speed-up", comparison.speedup),
    ):
        spec = ".2f" if heading == "speed-up" else "+.3f"
        cells = [
            differences[name].format(spec) if name in differences else ""
            for name in conditions
        ]
        if any(cell not in ("", "-") for cell in cells):
            rows.append((heading, *cells))
    sizes = ", ".join(
        f"{name}: {part.answers:,} answers to {part.images:,} images by "
        f"{len(part.annotators):,} annotators"
        for name, part in conditions.items()
    )
    lines = [*aligned(rows), "", f"{sizes}. Intervals: 95%, over images."]
    lines += _order(next(iter(conditions.values())))
    lines += _why_undefined(conditions)
    if comparison.people_speedup:
        lines += ["", *_compared_people(comparison)]
    return "\n".join([*lines, *_notes(comparison.notes)])


def _why_undefined(conditions: Mapping[str, Agreement]) -> list[str]:
    """Why a figure is missing, and in which conditions."""
    where: dict[tuple[str, str], list[str]] = {}
    for name, heading in MEASURES.items():
        for condition, part in conditions.items():
            figure = getattr(part, name)
            if math.isnan(figure.value):
                where.setdefault((heading, figure.note), []).append(condition)
    told = [
        f"  {heading} ({', '.join(names)}): {note}"
        for (heading, note), names in where.items()
    ]
    return ["", "No figure", *told] if told else []


def _compared_people(comparison: Comparison) -> list[str]:
    rows = [("annotator", "", "kappa within", "seconds, mean", "speed-up")]
    names = list(comparison.people_speedup)
    for name in names[:_MOST_PEOPLE]:
        for condition, part in comparison.conditions.items():
            person = next((p for p in part.people if p.name == name), None)
            if person is not None:
                speedup = comparison.people_speedup[name].get(condition)
                rows.append(
                    (
                        name,
                        condition,
                        shown("kappa_within", person.kappa_within),
                        shown("seconds_mean", person.seconds_mean),
                        speedup.format(".2f") if speedup else "",
                    )
                )
    lines = aligned(rows)
    if len(names) > _MOST_PEOPLE:
        lines.append(f"... and {len(names) - _MOST_PEOPLE:,} more, in `people_speedup`")
    return lines


def shown(name: str, figure: Estimate) -> str:
    """Returns the text of a figure called `name`."""
    return figure.format(".3g" if name.startswith("seconds") else ".3f")


def _notes(notes: Sequence[str]) -> list[str]:
    return ["", "Notes", *(f"  {note}" for note in notes)] if notes else []
