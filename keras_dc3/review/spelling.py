"""Ids and classes of a review in one spelling. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from keras_dc3._names import composed, plain
from keras_dc3.review.parts import Answer, Part


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
