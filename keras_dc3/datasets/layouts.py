"""The two layouts in which the authors publish their data sets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from keras_dc3.annotations import Annotations
from keras_dc3.annotations.sparse_counts import SparseCounts
from keras_dc3.data.image_files import FileImages
from keras_dc3.data.image_folder import list_images
from keras_dc3.datasets.class_folders import of_part_folders

FOLDS = 5
PARTS = {"train": "labeled", "unlabeled": "unlabeled", "val": "validation"}
# What tells either layout.
DCIC_MARK, FOLDER_MARK = "annotations.json", "train"


class PartedImages(NamedTuple):
    """Images, and the part (n,) that the publisher has put each in.

    A part is "fold1" to "fold5", or "labeled", "unlabeled", "validation" and "test".
    """

    images: FileImages
    part: np.ndarray


def read_dcic(
    folder: Path,
    rename: Mapping[str, str | None] | None = None,
    **options: object,
) -> PartedImages:
    """Reads the layout of DCIC: images in `fold1` to `fold5`, and `annotations.json`.

    Ids are the paths in the folder, such as "fold1/x.png". Images that got no valid
    answer have no annotation.

    Args:
        folder: where these are.
        rename: class name -> new name, or None for no answer; classes that get the
            same name become one.
        **options: of `FileImages`.

    Raises:
        FileNotFoundError: without one of them.
        AnnotationError: if the annotations cannot be read, or name an image that does
            not exist.
        ValueError: if an image lies elsewhere.
    """
    files = list_images(folder).files
    parts = [name.split("/")[0] for name in files]
    known = {f"fold{i + 1}" for i in range(FOLDS)}
    for name, part in zip(files, parts, strict=True):
        if part not in known or "/" not in name:
            raise ValueError(
                f"The images of {str(folder)!r} must lie in fold1 to fold{FOLDS}, but "
                f"there is {name!r}. Move it, or name the folder of the data set."
            )
    if not files:
        raise FileNotFoundError(
            f"{str(folder)!r} holds no image in fold1 to fold{FOLDS}; unpack the whole "
            "archive there."
        )
    annotations = Annotations.from_dcic(folder / DCIC_MARK, image=_in_fold)
    if rename is not None:
        annotations = annotations.rename_classes(rename)
    annotations = annotations.match(files)
    counts = SparseCounts.from_rows(
        annotations.counts, np.arange(len(files)), len(files)
    )
    images = FileImages(folder, files, counts, annotations.class_names, **options)
    return PartedImages(images, np.array(parts))


def read_class_folders(
    folder: Path,
    rename: Mapping[str, str] | None = None,
    num_classes: int | None = None,
    **options: object,
) -> PartedImages:
    """Reads the layout of DC3: `train`, `val`, `unlabeled`, a folder per class in each.

    An image has one annotation, the name of its folder. Ids are the paths, such as
    "train/x/1.png". The classes are those of `train`; or of all parts together, if
    these are as many as the set is known to have.

    Args:
        folder: where these are, and `test` where there is one.
        rename: class name -> new name.
        num_classes: that the set has; None if that is not known.
        **options: of `FileImages`.

    Raises:
        FileNotFoundError: without `train` or `val`.
        ValueError: if an image of these lies in no folder of a class, or in one of a
            class that `train` has not.
    """
    files: list[str] = []
    parts: list[str] = []
    for name, part in {**PARTS, "test": "test"}.items():
        if not (folder / name).is_dir():
            if name in ("train", "val"):
                raise FileNotFoundError(
                    f"{str(folder)!r} has no folder {name!r}; unpack the whole archive "
                    "there."
                )
            continue
        found = list_images(folder / name).files
        files += [f"{name}/{file}" for file in found]
        parts += [part] * len(found)
    counts, names = of_part_folders(
        folder,
        files,
        parts,
        None,
        rename=rename,
        number=num_classes,
        published=True,
    )
    images = FileImages(folder, files, counts, names, **options)
    return PartedImages(images, np.array(parts))


def find_layout(places: Sequence[Path], layout: str | None) -> tuple[str, Path] | None:
    """Returns ("dcic" or "folders", where) of the first place that has either.

    Args:
        places: folders to look at; all for the layout of DCIC first, which tells what
            each annotator said.
        layout: "dcic" or "folders" to look for this alone.
    """
    marks = {"dcic": DCIC_MARK, "folders": FOLDER_MARK}
    for kind, mark in marks.items():
        for place in places:
            if layout in (None, kind) and (place / mark).exists():
                return kind, place
    return None


def _in_fold(path: str) -> str:
    """Returns "fold1/x.png" for "Plankton/fold1/x.png"."""
    return "/".join(re.split(r"[/\\]", path)[-2:])
