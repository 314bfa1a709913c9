"""The user's own Table 3: blind answers against answers to proposals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from keras_dc3._names import one_spelling
from keras_dc3._text import number_of, tell
from keras_dc3.agreement.answers import read_answers
from keras_dc3.agreement.estimate import Estimate, estimate, ratio
from keras_dc3.agreement.figures import PAIRED, Figures, Settings
from keras_dc3.agreement.measuring import Agreement, agreement_of, draw
from keras_dc3.agreement.tables import (
    MEASURES,
    MOST_PEOPLE,
    aligned,
    listed_notes,
    order_of_classes,
    shown,
)
from keras_dc3.agreement.times import TimeRule
from keras_dc3.annotations import Annotations
from keras_dc3.review import Review

BLIND = "none"


@dataclass(frozen=True, repr=False)
class Comparison:
    """Agreement and time under several conditions; `print` shows the table again.

    Attributes:
        conditions: name -> `Agreement`, in the order given.
        speedup: name -> mean seconds per answer of `none`, by those of the condition.
        kappa_difference: name -> kappa between annotators, minus that of `none`.
        kappa_within_difference: likewise; there is none where the only repetitions of
            a condition with proposals are blind.
        alpha_difference: likewise.
        people_speedup: annotator -> name -> speed-up, of people with times in `none`.
        notes: what was odd or left out, one sentence each.
    """

    conditions: Mapping[str, Agreement]
    speedup: Mapping[str, Estimate] = field(default_factory=dict)
    kappa_difference: Mapping[str, Estimate] = field(default_factory=dict)
    kappa_within_difference: Mapping[str, Estimate] = field(default_factory=dict)
    alpha_difference: Mapping[str, Estimate] = field(default_factory=dict)
    people_speedup: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        conditions = self.conditions
        rows = [("", *conditions)]
        for name, heading in MEASURES.items():
            figures = [getattr(part, name) for part in conditions.values()]
            if any(math.isfinite(figure.value) for figure in figures):
                rows.append((heading, *(shown(name, figure) for figure in figures)))
        for heading, differences in (
            ("kappa between, difference", self.kappa_difference),
            ("kappa within, difference", self.kappa_within_difference),
            ("alpha, difference", self.alpha_difference),
            ("speed-up", self.speedup),
        ):
            spec = ".2f" if heading == "speed-up" else "+.3f"
            cells = [
                differences[name].format(spec) if name in differences else ""
                for name in conditions
            ]
            if any(cell not in ("", "-") for cell in cells):
                rows.append((heading, *cells))
        sizes = ", ".join(
            f"{name}: {number_of(part.answers, 'answer')} to "
            f"{number_of(part.images, 'image')} by "
            f"{number_of(len(part.annotators), 'annotator')}"
            for name, part in conditions.items()
        )
        lines = [*aligned(rows), "", f"{sizes}. Intervals: 95%, over images."]
        first = next(iter(conditions.values()))
        lines += order_of_classes(first.class_names, first.weights)
        lines += _why_undefined(conditions)
        if self.people_speedup:
            lines += ["", *self._people()]
        return "\n".join([*lines, *listed_notes(self.notes)])

    def _people(self) -> list[str]:
        rows = [("annotator", "", "kappa within", "seconds, mean", "speed-up")]
        names = list(self.people_speedup)
        for name in names[:MOST_PEOPLE]:
            for condition, part in self.conditions.items():
                person = next((p for p in part.people if p.name == name), None)
                if person is not None:
                    speedup = self.people_speedup[name].get(condition)
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
        if len(names) > MOST_PEOPLE:
            lines.append(
                f"... and {len(names) - MOST_PEOPLE:,} more, in `people_speedup`"
            )
        return lines

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.conditions)}>"


def compare(
    *,
    break_seconds: float = 60.0,
    longest_seconds: float = 3600.0,
    weights: str | None = None,
    least_common: int = 5,
    resamples: int = 1000,
    seed: int = 0,
    **conditions: Annotations | Review,
) -> Comparison:
    """Prints and returns agreement and time under several conditions, as Table 3.

    Images that stand in several conditions, in whatever spelling `Annotations.merge`
    knows, are drawn for all of them at once, so that
    differences and speed-ups are those on the same images. What was odd is told in a
    warning, and below the table.

    Args:
        break_seconds, longest_seconds, weights, least_common, resamples, seed: see
            `measure`.
        **conditions: annotations or reviews under names of your own. The one called
            `none` was annotated blind; the others are compared with it.

    Raises:
        TypeError, ValueError: if an argument is not as described, or a condition has
            no valid answer.

    Example:

    >>> compared = keras_dc3.agreement.compare(  # prints a table
    ...     none=keras_dc3.agreement.control_share(answers), dc3=answers
    ... )  # doctest: +ELLIPSIS
    none ...
    """
    if not conditions:
        raise ValueError(
            "Name at least one condition to compare, such as `none=..., dc3=...`."
        )
    rule = TimeRule(break_seconds, longest_seconds)
    settings = Settings(rule, least_common, resamples, seed, weights)
    figures = {
        name: Figures(read_answers(name, given), settings)
        for name, given in conditions.items()
    }
    if weights is not None:
        _check_order(figures)
    draws = draw(figures, settings)
    agreements = {name: agreement_of(figures[name], draws[name]) for name in figures}
    notes = [
        f"{name}: {note}" for name, part in agreements.items() for note in part.notes
    ]
    parts = {}
    if BLIND in figures:
        parts = _against_blind(figures, draws)
        notes += _different_people(agreements)
        notes += _nothing_in_common(figures)
    else:
        notes.append(
            f"There is no condition `{BLIND}`, so that there is no speed-up and no "
            "difference."
        )
    comparison = Comparison(conditions=agreements, **parts, notes=tuple(notes))
    tell("Agreement:", notes)
    print(comparison)
    return comparison


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


def _check_order(figures: Mapping[str, Figures]) -> None:
    orders = {name: part.answers.class_names for name, part in figures.items()}
    if len(set(orders.values())) > 1:
        raise ValueError(
            "With `weights`, all conditions must have the same classes in the same "
            f"order. Received: {orders}. Read them with the same `class_names=`."
        )


def _against_blind(figures, draws) -> dict[str, dict]:
    others = [name for name in figures if name != BLIND]

    def change(condition, measure, combine, person=None):
        """Of a figure against blind, with the interval of drawn images."""
        values, drawn = [], []
        for name in (condition, BLIND):
            key = measure
            if person is not None:
                key = measure, figures[name].answers.annotators.index(person)
            at = figures[name].place[key]
            values.append(figures[name].values[at])
            drawn.append(draws[name][:, at])
        images = min(figures[n].answers.answered for n in (condition, BLIND))
        if measure == "within" and figures[condition].answers.rounds.blind:
            why = "the repetitions are blind, and tell nothing of proposals"
            return Estimate(float("nan"), images=images, note=why)
        note = "not defined for both conditions"
        value = float(combine(*values))
        note = note if np.isnan(value) else ""
        limit = 2.0 if measure in PAIRED else None  # of a difference of kappas
        return estimate(value, combine(*drawn), images, note, limit)

    def difference(new, blind):
        return new - blind

    def speedup(new, blind):
        return ratio(blind, new)

    result = {
        "speedup": {n: change(n, "seconds_mean", speedup) for n in others},
        "kappa_difference": {n: change(n, "between", difference) for n in others},
        "kappa_within_difference": {n: change(n, "within", difference) for n in others},
        "alpha_difference": {n: change(n, "alpha", difference) for n in others},
        "people_speedup": {},
    }
    for person in figures[BLIND].answers.annotators:
        found = {
            name: change(name, "seconds_mean", speedup, person)
            for name in others
            if person in figures[name].answers.annotators
        }
        found = {name: e for name, e in found.items() if np.isfinite(e.value)}
        if found:
            result["people_speedup"][person] = found
    return result


def _different_people(agreements: Mapping[str, Agreement]) -> list[str]:
    blind = set(agreements[BLIND].annotators)
    return [
        f"{name}: other people answered than in `{BLIND}`, so that speed-up and "
        "differences are those of people too."
        for name, part in agreements.items()
        if set(part.annotators) != blind and name != BLIND
    ]


def _nothing_in_common(figures: Mapping[str, Figures]) -> list[str]:
    notes, blind = [], figures[BLIND].answers
    for name, part in figures.items():
        answers = part.answers
        (mine, others), _ = one_spelling([answers.ids, blind.ids])
        if not set(mine) & set(others):
            notes.append(
                f"{name}: none of its {len(answers.ids):,} images was answered in "
                f"`{BLIND}`, so that speed-up and differences are those of images too; "
                "images drawn at random make that chance alone."
            )
        if not set(answers.class_names) & set(blind.class_names):
            notes.append(
                f"{name}: none of its classes, such as {answers.class_names[0]!r}, is "
                f"one of `{BLIND}`. Are these answers to the same question?"
            )
    return notes
