"""How far people agree, and how long they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from keras_dc3._names import one_spelling
from keras_dc3._text import number_of, tell
from keras_dc3.agreement.answers import read_answers
from keras_dc3.agreement.estimate import Estimate, resample
from keras_dc3.agreement.figures import COUNTED, Figures, Settings
from keras_dc3.agreement.ordinal import tell_order
from keras_dc3.agreement.tables import (
    MEASURES,
    MOST_PEOPLE,
    OF_PEOPLE,
    aligned,
    listed_notes,
    order_of_classes,
    shown,
)
from keras_dc3.agreement.times import TimeCounts, TimeRule
from keras_dc3.annotations import Annotations
from keras_dc3.annotations.without_class import in_words
from keras_dc3.review import Review

_OF_PEOPLE = ("between", "within", "raw_between", "seconds_mean", "seconds_median")


@dataclass(frozen=True)
class PersonAgreement:
    """The figures of one annotator, each an `Estimate`.

    Attributes:
        name: of the annotator.
        answers: number of valid answers.
        kappa_between: mean of Cohen's kappa with each other annotator.
        kappa_within: of the annotator's own repetitions.
        raw: share of equal answers, with each other annotator.
        seconds_mean: per answer.
        seconds_median: likewise.
    """

    name: str
    answers: int
    kappa_between: Estimate
    kappa_within: Estimate
    raw: Estimate
    seconds_mean: Estimate
    seconds_median: Estimate


@dataclass(frozen=True)
class PairAgreement:
    """Cohen's kappa and raw agreement of two annotators on their common images."""

    first: str
    second: str
    kappa: float
    raw: float
    images: int


@dataclass(frozen=True, repr=False)
class Agreement:
    """How far people agree, and how long they take; `print` shows a table.

    All figures are `Estimate`s, whose interval comes from drawing images with
    replacement. One that is not defined is NaN, and its `note` says why.

    Attributes:
        images: how many there are with a valid answer.
        answers: how many valid answers.
        repeated: how many of these are a person's further ones to an image.
        undecided: how many more answers give no class, such as "cannot tell". They
            count in times alone.
        reasons: why -> how many of these.
        annotators: names.
        people: `PersonAgreement` of each annotator.
        pairs: `PairAgreement` of each pair of annotators with enough common images.
        kappa_between: Cohen's kappa of pairs of annotators, mean weighted by their
            numbers of common images.
        kappa_within: Cohen's kappa of a person's first and second answers to the same
            images (and first and third, and so on), mean likewise. In a review with
            proposals, of which none came again, these are blind answers.
        alpha: Krippendorff's, nominal, on images with two or more answers.
        fleiss: Fleiss' kappa on the images with the most frequent number of answers.
        raw: share of agreeing pairs of answers of different people to one image.
        raw_within: the same of one person's answers.
        seconds_mean: per answer.
        seconds_median: likewise.
        times: how many times were used, missing, or odd.
        notes: what was odd or left out, one sentence each.
        class_names: the classes; their order counts if there are `weights`.
        weights: "linear" or "quadratic" if kappa is weighted and alpha ordinal.
    """

    images: int
    answers: int
    undecided: int
    annotators: tuple[str, ...]
    people: tuple[PersonAgreement, ...]
    pairs: tuple[PairAgreement, ...]
    kappa_between: Estimate
    kappa_within: Estimate
    alpha: Estimate
    fleiss: Estimate
    raw: Estimate
    raw_within: Estimate
    seconds_mean: Estimate
    seconds_median: Estimate
    times: TimeCounts
    notes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    weights: str | None = None
    repeated: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        people = len(self.annotators)
        by = f" by {number_of(people, 'annotator')}" if people else ""
        again = f" ({self.repeated:,} of them from people who had answered the image)"
        more, why = f", {self.undecided:,} more without a class", in_words(self.reasons)
        more += f" ({why})" if why else ""
        lines = [
            f"Agreement on {number_of(self.images, 'image')}: "
            f"{number_of(self.answers, 'answer')}{by}"
            f"{again if self.repeated else ''}{more if self.undecided else ''}",
            "",
        ]
        lines += order_of_classes(self.class_names, self.weights)
        rows = [("", "value (95% interval)", "images", "")]
        for name, heading in MEASURES.items():
            figure = getattr(self, name)
            rows.append(
                (heading, shown(name, figure), f"{figure.images:,}", figure.note)
            )
        lines += aligned(rows)
        if people > 1:
            lines += ["", *self._people()]
        return "\n".join([*lines, *listed_notes(self.notes)])

    def _people(self) -> list[str]:
        most = sorted(self.people, key=lambda person: -person.answers)
        rows = [("annotator", "answers", *OF_PEOPLE.values())]
        for person in most[:MOST_PEOPLE]:
            figures = [shown(name, getattr(person, name)) for name in OF_PEOPLE]
            rows.append((person.name, f"{person.answers:,}", *figures))
        lines = aligned(rows)
        if len(most) > MOST_PEOPLE:
            lines.append(f"... and {len(most) - MOST_PEOPLE:,} more, in `people`")
        return lines

    __repr__ = __str__


def measure(
    annotations: Annotations | Review,
    *,
    break_seconds: float = 60.0,
    longest_seconds: float = 3600.0,
    least_common: int = 5,
    resamples: int = 1000,
    seed: int = 0,
    weights: str | None = None,
) -> Agreement:
    """Returns how far people agree and how long they take, with 95% intervals.

    Between people, the first answer of each to an image counts; further ones are
    repetitions. Of an answer that is split between two classes that with the larger
    share counts, which is told; so are images that most people call bad. Of a review
    with proposals, the answers to these are measured; `control_share` gives its blind
    ones. A review sheet repeats blind images alone: then kappa within an annotator is
    that of these.

    Times: missing ones stay missing; 0, negative ones and those above
    `longest_seconds` are left out; those above `break_seconds` count as that much.
    "Cannot tell" has taken time as any answer. What was odd is told in a warning and
    in `notes`.

    Args:
        annotations: `keras_dc3.Annotations` or a review.
        break_seconds: a longer time holds a break, and counts as this long.
        longest_seconds: a longer time is none. What read a file has left out those
            above its own `longest_seconds` already; they count as missing.
        least_common: pairs with fewer common images get no kappa.
        resamples: how often images are drawn for the intervals; 0 for none.
        seed: of these draws.
        weights: for classes with an order, that of `class_names`, such as grades:
            "linear" or "quadratic" weights of Cohen's kappa, by the steps between two
            classes or their square; alpha takes its ordinal distance then. Fleiss'
            kappa and raw agreement know no order.

    Raises:
        TypeError, ValueError: if an argument is not as described, or there is no
            valid answer.

    Example:

    >>> annotations = keras_dc3.Annotations.from_csv("answers.csv")
    >>> found = keras_dc3.agreement.measure(annotations)  # print it for a table
    >>> found.alpha.value < 1
    True
    """
    rule = TimeRule(break_seconds, longest_seconds)
    settings = Settings(rule, least_common, resamples, seed, weights)
    figures = Figures(read_answers("annotations", annotations), settings)
    draws = draw({"all": figures}, settings)
    agreement = agreement_of(figures, draws["all"])
    tell("Agreement:", agreement.notes)
    return agreement


def draw(figures: Mapping[str, Figures], settings: Settings) -> dict[str, np.ndarray]:
    """Returns the figures of each condition (resamples, q) of drawn images.

    Images that stand in several conditions are drawn for all of them at once.
    """
    if not settings.resamples:
        return {n: np.full((0, len(f.values)), np.nan) for n, f in figures.items()}
    named, _ = one_spelling([part.answers.ids for part in figures.values()])
    ids = dict.fromkeys(image for names in named for image in names)
    number = {image: position for position, image in enumerate(ids)}
    rows = [[number[image] for image in names] for names in named]

    def evaluate(weights):
        parts = zip(figures.values(), rows, strict=True)
        return np.concatenate([p.evaluate(weights[:, r]) for p, r in parts], axis=1)

    drawn = resample(evaluate, len(ids), settings.resamples, settings.seed)
    ends = np.cumsum([len(part.values) for part in figures.values()])
    return dict(zip(figures, np.split(drawn, ends[:-1], axis=1), strict=True))


def agreement_of(figures: Figures, draws: np.ndarray) -> Agreement:
    """Returns the figures with the intervals that follow from the draws."""
    answers = figures.answers

    def pooled(name):
        return figures.estimate(name, draws)

    people = tuple(
        PersonAgreement(
            name,
            int(figures.answers_of[person]),
            *(figures.of_person(figure, person, draws) for figure in _OF_PEOPLE),
        )
        for person, name in enumerate(answers.annotators)
        if figures.answers_of[person]
    )
    note = figures.times.note(figures.settings.rule)
    return Agreement(
        images=answers.answered,
        answers=answers.number,
        undecided=answers.undecided,
        annotators=tuple(person.name for person in people),
        kappa_between=pooled("between"),
        kappa_within=pooled("within"),
        **{name: pooled(name) for name in COUNTED},
        raw_within=pooled("raw_within"),
        seconds_mean=pooled("seconds_mean"),
        seconds_median=pooled("seconds_median"),
        people=people,
        pairs=_pairs(figures),
        times=figures.times,
        notes=(
            *answers.notes,
            *([note] if note else []),
            *tell_order(answers.class_names, figures.settings.weights),
        ),
        class_names=answers.class_names,
        weights=figures.settings.weights,
        repeated=int((answers.round > 0).sum()),
        reasons=answers.reasons,
    )


def _pairs(figures: Figures) -> tuple[PairAgreement, ...]:
    part = figures.pairs["between"]
    if isinstance(part, str):
        return ()
    names = figures.answers.annotators
    kappa, raw, number = part.table.evaluate(np.ones(len(figures.answers.ids)))
    rows = zip(part.owners.tolist(), kappa.tolist(), raw.tolist(), number, strict=True)
    return tuple(
        PairAgreement(names[a], names[b], k, r, int(n)) for (a, b), k, r, n in rows
    )
