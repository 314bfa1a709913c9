"""Which page an image goes to, and what a page asks for, step by step. NumPy only."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

MODES = ("dc3", "classes", "none")
ALONE = "alone"  # name of the group of images that were chosen to be asked blind
_BLOCK = 10  # blind images shown in a row between groups
_LARGEST = 100  # images accepted together, so that blocks find places between them


@dataclass(frozen=True)
class Step:
    """One image alone, or a group.

    Attributes:
        ids: of the images, in the order in which they are shown.
        name: of the group; "" for a blind image, `ALONE` for one that was chosen to
            be blind, not drawn.
        title: what is written above the group.
        description: what is written below the title.
        label: position of the class that is proposed; -1 for none.
        medoids: how many of the first images stand for the group.
        again: whether the image was asked for before.
    """

    ids: tuple[str, ...]
    name: str = ""
    title: str = ""
    description: str = ""
    label: int = -1
    medoids: int = 0
    again: bool = False

    @property
    def is_group(self) -> bool:
        """Whether something is proposed."""
        return self.label >= 0

    def of_those(self, ids: Container[str]) -> Step:
        """Returns the step with those of its images that are among `ids`."""
        medoids = sum(name in ids for name in self.ids[: self.medoids])
        kept = tuple(name for name in self.ids if name in ids)
        return replace(self, ids=kept, medoids=medoids)


def blind_pages(
    ids: Sequence[str], repetitions: float, seed: int, most: int
) -> list[list[Step]]:
    """Returns the steps of each page on which every image is shown alone.

    Args:
        repetitions: share of the images of a page that come again; at most half can.
        seed: of the order.
        most: images of a page.
    """
    order = np.random.default_rng(seed).permutation(len(ids))
    parts = np.array_split(order, -(-len(ids) // most))
    return [
        _blind([ids[i] for i in part], repetitions, np.random.default_rng([seed, page]))
        for page, part in enumerate(parts)
    ]


def group_pages(
    groups: Sequence[Step],
    control: float,
    repetitions: float,
    seed: int,
    most: int,
    alone: Sequence[str] = (),
) -> list[list[Step]]:
    """Returns the steps of each page: groups with blocks of blind images between.

    The blind images of a page are drawn from all its images alike and taken out of
    their groups. Their blocks are spread evenly over the images, not over the groups:
    somebody grows faster and surer on the way, and if blind images came earlier or
    later than the others, this would look like the merit or the fault of the
    proposals. So that there is a place for each block, a group of more than 100 images
    comes in parts.

    Args:
        control: share of the images of a page that are blind.
        repetitions: share of the blind images that come again; at most half can.
        seed: of the draw and the order.
        most: images of a page.
        alone: images besides those of the groups, to be asked blind.
    """
    pages, steps = [], [*groups, *(Step((name,), ALONE) for name in alone)]
    for page, whole in enumerate(_split(steps, most)):
        rng = np.random.default_rng([seed, page])
        parts = [step for step in whole if step.is_group]
        chosen = [step for step in whole if not step.is_group]
        ids = [name for group in parts for name in group.ids]
        drawn = rng.permutation(len(ids))[: _share(control, len(ids))]
        blind = [ids[i] for i in drawn]
        shown = set(ids) - set(blind)
        kept = [group.of_those(shown) for group in parts]
        kept = [group for group in kept if group.ids]
        single = _blind(blind, repetitions, rng)
        if chosen:  # among the others, in any order
            places = np.sort(rng.integers(0, len(single) + 1, len(chosen)))
            for place, step in zip(places[::-1].tolist(), chosen, strict=True):
                single.insert(place, step)
        pages.append(_mixed(kept, single))
    return pages


def _share(share: float, number: int) -> int:
    return int(share * number + 0.5)


def _blind(
    ids: Sequence[str], repetitions: float, rng: np.random.Generator
) -> list[Step]:
    """Each image alone; some of the first half again, half of all images later."""
    steps = [Step((name,)) for name in ids]
    half = len(ids) // 2
    first = rng.permutation(half)[: _share(repetitions, len(ids))]
    later = rng.integers(first + len(ids) - half, len(ids) + 1)
    places = sorted(zip(later.tolist(), first.tolist(), strict=True), reverse=True)
    for slot, position in places:
        steps.insert(slot, Step((ids[position],), again=True))
    return steps


def _split(groups: Sequence[Step], most: int) -> Iterator[list[Step]]:
    """Puts groups on pages, whole ones where they fit on one, in parts where large."""
    page: list[Step] = []
    room = most
    for group in groups:
        parts = _parts(group, min(most, _LARGEST))
        whole = len(group.ids) <= most
        for together in [parts] if whole else [[part] for part in parts]:
            size = sum(len(part.ids) for part in together)
            if size > room:
                yield page
                page, room = [], most
            page += together
            room -= size
    if page:
        yield page


def _parts(group: Step, most: int) -> list[Step]:
    number = -(-len(group.ids) // most)
    if number < 2:
        return [group]
    # In turns, so that each part goes from typical to less typical images.
    return [
        replace(
            group,
            ids=group.ids[part::number],
            medoids=len(range(part, group.medoids, number)),
            description=f"{group.description} (part {part + 1} of {number})".strip(),
        )
        for part in range(number)
    ]


def _mixed(groups: list[Step], blind: list[Step]) -> list[Step]:
    """Puts blocks of blind images where they are nearest to even places."""
    places = np.cumsum([0, *(len(group.ids) for group in groups)])
    blocks = -(-len(blind) // _BLOCK)
    before: list[list[Step]] = [[] for _ in places]
    for block in range(blocks):
        wanted = (block + 0.5) / blocks * places[-1]
        start, end = (b * len(blind) // blocks for b in (block, block + 1))
        before[int(np.argmin(np.abs(places - wanted)))] += blind[start:end]
    steps = before[0]
    for group, block in zip(groups, before[1:], strict=True):
        steps += [group, *block]
    return steps
