"""Several files of one session as one, in one spelling. Standard library only."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from keras_dc3._names import composed, plain
from keras_dc3.annotations import AnnotationError
from keras_dc3.review.files import Answer, Part


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


def latest(parts: Sequence[Part], notes: list[str]) -> list[Part]:
    """Returns the last one of several states of a session, whatever clocks say.

    States of which none came from the other are put together: a browser that did not
    keep all answers went on from older ones.
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
        functools.reduce(lambda one, other: _united(one, other, notes), lines)
        for lines in found.values()
    ]


def _later(old: Part, part: Part, notes: list[str]) -> Part:
    if part.follows(old) and old.follows(part):
        later = max((old, part), key=lambda p: (p.saved, len(p.answers)))
    else:
        later = part if part.follows(old) else old
    notes.append(
        f"{old.file} and {part.file} are of the same session of {part.annotator!r}: "
        f"the later state counts, of {later.file}, with {len(later.answers):,} answers."
    )
    return later


def _united(old: Part, part: Part, notes: list[str]) -> Part:
    answers = {(a.image, a.repetition): a for a in old.answers}
    for answer in part.answers:
        other = answers.setdefault((answer.image, answer.repetition), answer)
        if other.label != answer.label:
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
    )
    return replace(part, answers=list(answers.values()))


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
            f"{len(doubled):,} answers stand twice and count once, first in "
            f"{doubled[0]}."
        )
    return replace(part, answers=list(seen.values()))


def _rewritten(part: Part, image: Callable[[str], str]) -> Part:
    def answer(one: Answer) -> Answer:
        return replace(
            one,
            image=image(one.image),
            label=None if one.label is None else composed(one.label),
            proposed=None if one.proposed is None else composed(one.proposed),
        )

    return replace(
        part,
        images=None if part.images is None else tuple(map(image, part.images)),
        classes=None if part.classes is None else tuple(map(composed, part.classes)),
        answers=[answer(one) for one in part.answers],
    )
