"""Classes that annotators have typed, joined over all of them. No NumPy."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from keras_dc3._names import trimmed
from keras_dc3._text import number_of, some
from keras_dc3.annotations import AnnotationError
from keras_dc3.annotations.names import class_order, essence, meaning_no_answer
from keras_dc3.review.answers import CLASS, MOST_LETTERS, NEW_CLASS, SPLIT, Answer
from keras_dc3.review.files import Part

_ALIKE = 0.8  # of letters; fewer are another word
_MOST_COMPARED = 500  # names


@dataclass(frozen=True)
class Joined:
    """Answers in which each new class has one name.

    Attributes:
        parts: with these answers.
        added: the new classes, in their order.
        notes: what is to be told.
    """

    parts: list[Part]
    added: tuple[str, ...]
    notes: list[str]


def folded(name: str) -> str:
    """Returns what is equal for typed names of one class, in capitals or not."""
    name = unicodedata.normalize("NFKC", " ".join(name.split())).casefold()
    return unicodedata.normalize("NFKC", name)


def joined(parts: Sequence[Part], known: Sequence[str]) -> Joined:
    """Returns the same answers with one name for each class that was typed.

    A typed name is the known class of the same name, or the only one that differs from
    it in capitals and blanks; typed names that differ in these alone are one class.

    Args:
        parts: what files hold.
        known: the classes of the sheet.

    Raises:
        AnnotationError: if a typed name cannot be that of a class.
    """
    typed = _typed(parts, known)
    name_of = meant(typed, known)
    if not name_of:
        return Joined(list(parts), (), [])
    new = {name for name in name_of.values() if name not in known}
    added = class_order(new) if new else ()
    known_names = frozenset(known)
    changed = [
        replace(
            part,
            answers=[_renamed(answer, name_of, known_names) for answer in part.answers],
        )
        for part in parts
    ]
    return Joined(changed, added, _told(changed, name_of, known, added))


def meant(typed: Mapping[str, int], known: Iterable[str]) -> dict[str, str]:
    """Returns typed name -> class, for names of which some may be one class.

    Args:
        typed: name -> how often. The spelling used most names a new class.
        known: classes that there are.
    """
    known = list(known)
    of_known: dict[str, list[str]] = defaultdict(list)
    for name in known:
        of_known[folded(name)].append(name)
    new: dict[str, list[str]] = defaultdict(list)
    found = {}
    for name in typed:
        same = [name] if name in known else of_known.get(folded(name), [])
        if len(same) == 1:
            found[name] = same[0]
        else:
            new[folded(name)].append(name)
    for names in new.values():
        # Of equally many the first in order, whoever's file is read first.
        first = max(class_order(names), key=lambda name: typed[name])
        found |= dict.fromkeys(names, " ".join(first.split()))
    return found


def _typed(parts: Sequence[Part], known: Sequence[str]) -> Counter[str]:
    """Returns the names that are new classes, and how often each was used."""
    number: Counter[str] = Counter()
    for part in parts:
        for answer in part.answers:
            if answer.kind == SPLIT:
                names = [name for name in answer.named if name not in known]
            else:
                names = list(answer.named) if answer.kind == NEW_CLASS else []
            for name in names:
                _check(answer.place, name)
            number.update(names)
    return number


def _check(place: str, name: str) -> None:
    seen = any(unicodedata.category(sign)[0] in "LNPS" for sign in name)
    if trimmed(name) != name or not seen or len(name) > MOST_LETTERS:
        shown = name if len(name) <= MOST_LETTERS else f"{name[:40]}..."
        raise AnnotationError(
            f"{place}: {shown!r} with {number_of(len(name), 'letter')} cannot be a new "
            f"class: it needs 1 to {MOST_LETTERS}, some of which can be seen, and no "
            "outer blanks. Correct it, or leave the answer out."
        )


def _renamed(
    answer: Answer, name_of: Mapping[str, str], known: frozenset[str]
) -> Answer:
    if answer.kind not in (NEW_CLASS, SPLIT):
        return answer
    label = name_of.get(answer.label, answer.label)
    split = tuple((name_of.get(name, name), share) for name, share in answer.split)
    kind = answer.kind
    if len({name for name, _ in split}) < 2:  # not split, or both are one class
        split, kind = (), CLASS if label in known else NEW_CLASS
    return replace(answer, label=label, split=split, kind=kind)


def _told(
    parts: Sequence[Part],
    name_of: Mapping[str, str],
    known: Sequence[str],
    added: Sequence[str],
) -> list[str]:
    notes = []
    spellings: dict[str, list[str]] = defaultdict(list)
    for name, meant_by_it in name_of.items():
        if name != meant_by_it:
            spellings[meant_by_it].append(name)
    for name, others in spellings.items():
        what = "new class" if name in added else "class"
        notes.append(
            f"{some(map(repr, sorted(others)))}, as somebody typed it, is the {what} "
            f"{name!r}."
        )
    if added:
        uses = [f"{name!r} ({_used(parts, name)})" for name in added]
        notes.append(
            "New classes that somebody typed, after the others in `class_names`: "
            f"{some(uses, 10)}."
        )
    names = [*known, *added] if len(known) + len(added) <= _MOST_COMPARED else []
    for name, near in _near(added, names):
        notes.append(
            f"{name!r} is written nearly as {near!r} and counts as another class. If "
            "they are one, `with_classes(..., renamed=...)` makes them one."
        )
    for name in meaning_no_answer(added):
        notes.append(
            f"The new class {name!r} may mean that there is no answer: "
            "`with_classes(..., renamed={...: None})` leaves it out."
        )
    return notes


def _used(parts: Sequence[Part], name: str) -> str:
    people = [(p.annotator, a) for p in parts for a in p.answers if name in a.named]
    who = dict.fromkeys(person for person, _ in people)
    return f"{number_of(len(people), 'answer')} by {some(who, 3)}"


def _near(added: Sequence[str], names: Sequence[str]) -> list[tuple[str, str]]:
    """Returns pairs of a new class and another one of nearly the same name."""
    pairs: list[tuple[str, str]] = []
    for name in added:
        others = [other for other in names if other != name]
        near = [other for other in others if _alike(name, other)]
        pairs += [(name, other) for other in near if (other, name) not in pairs]
    return pairs


def _alike(one: str, other: str) -> bool:
    if essence(one) == essence(other):
        return True
    compared = difflib.SequenceMatcher(None, folded(one), folded(other))
    return compared.ratio() >= _ALIKE
