"""The pages that a server gives: files that `to_review` wrote, made ready to send."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from keras_dc3.review import fingerprint
from keras_dc3.review.page import content_of, html

_NEEDED = {
    **{name: str for name in ("page", "name", "title", "mode", "fingerprint")},
    **{name: list for name in ("images", "classes", "steps")},
}


@dataclass(frozen=True)
class Page:
    """A page as it is sent.

    Attributes:
        key: its name for programs; two pages that ask the same have the same.
        name: for files of its answers, without an ending.
        title: for people.
        fingerprint: of the set that it was made of.
        class_names: that can be answered.
        images: ids that are asked about.
        text: HTML, in UTF-8.
    """

    key: str
    name: str
    title: str
    fingerprint: str
    class_names: tuple[str, ...]
    images: frozenset[str]
    text: bytes


def read_page(path: str | os.PathLike) -> Page:
    """Reads a file that `Proposals.to_review` or `keras-dc3 sheet` wrote.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is another file, or was changed.
    """
    try:
        with open(path, encoding="utf-8") as file:
            content = content_of(file.read())
    except UnicodeDecodeError:
        content = None
    if not _is_whole(content):
        raise ValueError(
            f"{os.fspath(path)!r} is no review sheet, or it was changed. Give a page "
            "that `keras-dc3 sheet` or `Proposals.to_review` wrote."
        )
    return Page(
        key=content["page"],
        name=content["name"],
        title=content["title"],
        fingerprint=content["fingerprint"],
        class_names=tuple(content["classes"]),
        images=frozenset(content["images"]),
        text=html(content, served=True).encode(),
    )


def _is_whole(content: Any) -> bool:
    if not isinstance(content, dict) or not all(
        isinstance(content.get(name), kind) for name, kind in _NEEDED.items()
    ):
        return False
    _, _, of_images = content["page"].partition("-")
    pieces = fingerprint.parts(content["fingerprint"])
    if pieces is None or not all(isinstance(name, str) for name in content["images"]):
        return False
    return (
        fingerprint.differing(
            {**pieces, "images": of_images}, content["images"], content["classes"]
        )
        is None
    )


def read_pages(
    paths: Mapping[str, Iterable[str | os.PathLike]],
) -> tuple[dict[str, Page], dict[str, list[str]]]:
    """Reads the pages of people, each file once.

    Args:
        paths: person -> files.

    Returns:
        Key -> page, and person -> keys of this person's pages.

    Raises:
        FileNotFoundError, ValueError: as `read_page`; also if two files are copies of
            one page.
    """
    pages: dict[str, Page] = {}
    files: dict[str, str] = {}  # of each page
    keys: dict[str, str] = {}  # of each file
    for path in dict.fromkeys(os.fspath(p) for some in paths.values() for p in some):
        page = read_page(path)
        if page.key in pages:
            raise ValueError(
                f"{files[page.key]!r} and {path!r} are the same page. Give one of them."
            )
        pages[page.key], files[page.key], keys[path] = page, path, page.key
    people = {
        person: list(dict.fromkeys(keys[os.fspath(path)] for path in some))
        for person, some in paths.items()
    }
    return pages, people
