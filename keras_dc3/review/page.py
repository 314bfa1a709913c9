"""Review sheets: one HTML file each, which needs neither a server nor a network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import warnings
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_dc3._text import some
from keras_dc3._validation import (
    check_choice,
    check_positive_int,
    check_probability,
    check_seed,
)
from keras_dc3._writing import file_path, whole_file
from keras_dc3.annotations.building import check_clean_names
from keras_dc3.metrics.findings import of_certain_images
from keras_dc3.review import pictures
from keras_dc3.review.fingerprint import digest, fingerprint, of_ids, of_values
from keras_dc3.review.plan import MODES, Step, blind_pages, group_pages

if TYPE_CHECKING:
    from keras_dc3.proposals.proposals import Proposals
    from keras_dc3.proposals.questions import Questions

_SCRIPTS = (
    *("state.js", "store.js", "export.js", "view.js", "cards.js"),
    *("press.js", "guard.js", "acts.js", "keys.js", "page.js"),
)


def write(
    proposals: Proposals,
    path: str | os.PathLike,
    images: Any,
    mode: str = "dc3",
    *,
    title: str | None = None,
    control: float = 0.1,
    repetitions: float = 0.05,
    seed: int = 0,
    thumbnail_size: int = 160,
    max_images_per_page: int = 2000,
    round_name: str = "",
    questions: Questions | None = None,
) -> tuple[str, ...]:
    """Writes review sheets. See `Proposals.to_review` and `Questions.to_review`.

    Args:
        questions: whose groups to take, in the mode "dc3"; None for those of the
            proposals.

    Example:

    >>> paths = keras_dc3.review.write(proposals, "sheet.html", "fish", mode="classes")
    """
    check_choice("mode", mode, MODES)
    check_probability("control", control)
    check_probability("repetitions", repetitions)
    if repetitions > 0.5:
        raise ValueError(
            "`repetitions` must be at most 0.5: an image comes again after half of the "
            "others at the earliest, which leaves no place for more. Received: "
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
    check_clean_names("ids", proposals.ids)
    check_clean_names("class_names", proposals.class_names)
    for text in (title, *proposals.ids, *proposals.class_names):
        _check_unicode(text)
    urls, digests = _pictures(images, proposals.ids, thumbnail_size)
    values = of_values(proposals)
    mark = fingerprint(mode, proposals.ids, proposals.class_names, digests, values)
    if mode == "none":
        ids = [name for name in proposals.ids if name in urls]
        pages = blind_pages(ids, repetitions, seed, max_images_per_page)
    else:
        groups = _found(_steps(proposals, mode, questions), urls)
        alone = [q.ids[0] for q in questions or () if q.kind == "image"]
        alone = [name for name in alone if name in urls]
        most = max_images_per_page
        pages = group_pages(groups, control, repetitions, seed, most, alone)
    shown = [round_name, values]
    names, several = _names(path, len(pages)), len(pages) > 1
    for number, (name, steps) in enumerate(zip(names, pages, strict=True)):
        content = {
            **_content(steps, urls),
            "title": f"{title} ({number + 1} of {len(pages)})" if several else title,
            "name": os.path.splitext(os.path.basename(name))[0],
            "mode": mode,
            "seed": int(seed),
            "fingerprint": mark,
            "classes": list(proposals.class_names),
            "page_number": number + 1,
            "pages": len(pages),
            # Who answers without proposals need not know what these are worth.
            "verdict": [] if mode == "none" else told_of(proposals),
        }
        # Names what is asked for, so that a new round finds none of the old answers;
        # the second half tells whether the images that a download lists are whole.
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


def told_of(proposals: Proposals) -> list[str]:
    """Returns what the first card says of the worth of the proposals, in sentences."""
    found = proposals.verdict
    if found is None:
        return [
            "Whether the proposals on this page are of use was not measured. Look at "
            "the images before you accept."
        ]
    certain = f"Images that the model calls certain: {of_certain_images(found)}."
    return [found.headline("the proposals on this page"), certain, *map(str, found)]


def html(content: dict[str, Any]) -> str:
    """Returns the page. What it may run or load stands in its security policy.

    Args:
        content: what the scripts read; texts in it may hold anything.
    """
    folder = resources.files("keras_dc3.review")
    style = folder.joinpath("page.css").read_text("utf-8")
    scripts = [folder.joinpath(name).read_text("utf-8") for name in _SCRIPTS]
    script = "\n".join(['(() => {\n"use strict";', *scripts, "})();"])
    policy = (
        "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; "
        f"style-src {_hash(style)}; script-src {_hash(script)}"
    )
    parts = {
        "policy": policy,
        "style": style,
        "script": script,
        "data": as_inert_json(content),
    }
    page = folder.joinpath("page.html").read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page)


def as_inert_json(content: Any) -> str:
    """Returns JSON that cannot end the element of a page in which it stands."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _hash(text: str) -> str:
    found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{found}'"


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
    for name, image in pictures.find(images, ids):
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


def _steps(proposals: Proposals, mode: str, questions: Questions | None) -> list[Step]:
    if questions is not None:
        return _by_question(proposals, questions)
    return _by_class(proposals) if mode == "classes" else _by_group(proposals)


def _found(steps: list[Step], found: dict[str, str]) -> list[Step]:
    """Returns groups of images that were found, medoids first."""
    kept = []
    for step in steps:
        medoids = [name for name in step.ids[: step.medoids] if name in found]
        others = [name for name in step.ids[step.medoids :] if name in found]
        if medoids or others:
            kept.append(
                Step(
                    (*medoids, *others),
                    step.name,
                    step.title,
                    step.description,
                    step.label,
                    len(medoids),
                )
            )
    return kept


def _by_group(proposals: Proposals) -> list[Step]:
    steps = []
    for group in proposals.groups():
        others = [name for name in group.ids if name not in set(group.medoids)]
        is_class = group.kind == "class"
        steps.append(
            Step(
                (*group.medoids, *others),
                f"class {group.name}" if is_class else group.name,
                group.name,
                group.description,
                int(group.proposed_class),
                len(group.medoids),
            )
        )
    return steps


def _by_question(proposals: Proposals, questions: Questions) -> list[Step]:
    """The most typical images first, by which a question is ordered."""
    steps = []
    for question in questions:
        if question.kind == "group":
            class_name = proposals.class_names[question.label]
            about = f"proposed: {class_name}"
            title = question.name.removeprefix("class ")
            steps.append(
                Step(question.ids, question.name, title, about, question.label)
            )
    return steps


def _by_class(proposals: Proposals) -> list[Step]:
    """The predicted class of every image, the most probable first."""
    steps = []
    for label, name in enumerate(proposals.class_names):
        rows = np.flatnonzero(proposals.class_index == label)
        if not rows.size:
            continue
        sure = proposals.class_probability[rows]
        order = rows[np.argsort(-sure, kind="stable")]
        ids = tuple(proposals.ids[row] for row in order)
        about = f"predicted class, mean probability {sure.mean():.0%}"
        steps.append(Step(ids, f"class {name}", name, about, label))
    return steps


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
