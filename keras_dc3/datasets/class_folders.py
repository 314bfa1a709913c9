"""Images that lie in a folder for each class, of one set or in each part of it."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from keras_dc3._names import composed, trimmed
from keras_dc3._text import some, tell
from keras_dc3.annotations import class_order
from keras_dc3.annotations.names import (
    meaning_no_answer,
    nearest,
    shown,
    typing_slips,
    variants,
)
from keras_dc3.annotations.sparse_counts import SparseCounts
from keras_dc3.datasets.part_folders import part_of

# The folder beside class folders for images of no class yet; it has other spellings.
UNLABELED = "unlabeled"


def of_folders(
    folder: str | os.PathLike,
    files: Sequence[str],
    class_names: tuple[str, ...] | None,
) -> tuple[SparseCounts, tuple[str, ...]]:
    """Returns counts and class names of images that lie in a folder for each class.

    Names are compared with composed letters (NFC): folders that differ in that alone
    are one class. A warning tells of other folders whose names may mean the same class,
    or none.

    Args:
        folder: that the class folders are in.
        files: paths in it, with "/".
        class_names: the classes; None for the folders that are there.

    Raises:
        ValueError: for fewer than two classes, or a folder that is none of them.
    """
    tops = [composed(name.partition("/")[0]) if "/" in name else None for name in files]
    found = Counter(tops)
    del found[None]
    if class_names is not None:
        class_names = tuple(map(composed, class_names))
    if not any(map(is_unlabeled, class_names or ())):
        for name in filter(is_unlabeled, list(found)):
            del found[name]
    folder = os.fspath(folder)
    if class_names is None:
        class_names = class_order(found)
        if len(class_names) < 2:
            what = f"one class folder, {class_names[0]!r}" if found else "no folder"
            raise ValueError(
                f"Without `annotations` each class needs a folder in {folder!r}, but "
                f"there is {what} with images. Pass `annotations`, or name the folder "
                "above the folders of two classes or more."
            )
    unknown = [name for name in class_order(found) if name not in class_names]
    if unknown:
        number = sum(found[name] for name in unknown)
        raise ValueError(
            f"The folders {unknown} in {folder!r} are none of the classes "
            f"{list(class_names)}. Rename them, add them to `class_names`, or move "
            f"their {number:,} image{'s' if number > 1 else ''} into a folder "
            f"{UNLABELED!r}."
        )
    notes = odd_names(found, folder)
    tell("Class folders:", notes, stacklevel=3)
    number = {name: i for i, name in enumerate(class_names)}
    labels = np.fromiter((number.get(top, -1) for top in tops), "int64", len(tops))
    return SparseCounts.from_labels(labels, len(class_names)), class_names


def is_unlabeled(name: str) -> bool:
    """Whether a folder is called "unlabeled", "no label" or the like."""
    return part_of(name) == UNLABELED


def odd_names(found: Mapping[str, int], folder: str) -> list[str]:
    """Returns what to tell of class folders, for the number of images in each.

    Raises:
        ValueError: for a name with outer blanks, which no table of answers would keep.
    """
    for name in found:
        if trimmed(name) != name:
            raise ValueError(
                f"The class folder {name!r} in {folder!r} has blanks around its name, "
                f"which tables do not keep. Rename it to {trimmed(name)!r}."
            )
    notes = []
    groups = sorted(variants(found), key=sorted)
    if groups:
        pairs = [shown(sorted(group)) for group in groups]
        notes.append(
            "Folders that differ only in case, blanks, the way a number is written or "
            f"the code of a letter: {some(pairs, etc=True)}. They are different "
            "classes; to unite them, move their images into one folder."
        )
    slips = typing_slips(found)
    if slips:
        pairs = [f"{rare!r} for {common!r}" for rare, common in slips]
        notes.append(
            f"Probably typing slips: {some(pairs, etc=True)}. They are different "
            "classes; rename the folders if they are one."
        )
    for name in meaning_no_answer(found):
        are = "images are" if found[name] > 1 else "image is"
        notes.append(
            f"{found[name]:,} {are} in the folder {name!r}, which is a class here. If "
            f"it means that there is none yet, rename it to {UNLABELED!r}."
        )
    return notes


_UNPACK = "Unpack the archive again."
_OTHERWISE = (
    "Or pass `annotations`; or `parts={}` if the folders above are the classes."
)


def of_part_folders(
    folder: str | os.PathLike,
    files: Sequence[str],
    parts: Sequence[str],
    class_names: tuple[str, ...] | None,
    *,
    rename: Mapping[str, str] | None = None,
    number: int | None = None,
    published: bool = False,
) -> tuple[SparseCounts, tuple[str, ...]]:
    """Returns counts and class names of images in <part>/<class>/.

    The classes are those of the labeled part, unless they are given: no other part
    brings one of its own.

    Args:
        folder: that the parts are in.
        files: paths in it, with "/".
        parts: of each file, one of `part_folders.PARTS`.
        class_names: the classes; None for those of the labeled part.
        rename: folder of a class -> name of the class, where it differs.
        number: of classes, where it is known: if all parts together have as many, the
            labeled one may lack some.
        published: whether this is a set of others'. Then each folder of unlabeled
            images must be a class, too; else such a folder may be anything, and its
            images have no annotation.

    Raises:
        ValueError: for fewer than two classes; for a folder that is none of them; or
            for an image in no folder of a class.
    """
    folder, rename = os.fspath(folder), rename or {}
    given = class_names is not None
    classes = [_class_of(name, class_names or (), rename) for name in files]
    tops = {
        part: name.partition("/")[0]
        for name, part in zip(files, parts, strict=True)
        if "/" in name
    }
    labeled = tops.get("labeled", "train")
    _check_all_in_folders(folder, files, parts, classes, tops, published)
    if class_names is None:
        together = zip(classes, parts, strict=True)
        found = {name for name, part in together if part == "labeled"} - {None}
        everywhere = set(classes) - {None}
        class_names = class_order(everywhere if len(everywhere) == number else found)
        if len(class_names) < 2:
            what = f"is one, {class_names[0]!r}" if class_names else "is none"
            where = os.path.join(folder, labeled)
            way_out = _UNPACK if published else _OTHERWISE
            raise ValueError(
                f"Each class needs a folder in {where!r}, but there {what}. {way_out}"
            )
    loose = () if published else ("unlabeled",)
    strangers = Counter(
        (name.split("/")[0], name.split("/")[1], label)
        for name, part, label in zip(files, parts, classes, strict=True)
        if label is not None and label not in class_names and part not in loose
    )
    if strangers:
        way_out = f"{_UNPACK} Or say by `rename` which classes are one."
        if not published:
            way_out = (
                f"Rename or remove the folder, add images of it to {labeled!r}, or "
                "pass `class_names` with all classes."
            )
        whose = "`class_names`" if given else repr(labeled)
        _complain(folder, strangers, class_names, whose, way_out)
    _tell_unlabeled(parts, classes, class_names)
    found = Counter(label for label in classes if label in class_names)
    notes = odd_names(found, folder)
    tell("Class folders:", notes, stacklevel=3)
    number = {name: i for i, name in enumerate(class_names)}
    labels = np.fromiter((number.get(c, -1) for c in classes), "int64", len(classes))
    return SparseCounts.from_labels(labels, len(class_names)), class_names


def _class_of(
    name: str, class_names: Sequence[str], rename: Mapping[str, str]
) -> str | None:
    """Returns the class of "train/x/1.png"; None for an image without."""
    pieces = name.split("/")
    if len(pieces) < 3:
        return None
    label = composed(pieces[1])
    label = rename.get(pieces[1], rename.get(label, label))
    return None if is_unlabeled(label) and label not in class_names else label


def _check_all_in_folders(
    folder: str,
    files: Sequence[str],
    parts: Sequence[str],
    classes: Sequence[str | None],
    tops: Mapping[str, str],
    published: bool,
) -> None:
    """Raises ValueError if an image that needs a class lies in no folder of one."""
    for part in ("labeled", "validation", "test"):
        lost = [
            name
            for name, other in zip(files, parts, strict=True)
            if other == part and name.count("/") < 2
        ]
        if not lost or (part == "test" and len(lost) == list(parts).count(part)):
            continue  # test images may be of no class at all
        some_class = next((label for label in classes if label), "some class")
        inside = lost[0].partition("/")[2]
        raise ValueError(
            f"The image {lost[0]!r} of {folder!r} lies in no folder of a class"
            + (f", and {len(lost) - 1:,} more do not" if len(lost) > 1 else "")
            + f". Move it into one, such as '{tops[part]}/{some_class}/{inside}'."
            + ("" if published else f" {_OTHERWISE}")
        )


def _complain(
    folder: str,
    strangers: Mapping[tuple[str, str, str], int],
    class_names: Sequence[str],
    whose: str,
    way_out: str,
) -> None:
    """Raises the ValueError for folders of no known class."""
    told = [
        f"{os.path.join(folder, top, inner)!r} ({number:,} "
        f"image{'s' if number > 1 else ''}"
        + (f"; is it {near!r}?)" if (near := nearest(label, class_names)) else ")")
        for (top, inner, label), number in strangers.items()
    ]
    names = some(
        [repr(name) for name in dict.fromkeys(key[2] for key in strangers)], etc=True
    )
    known = some(map(repr, class_names), 20, etc=True)
    raise ValueError(
        f"{names} is no class of {whose}, which are {known}, but there is "
        f"{some(told, etc=True)}. All parts have one list of classes. {way_out}"
    )


def _tell_unlabeled(
    parts: Sequence[str],
    classes: Sequence[str | None],
    class_names: Sequence[str],
) -> None:
    """Warns of unlabeled images whose folder is no class, where others' is one."""
    inside = Counter(
        label
        for label, part in zip(classes, parts, strict=True)
        if part == "unlabeled" and label is not None
    )
    others = [name for name in inside if name not in class_names]
    if others and len(others) < len(inside):
        warnings.warn(
            f"The unlabeled images of the folders {some(map(repr, others), etc=True)} "
            f"({sum(inside[name] for name in others):,}) have no annotation, as these "
            "are no classes.",
            stacklevel=4,
        )
