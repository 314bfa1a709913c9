"""The user's own Table 3: blind answers against answers to proposals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_dc3._names import one_spelling
from keras_dc3.agreement.answers import read_answers
from keras_dc3.agreement.estimate import Estimate, estimate, ratio, resample
from keras_dc3.agreement.figures import PAIRED, Figures, Settings
from keras_dc3.agreement.measuring import Agreement, agreement_of, tell
from keras_dc3.agreement.tables import comparison_table
from keras_dc3.agreement.times import TimeRule

BLIND = "none"


@dataclass(frozen=True, repr=False)
class Comparison:
    """Agreement and time under several conditions; `print` shows the table again.

    Attributes:
        conditions: name -> `Agreement`, in the order given.
        speedup: name -> mean seconds per answer of `none`, by those of the condition.
        kappa_difference: name -> kappa between annotators, minus that of `none`.
        kappa_within_difference, alpha_difference: likewise; there is no former where
            the only repetitions of a condition with proposals are blind.
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
        return comparison_table(self)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.conditions)}>"


def compare(
    *,
    break_seconds: float = 60.0,
    absurd_seconds: float = 3600.0,
    least_common: int = 5,
    resamples: int = 1000,
    seed: int = 0,
    weights: str | None = None,
    **conditions: Any,
) -> Comparison:
    """Prints and returns agreement and time under several conditions, as Table 3.

    Images that stand in several conditions, in whatever spelling `Annotations.merge`
    knows, are drawn for all of them at once, so that
    differences and speed-ups are those on the same images. What was odd is told in a
    warning, and below the table.

    Args:
        break_seconds, absurd_seconds, least_common, resamples, seed, weights: see
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
    rule = TimeRule(break_seconds, absurd_seconds)
    settings = Settings(rule, least_common, resamples, seed, weights)
    figures = {
        name: Figures(read_answers(name, given), settings)
        for name, given in conditions.items()
    }
    if weights is not None:
        _check_order(figures)
    draws = _draw(figures, settings)
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
    tell(notes)
    print(comparison)
    return comparison


def _check_order(figures: Mapping[str, Figures]) -> None:
    orders = {name: part.answers.class_names for name, part in figures.items()}
    if len(set(orders.values())) > 1:
        raise ValueError(
            "With `weights`, all conditions must have the same classes in the same "
            f"order. Received: {orders}. Read them with the same `class_names=`."
        )


def _draw(figures: Mapping[str, Figures], settings: Settings) -> dict[str, np.ndarray]:
    """The figures of each condition (resamples, q), images drawn for all at once."""
    if not settings.resamples:
        return {n: np.full((0, len(f.values)), np.nan) for n, f in figures.items()}
    named, _ = one_spelling([part.answers.images for part in figures.values()])
    ids = dict.fromkeys(image for names in named for image in names)
    number = {image: position for position, image in enumerate(ids)}
    rows = [[number[image] for image in names] for names in named]

    def evaluate(weights):
        parts = zip(figures.values(), rows, strict=True)
        return np.concatenate([p.evaluate(weights[:, r]) for p, r in parts], axis=1)

    drawn = resample(evaluate, len(ids), settings.resamples, settings.seed)
    ends = np.cumsum([len(part.values) for part in figures.values()])
    return dict(zip(figures, np.split(drawn, ends[:-1], axis=1), strict=True))


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
        (mine, others), _ = one_spelling([answers.images, blind.images])
        if not set(mine) & set(others):
            notes.append(
                f"{name}: none of its {len(answers.images):,} images was answered in "
                f"`{BLIND}`, so that speed-up and differences are those of images too; "
                "images drawn at random make that chance alone."
            )
        if not set(answers.class_names) & set(blind.class_names):
            notes.append(
                f"{name}: none of its classes, such as {answers.class_names[0]!r}, is "
                f"one of `{BLIND}`. Are these answers to the same question?"
            )
    return notes
