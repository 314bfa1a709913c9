"""Splits by the ids of their images: given as lists, written and read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._kinds import of_file
from keras_dc3._names import KnownNames, match_all
from keras_dc3._text import number_of, some
from keras_dc3._writing import whole_file
from keras_dc3.data.allocation import counted

_FORMAT = "keras_dc3 split"
_VERSION = 1
_PARTS = ("labeled", "unlabeled", "validation")
_HEAD = 200  # letters in which a file says what it is


class SavedSplit(NamedTuple):
    """What a file tells that `write_split` wrote.

    Attributes:
        parts: name -> sorted positions (m,) int64.
        unanswered: ids of the images that had no answer then; None: not known.
        hidden_answers: how many answers the unlabeled images had; None: not known.
        withdrawn: ids of images that were withdrawn, as the data call them.
        added: positions (m,) int64 of images that the file does not know.
    """

    parts: dict[str, np.ndarray]
    unanswered: list[str] | None
    hidden_answers: float | None
    withdrawn: tuple[str, ...]
    added: np.ndarray


def positions_of(
    parts: Mapping[str, Sequence[str]],
    ids: Sequence[str],
    names: Sequence[str],
    source: str,
) -> dict[str, np.ndarray]:
    """Returns sorted positions (m,) int64 of each part.

    Args:
        parts: name -> ids; one that is missing has no image.
        ids: of all images, in order.
        names: of the parts that there may be; the first must have an image.
        source: what lists the ids, for messages.

    Raises:
        ValueError: if an id is in two parts, or is not among `ids`.
    """
    unknown = [name for name in parts if name not in names]
    if unknown:
        raise ValueError(
            f"{source} may have the parts {list(names)}. Received: {unknown}"
        )
    listed = {name: _listed(name, parts.get(name), source) for name in names}
    if not listed[names[0]]:
        raise ValueError(
            f"{source} must list at least one id of the {names[0]} part. Received: none"
        )
    known = {name: position for position, name in enumerate(ids)}
    check_disjoint(**listed)
    for name, members in listed.items():
        listed[name], lost = spelled(members, ids)
        if lost:
            raise ValueError(
                f"{source} lists {number_of(len(lost), 'id')} of the {name} part that "
                f"the data lack: {some(map(repr, lost), 3, etc=True)}. The data have "
                f"{len(known)} images, such as {next(iter(known), None)!r}; use the "
                "data that the split was made of."
            )
    check_disjoint(**listed)
    return {
        name: np.sort(np.array([known[member] for member in members], "int64"))
        for name, members in listed.items()
    }


def spelled(members: Sequence[str], ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the ids of the data that members mean, and members that are none.

    Names match as for annotations, see `KnownNames`.

    Raises:
        ValueError: if a member can mean several ids, or two mean the same one.
    """
    matches = match_all(members, KnownNames(ids), what="ids")
    return list(matches.found.values()), [members[i] for i in matches.lost]


def write_split(
    path: str | os.PathLike,
    parts: Mapping[str, Sequence[str]],
    unused: Sequence[str] | None,
    unanswered: Sequence[str] | None = None,
    hidden_answers: float | None = None,
    withdrawn: Sequence[str] = (),
) -> None:
    """Writes a split as JSON, one id a line.

    Args:
        path: the file; it is complete or not there.
        parts: name -> ids.
        unused: the ids that no part uses; None if they are not known.
        unanswered: the ids of images that nobody has annotated yet; None if they are
            not known.
        hidden_answers: how many answers to unlabeled images there are.
        withdrawn: the ids of images that are not to be used any more.
    """
    if withdrawn and unused is not None:
        unused = [*unused, *withdrawn]
    content = {"format": _FORMAT, "version": _VERSION, **parts, "unused": unused}
    if withdrawn:
        content["withdrawn"] = list(withdrawn)
    if unanswered is not None:
        content["unanswered"] = list(unanswered)
        content["hidden_answers"] = hidden_answers
    with whole_file(path, encoding="utf-8") as file:
        json.dump(content, file, indent=0, ensure_ascii=False)
        file.write("\n")


def read_split(
    path: str | os.PathLike,
    ids: Sequence[str],
    names: Sequence[str],
    may_be_more: bool = False,
) -> SavedSplit:
    """Returns what a file tells that `write_split` wrote.

    Args:
        path: the file.
        ids: of all images: those of the file and, if it knows the unused ones, no
            others. Images that were withdrawn may be missing.
        names: of the parts.
        may_be_more: whether there may be images that the file does not know.

    Raises:
        FileNotFoundError: without the file. ValueError: if it does not fit.
    """
    path = os.fspath(path)
    try:
        with open(path, encoding="utf-8-sig") as file:
            content = json.load(file)
    except (ValueError, RecursionError) as error:  # a number may be too long, too
        kind = of_file(path)
        what = (
            f"it is {kind.what}"
            if kind and not kind.generic
            else f"it is no JSON ({error})"
        )
        raise ValueError(
            f"{path} is no saved split: {what}. Write one by "
            "`Split.save` or `save_split`."
        ) from error
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"The saved split {path!r} does not exist; write it by `Split.save` or "
            "`save_split`, or correct the path."
        ) from error
    except OSError as error:
        raise type(error)(
            f"The saved split {path!r} cannot be read ({error.strerror or error}); "
            "name the file that `Split.save` or `save_split` has written."
        ) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise ValueError(
            f'{path} is no saved split: its "format" must be {_FORMAT!r}. Write one '
            "by `Split.save` or `save_split`."
        )
    if content.get("version") != _VERSION:
        raise ValueError(
            f"{path} is of version {content.get('version')!r}, but this release of "
            f"keras_dc3 reads version {_VERSION}."
        )
    parts = {name: _listed(name, content.get(name), path) for name in names}
    found = positions_of(parts, ids, names, path)
    gone = spelled(_listed("withdrawn", content.get("withdrawn"), path), ids)
    unused, extra = content.get("unused"), []
    if unused is not None:
        known = {*_listed("unused", unused, path)}.union(*parts.values())
        there, lost = spelled(sorted(known), ids)
        there = set(there)
        extra = [name for name in ids if name not in there]
        lost = [name for name in lost if name not in gone[1]]
        if (extra and not may_be_more) or lost:
            raise ValueError(
                f"{path} was written for {len(known)} images, but the data differ: "
                f"{_difference(extra, lost)}. Use the same data, or give the "
                "ids of each part as a mapping."
            )
    unanswered = content.get("unanswered")
    if unanswered is not None:
        unanswered = _listed("unanswered", unanswered, path)
    hidden = content.get("hidden_answers")
    if not isinstance(hidden, int | float | None):
        raise ValueError(
            f'The "hidden_answers" of {path!r} must be a number. Received: {hidden!r}'
        )
    position = {name: place for place, name in enumerate(ids)}
    added = np.array([position[name] for name in extra], "int64")
    return SavedSplit(found, unanswered, hidden, tuple(gone[0]), added)


def withdrawn_in(path: str | os.PathLike, ids: Sequence[str]) -> tuple[str, ...]:
    """Returns the ids, of all images given, that a saved split says are withdrawn."""
    return read_split(path, ids, _PARTS, may_be_more=True).withdrawn


def splits_beside(path: str | os.PathLike, ids: Sequence[str]) -> list[str]:
    """Returns the saved splits of such images in the folder of a file.

    Args:
        path: of the file.
        ids: of the images; a split is one of them if it validates on any.
    """
    folder, known, found = os.path.dirname(os.fspath(path)), set(ids), []
    for name in sorted(os.listdir(folder or os.curdir)):
        split = os.path.join(folder, name)
        if not name.endswith(".json") or not os.path.isfile(split):
            continue
        try:
            with open(split, encoding="utf-8") as file:
                if f'"format": "{_FORMAT}"' not in file.read(_HEAD):
                    continue
                file.seek(0)
                members = json.load(file).get("validation") or ()
        except (OSError, ValueError, RecursionError):  # no split that can be read
            continue
        if not known.isdisjoint(members):
            found.append(split)
    return found


def check_disjoint(**parts: Sequence) -> None:
    """Raises ValueError if an id (or position) is in more than one of the named parts.

    Also where one part holds it twice.

    Example:

    >>> keras_dc3.data.split_files.check_disjoint(labeled=["a", "b"], validation=["c"])
    """
    seen: dict = {}
    shared: dict[tuple[str, str], list] = {}
    for name, members in parts.items():
        for member in members:
            if member in seen:
                shared.setdefault((seen[member], name), []).append(member)
            seen[member] = name
    for (first, second), members in shared.items():
        where = f"both in {first} and in {second}"
        if first == second:
            where = f"in {first} twice"
        are = "are" if len(members) > 1 else "is"
        raise ValueError(
            f"{counted(len(members))} {are} {where}: {some(members, etc=True)}. Each "
            "image may be in one part only, once; remove it from the others."
        )


def _listed(name: str, members: Any, source: str) -> list[str]:
    """Returns a part's ids; ValueError unless they are a list of strings."""
    if members is None:
        return []
    if isinstance(members, str | Mapping) or not isinstance(
        members, Sequence | set | frozenset | np.ndarray
    ):
        raise ValueError(
            f"{source} must give a list of ids for the {name} part. Received: "
            f"{type(members).__name__}"
        )
    for member in members:
        if not isinstance(member, str):
            raise ValueError(
                f"{source} must give ids, which are strings, for the {name} part. "
                f"Received: {member!r}; use str(...)."
            )
    return [str(member) for member in members]


def _difference(extra: list[str], lost: list[str]) -> str:
    said = []
    if extra:
        said.append(
            f"they have {number_of(len(extra), 'other')} "
            f"({some(map(repr, extra), 3, etc=True)})"
        )
    if lost:
        said.append(f"they lack {len(lost)} ({some(map(repr, lost), 3, etc=True)})")
    return " and ".join(said)
