"""Data sets whose parts are given by where their images lie."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_dc3._text import number_of
from keras_dc3.data.allocation import part_sizes
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.data.splits import Split, groups_of, split_images


def from_parted(
    images: AnnotatedImages,
    parts: Sequence[str],
    sizes: Sequence[int | float | None],
    *,
    seed: int,
    stratify: bool = False,
    groups: Any = None,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Returns the data set of images that lie in parts.

    The sizes are of what is drawn from the labeled part. By default all of it is
    labeled, but for the validation images where no part has these. Images of it without
    annotation are unlabeled ones.

    Args:
        images: a set with counts.
        parts: the part of each, one of `part_folders.PARTS`.
        sizes: of labeled, unlabeled and validation images, each an int for a number, a
            float for a fraction of the annotated images of the labeled part, or None
            for none. The last is not asked for where a part has these.
        seed: of what is drawn, the labels, and the batches.
        stratify: whether what is drawn has its share of each majority class.
        groups: one per image, or a function from an id to its group.
        **kwargs: of `SemiSupervisedData`.

    Raises:
        ValueError: if the parts do not fit, or a group is in two of them.
    """
    labeled, unlabeled, validation = sizes
    part = np.array(parts)
    known = np.flatnonzero(part == "labeled")
    validates = np.flatnonzero(part == "validation")
    test = np.flatnonzero(part == "test")
    if validates.size:
        validation = None
    if labeled is None and unlabeled is None:
        number = int(images.annotated[known].sum())
        drawn = part_sizes(number, {"validation": validation})["validation"]
        labeled = max(1, number - drawn)
    within = None
    if groups is not None:
        groups = groups_of(groups, images.ids)
        within = [groups[i] for i in known]
    drawn = split_images(
        images.subset(known),
        (labeled, unlabeled, validation),
        seed,
        stratify=stratify,
        groups=within,
    )
    hidden = np.union1d(np.flatnonzero(part == "unlabeled"), known[drawn.unlabeled])
    if not validates.size:
        validates = known[drawn.validation]
        if test.size:
            warnings.warn(
                f"No folder holds validation images: {len(validates):,} are drawn from "
                f"the labeled ones, and the {len(test):,} test images are kept apart, "
                "in `data.test`. To validate on these, give their folder the part "
                '"validation" in `parts`.',
                stacklevel=3,
            )
    data = SemiSupervisedData.from_image_set(
        images,
        seed=seed,
        split=Split(known[drawn.labeled], hidden.astype("int64"), validates),
        groups=groups,
        **kwargs,
    )
    data.test = images.subset(test) if test.size else None
    return data


def with_split(
    images: AnnotatedImages,
    parts: Sequence[str],
    *,
    split: Any,
    groups: Any = None,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Returns the data set of a given split; test images that it does not name stay so.

    Args:
        images: a set with counts.
        parts: the part of each, one of `part_folders.PARTS`.
        split, groups: as for `SemiSupervisedData.from_image_set`.
        **kwargs: further arguments of it.

    Raises:
        ValueError, TypeError: if the split does not fit.
    """
    is_test = np.array(parts) == "test"
    used = images
    if isinstance(split, Mapping):  # which may mean all images that it does not list
        lists = [ids for ids in split.values() if not isinstance(ids, str)]
        named = {name for ids in lists for name in ids or ()}
        kept = np.flatnonzero(~is_test | [name in named for name in images.ids])
        used = images.subset(kept)
        if groups is not None:
            groups = groups_of(groups, images.ids)
            groups = [groups[i] for i in kept]
    data = SemiSupervisedData.from_image_set(used, split=split, groups=groups, **kwargs)
    three = (data.labeled, data.unlabeled, data.validation)
    taken = {name for part in three if part is not None for name in part.ids}
    data.unused = [name for name in images.ids if name not in taken]
    apart = [is_test[i] and name not in taken for i, name in enumerate(images.ids)]
    data.test = images.subset(np.flatnonzero(apart)) if any(apart) else None
    return data


def tell_answers_to_unlabeled(images: AnnotatedImages, parts: Sequence[str]) -> None:
    """Warns of images among the unlabeled ones that people have answered."""
    answered = int(images.annotated[np.array(parts) == "unlabeled"].sum())
    if answered:
        warnings.warn(
            f"{number_of(answered, 'image')} in the folder of unlabeled images "
            f"{'has' if answered == 1 else 'have'} answers, which are not trained on. "
            "Move the files to the labeled images, or use `data.with_labels(answers)`.",
            stacklevel=3,
        )
