"""All that people have said in a project: before it, and in each of its rounds."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from keras_dc3 import agreement, review
from keras_dc3._names import same_person
from keras_dc3.annotations import Annotations, Records
from keras_dc3.annotations.counted_labels import CountedLabels
from keras_dc3.project import stored_proposals
from keras_dc3.project.rounds import Round
from keras_dc3.project.settings import ProjectError, Settings
from keras_dc3.proposals import Proposals
from keras_dc3.review import Review
from keras_dc3.review.new_classes import meant

_MODE = "dc3"
_LEAST_BLIND = 20  # answers, below which no bias is measured


@dataclass(frozen=True)
class Answers:
    """What people have said, under the class names of today.

    Attributes:
        first: answers from before the project; None without.
        by_round: round -> what was answered on its sheets.
        proposed: image -> class that was proposed for it first.
        typed: class that people have typed on pages and that is none of the project
            yet -> the images of these answers, which count without a class so far.
    """

    first: Annotations | None
    by_round: Mapping[int, Review]
    proposed: Mapping[str, str]
    typed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def review(self) -> Review | None:
        """The answers on all sheets; None if there are none."""
        parts = list(self.by_round.values())
        return parts[0].merge(*parts[1:]) if parts else None

    @cached_property
    def notes_of(self) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """Image -> (person, text) of each note that people wrote on a page."""
        return {} if self.review is None else self.review.notes_of

    @cached_property
    def all(self) -> Annotations | None:
        """All answers of all people; None if there are none."""
        found = self.review
        if self.first is None:
            return None if found is None else found.annotations
        if found is None:
            return self.first
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # was told when they were read
            return self.first.merge(found.annotations)

    def answered_by(self, people: Sequence[str]) -> dict[str, set[str]]:
        """Returns person -> ids of the images that this person has answered.

        Whoever has typed a name in other capitals, or with blanks, is the same person.
        """
        found: dict[str, set[str]] = defaultdict(set)
        answers = self.all
        if answers is not None and answers.records is not None:
            pairs = zip(answers.records.image, answers.records.annotator, strict=True)
            for image, person in pairs:
                if person >= 0:
                    name = same_person(answers.annotators[person])
                    found[name].add(answers.ids[image])
        return {person: found[same_person(person)] for person in people}

    def corrected(self) -> tuple[CountedLabels | None, str]:
        """Returns the labels without the bias of proposals, and what is said of it."""
        found = self.review
        blind = 0 if found is None else int((found.proposed < 0).sum())
        if found is None or blind == len(found.proposed):
            return self.all, "No answer was given to a proposal, so none is biased."
        if blind < _LEAST_BLIND:
            return self.all, (
                f"How far proposals bias people is not known: there are {blind} blind "
                f"answers, and {_LEAST_BLIND} are needed. Answers count as they are."
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                bias = agreement.fit_bias(found, self.proposed)
            except ValueError:  # such as: all blind images were asked about alone
                return self.all, (
                    "How far proposals bias people is not known yet: no blind answer "
                    "is to an image for which something would have been proposed. "
                    "Answers count as they are."
                )
            everything = found
            if self.first is not None:
                everything = _as_review(self.first).merge(found)
            return bias.correct(everything), str(bias)


def _as_review(annotations: Annotations) -> Review:
    """Returns answers that were given without a proposal as a review."""
    number = len(annotations.records)
    return Review(
        annotations,
        proposed=np.full(number, -1),
        group=np.full(number, "", dtype=object),
        accepted=np.zeros(number, bool),
        repetition=np.zeros(number, bool),
        mode=_MODE,
    )


def with_records(annotations: Annotations) -> Annotations:
    """Returns annotations with an answer each, of people whom nobody knows if need be.

    Raises:
        ValueError: if they are shares of people, not answers.
    """
    if annotations.records is not None:
        return annotations
    if annotations.counts.dtype.kind == "f":
        raise ValueError(
            "The answers are fractions, but a project counts answers of people. Give "
            "how many people chose each class."
        )
    return Annotations(
        annotations.ids,
        annotations.class_names,
        records=Records.of_counts(annotations.counts),
        notes=annotations.notes,
    )


def read_answers(first: str, rounds: Sequence[Round], settings: Settings) -> Answers:
    """Reads all answers of a project.

    Args:
        first: the file of the answers from before; it need not be there.
        rounds: all rounds.
        settings: of the project.
    """
    names, renamed = settings.class_names, settings.renamed
    before = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is odd was told when they were taken in
        if settings.has_first_answers:
            if not os.path.exists(first):
                raise ProjectError(
                    f"{first!r} is missing, which holds the answers from before the "
                    "project: it was copied in part, or the file was removed. Put it "
                    "back."
                )
            old = {*names, *renamed}
            before = Annotations.from_csv(first, class_names=sorted(old))
            before = before.with_classes(names, renamed)
        found, proposed, typed = {}, {}, {}
        people = people_of(before, rounds)
        for one in rounds:
            reviews = _of_round(one, people)
            if reviews:
                for part in reviews:
                    _note_typed(typed, part, settings)
                reviews = [_as_today(part, settings) for part in reviews]
                found[one.number] = reviews[0].merge(*reviews[1:])
            for image, name in one.record.get("sheets", {}).get("proposed", {}).items():
                proposed.setdefault(image, renamed.get(name, name))
    names = meant({name: len(images) for name, images in typed.items()}, ())
    together = defaultdict(list)
    for name, images in typed.items():
        together[names[name]] += images
    together = {name: tuple(dict.fromkeys(ids)) for name, ids in together.items()}
    return Answers(before, found, proposed, together)


def people_of(answers: Annotations | None, rounds: Sequence[Round]) -> list[str]:
    """Returns the names of those who have answered, and of those who were asked."""
    found = list(answers.annotators) if answers is not None else []
    for one in rounds:
        sheets = one.record.get("sheets", {}).get("sheets", {})
        found += [sheet["person"] for sheet in sheets.values()]
    return found


def review_of(files: Sequence[str], made_from: Proposals, people: list[str]) -> Review:
    """Returns what people answered on one sheet.

    Two sessions of a person on it, such as in two browsers, are put together.

    Args:
        files: that they have downloaded.
        made_from: the proposals that the sheet was made from.
        people: names that are known, to which those of these files are added.
    """
    found = review.read(files, proposals=made_from, people=people, conflicts="later")
    people += found.annotations.annotators
    return found


def _of_round(one: Round, people: list[str]) -> list[Review]:
    """Returns what was answered on each sheet of a round."""
    by_sheet: dict[str, list[str]] = defaultdict(list)
    for file, sheet in one.record.get("answers", {}).get("files", {}).items():
        by_sheet[sheet].append(answer_file(one, file))
    return [
        review_of(files, sheet_of(one, sheet), people)
        for sheet, files in by_sheet.items()
    ]


def answer_file(one: Round, name: str) -> str:
    """Returns the path of a file of answers that was read in a round."""
    return one.file(
        "answers", name, without=f"`keras-dc3 read --remove {name}` goes on without it"
    )


def sheet_of(one: Round, sheet: str) -> Proposals:
    """Returns the proposals that a sheet of a round was made from."""
    return stored_proposals.read(one.file("sheets", f"{sheet}.npz"))


def _as_today(found: Review, settings: Settings) -> Review:
    """Returns a review under the class names of today, to be merged with others."""
    renamed: dict[str, str | None] = {}
    renamed |= settings.names_now(found.annotations.class_names)
    renamed |= typed_now(found, settings)
    found = found.with_classes(settings.class_names, renamed)
    # Of a blind page, too: all of it is control.
    return replace(found, mode=_MODE, new_classes=())


def typed_now(found: Review, settings: Settings) -> dict[str, str | None]:
    """Returns typed class -> class of the project; None where it is none yet."""
    known = (*settings.class_names, *settings.renamed)
    same = meant(dict.fromkeys(found.new_classes, 1), known)
    now = {typed: settings.renamed.get(name, name) for typed, name in same.items()}
    names = set(settings.class_names)
    return {typed: name if name in names else None for typed, name in now.items()}


def _note_typed(typed: dict[str, list[str]], found: Review, settings: Settings) -> None:
    """Adds the images of answers in classes that are none of the project yet."""
    records, names = found.annotations.records, found.annotations.class_names
    for name, now in typed_now(found, settings).items():
        if now is None:
            column = names.index(name)
            rows = (records.label == column) | (records.second == column)
            ids = [found.annotations.ids[i] for i in np.unique(records.image[rows])]
            typed.setdefault(name, []).extend(ids)
