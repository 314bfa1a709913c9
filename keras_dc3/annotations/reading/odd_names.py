"""What is odd about the names of images, people and classes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from keras_dc3._names import grouped, plain, trimmed, without_image_extension
from keras_dc3._text import some
from keras_dc3.annotations import names
from keras_dc3.annotations.summary import amount

_MOST_VARIANTS = 10  # groups of names that are spelled out
_LOWEST_GRADE = ("none", "nil")


def several_spellings(images: Iterable[str], same: Callable[[str], str]) -> dict | None:
    """Looks for names that differ, but of which `same` is equal."""
    spelled = dict.fromkeys(map(trimmed, dict.fromkeys(images)))
    several = [g for g in grouped(spelled, same).values() if len(g) > 1]
    pairs = some(map(names.shown, several), 3)
    return {"number": len(several), "pairs": pairs} if several else None


def extensions(images: Iterable[str]) -> dict | None:
    """Looks for names that stand there with and without an extension of an image."""
    paths = {plain(name): name for name in images}
    pairs = [
        (name, paths[short])
        for path, name in paths.items()
        if (short := without_image_extension(path)) != path and short in paths
    ]
    if not pairs:
        return None
    return {"number": len(pairs), "pair": names.shown(pairs[0])}


def variants(frequency: Mapping[str, int], *_: Any) -> dict | None:
    """Looks for names that differ only in how they are written."""
    groups = sorted(names.variants(frequency), key=sorted)
    if not groups:
        return None
    shown = groups[:_MOST_VARIANTS]
    rest = len(groups) > _MOST_VARIANTS
    return {
        "how": "case, blanks, unseen characters or the way a number is written",
        "pairs": some((names.shown(sorted(g)) for g in groups), _MOST_VARIANTS),
        "change": {name: group[-1] for group in shown for name in group[:-1]},
        "rest": ", and likewise for the others" if rest else "",
    }


def typing_slips(chosen: Mapping[str, int], *_: Any) -> dict | None:
    """Looks for a rare name that is nearly a frequent one."""
    slips = names.typing_slips(chosen)
    pairs = some(f"{rare!r} for {common!r}" for rare, common in slips)
    return {"pairs": pairs, "change": dict(slips[:5])} if slips else None


def several_choices(chosen: Mapping[str, int]) -> dict | None:
    """Looks for names that are made of several others: "cat;dog"."""
    parts = {
        name: [part.strip() for part in re.split(r"[;|,+&/]", name)] for name in chosen
    }
    single = {name for name, part in parts.items() if len(part) == 1}
    found = [
        name
        for name, part in parts.items()
        if name not in single
        and all(part)
        and len(set(part)) == len(part)
        and set(part) <= single
    ]
    return {"first": found[0], "all": some(map(repr, found))} if found else None


def no_answers(
    chosen: Mapping[str, int], no_answer: Sequence[str] | None, declared: bool = False
) -> dict | None:
    """Looks for names that may mean that there is no answer.

    Args:
        chosen: name -> how often it was chosen.
        no_answer: the argument of this name; None if the reader has none.
        declared: whether the data themselves order the classes, so that "none" is the
            lowest of them.
    """
    found = names.meaning_no_answer(chosen)
    if declared:
        found = [name for name in found if name.casefold() not in _LOWEST_GRADE]
    if not found:
        return None
    total = sum(chosen.values())
    labels = [
        f"{amount(chosen[name])} {'label is' if chosen[name] == 1 else 'labels are'} "
        f"{name!r}, which is a class here "
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
    return {
        "labels": "; ".join(labels),
        "mean": "they mean" if several else "it means",
        "way_out": way_out,
        "are": "they are" if several else "it is",
        "classes": "classes" if several else "a class",
    }
