"""Folders called train, val and the like: parts of a data set, classes inside."""

from __future__ import annotations

import os
import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from keras_dc3._names import composed
from keras_dc3._text import some

PARTS = ("labeled", "unlabeled", "validation", "test")
_WORDS = {
    "labeled": "train|training|trn|labell?ed",
    "unlabeled": "unlabell?ed|(no|without)labels?|notlabell?ed|unannotated",
    "validation": "val|valid|validat(e|ion|ing)|dev|devel|development|eval|evaluation",
    "test": "test|testing|tst|holdout|heldout",
}
# "Train", "val_images", "test set", "train2017"; blanks and the like are taken out.
_PATTERNS = {
    part: re.compile(
        rf"(images?|imgs?|data)?({words})(set|data|images?|imgs?|split|part)?"
        r"((19|20)[0-9]{2})?"
    )
    for part, words in _WORDS.items()
}


def part_of(folder: str) -> str | None:
    """Returns the part that the name of a folder tells, in whatever spelling.

    Args:
        folder: its name, such as "Val" or "training set".

    Returns:
        One of `PARTS`, or None.
    """
    name = unicodedata.normalize("NFKC", folder).casefold()
    name = re.sub(r"[\s_.\-]+", "", name)
    found = (part for part in PARTS if _PATTERNS[part].fullmatch(name))
    return next(found, None)


def find_parts(
    folder: str | os.PathLike,
    files: Sequence[str],
    class_names: Sequence[str] | None,
    given: Any,
) -> dict[str, str | None] | None:
    """Returns which folders are which parts; None if folders are no parts.

    They are parts if all folders that hold images are called so. One called
    "unlabeled" may lie beside class folders, and tells nothing.

    Args:
        folder: that they are in.
        files: paths in it, with "/".
        class_names: given ones, which are no parts.
        given: `parts` of `from_directory`.

    Raises:
        ValueError, TypeError: if `given` does not fit, or folders can be read in two
            ways.
    """
    folder = os.fspath(folder)
    tops = list(dict.fromkeys(name.partition("/")[0] for name in files if "/" in name))
    if given is not None:
        return _checked(given, tops, folder)
    classes = {composed(name) for name in class_names or ()}
    found = {name: part_of(name) for name in tops if composed(name) not in classes}
    found = {name: part for name, part in found.items() if part is not None}
    if set(found.values()) <= {"unlabeled"}:
        _check_below(folder, files, tops)
        return None
    others = [name for name in tops if name not in found]
    if others:
        raise ValueError(_beside_parts(found, others, folder))
    _check_one_each(found, folder)
    _tell_empty(folder, found)
    return found


def parts_of(
    files: Sequence[str], folders: Mapping[str, str | None]
) -> list[str | None]:
    """Returns the part of each file; images in no folder are unlabeled ones.

    Args:
        files: paths with "/".
        folders: folder -> part, None for folders that are left out.
    """
    return [
        folders[name.partition("/")[0]] if "/" in name else "unlabeled"
        for name in files
    ]


_CHOICES = (
    '"labeled", "unlabeled", "validation", "test" (kept apart), or None to leave it out'
)


def _beside_parts(
    found: Mapping[str, str | None], others: Sequence[str], folder: str
) -> str:
    """Returns what to do about folders beside parts that are not called so."""
    named = some(map(repr, others), etc=True)
    one = len(others) == 1
    told = (
        f"{_named([name for name in found if found[name] != 'unlabeled'])} in "
        f"{folder!r} may be a part of the data, but {named} beside it "
        f"{'is' if one else 'are'} not called so. If each folder is a class, pass "
        "`parts={}`"
    )
    if "labeled" in found.values():
        suggested = {**found, **dict.fromkeys(others)}
        return (
            f"{told}; else say what each is, such as `parts={suggested}`: {_CHOICES}."
        )
    return (
        f"{told}; if {named} {'is a class' if one else 'are classes'} to learn, move "
        f"{'it' if one else 'them'} into a folder 'train' in {folder!r}."
    )


def _named(folders: Sequence[str]) -> str:
    """Returns "The folder 'val'" or "The folders 'train' and 'val'"."""
    names = list(map(repr, folders))
    if len(names) == 1:
        return f"The folder {names[0]}"
    return f"The folders {', '.join(names[:-1])} and {names[-1]}"


def _checked(given: Any, tops: list[str], folder: str) -> dict[str, str | None] | None:
    """Returns `parts` as given, under the names that the folders have."""
    if not isinstance(given, Mapping):
        raise TypeError(
            '`parts` must say what each folder is, such as {"train": "labeled", '
            '"test": "validation"}, or be {} if each is a class. Received: '
            f"parts={given!r}"
        )
    if not given:
        return None
    known = {composed(name): name for name in tops}
    unknown = [name for name in given if composed(str(name)) not in known]
    if unknown:
        raise ValueError(
            f"`parts` names {some(map(repr, unknown), etc=True)}, but the folders with "
            f"images in {folder!r} are {some(map(repr, tops), etc=True) or 'none'}."
        )
    wrong = {name: part for name, part in given.items() if part not in (*PARTS, None)}
    if wrong:
        raise ValueError(f"`parts` must give each folder {_CHOICES}. Received: {wrong}")
    found = {known[composed(name)]: part for name, part in given.items()}
    silent = [name for name in tops if name not in found]
    if silent:
        raise ValueError(
            f"`parts` says nothing of the folder{'s' if len(silent) > 1 else ''} "
            f"{some(map(repr, silent), etc=True)} in {folder!r}: {_CHOICES}."
        )
    if "labeled" not in found.values():
        raise ValueError(
            '`parts` must give one folder at least "labeled", the images to learn '
            f"classes from. Received: parts={dict(given)}"
        )
    return found


def _check_one_each(found: Mapping[str, str | None], folder: str) -> None:
    """Raises ValueError if there is no labeled part, or two folders may be the same."""
    suggested = {**found}
    if "labeled" not in found.values():
        suggested[next(name for name in found if found[name] != "unlabeled")] = (
            "labeled"
        )
        raise ValueError(
            f"{_named(list(found))} in {folder!r} may be parts of the data, but none "
            'holds labeled images, as one called "train" would. Add it; or pass '
            f"`parts`, such as `parts={suggested}`; or `parts={{}}` if each folder is "
            "a class."
        )
    for part in ("labeled", "validation", "test"):
        same = [name for name, other in found.items() if other == part]
        if len(same) > 1:
            suggested.update(dict.fromkeys(same[1:]))
            raise ValueError(
                f"{_named(same)} in {folder!r} may both hold the {part} images. Say "
                f"which is what by `parts`, such as `parts={suggested}`: {_CHOICES}."
            )


def _check_below(folder: str, files: Sequence[str], tops: Sequence[str]) -> None:
    """Raises ValueError if the parts lie a level deeper, as in cod/train."""
    seconds = Counter(
        tuple(name.split("/")[:2]) for name in files if name.count("/") > 1
    )
    parts = {pair: part_of(pair[1]) for pair in seconds}
    found = {part for part in parts.values() if part not in (None, "unlabeled")}
    if not found or (len(found) < 2 and "labeled" not in found):
        return
    pairs = ["/".join(pair) for pair, part in parts.items() if part in found]
    way_out = "move the parts outside, such as {1}/{0}".format(*pairs[0].split("/"))
    if len(tops) == 1:
        way_out = f"name the folder {os.path.join(folder, tops[0])!r} instead"
    raise ValueError(
        f"The folders {some(map(repr, pairs), etc=True)} in {folder!r} may be parts of "
        f"the data, but they lie inside others: {way_out}; or pass `parts={{}}` if "
        "they mean nothing."
    )


def _tell_empty(folder: str, found: Mapping[str, str | None]) -> None:
    with os.scandir(folder) as entries:
        empty = [
            entry.name
            for entry in entries
            if entry.name not in found and entry.is_dir() and part_of(entry.name)
        ]
    if empty:
        warnings.warn(
            f"{_named(sorted(empty))} in {folder!r} may be a part of the data, but "
            "holds no image that can be read.",
            stacklevel=4,
        )


def tell_loose(folder: str | os.PathLike, files: Sequence[str]) -> None:
    """Warns of images beside folders that are parts."""
    loose = [name for name in files if "/" not in name]
    if loose:
        lie, are = ("lies", "is an") if len(loose) == 1 else ("lie", "are")
        s = "s" * (len(loose) > 1)
        warnings.warn(
            f"{len(loose):,} image{s} {lie} in {os.fspath(folder)!r} itself, beside "
            f"the parts, and {are} unlabeled one{s}: {some(loose, etc=True)}.",
            stacklevel=3,
        )
