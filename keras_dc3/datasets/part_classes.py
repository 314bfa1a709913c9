"""The classes of images that lie in folders of parts: one list for all parts."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from keras_dc3.annotations import class_order
from keras_dc3.annotations.names import nearest
from keras_dc3.annotations.sparse_counts import SparseCounts
from keras_dc3.data.inspection import some
from keras_dc3.datasets.class_folders import composed, is_unlabeled, odd_names

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
    _tell_unlabeled(files, parts, classes, class_names)
    notes = odd_names(Counter(label for label in classes if label in class_names))
    if notes:
        warnings.warn("\n  ".join(["Class folders:", *notes]), stacklevel=3)
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
        number = (
            parts.count(part) if isinstance(parts, list) else list(parts).count(part)
        )
        if not lost or (part == "test" and len(lost) == number):
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
    names = some([repr(name) for name in dict.fromkeys(key[2] for key in strangers)])
    known = some(list(map(repr, class_names)), 20)
    raise ValueError(
        f"{names} is no class of {whose}, which are {known}, but there is "
        f"{some(told)}. All parts have one list of classes. {way_out}"
    )


def _tell_unlabeled(
    files: Sequence[str],
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
            f"The unlabeled images of the folders {some(list(map(repr, others)))} "
            f"({sum(inside[name] for name in others):,}) have no annotation, as these "
            "are no classes.",
            stacklevel=4,
        )
