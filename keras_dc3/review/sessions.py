"""Several files and sessions of one person as one, in one spelling.

Standard library only.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from keras_dc3._names import composed, plain, same_person
from keras_dc3._text import number_of
from keras_dc3.annotations import AnnotationError
from keras_dc3.review.answers import Answer
from keras_dc3.review.files import Part


def in_one_spelling(parts: Sequence[Part], ids: Iterable[str] | None) -> list[Part]:
    """Returns parts in which each image and class is written in one way.

    Other programs that save a file anew may change the Unicode form of its text.

    Args:
        parts: what files hold.
        ids: how images are to be written; None: as they are written first.
    """
    if ids is None:
        ids = next((part.images for part in parts if part.images is not None), ())
    exact, spelled = set(ids), {}

    def image(name: str) -> str:
        return name if name in exact else spelled.setdefault(plain(name), name)

    for name in exact:
        spelled.setdefault(plain(name), name)
    return [_rewritten(part, image) for part in parts]


def under_one_name(parts: Sequence[Part], people: Iterable[str]) -> list[Part]:
    """Returns parts in which each person has one name, in capitals or not.

    Args:
        parts: what files hold.
        people: names that are known; others are as they are written first.
    """
    spelled: dict[str, str] = {}
    for name in people:
        spelled.setdefault(same_person(name), name)
    return [
        replace(part, annotator=spelled.setdefault(same_person(name), name))
        for part in parts
        for name in [part.annotator]
    ]


def latest(
    parts: Sequence[Part], notes: list[str], later_counts: bool = False
) -> list[Part]:
    """Returns the last one of several states of a session, whatever clocks say.

    States of which none came from the other are put together: a browser that did not
    keep all answers went on from older ones.

    Args:
        parts: what files hold.
        notes: to which is added what is to be told.
        later_counts: whether of answers of such states that contradict each other the
            one that was saved later counts, instead of none.
    """
    found: dict[tuple[str, str, str], list[Part]] = {}
    for part in parts:
        # Of each line of states the last one; lines are united when all are known.
        lines = found.setdefault((part.annotator, part.page, part.session), [])
        for number, old in enumerate(lines):
            if part.follows(old) or old.follows(part):
                lines[number] = _later(old, part, notes)
                break
        else:
            lines.append(part)
    return [
        functools.reduce(
            lambda one, other: _united(one, other, notes, later_counts), lines
        )
        for lines in found.values()
    ]


def _later(old: Part, part: Part, notes: list[str]) -> Part:
    if part.follows(old) and old.follows(part):
        later = max((old, part), key=lambda p: (p.saved, len(p.answers)))
    else:
        later = part if part.follows(old) else old
    notes.append(
        f"{old.file} and {part.file} are of the same session of {part.annotator!r}: "
        f"the later state counts, of {later.file}, with "
        f"{number_of(len(later.answers), 'answer')}."
    )
    return later


def _when(part: Part) -> tuple[str, int]:
    return part.saved, part.changes


def _united(old: Part, part: Part, notes: list[str], later_counts: bool) -> Part:
    answers = {(a.image, a.repetition): a for a in old.answers}
    differing, later = 0, part if _when(part) > _when(old) else old
    for answer in part.answers:
        other = answers.setdefault((answer.image, answer.repetition), answer)
        if other.said == answer.said:
            continue
        differing += 1
        if later is part:
            answers[answer.image, answer.repetition] = answer
        if not later_counts:
            raise AnnotationError(
                f"{other.place} and {answer.place} contradict each other: both are the "
                f"answer of {part.annotator!r} to {answer.image!r}, in two states of a "
                "session of which none came from the other. Remove one of the answers, "
                "or leave out a file."
            )
    notes.append(
        f"{old.file} and {part.file} are of the same session of {part.annotator!r}, "
        "but none came from the other: a browser has not kept all answers. They are "
        f"put together, {len(answers):,} answers."
        + (
            f" {differing:,} contradict each other: those of {later.file} count, which "
            "was saved later."
            if differing
            else ""
        )
    )
    notes = tuple(dict.fromkeys((*old.notes, *part.notes)))
    return replace(part, answers=list(answers.values()), notes=notes)


def last_saved(parts: Sequence[Part], notes: list[str]) -> list[Part]:
    """Returns parts in which a person answers an image in one session alone.

    Of answers in several sessions the one that was saved last counts. An answer to an
    image that comes again on the page is a second one, and takes the place of none.
    """
    order = sorted(range(len(parts)), key=lambda i: _when(parts[i]), reverse=True)
    first: dict[tuple[str, str, bool], tuple[int, Answer]] = {}
    kept, replaced = list(parts), defaultdict(list)
    for number in order:
        part, answers = parts[number], []
        for answer in part.answers:
            key = (part.annotator, answer.image, answer.repetition)
            later, other = first.setdefault(key, (number, answer))
            if later == number:
                answers.append(answer)
            else:
                replaced[number, later].append(answer.said != other.said)
        kept[number] = replace(part, answers=answers)
    for (number, later), differ in replaced.items():
        notes.append(
            f"{parts[number].file} and {parts[later].file} are of two sessions of "
            f"{parts[number].annotator!r}. "
            f"{number_of(len(differ), 'answer is', 'answers are')} in both, of which "
            f"{number_of(sum(differ), 'differs', 'differ')}: those of "
            f"{parts[later].file} count, which was saved later."
        )
    return kept


def without_doubles(part: Part, notes: list[str]) -> Part:
    """Returns a part in which each answer stands once."""
    seen: dict[tuple[str, bool], Answer] = {}
    doubled = []
    for answer in part.answers:
        first = seen.setdefault((answer.image, answer.repetition), answer)
        if first is answer:
            continue
        if not first.same(answer):
            raise AnnotationError(
                f"{first.place} and {answer.place} contradict each other: both are "
                f"the answer of {part.annotator!r} to {answer.image!r}. Remove one."
            )
        doubled.append(answer.place)
    if doubled:
        notes.append(
            f"{number_of(len(doubled), 'answer stands', 'answers stand')} twice and "
            f"{'counts' if len(doubled) == 1 else 'count'} once, first in {doubled[0]}."
        )
    return replace(part, answers=list(seen.values()))


def _rewritten(part: Part, image: Callable[[str], str]) -> Part:
    def answer(one: Answer) -> Answer:
        return replace(
            one,
            image=image(one.image),
            label=None if one.label is None else composed(one.label),
            proposed=None if one.proposed is None else composed(one.proposed),
            split=tuple((composed(name), share) for name, share in one.split),
        )

    return replace(
        part,
        images=None if part.images is None else tuple(map(image, part.images)),
        classes=None if part.classes is None else tuple(map(composed, part.classes)),
        answers=[answer(one) for one in part.answers],
        notes=tuple((image(name), text) for name, text in part.notes),
    )
