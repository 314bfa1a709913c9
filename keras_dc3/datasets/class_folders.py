"""Images that lie in a folder for each class."""

from __future__ import annotations

import os
import unicodedata
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from keras_dc3.annotations import class_order
from keras_dc3.annotations.names import (
    meaning_no_answer,
    shown,
    typing_slips,
    variants,
)
from keras_dc3.annotations.sparse_counts import SparseCounts
from keras_dc3.data.inspection import some
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
    notes = odd_names(found)
    if notes:
        warnings.warn("\n  ".join(["Class folders:", *notes]), stacklevel=3)
    number = {name: i for i, name in enumerate(class_names)}
    labels = np.fromiter((number.get(top, -1) for top in tops), "int64", len(tops))
    return SparseCounts.from_labels(labels, len(class_names)), class_names


def composed(name: str) -> str:
    """Returns the name of a class with composed letters (NFC)."""
    return unicodedata.normalize("NFC", name)


def is_unlabeled(name: str) -> bool:
    """Whether a folder is called "unlabeled", "no label" or the like."""
    return part_of(name) == UNLABELED


def odd_names(found: Mapping[str, int]) -> list[str]:
    """Returns what to tell of class folders, for the number of images in each."""
    notes = []
    groups = sorted(variants(found), key=sorted)
    if groups:
        pairs = [shown(sorted(group)) for group in groups]
        notes.append(
            "Folders that differ only in case, blanks, the way a number is written or "
            f"the code of a letter: {some(pairs)}. They are different classes; to "
            "unite them, move their images into one folder."
        )
    slips = typing_slips(found)
    if slips:
        pairs = [f"{rare!r} for {common!r}" for rare, common in slips]
        notes.append(
            f"Probably typing slips: {some(pairs)}. They are different classes; rename "
            "the folders if they are one."
        )
    for name in meaning_no_answer(found):
        are = "images are" if found[name] > 1 else "image is"
        notes.append(
            f"{found[name]:,} {are} in the folder {name!r}, which is a class here. If "
            f"it means that there is none yet, rename it to {UNLABELED!r}."
        )
    return notes
