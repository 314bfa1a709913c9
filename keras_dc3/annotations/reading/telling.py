"""What is odd about annotations, in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from keras_dc3._names import trimmed
from keras_dc3._text import some
from keras_dc3.annotations import names
from keras_dc3.annotations.reading.source import Source
from keras_dc3.annotations.summary import amount

_HOW = "case, blanks, unseen characters or the way a number is written"
_MOST_VARIANTS = 10  # groups of names that are spelled out
_LOWEST_GRADE = ("none", "nil")


def tell_blanks(source: Source, found: dict[str, tuple[int, int]]) -> list[str]:
    told = [f"{n:,} {what}" for what, (n, _) in found.items() if n]
    if not told:
        return []
    first = min(position for n, position in found.values() if n)
    return [
        f"Outer blanks were removed from {' and '.join(told)}, first in "
        f"{source.places([first])}."
    ]


def tell_spellings(images: Iterable[str], same: Callable[[str], str]) -> list[str]:
    """Returns what to tell of images that are written in several ways.

    Args:
        images: their names.
        same: what is equal for spellings of one image.
    """
    spelled = dict.fromkeys(map(trimmed, dict.fromkeys(images)))
    groups: dict[str, list[str]] = {}
    for name in spelled:
        groups.setdefault(same(name), []).append(name)
    several = [group for group in groups.values() if len(group) > 1]
    if not several:
        return []
    return [
        f"{len(several):,} images are written with several Unicode forms or slashes, "
        f"and each counts as one: {some((names.shown(group) for group in several), 3)}."
    ]


def tell_odd_classes(
    chosen: Mapping[str, int], no_answer: Sequence[str] | None, declared: bool = False
) -> list[str]:
    """Returns what to tell of class names that may not be meant.

    Args:
        chosen: name -> how often it was chosen.
        no_answer: the argument of this name; None if the reader has none.
        declared: whether the data themselves order the classes, so that "none" is the
            lowest of them.
    """
    notes = []
    groups = sorted(names.variants(chosen), key=sorted)
    if groups:
        change = {
            name: group[-1] for group in groups[:_MOST_VARIANTS] for name in group[:-1]
        }
        rest = len(groups) > _MOST_VARIANTS
        notes.append(
            f"Classes that differ only in {_HOW}: {_pairs(groups)}. They stay "
            f"different classes; to unite them, use `rename_classes({change})`"
            f"{', and likewise for the others' if rest else ''}."
        )
    slips = names.typing_slips(chosen)
    if slips:
        pairs = some(f"{rare!r} for {common!r}" for rare, common in slips)
        notes.append(
            f"Probably typing slips: {pairs}. They stay different classes; to unite "
            f"them, use `rename_classes({dict(slips[:5])})`."
        )
    found = names.meaning_no_answer(chosen)
    if declared:
        found = [name for name in found if name.casefold() not in _LOWEST_GRADE]
    return notes + _tell_no_answers(found, chosen, no_answer)


def tell_several_choices(chosen: Mapping[str, int]) -> list[str]:
    """Returns what to tell of labels that are made of several classes: "cat;dog".

    Args:
        chosen: name -> how often it was chosen.
    """
    parts = {
        name: [part.strip() for part in re.split(r"[;|,+&/]", name)] for name in chosen
    }
    joint = {name: part for name, part in parts.items() if len(part) > 1}
    single = set(chosen) - set(joint)
    found = [
        name
        for name, part in joint.items()
        if all(part) and len(set(part)) == len(part) and set(part) <= single
    ]
    if not found:
        return []
    return [
        f"Labels of several classes at once, such as {found[0]!r}, count as classes of "
        f"their own: {some(map(repr, found))}. If somebody chose several, keep one "
        "class per answer, with `label=` a function of the row; `rename_classes` gives "
        "them another name or, with None, leaves them out."
    ]


def _tell_no_answers(
    found: Sequence[str], chosen: Mapping[str, int], no_answer: Sequence[str] | None
) -> list[str]:
    if not found:
        return []
    total = sum(chosen.values())
    shares = [
        f"{amount(chosen[name])} labels are {name!r}, which is a class here "
        f"({chosen[name] / total:.1%})"
        for name in found
    ]
    way_out = f"use `rename_classes({dict.fromkeys(found)})`"
    if no_answer is not None:
        way_out = (
            f"pass `no_answer={[*no_answer, *found]}` to the reader, such as "
            f"`Annotations.from_csv`, or {way_out}"
        )
    several = len(found) > 1
    return [
        f"{'; '.join(shares)}. If {'they mean' if several else 'it means'} that there "
        f"is no answer, {way_out}; if {'they are' if several else 'it is'} meant as "
        f"{'classes' if several else 'a class'}, name all with `class_names=[...]`."
    ]


def tell_same_people(people: Iterable[str]) -> list[str]:
    """Returns what to tell of annotators whose names may mean the same person."""
    groups = sorted(names.variants(dict.fromkeys(people, 1)), key=sorted)
    if not groups:
        return []
    return [
        f"Annotators that differ only in {_HOW}: {_pairs(groups)}. They count as "
        "different people; if they are not, write each name in one way."
    ]


def _pairs(groups: Iterable[Iterable[str]]) -> str:
    return some((names.shown(sorted(group)) for group in groups), _MOST_VARIANTS)


def tell_times(odd: Mapping[str, int], number: int, longest: float) -> list[str]:
    """Returns what to tell of times that count as unknown.

    Args:
        odd: how many are odd in which way, of `records.known_times`.
        number: of all times.
        longest: the longest believable one.
    """
    if not sum(odd.values()) - odd["missing"]:
        return []
    return [
        f"Of {number:,} times, {odd['missing']:,} are missing, {odd['zero']:,} zero, "
        f"{odd['negative']:,} negative and {odd['too_long']:,} above {longest:,g} s "
        "(`longest_seconds`). All of these count as unknown times; the answers stay."
    ]
