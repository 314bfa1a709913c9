"""Annotations of a Label Studio export."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from keras_dc3._text import some
from keras_dc3.annotations.errors import AnnotationError
from keras_dc3.annotations.reading.answers import Answers
from keras_dc3.annotations.reading.files import read_json
from keras_dc3.annotations.reading.label_studio_fields import (
    RATING,
    REASONS,
    choices_of,
    image_of,
    person_of,
    seconds_of,
)
from keras_dc3.annotations.reading.source import Source

_EXPORT = 'export the project as "JSON"'


def read_label_studio(
    path: str | os.PathLike, image: str | Callable[[dict], str], question: str | None
) -> Answers:
    """Returns the answers of an export; see `Annotations.from_label_studio`."""
    if not callable(image) and not isinstance(image, str):
        raise TypeError(
            "`image` must be the name of an entry of the data, or a function of them. "
            f"Received: image={image!r}"
        )
    tasks = read_json(path, "Annotations.from_label_studio", _EXPORT)
    name = repr(os.fspath(path))
    if not isinstance(tasks, list):
        raise AnnotationError(
            f"{name} must hold a list of tasks. Found: {type(tasks).__name__}. Export "
            'the project as "JSON".'
        )
    export = _Export(name, image)
    for position, task in enumerate(tasks):
        export.add(position, task)
    return export.answers(export.the_question(question))


def _why_not(types: Iterable[str]) -> str:
    """Returns what other types of results do instead of naming a class."""
    asked = [f"ask for {REASONS[kind]}" for kind in types if kind in REASONS]
    regions = ["label regions in an image"] if set(types) - set(REASONS) else []
    return " and ".join([*regions, *asked]) + ", not for a class of the image"


@dataclass
class _Answer:
    place: str  # in the file
    image: str
    annotator: str
    seconds: float
    chosen: dict[str, list[str]]  # question -> classes; empty if there is no answer
    given: bool  # whether it was submitted and is not empty


@dataclass
class _Export:
    """What was found in an export so far."""

    name: str
    image: str | Callable[[dict], str]
    found: dict[Any, _Answer] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)  # image -> as it was written
    tasks: dict[str, dict[Any, None]] = field(default_factory=dict)  # image -> tasks
    times: Counter = field(default_factory=Counter)  # task -> how often it stands here
    kinds: Counter = field(default_factory=Counter)
    other_types: Counter = field(default_factory=Counter)
    type_of: dict[str, str] = field(default_factory=dict)  # question -> type

    def add(self, position: int, task: Any) -> None:
        """Takes a task with its annotations."""
        if not (
            isinstance(task, dict)
            and isinstance(task.get("data"), dict)
            and isinstance(task.get("annotations"), list)
        ):
            flat = isinstance(task, dict) and {"choice", "annotation_id"} & set(task)
            raise AnnotationError(
                f"{self.name}, task at position {position} must be an object with "
                f"'data' and 'annotations'{'; this is JSON-MIN' if flat else ''}. "
                'Export the project as "JSON".'
            )
        number = task.get("id", f"at position {position}")
        if not isinstance(number, int | str):
            raise AnnotationError(
                f"{self.name}, task at position {position}: `id` must be a number. "
                f"Found: {number!r}"
            )
        place = f"task {number}"
        image, written = image_of(f"{self.name}, {place}", task["data"], self.image)
        if self.written.setdefault(image, written) != written:
            raise AnnotationError(
                f"{self.name}, {place}: {written!r} and {self.written[image]!r} are "
                f"both called {image!r}. Pass `image=` a function of the data that "
                "tells them apart."
            )
        self.tasks.setdefault(image, {})[number] = None
        self.times[number] += 1
        for order, annotation in enumerate(task["annotations"]):
            self._annotation(place, image, order, annotation)
        if not task["annotations"] and self.times[number] == 1:
            kind = "predictions" if task.get("predictions") else "untouched"
            self.kinds["drafts" if task.get("drafts") else kind] += 1

    def _annotation(self, place: str, image: str, order: int, annotation: Any) -> None:
        number = annotation.get("id") if isinstance(annotation, dict) else None
        place = f"{place}, annotation {order if number is None else number}"
        full = f"{self.name}, {place}"
        if not isinstance(annotation, dict) or not isinstance(
            annotation.get("result"), list
        ):
            raise AnnotationError(
                f"{full}: there must be an object with a list `result`."
            )
        chosen: dict[str, list[str]] = {}
        skipped = bool(annotation.get("was_cancelled"))
        for entry in [] if skipped else annotation["result"]:
            question, classes, kind = choices_of(full, entry)
            if question is None:
                self.other_types[kind] += 1
            else:
                self.type_of.setdefault(question, kind)
                chosen.setdefault(question, []).extend(classes)
        answer = _Answer(
            place,
            image,
            person_of(full, annotation.get("completed_by")),
            seconds_of(full, annotation.get("lead_time")),
            chosen,
            not skipped and bool(annotation["result"]),
        )
        key = ("?", len(self.found)) if number is None else repr(number)
        earlier = self.found.setdefault(key, answer)
        if (earlier.image, earlier.chosen) != (image, chosen):
            raise AnnotationError(
                f"{full} stands in the export with another image or answer, too "
                f"({earlier.place}). Export the project again."
            )
        if earlier is answer:
            self.kinds["skipped"] += skipped
            self.kinds["empty"] += not skipped and not annotation["result"]

    def the_question(self, question: str | None) -> str:
        """Returns whose choices to read; AnnotationError if that is not clear."""
        every = list(dict.fromkeys(q for a in self.found.values() for q in a.chosen))
        asked = every
        if question is None:
            # Beside classes, a rating is how sure somebody is, or the like.
            asked = [q for q in every if self.type_of[q] != RATING] or every
        if len(asked) > 1 if question is None else asked and question not in asked:
            raise AnnotationError(
                f"{self.name} has the choices {some(map(repr, asked))}. Say which one "
                "holds the class with `question=...`."
            )
        if not asked and self.other_types:
            raise AnnotationError(
                f"{self.name} has no choices for whole images, only results of the "
                f"types {some(self.other_types)}: they {_why_not(self.other_types)}."
            )
        return asked[0] if question is None and asked else question or ""

    def answers(self, question: str) -> Answers:
        """Returns the answers to a question."""
        answers, labels = list(self.found.values()), []
        for answer in answers:
            classes = list(dict.fromkeys(answer.chosen.get(question, ())))
            if len(classes) > 1:
                raise AnnotationError(
                    f"{self.name}, {answer.place} chooses {len(classes)} classes, "
                    f"{some(classes)}: an answer must be one class. Images with "
                    "several classes at once are none that people disagree on; keep "
                    "one question with a single choice."
                )
            labels.append(classes[0] if classes else "")
            self.kinds["unchosen"] += answer.given and not labels[-1].strip()
        return Answers(
            image=[answer.image for answer in answers],
            annotator=[answer.annotator for answer in answers],
            label=labels,
            seconds=[answer.seconds for answer in answers],
            source=Source([(self.name, [answer.place for answer in answers])], ""),
            listed=list(self.tasks),
            notes=self._notes(question),
        )

    def _notes(self, question: str) -> list[str]:
        notes, kinds = [], self.kinds
        beside = [q for q in self.type_of if q != question]
        if beside:
            notes.append(
                f"Questions that are not read: {some(map(repr, beside))}. Each is read "
                "with its name as `question=...`."
            )
        unchosen = kinds["unchosen"]
        if unchosen:
            notes.append(
                f"{unchosen:,} submitted answers choose no class: their choices are "
                "empty, or their results are of other types. They are records without "
                "a valid answer."
            )
        if any(number for kind, number in kinds.items() if kind != "unchosen"):
            notes.append(
                f"Not annotations: {kinds['skipped']} skipped and {kinds['empty']} "
                f"empty answers; tasks with predictions only: {kinds['predictions']}, "
                f"with drafts only: {kinds['drafts']}, untouched: "
                f"{kinds['untouched']}."
            )
        twice = [number for number, times in self.times.items() if times > 1]
        if twice:
            notes.append(
                f"Tasks that stand in the export more than once: {some(twice)}. Each "
                "of their annotations counts once."
            )
        several = {image: t for image, t in self.tasks.items() if len(t) > 1}
        if several:
            named = (f"{image!r} (tasks {some(t)})" for image, t in several.items())
            notes.append(
                f"Images that stand in several tasks: {some(named)}. The answers of "
                "these tasks are put together."
            )
        return notes
