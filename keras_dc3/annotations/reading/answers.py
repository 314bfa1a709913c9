"""From columns of text to the parts of `Annotations`: checks, and what to tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._names import composed, plain, trimmed
from keras_dc3._text import number_of, some, tell
from keras_dc3._validation import (
    check_choice,
    check_class_names,
    check_positive_number,
)
from keras_dc3.annotations import names
from keras_dc3.annotations.errors import AnnotationError, no_name
from keras_dc3.annotations.reading import guesses
from keras_dc3.annotations.reading.source import Source
from keras_dc3.annotations.records import (
    REASONS,
    Records,
    known_times,
    last_answers,
    repetitions,
    told_again,
)

REPEATED = ("keep", "last", "error")
_REASONS = {"": 0, **{name: number for number, name in enumerate(REASONS)}}


@dataclass
class Answers:
    """What a reader found, one entry per answer.

    Attributes:
        image: text.
        annotator: text; "" for an unknown one.
        label: text; "" for no answer.
        seconds: numbers, NaN where unknown; None if there are none at all.
        source: where each answer stands.
        listed: images to begin with, whether they have answers or not.
        notes: what the reader has to tell already.
        order: the classes in the order that the data give them; () if they give none.
        reason: text, why there is no class, "" where it is not known; None if there are
            no reasons at all.
        second: text, the other class of a split answer, "" of others; None likewise.
        share: numbers, that of `label`; NaN where it is whole; None likewise.
    """

    image: list[str]
    annotator: list[str]
    label: list[str]
    seconds: list[float] | None
    source: Source
    listed: Sequence[str] = ()
    notes: Sequence[str] = ()
    order: Sequence[str] = ()
    reason: list[str] | None = None
    second: list[str] | None = None
    share: list[float] | None = None


@dataclass(frozen=True)
class Options:
    """What readers make of answers; the arguments of `Annotations.from_csv`.

    Raises:
        ValueError, TypeError: for wrong arguments.
    """

    class_names: Sequence[str] | None = None
    no_answer: Sequence[str] = ("",)
    repeated: str = "keep"
    longest_seconds: float = 3600.0

    def __post_init__(self):
        check_choice("repeated", self.repeated, REPEATED)
        check_positive_number("longest_seconds", self.longest_seconds)
        none = self.no_answer
        is_list = isinstance(none, Iterable) and not isinstance(none, str | Mapping)
        if not is_list or not all(isinstance(text, str) for text in none):
            raise TypeError(
                "`no_answer` must be a list of the texts that mean that there is no "
                f"answer. Received: {none!r}"
            )
        object.__setattr__(self, "no_answer", tuple(none))
        if self.class_names is None:
            return
        class_names = check_class_names("class_names", self.class_names, clean=True)
        both = [name for name in class_names if name in set(map(composed, none))]
        if both:
            raise ValueError(
                f"{both[0]!r} is in `class_names` and in `no_answer`; remove it from "
                "one."
            )
        object.__setattr__(self, "class_names", class_names)


def build(answers: Answers, options: Options) -> dict[str, Any]:
    """Returns the arguments of `Annotations`, and warns once of all that is odd.

    Args:
        answers: what was read.
        options: what to make of it.

    Raises:
        AnnotationError: if an image has no name, a label is no class, an image was
            annotated twice under `repeated="error"`, or there is no answer at all.
    """
    class_names, no_answer = options.class_names, options.no_answer
    source, notes = answers.source, list(answers.notes)
    images, image, image_blanks = _encode(answers.image, plain)
    people, annotator, annotator_blanks = _encode(answers.annotator)
    people, annotator = _without_unknown(people, annotator)
    labels, label, label_blanks = _encode(answers.label)
    notes += guesses.SPELLINGS.told(answers.image, plain)
    notes += _tell_blanks(
        source, labels=label_blanks, annotators=annotator_blanks, images=image_blanks
    )
    if "" in images:
        raise no_name(source.at(int(np.argmax(image == images.index("")))))
    images, image = _list_first(answers.listed, images, image)
    notes += guesses.EXTENSIONS.told(images)
    none = {"", *map(composed, no_answer)}
    frequency = dict(zip(labels, np.bincount(label).tolist(), strict=True))
    chosen = {n: times for n, times in frequency.items() if n not in none}
    others = {composed(trimmed(text)) for text in answers.second or ()} - {""}
    if not chosen:
        raise AnnotationError(
            f"{source.name} holds no annotation: there are {len(source):,} answers, "
            "none of them with a class."
        )
    if class_names is None:
        class_names = names.class_order({*chosen, *others})
        given = tuple(dict.fromkeys(map(composed, map(trimmed, answers.order))))
        declared = set(class_names) <= set(given)
        if declared:
            class_names = tuple(name for name in given if name not in none)
        notes += guesses.SEVERAL_CHOICES.told(chosen)
        notes += guesses.told(guesses.CLASS_NAMES, chosen, no_answer, declared)
    else:
        _check_classes(source, label, labels, chosen, class_names)
    number = {name: position for position, name in enumerate(class_names)}
    given = np.full(len(image), np.nan) if answers.seconds is None else answers.seconds
    seconds, odd_times = known_times(np.asarray(given), options.longest_seconds)
    records = Records(
        image,
        annotator,
        np.array([number.get(name, -1) for name in labels])[label],
        seconds,
        **_further(answers, number),
    )
    says_something = (records.label >= 0) | (records.reason > 0)
    unknown = int((says_something & (records.annotator < 0)).sum())
    if 0 < unknown < int(says_something.sum()):
        verb = "names" if unknown == 1 else "name"
        notes.append(
            f"{number_of(unknown, 'answer')} {verb} no annotator: each counts as "
            "another person's."
        )
    notes += guesses.SAME_PEOPLE.told(dict.fromkeys(people, 1))
    if sum(odd_times.values()) > odd_times["missing"]:
        notes.append(
            f"Of {len(seconds):,} times, {odd_times['missing']:,} are missing, "
            f"{odd_times['zero']:,} zero, {odd_times['negative']:,} negative and "
            f"{odd_times['too_long']:,} above {options.longest_seconds:,g} s "
            "(`longest_seconds`). All of these count as unknown times; the answers "
            "stay."
        )
    records, told = _resolve(records, options.repeated, source, images, people)
    notes += told
    tell(f"{source.name}:", notes, stacklevel=3)
    return {
        "ids": images,
        "class_names": class_names,
        "annotators": people,
        "records": records,
        "notes": tuple(notes),
        "places": _places(source, image, len(images)),
    }


def _further(answers: Answers, number: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Returns the parts of `Records` that say why there is no class, and what is split.

    Raises:
        AnnotationError: if a reason is none, or an answer cannot be split so.
    """
    found: dict[str, np.ndarray] = {}
    if answers.reason is not None:
        wrong = [i for i, text in enumerate(answers.reason) if text not in _REASONS]
        if wrong:
            raise AnnotationError(
                f"{answers.source.at(wrong[0])}: `no_answer` must be one of "
                f"{some(map(repr, REASONS[1:]))} or empty. Received: "
                f"{answers.reason[wrong[0]]!r}"
            )
        for position, text in enumerate(answers.reason):
            name = composed(trimmed(answers.label[position]))
            if text and name in number:
                raise AnnotationError(
                    f"{answers.source.at(position)}: an answer has either a class or, "
                    f"in `no_answer`, why it has none. Received: {name!r} beside "
                    f"{text!r}"
                )
        found["reason"] = np.array([_REASONS[text] for text in answers.reason], "int64")
    if answers.second is None or answers.share is None:
        return found
    second, share = [], []
    rows = zip(answers.label, answers.second, answers.share, strict=True)
    for position, (first, other, part) in enumerate(rows):
        names = [composed(trimmed(name)) for name in (first, other)]
        if not names[1] and part != part:
            second.append(-1)
            share.append(1.0)
            continue
        if not set(names) <= set(number) or names[0] == names[1] or not 0.5 <= part < 1:
            raise AnnotationError(
                f"{answers.source.at(position)}: a split answer has two different "
                "classes in `label` and `second_label`, and in `first_share` that of "
                f"the first, from 0.5 to below 1. Received: {first!r}, {other!r}, "
                f"{part:g}"
            )
        second.append(number[names[1]])
        share.append(part)
    return found | {"second": np.array(second, "int64"), "share": np.array(share)}


def _encode(
    column: list[str], same: Callable[[str], str] | None = None
) -> tuple[list[str], np.ndarray, tuple[int, int]]:
    """Returns the different texts, trimmed, each entry's position among them, and how
    many entries had outer blanks, the first of them where.

    Texts of which `same` returns equal ones are one, in the first spelling; by default
    those in several Unicode forms, with composed letters."""
    first: dict[str, str] = {}
    clean = {text: trimmed(text) for text in dict.fromkeys(column)}
    if same is None:
        clean = {text: composed(name) for text, name in clean.items()}
    else:
        clean = {t: first.setdefault(same(n), n) for t, n in clean.items()}
    position: dict[str, int] = {}
    code = {t: position.setdefault(n, len(position)) for t, n in clean.items()}
    codes = np.fromiter(map(code.__getitem__, column), "int64", len(column))
    odd = {text for text in clean if trimmed(text) not in ("", text)}
    blanks = [i for i, text in enumerate(column) if text in odd] if odd else []
    return list(position), codes, (len(blanks), blanks[0] if blanks else -1)


def _tell_blanks(source: Source, **found: tuple[int, int]) -> list[str]:
    """Returns what to tell of what -> how many had outer blanks, the first where."""
    told = [f"{n:,} {what}" for what, (n, _) in found.items() if n]
    if not told:
        return []
    first = min(position for n, position in found.values() if n)
    return [
        f"Outer blanks were removed from {' and '.join(told)}, first in "
        f"{source.places([first])}."
    ]


def _without_unknown(
    people: list[str], annotator: np.ndarray
) -> tuple[list[str], np.ndarray]:
    if "" not in people:
        return people, annotator
    nobody = people.index("")
    annotator = np.where(annotator == nobody, -1, annotator - (annotator > nobody))
    return [name for name in people if name], annotator


def _list_first(
    listed: Sequence[str], images: list[str], image: np.ndarray
) -> tuple[list[str], np.ndarray]:
    if not listed:
        return images, image
    spelled: dict[str, str] = {}
    for name in (*listed, *images):
        spelled.setdefault(plain(name), name)
    position = {name: i for i, name in enumerate(spelled)}
    code = [position[plain(name)] for name in images]
    return list(spelled.values()), np.array(code, "int64")[image]


def _places(source: Source, image: np.ndarray, number: int) -> tuple[str | None, ...]:
    seen, first = np.unique(image, return_index=True)
    places: list[str | None] = [None] * number
    for position, answer in zip(seen.tolist(), first.tolist(), strict=True):
        places[position] = source.at(answer)
    return tuple(places)


def _check_classes(
    source: Source,
    label: np.ndarray,
    labels: list[str],
    chosen: dict[str, int],
    class_names: Sequence[str],
) -> None:
    unknown = [name for name in chosen if name not in set(class_names)]
    if not unknown:
        return
    told = []
    for name in unknown[:5]:
        near = names.nearest(name, class_names)
        where = source.places(np.flatnonzero(label == labels.index(name)))
        hint = f"; did you mean {near!r}?" if near else ""
        told.append(f"{name!r} ({where}{hint})")
    raise AnnotationError(
        f"{source.name}: "
        f"{number_of(len(unknown), 'label is', 'labels are')} none of the classes "
        f"{some(map(repr, class_names), 10)}: {', '.join(told)}. Correct them, add "
        "them to `class_names`, or to `no_answer` if they mean that there is no answer."
    )


def _resolve(
    records: Records,
    repeated: str,
    source: Source,
    images: Sequence[str],
    people: Sequence[str],
) -> tuple[Records, list[str]]:
    groups = repetitions(records)
    if not groups:
        return records, []
    told = told_again(
        records, groups, images, people, lambda group: f" ({source.places(group)})"
    )
    if repeated == "error":
        raise AnnotationError(
            f'{source.name}: {told} Remove lines, or pass `repeated="last"` to count '
            'the last answer, or "keep" to let all answers of a person weigh one.'
        )
    if repeated == "last":
        return last_answers(records), [f"{told} The last answer counts."]
    return records, [
        f"{told} All are kept, and a person's answers to an image weigh one together "
        '(`repeated="last"` counts the last one alone).'
    ]
