"""A data set after people have answered: the same split, with more labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_dc3._names import KnownNames, match_all, tell_lacking
from keras_dc3._validation import check_choice
from keras_dc3.data.joined_images import JoinedImages
from keras_dc3.data.labels import in_class_order

if TYPE_CHECKING:
    from keras_dc3.data.semi_supervised import SemiSupervisedData

_NEEDED = ("images", "class_names", "counts", "soft_labels")


def with_labels(
    data: SemiSupervisedData, labels: Any, *, missing: str = "error"
) -> SemiSupervisedData:
    """Returns the data with what people have said since: more images are labeled.

    * Unlabeled images that have an answer move to the labeled part.
    * Labeled images that have one take the new label, the others keep theirs. So that
      all answers count, pass all: `first.merge(answers)`.
    * Validation images stay validation images, with the answers they had: no image
      that was trained on is ever validated on, and the scores of all rounds compare.

    The labeled part then has soft labels, (n_l, k) float32; a class number becomes a
    distribution with all on that class. A line is printed that tells what was done.

    Args:
        data: the data of the round before. It stays as it is.
        labels: what people said: `Annotations`, a review, or
            `agreement.CorrectedLabels`. Names of images match as in
            `Annotations.match`; images without a valid answer play no part.
        missing: what to do about answered images that the data do not have: "error",
            or "drop" to leave them out, which is told.

    Raises:
        TypeError: if `labels` are none of these.
        ValueError: if they have other classes, or no answer to any image of the data.

    Example:

    >>> answers = keras_dc3.review.read("review-anna.json", proposals=proposals)
    >>> data = data.with_labels(answers)
    60 answered images moved to the labeled part (12 -> 72; unlabeled 60 -> 0).
    """
    check_choice("missing", missing, ("error", "drop"))
    labels = getattr(labels, "annotations", labels)  # of a review
    if not all(hasattr(labels, name) for name in _NEEDED):
        raise TypeError(
            "`labels` must be `keras_dc3.Annotations`, a review or corrected labels. "
            f"Received: {type(labels).__name__}"
        )
    counts, soft = (
        in_class_order(np.asarray(values), labels.class_names, data.class_names)
        for values in (labels.counts, labels.soft_labels)
    )
    row_of, notes = _rows_of_answers(data, labels, missing)
    if not row_of:
        raise ValueError(
            "`labels` hold no answer to any image of the data. Pass the answers to "
            "images of the labeled and the unlabeled part."
        )
    labeled, unlabeled = data.labeled, data.unlabeled
    moved = [i for i, n in enumerate(_ids(unlabeled)) if n in row_of]
    stay = np.setdiff1d(np.arange(len(_ids(unlabeled))), moved)
    targets, known = _targets_and_counts(data)
    again = [i for i, name in enumerate(labeled.ids) if name in row_of]
    rows = [row_of[labeled.ids[i]] for i in again]
    targets[again], known[again] = soft[rows], counts[rows]
    rows = [row_of[unlabeled.ids[i]] for i in moved]
    joined = JoinedImages(
        [labeled, unlabeled.subset(moved)] if moved else [labeled],
        np.concatenate([known, counts[rows]]),
        data.class_names,
    )
    result = type(data)(
        joined,
        np.concatenate([targets, soft[rows].astype("float32")]),
        unlabeled.subset(stay) if len(stay) else None,
        data.validation,
        batch_size=data.batch_size,
        unlabeled_ratio=data.unlabeled_ratio,
        augment=data.augment,
        seed=data.seed,
        name=data.name,
    )
    result.unused = data.unused
    if hasattr(data, "test"):  # of data sets that keep images apart
        result.test = data.test
    if data._unanswered is not None:
        result._unanswered = [n for n in data._unanswered if n not in row_of]
    print("\n  ".join([_told(data, result, len(moved), len(again), row_of), *notes]))
    return result


def _rows_of_answers(
    data: SemiSupervisedData, labels: Any, missing: str
) -> tuple[dict[str, int], list[str]]:
    """Returns id in the data -> row of `labels`, for answered images, and notes."""
    answered = np.flatnonzero(np.asarray(labels.counts).sum(axis=1) > 0)
    images = [labels.images[row] for row in answered]
    ids = [*data.labeled.ids, *_ids(data.unlabeled), *_ids(data.validation)]
    matches = match_all(images, KnownNames([*ids, *(data.unused or ())]))
    found, lost = matches.found, [images[i] for i in matches.lost]
    notes = tell_lacking(matches.lacking, "image")
    if lost:
        some = ", ".join(map(repr, lost[:3])) + (", ..." if len(lost) > 3 else "")
        told = f"{len(lost):,} of {len(images):,} answered images are not in the data"
        if missing == "error" or not found:
            drop = ', or pass `missing="drop"` to leave them out' if found else ""
            raise ValueError(
                f"{told}: {some}. The data have images such as {ids[0]!r}; make the "
                f"names agree{drop}."
            )
        notes.append(f"{told} and were left out: {some}.")
    rows = zip(images, answered, strict=True)
    return {found[name]: row for name, row in rows if name in found}, notes


def _targets_and_counts(data: SemiSupervisedData) -> tuple[np.ndarray, np.ndarray]:
    """Returns the soft labels (n_l, k) float32 and counts (n_l, k) of labeled images.

    Where no counts are known, the label counts as one answer.
    """
    targets = data.labels
    if targets.ndim == 1:
        targets = np.eye(data.num_classes, dtype="float32")[targets]
    counts = data.labeled.counts if data.labeled.has_counts else targets
    return targets.copy(), counts.astype("float64")


def _ids(part: Any) -> tuple[str, ...]:
    return () if part is None else part.ids


def _told(
    before: SemiSupervisedData,
    after: SemiSupervisedData,
    moved: int,
    again: int,
    row_of: dict[str, int],
) -> str:
    """Returns what was done, in a line."""
    said = [
        f"{moved:,} answered images moved to the labeled part "
        f"({len(before.labeled):,} -> {len(after.labeled):,}; unlabeled "
        f"{len(_ids(before.unlabeled)):,} -> {len(_ids(after.unlabeled)):,})"
    ]
    if again:
        said.append(f"{again:,} labeled images got a new label")
    held = sum(name in row_of for name in _ids(before.validation))
    if before.validation is not None:
        validation = f"the {len(before.validation):,} validation images stay"
        if held:
            validation += f" ({held:,} have new answers, which do not count there)"
        said.append(validation)
    out = sum(name in row_of for name in before.unused or ())
    if out:
        said.append(f"{out:,} answered images are in no part of the split and stay out")
    return "; ".join(said) + "."
