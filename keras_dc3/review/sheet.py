"""Review sheets: what they ask about, and their files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._text import some
from keras_dc3._validation import (
    check_names,
    check_positive_int,
    check_probability,
    check_seed,
)
from keras_dc3._writing import file_path, whole_file
from keras_dc3.metrics import Verdict
from keras_dc3.metrics.findings import of_certain_images
from keras_dc3.review import gallery
from keras_dc3.review.beside import Beside
from keras_dc3.review.examples import Examples, check_descriptions
from keras_dc3.review.fingerprint import digest, fingerprint, of_ids
from keras_dc3.review.gallery import Gallery
from keras_dc3.review.page import html
from keras_dc3.review.plan import Step, blind_pages, group_pages


@dataclass(frozen=True)
class Sheet:
    """What a review sheet asks about.

    Attributes:
        mode: "dc3", "classes" or "none", see `Proposals.to_review`.
        ids: of all images.
        class_names: k names.
        groups: images with a proposal, the first ones first; () in the mode "none".
        alone: ids of images that are to be asked about blind, besides the groups.
        verdict: on what is proposed; None: not measured.
        values: what stands for the proposals in a fingerprint, see `of_values`.
        probabilities: (n, k), of the classes of each image.
        embeddings: (n, d), where a network puts each image, or None.
        order: of the groups, in a sentence.
    """

    mode: str
    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    groups: Sequence[Step]
    alone: Sequence[str]
    verdict: Verdict | None
    values: str
    probabilities: np.ndarray
    embeddings: np.ndarray | None = None
    order: str = ""

    def write(
        self,
        path: str | os.PathLike,
        images: Any,
        *,
        title: str | None = None,
        round_name: str = "",
        thumbnail_size: int = 160,
        full_size: int | str | None = None,
        max_images_per_page: int = 2000,
        control: float = 0.1,
        repetitions: float = 0.05,
        seed: int = 0,
        class_descriptions: Any = None,
        examples: Any = None,
        example_embeddings: Any = None,
    ) -> tuple[str, ...]:
        """Writes the pages and returns their paths; see `Proposals.to_review`."""
        check_probability("control", control)
        check_probability("repetitions", repetitions)
        if repetitions > 0.5:
            raise ValueError(
                "`repetitions` must be at most 0.5: an image comes again after half of "
                "the others at the earliest, which leaves no place for more. Received: "
                f"repetitions={repetitions!r}"
            )
        check_seed(seed)
        check_positive_int("thumbnail_size", thumbnail_size, least=16)
        check_positive_int("max_images_per_page", max_images_per_page)
        full_size = gallery.checked_size(full_size)
        for name, text in {"title": title, "round_name": round_name}.items():
            if not isinstance(text, str | None):
                raise TypeError(f"`{name}` must be text. Received: {name}={text!r}")
        path = _page_path(path)
        title = os.path.splitext(os.path.basename(path))[0] if title is None else title
        check_names("ids", self.ids, clean=True)
        check_names("class_names", self.class_names, clean=True)
        descriptions = check_descriptions(class_descriptions, self.class_names)
        for text in (title, *self.ids, *self.class_names, *descriptions.values()):
            _check_unicode(text)
        known = Examples.of(examples, self.class_names, example_embeddings)
        beside = Beside(
            self.ids, self.probabilities, self.embeddings, known, thumbnail_size
        )
        shown = Gallery(images, self.ids, thumbnail_size, full_size)
        shown.read(path)
        mark = fingerprint(
            self.mode, self.ids, self.class_names, shown.digests, self.values
        )
        order = _Order(control, repetitions, seed, max_images_per_page)
        pages, most = self._pages(shown, beside, order)
        names, several = _names(path, len(pages)), len(pages) > 1
        for number, (name, steps) in enumerate(zip(names, pages, strict=True)):
            of_several = f" ({number + 1} of {len(pages)})"
            told = _content(steps, shown)
            content = {
                **told,
                "title": title + (of_several if several else ""),
                "name": os.path.splitext(os.path.basename(name))[0],
                "mode": self.mode,
                "seed": int(seed),
                "fingerprint": mark,
                "classes": list(self.class_names),
                "page_number": number + 1,
                "pages": len(pages),
                # Who answers without proposals need not know what these are worth.
                "verdict": told_of(self.verdict) if _proposes(steps) else [],
                "order": self.order if _proposes(steps) else "",
                "descriptions": [descriptions.get(n, "") for n in self.class_names],
                **beside.content(told["images"], _grouped(steps)),
            }
            # Names what is asked for, so that a new round finds none of the old
            # answers; the second half tells whether the images that a download lists
            # are whole.
            asked_in = [round_name, self.values]
            asked = [mark, number, content["steps"], content["images"], asked_in]
            content["page"] = f"{digest(asked)}-{of_ids(content['images'])}"
            with whole_file(name, "w", encoding="utf-8", newline="\n") as file:
                file.write(html(content))
        if several:
            limit = gallery.LIMIT // 1_000_000
            why = "" if most == max_images_per_page else f", to stay below {limit} MB"
            warnings.warn(
                f"{len(shown.small):,} images make {len(names)} pages of at most "
                f"{most:,}{why}: {some(map(repr, names), 10)}.",
                stacklevel=3,
            )
        return names

    def _pages(
        self, shown: Gallery, beside: Beside, order: _Order
    ) -> tuple[list[list[Step]], int]:
        """Returns the steps of each page, and how many images one holds at most."""
        most = order.most
        while True:
            pages = self._steps(shown.small, order, most)
            sizes = [_bytes(steps, shown, beside) for steps in pages]
            if max(sizes) <= gallery.LIMIT or most == 1:
                break
            fuller = max(len(_ids(steps)) for steps in pages)
            share = gallery.LIMIT / max(sizes)
            most = max(1, min(most - 1, int(0.95 * share * fuller)))
        rest = [
            size - shown.size_of((), _alone(steps))
            for size, steps in zip(sizes, pages, strict=True)
        ]
        shown.enlarge_alone(list(zip(rest, map(_alone, pages), strict=True)))
        return pages, most

    def _steps(
        self, there: Container[str], order: _Order, most: int
    ) -> list[list[Step]]:
        if self.mode == "none":
            ids = [name for name in self.ids if name in there]
            return blind_pages(ids, order.repetitions, order.seed, most)
        groups = [group.of_those(there) for group in self.groups]
        groups = [group for group in groups if group.ids]
        alone = [name for name in self.alone if name in there]
        control, repetitions, seed = order.control, order.repetitions, order.seed
        return group_pages(groups, control, repetitions, seed, most, alone)


class _Order(NamedTuple):
    """How images are dealt out; see `Proposals.to_review`."""

    control: float
    repetitions: float
    seed: int
    most: int


def told_of(verdict: Verdict | None) -> list[str]:
    """Returns what the first card says of the worth of the proposals, in sentences."""
    if verdict is None:
        return [
            "Whether the proposals on this page are of use was not measured. Look at "
            "the images before you accept."
        ]
    certain = f"Images that the model calls certain: {of_certain_images(verdict)}."
    measured = map(str, verdict.measured)
    return [verdict.headline("the proposals on this page"), certain, *measured]


def _proposes(steps: Sequence[Step]) -> bool:
    return any(step.is_group for step in steps)


def _check_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            "Ids, class names and the title must be valid Unicode text, but one is "
            f"{text!r}. Rename it."
        ) from error


def _page_path(path: str | os.PathLike) -> str:
    """Returns the path of a page; ValueError for a file of another kind."""
    name = file_path(path)
    if os.path.splitext(name)[1].lower() not in (".html", ".htm", ""):
        raise ValueError(
            "A review sheet is a web page, whose name ends in .html, such as "
            f"'round-1.html'. Received: {name!r}"
        )
    return name


def _names(path: str, number: int) -> tuple[str, ...]:
    if number == 1:
        return (path,)
    stem, ending = os.path.splitext(path)
    return tuple(f"{stem}-{page + 1}{ending}" for page in range(number))


def _grouped(steps: Iterable[Step]) -> list[str]:
    return [name for step in steps if step.is_group for name in step.ids]


def _alone(steps: Iterable[Step]) -> list[str]:
    """Returns the images of the other steps, each once."""
    found = (name for step in steps if not step.is_group for name in step.ids)
    return list(dict.fromkeys(found))


def _ids(steps: Iterable[Step]) -> list[str]:
    return list(dict.fromkeys(name for step in steps for name in step.ids))


def _bytes(steps: Sequence[Step], shown: Gallery, beside: Beside) -> int:
    """Returns what pictures and what is told of them take on a page, about."""
    grouped = _grouped(steps)
    told = beside.size_of(grouped)
    return shown.size_of(grouped, _alone(steps)) + told


def _content(steps: Sequence[Step], shown: Gallery) -> dict[str, Any]:
    ids, grouped = _ids(steps), set(_grouped(steps))
    number = {name: position for position, name in enumerate(ids)}
    told = []
    for step in steps:
        one: dict[str, Any] = {"images": [number[name] for name in step.ids]}
        if step.is_group:
            one |= {
                "kind": "group",
                "name": step.name,
                "title": step.title,
                "description": step.description,
                "label": step.label,
                "medoids": step.medoids,
            }
        else:
            one |= {"kind": "blind", "again": step.again, "name": step.name}
        told.append(one)
    small, alone = shown.small, shown.address_alone
    addresses = [small[name] if name in grouped else alone(name) for name in ids]
    return {
        "images": ids,
        "pictures": addresses,
        # Where there is one that is larger than the picture.
        "large": {
            position: shown.large[name]
            for position, name in enumerate(ids)
            if shown.large.get(name, addresses[position]) != addresses[position]
        },
        "steps": told,
    }
