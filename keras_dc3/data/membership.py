"""Images that leave a data set, or come to it, while the others stay where they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_dc3._names import KnownNames, composed, match_all, tell_lacking
from keras_dc3._text import number_of, some
from keras_dc3._validation import check_names
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.feature_set import joined

if TYPE_CHECKING:
    from keras_dc3.data.semi_supervised import SemiSupervisedData


class Withdrawn(NamedTuple):
    """What is left of a data set when images are withdrawn.

    parts: name -> images, as of `data.parts()`. labels: to train on.
    ids: those withdrawn, as the data call them. told: what was done, in a line.
    """

    parts: dict[str, AnnotatedImages]
    labels: np.ndarray
    ids: tuple[str, ...]
    told: str


def withdrawn(data: SemiSupervisedData, ids: Sequence[str]) -> Withdrawn:
    """Returns what is left; arguments and errors are those of `data.without`."""
    ids = check_names("ids", [ids] if isinstance(ids, str) else list(ids))
    parts = data.parts()
    known = [name for part in parts.values() for name in part.ids]
    matches = match_all(ids, KnownNames([*known, *(data.unused or ())]))
    if matches.lost:
        lost = [ids[position] for position in matches.lost]
        raise ValueError(
            f"{len(lost):,} of {number_of(len(ids), 'image')} to withdraw are not in "
            f"the data: {some(map(repr, lost), 3)}. The data have images such as "
            f"{known[0]!r}; make the names agree."
        )
    gone = set(matches.found.values())
    left, labels, said = {}, data.labels, []
    for name, part in parts.items():
        stays = np.array([one not in gone for one in part.ids], bool)
        if name == "labeled":
            labels = labels[stays]
        if stays.any():
            left[name] = part.subset(np.flatnonzero(stays))
        if not stays.all():
            number = int(stays.sum())
            said.append(f"{len(part) - number:,} {name}, so that {number:,} are left")
    if "labeled" not in left:
        raise ValueError(
            "All labeled images would be withdrawn, so that there is nothing to train "
            "on. Label others first, by `data.with_labels`."
        )
    unused = sum(name in gone for name in data.unused or ())
    if unused:
        said.append(f"{unused:,} of no part")
    told = f"{number_of(len(gone), 'image')} withdrawn: {'; '.join(said) or 'none'}."
    told = "\n  ".join([told, *tell_lacking(matches.lacking, "image")])
    return Withdrawn(left, labels, tuple(matches.found.values()), told)


class Added(NamedTuple):
    """The unlabeled images of a data set to which others have come.

    unlabeled: all of them. ids: those that came. told: what was done, in a line.
    """

    unlabeled: AnnotatedImages | None
    ids: tuple[str, ...]
    told: str


def added(data: SemiSupervisedData, images: Any) -> Added:
    """Returns unlabeled images; see `SemiSupervisedData.with_images`."""
    if not isinstance(images, AnnotatedImages):
        raise TypeError(
            "`images` must be a set of images, such as `keras_dc3.data.ImageSet` or "
            f"`FileImages`. Received: {type(images).__name__}"
        )
    for what in ("image_shape", "dtype"):
        expected, found = getattr(data.labeled, what), getattr(images, what)
        if expected != found:
            raise ValueError(
                f"The data have the {what} {expected}, the new images {found}. Convert "
                "or resize them."
            )
    known = [name for part in data.parts().values() for name in part.ids]
    known = set(map(composed, [*known, *(data.unused or ()), *data.withdrawn]))
    rows = [row for row, n in enumerate(images.ids) if composed(n) not in known]
    before = data.unlabeled
    number = 0 if before is None else len(before)
    ids = tuple(images.ids[row] for row in rows)
    told = (
        f"{number_of(len(rows), 'new image')} unlabeled now ({number:,} -> "
        f"{number + len(rows):,}); the data had {len(images) - len(rows):,} of "
        f"{len(images):,} before."
    )
    if not rows:
        return Added(before, ids, told)
    new = images.subset(rows)
    if new.class_names not in (None, data.class_names):
        raise ValueError(
            f"The classes of the data are {list(data.class_names)}, those of the new "
            f"images {list(new.class_names)}; they must be the same, in one order."
        )
    answered = int(new.annotated.sum()) if new.has_counts else 0
    if answered:
        told += (
            f" {answered:,} of them have answers, which are not trained on: pass these "
            "to `with_labels`."
        )
    parts = [new] if before is None else [before, new]
    counts = None
    if any(part.has_counts for part in parts):
        k = data.num_classes
        rows = [p.counts if p.has_counts else np.zeros((len(p), k)) for p in parts]
        counts = np.concatenate(rows)
    return Added(joined(parts, counts, data.class_names), ids, told)
