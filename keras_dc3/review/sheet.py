"""Review sheets: what they ask about, and their files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
from keras_dc3.review import pictures
from keras_dc3.review.fingerprint import digest, fingerprint, of_ids
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
    """

    mode: str
    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    groups: Sequence[Step]
    alone: Sequence[str]
    verdict: Verdict | None
    values: str

    def write(
        self,
        path: str | os.PathLike,
        images: Any,
        *,
        title: str | None = None,
        round_name: str = "",
        thumbnail_size: int = 160,
        max_images_per_page: int = 2000,
        control: float = 0.1,
        repetitions: float = 0.05,
        seed: int = 0,
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
        for name, text in {"title": title, "round_name": round_name}.items():
            if not isinstance(text, str | None):
                raise TypeError(f"`{name}` must be text. Received: {name}={text!r}")
        path = file_path(path)
        title = os.path.splitext(os.path.basename(path))[0] if title is None else title
        check_names("ids", self.ids, clean=True)
        check_names("class_names", self.class_names, clean=True)
        for text in (title, *self.ids, *self.class_names):
            _check_unicode(text)
        urls, digests = _pictures(images, self.ids, thumbnail_size)
        mark = fingerprint(self.mode, self.ids, self.class_names, digests, self.values)
        if self.mode == "none":
            there = [name for name in self.ids if name in urls]
            pages = blind_pages(there, repetitions, seed, max_images_per_page)
        else:
            groups = [group.of_those(urls) for group in self.groups]
            groups = [group for group in groups if group.ids]
            alone = [name for name in self.alone if name in urls]
            most = max_images_per_page
            pages = group_pages(groups, control, repetitions, seed, most, alone)
        names, several = _names(path, len(pages)), len(pages) > 1
        for number, (name, steps) in enumerate(zip(names, pages, strict=True)):
            of_several = f" ({number + 1} of {len(pages)})"
            content = {
                **_content(steps, urls),
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
            }
            # Names what is asked for, so that a new round finds none of the old
            # answers; the second half tells whether the images that a download lists
            # are whole.
            shown = [round_name, self.values]
            asked = [mark, number, content["steps"], content["images"], shown]
            content["page"] = f"{digest(asked)}-{of_ids(content['images'])}"
            with whole_file(name, "w", encoding="utf-8", newline="\n") as file:
                file.write(html(content))
        if several:
            warnings.warn(
                f"{len(urls):,} images make {len(names)} pages of at most "
                f"{max_images_per_page:,}: {some(map(repr, names), 10)}.",
                stacklevel=3,
            )
        return names


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


def _names(path: str, number: int) -> tuple[str, ...]:
    if number == 1:
        return (path,)
    stem, ending = os.path.splitext(path)
    return tuple(f"{stem}-{page + 1}{ending}" for page in range(number))


def _pictures(
    images: Any, ids: Sequence[str], size: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Returns id -> address and id -> digest of all images that there are."""
    pictures.pillow()
    urls, digests, missing = {}, {}, []
    for name, image in pictures.find_pictures(images, ids):
        if isinstance(image, str):
            missing.append(f"{name!r} {image}")
        else:
            urls[name] = pictures.data_url(image.shown, size)
            digests[name] = pictures.pixel_digest(image.original)
    if not urls:
        raise ValueError(
            f"There is nothing to review: {some(missing, 3)}. Pass the images that the "
            "proposals were made for."
            if missing
            else "There is nothing to review: the proposals hold no image."
        )
    if missing:
        warnings.warn(
            f"{len(missing):,} of {len(ids):,} images are left out of the review: "
            f"{some(missing, 3)}.",
            stacklevel=4,
        )
    return urls, digests


def _content(steps: Sequence[Step], urls: dict[str, str]) -> dict[str, Any]:
    ids = list(dict.fromkeys(name for step in steps for name in step.ids))
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
    return {"images": ids, "pictures": [urls[name] for name in ids], "steps": told}
