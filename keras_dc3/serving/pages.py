"""The pages that a server gives: files that `to_review` wrote, made ready to send."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from keras_dc3.review import fingerprint
from keras_dc3.review.page import content_of, html

_NEEDED = {
    **{name: str for name in ("page", "name", "title", "mode", "fingerprint")},
    **{name: list for name in ("images", "classes", "steps")},
}
# What pages of version 0.1 do not have.
_LATER = ("large", "likely", "near", "typical")
_PICTURE = re.compile(r"[^/\\]+-images/[0-9a-f]+\.png")


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
        pictures: files beside the page that it shows, by their addresses.
    """

    key: str
    name: str
    title: str
    fingerprint: str
    class_names: tuple[str, ...]
    images: frozenset[str]
    text: bytes
    pictures: Mapping[str, str]


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
    content = {**_later(len(content["classes"])), **content}
    return Page(
        key=content["page"],
        name=content["name"],
        title=content["title"],
        fingerprint=content["fingerprint"],
        class_names=tuple(content["classes"]),
        images=frozenset(content["images"]),
        text=html(content, served=True).encode(),
        pictures=_pictures(path, content),
    )


def _later(classes: int) -> dict[str, Any]:
    """Returns what a page of an earlier release lacks, without anything in it."""
    empty: dict[str, Any] = {name: {} for name in _LATER}
    return {**empty, "examples": [], "descriptions": [""] * classes, "order": ""}


def _pictures(path: str | os.PathLike, content: dict[str, Any]) -> dict[str, str]:
    """Returns address -> file of the pictures that lie in a folder beside a page.

    Raises:
        FileNotFoundError: if one is missing.
        ValueError: if one lies elsewhere, as no page has it that was not changed.
    """
    folder, found = os.path.dirname(os.path.abspath(path)), {}
    for address in content["large"].values():
        if address.startswith("data:"):
            continue
        address = unquote(address)
        file = os.path.join(folder, address)
        if not _PICTURE.fullmatch(address) or os.path.islink(file):
            raise ValueError(
                f"{os.fspath(path)!r} was changed: it shows {address!r}, which is no "
                "picture that lies beside it."
            )
        if not os.path.isfile(file):
            raise FileNotFoundError(
                errno.ENOENT, "A picture beside the page is missing", file
            )
        found[address] = file
    return found


def _is_whole(content: Any) -> bool:
    if not isinstance(content, dict) or not all(
        isinstance(content.get(name), kind) for name, kind in _NEEDED.items()
    ):
        return False
    large = content.get("large", {})
    if not isinstance(large, dict) or not all(
        isinstance(address, str) for address in large.values()
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
