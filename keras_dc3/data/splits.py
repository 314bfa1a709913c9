"""Which images are labeled, unlabeled and for validation."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._validation import check_ordered, check_positive_int, check_seed
from keras_dc3.data.allocation import by_class, by_group, part_sizes
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.relabeling import with_added, with_answered_since
from keras_dc3.data.split_files import (
    check_disjoint,
    positions_of,
    read_split,
    write_split,
)


class Split(NamedTuple):
    """Sorted positions (m,) int64 of each part.

    Example:

    >>> ids = ["a", "b", "c", "d"]
    >>> parts = keras_dc3.data.split(4, 0.5, 0.25, 0.25, seed=0)
    >>> parts.save("split.json", ids)
    >>> same = keras_dc3.data.Split.load("split.json", ids)
    """

    labeled: np.ndarray
    unlabeled: np.ndarray
    validation: np.ndarray

    @classmethod
    def from_ids(cls, parts: Mapping[str, Sequence[str]], ids: Sequence[str]) -> Split:
        """Returns the split of given lists of ids.

        Args:
            parts: "labeled", "unlabeled" and "validation" -> ids; one that is missing
                has no image.
            ids: of all images, in order. Those in no part are not used.

        Raises:
            ValueError: if an id is in two parts, or is not among `ids`.
        """
        return cls(**positions_of(parts, ids, cls._fields, "`split`"))

    @classmethod
    def load(cls, path: str | os.PathLike, ids: Sequence[str]) -> Split:
        """Reads a split that `save` has written.

        Args:
            path: a JSON file.
            ids: of all images, in order: those that the file was written for, in any
                order.

        Raises:
            ValueError: if the file is not of that kind, or its ids are not the same.
            FileNotFoundError: without the file.
        """
        return cls(**read_split(path, ids, cls._fields).parts)

    def save(self, path: str | os.PathLike, ids: Sequence[str]) -> None:
        """Writes the ids of each part as JSON, so that others can repeat the split.

        Args:
            path: the file; it is complete or not there.
            ids: of all images, in order.

        Raises:
            ValueError: if the parts are not of these images, or not disjoint.
        """
        ids = list(ids)
        checked = given_split(self, ids)
        parts = {n: [ids[i] for i in part] for n, part in checked._asdict().items()}
        unused = np.setdiff1d(np.arange(len(ids)), np.concatenate(checked))
        write_split(path, parts, [ids[i] for i in unused])


def split(
    n: int,
    labeled: int | float,
    unlabeled: int | float | None,
    validation: int | float | None,
    seed: int,
    *,
    stratify: Any = None,
    groups: Any = None,
) -> Split:
    """Draws disjoint parts of n images at random.

    Args:
        n: how many images there are.
        labeled: an int is a number of images, a float in (0, 1] a fraction of n
            (rounded; where three fractions add up to 1 every image is used).
        unlabeled: likewise; None for no such part.
        validation: likewise; None for no such part.
        seed: integer of at least 0; the same arguments give the same parts.
        stratify: (n,) classes, by name or number. Each part then has its share of each
            class, at least one image.
        groups: (n,) names or numbers, such as that of the animal. Images of one group
            are never in two parts, so that these have about the sizes asked for.

    Raises:
        ValueError: if a part would be empty, more images are asked for than n, or
            classes or groups make it impossible.

    Example:

    >>> parts = keras_dc3.data.split(10, 3, 0.5, 0.2, seed=0)
    >>> len(parts.labeled), len(parts.unlabeled), len(parts.validation)
    (3, 5, 2)
    """
    check_positive_int("n", n)
    check_seed(seed)
    asked = {"labeled": labeled, "unlabeled": unlabeled, "validation": validation}
    if labeled is None:
        raise ValueError("`labeled` must be a number or a fraction of images, not None")
    sizes = part_sizes(n, asked)
    rng = np.random.default_rng(seed)
    classes = None if stratify is None else _column("stratify", stratify, n)
    if groups is not None:
        parts = by_group(sizes, _column("groups", groups, n), classes, rng)
    elif classes is not None:
        parts = by_class(sizes, classes, rng)
    else:
        stops = np.cumsum([sizes[name] for name in Split._fields])
        drawn = np.split(rng.permutation(n), stops)[:3]
        parts = dict(zip(Split._fields, drawn, strict=True))
    return Split(**{name: np.sort(part) for name, part in parts.items()})


def split_images(
    images: AnnotatedImages,
    sizes: Sequence[int | float | None],
    seed: int,
    *,
    given: Any = None,
    stratify: bool = False,
    groups: Any = None,
) -> Split:
    """Draws, or takes as given, which images are labeled, unlabeled and validate.

    Images without any annotation join the unlabeled ones that are drawn; but not those
    of a group that another part has.

    Args:
        images: a set with counts.
        sizes: of the three parts, for the annotated images; see `split`.
        seed: of the split.
        given: what to take instead; see `given_split`. `{"validation": ids}` alone
            makes all other annotated images labeled, and the rest unlabeled. Images
            that had no answer when a saved split was made, and have one now, join the
            labeled ones, with a warning.
        stratify: whether each part has its share of each majority class.
        groups: one per image, or a function from an id to its group.

    Raises:
        ValueError, TypeError: if the parts cannot be had.
    """
    if groups is not None:
        groups = _column("groups", groups_of(groups, images.ids), len(images))
    if given is not None:
        if stratify:
            raise ValueError(
                "`stratify` draws a split, but one is given. Pass `split` or "
                "`stratify`, not both."
            )
        parts = _given_split_of(given, images, groups)
        if groups is not None:
            _check_groups(parts, groups)
        return parts
    if sizes[0] is None:
        raise ValueError(
            "Pass `labeled`, a number or fraction of images, or `split`, the ids of "
            "each part."
        )
    known = np.flatnonzero(images.annotated)
    if not known.size:
        raise ValueError("No image is annotated; label some images first.")
    classes = None
    if stratify:
        classes = np.array(images.class_names)[images.most_chosen[known]]
    drawn = split(
        len(known),
        *sizes,
        seed,
        stratify=classes,
        groups=None if groups is None else groups[known],
    )
    labeled, unlabeled, validation = (known[part] for part in drawn)
    others = np.flatnonzero(~images.annotated)
    if groups is not None:
        taken = groups[np.concatenate([labeled, validation])]
        others = others[~np.isin(groups[others], taken)]
    return Split(labeled, np.union1d(unlabeled, others), validation)


def _given_split_of(
    given: Any, images: AnnotatedImages, groups: np.ndarray | None
) -> Split:
    """Returns a given split, with what was added or answered after it was made."""
    unanswered = hidden = None
    if isinstance(given, str | os.PathLike):
        saved = read_split(given, images.ids, Split._fields, may_be_more=True)
        parts, unanswered, hidden = saved[:3]
        if saved.added.size:
            parts, new = with_added(parts, saved.added, images, groups)
            unanswered = None if unanswered is None else [*unanswered, *new]
    elif isinstance(given, Mapping) and set(given) == {"validation"}:
        held = positions_of(given, images.ids, ("validation",), "`split`")["validation"]
        others = np.setdiff1d(np.arange(len(images)), held)
        known = images.annotated[others]
        return Split(others[known], others[~known], held)
    else:
        parts = given_split(given, images.ids)._asdict()
        if isinstance(given, Split):  # positions say what is meant
            return Split(**parts)
    return Split(**with_answered_since(parts, unanswered, hidden, images))


def given_split(given: Any, ids: Sequence[str]) -> Split:
    """Returns the split that a user gives.

    Args:
        given: a `Split`, a file that `Split.save` has written, or a mapping from parts
            to lists of ids.
        ids: of all images.

    Raises:
        ValueError, TypeError: if it does not fit the images.
    """
    n = len(ids)
    if isinstance(given, str | os.PathLike):
        return Split.load(given, ids)
    if isinstance(given, Mapping):
        return Split.from_ids(given, ids)
    if not isinstance(given, Split):
        raise TypeError(
            "`split` must be a `keras_dc3.data.Split`, the path of a saved one, or a "
            'mapping such as {"labeled": ids, "validation": ids}. Received: '
            f"{type(given).__name__}"
        )
    for name, part in given._asdict().items():
        part = np.asarray(part)
        kind = part.dtype.kind
        if part.size and (kind not in "iu" or not 0 <= part.min() <= part.max() < n):
            raise ValueError(
                f"The {name} part of `split` must hold positions in 0..{n - 1}. "
                f"Received: {part.dtype} {part.min()} to {part.max()}; is it a split "
                "of other images?"
            )
    check_disjoint(**given._asdict())
    return Split(*(np.sort(np.asarray(part, "int64")) for part in given))


def groups_of(groups: Any, ids: Sequence[str]) -> list[Any]:
    """Returns the group of each image; of what `split_images` takes as `groups`."""
    if callable(groups):
        groups = [groups(name) for name in ids]
    else:
        check_ordered("groups", groups)
        groups = list(groups)
    if len(groups) != len(ids):
        raise ValueError(
            "`groups` must hold one group per image, or be a function of an id. "
            f"Received: {len(groups)} groups for {len(ids)} images."
        )
    return groups


def _check_groups(parts: Split, groups: np.ndarray) -> None:
    """Raises ValueError if images of one group are in two parts."""
    part_of: dict[Any, str] = {}
    for name, members in parts._asdict().items():
        for group in np.unique(groups[members]).tolist():
            if part_of.setdefault(group, name) != name:
                raise ValueError(
                    f"Images of the group {group!r} are both in {part_of[group]} and "
                    f"in {name}; groups stay together. Move them, or pass no `groups`."
                )


def _column(name: str, values: Any, n: int) -> np.ndarray:
    """Returns classes or groups (n,) as an array of names or numbers."""
    values = list(values)
    if len(values) != n:
        raise ValueError(
            f"`{name}` must hold one name or number per image. Received: {len(values)} "
            f"for {n} images."
        )
    for position, value in enumerate(values):
        if not isinstance(value, str | int | np.integer):
            raise ValueError(
                f"`{name}` must hold names or whole numbers. Received: {value!r} at "
                f"position {position}."
            )
    kinds = {isinstance(value, str) for value in values}
    return np.array(list(map(str, values)) if len(kinds) > 1 else values)
