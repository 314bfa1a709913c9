"""Answers that came after a split was made: the same split, with more labels."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_dc3._names import KnownNames, match_all, tell_lacking
from keras_dc3._text import number_of, some
from keras_dc3._validation import check_choice
from keras_dc3.annotations.counted_labels import labels_of
from keras_dc3.annotations.counts import in_class_order
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.feature_set import joined as joined_sets

if TYPE_CHECKING:
    from keras_dc3.data.semi_supervised import SemiSupervisedData


class Relabeled(NamedTuple):
    """What becomes of a data set when there are more answers.

    labeled, labels, unlabeled: the new parts, and the soft labels to train on.
    answered: ids of all images with a new answer. told: what was done, in lines.
    """

    labeled: AnnotatedImages
    labels: np.ndarray
    unlabeled: AnnotatedImages | None
    answered: frozenset[str]
    told: str


def relabeled(data: SemiSupervisedData, labels: Any, missing: str) -> Relabeled:
    """Returns the new parts; arguments and errors are those of `data.with_labels`."""
    check_choice("missing", missing, ("error", "drop"))
    labels = labels_of(
        labels,
        "`labels` must be `keras_dc3.Annotations`, a review or corrected labels",
    )
    try:
        counts, soft = (
            in_class_order(np.asarray(values), labels.class_names, data.class_names)
            for values in (labels.counts, labels.soft_labels)
        )
    except ValueError as error:
        raise ValueError(
            f"{error} `data.with_classes` adds classes to data, and renames them."
        ) from error
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
    joined = joined_sets(
        [labeled, unlabeled.subset(moved)] if moved else [labeled],
        np.concatenate([known, counts[rows]]),
        data.class_names,
    )
    told = _told(data, len(moved), len(again), row_of)
    return Relabeled(
        joined,
        np.concatenate([targets, soft[rows].astype("float32")]),
        unlabeled.subset(stay) if len(stay) else None,
        frozenset(row_of),
        "\n  ".join([told, *notes]),
    )


def _rows_of_answers(
    data: SemiSupervisedData, labels: Any, missing: str
) -> tuple[dict[str, int], list[str]]:
    """Returns id in the data -> row of `labels`, for answered images, and notes."""
    answered = np.flatnonzero(np.asarray(labels.counts).sum(axis=1) > 0)
    images = [labels.ids[row] for row in answered]
    ids = [*data.labeled.ids, *_ids(data.unlabeled), *_ids(data.validation)]
    others = *(data.unused or ()), *data.withdrawn
    matches = match_all(images, KnownNames([*ids, *others]))
    found, lost = matches.found, [images[i] for i in matches.lost]
    notes = tell_lacking(matches.lacking, "image")
    if lost:
        named = some(map(repr, lost), 3, etc=True)
        told = f"{len(lost):,} of {len(images):,} answered images are not in the data"
        if missing == "error" or not found:
            drop = ', or pass `missing="drop"` to leave them out' if found else ""
            raise ValueError(
                f"{told}: {named}. The data have images such as {ids[0]!r}; make the "
                f"names agree{drop}."
            )
        notes.append(f"{told} and were left out: {named}.")
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
    before: SemiSupervisedData, moved: int, again: int, row_of: dict[str, int]
) -> str:
    """Returns what was done, in a line."""
    labeled, unlabeled = len(before.labeled), len(_ids(before.unlabeled))
    said = [
        f"{moved:,} answered images moved to the labeled part ({labeled:,} -> "
        f"{labeled + moved:,}; unlabeled {unlabeled:,} -> {unlabeled - moved:,})"
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
    out = sum(name in row_of for name in before.withdrawn)
    if out:
        said.append(f"{out:,} answered images were withdrawn and stay out")
    return "; ".join(said) + "."


def with_added(
    parts: dict[str, np.ndarray],
    added: np.ndarray,
    images: AnnotatedImages,
    groups: np.ndarray | None,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Returns a saved split with the images that came later, and the ids of these.

    They join the unlabeled ones, but for those of a group that another part has, which
    are in no part. A warning tells it.

    Args:
        parts: "labeled", "unlabeled", "validation" -> positions.
        added: positions of the images that came later.
        images: all images.
        groups: one per image, or None.
    """
    out = np.zeros(len(added), bool)
    if groups is not None:
        taken = groups[np.concatenate([parts["labeled"], parts["validation"]])]
        out = np.isin(groups[added], taken)
    new, before = added[~out], parts["unlabeled"]
    named = [images.ids[i] for i in new]
    told = [
        f"{number_of(len(new), 'image')} came after the split was saved and "
        f"{'joins' if len(new) == 1 else 'join'} the unlabeled ones "
        f"({len(before):,} -> {len(before) + len(new):,}): "
        f"{some(map(repr, named), 3)}"
    ]
    if out.any():
        told.append(f"{out.sum():,} that are of a group of another part are in no part")
    warnings.warn(f"{'; '.join(told)}.", stacklevel=5)
    return {**parts, "unlabeled": np.union1d(before, new)}, named


def with_answered_since(
    parts: dict[str, np.ndarray],
    unanswered: Any,
    hidden: float | None,
    images: AnnotatedImages,
) -> dict[str, np.ndarray]:
    """Returns a given split, with the images answered since then among the labeled.

    A warning tells what was done, or what is left out.

    Args:
        parts: "labeled", "unlabeled", "validation" -> positions.
        unanswered: ids of the images that had no answer when the split was made; None
            where that is not known: then no image moves.
        hidden: how many answers its unlabeled images had, None if that is not known.
        images: all images, with counts.
    """
    annotated = images.annotated
    unlabeled = parts["unlabeled"]
    used = np.concatenate(list(parts.values()))
    unused = np.setdiff1d(np.arange(len(images)), used)
    if unanswered is None:
        _tell_unused_answers(annotated[unlabeled].sum(), annotated[unused].sum())
        return parts
    unanswered = set(unanswered)
    since = annotated & np.array([name in unanswered for name in images.ids], bool)
    new, out = unlabeled[since[unlabeled]], int(since[unused].sum())
    told = []
    if new.size:
        have, join = ("has", "joins") if new.size == 1 else ("have", "join")
        told.append(
            f"{number_of(new.size, 'image')} that the split lists as unlabeled {have} "
            f"answers now and {join} the labeled images "
            f"({len(parts['labeled']):,} -> {len(parts['labeled']) + new.size:,})"
        )
    if out:
        told.append(
            f"{number_of(out, 'image')} with new answers {'is' if out == 1 else 'are'} "
            "in no part of the split, and left out"
        )
    stay = np.setdiff1d(unlabeled, new)
    there = images.annotations_per_image[stay].sum()
    if hidden is not None and there > hidden:
        told.append(
            f"the {len(stay):,} images that stay unlabeled have {there:,.0f} answers, "
            f"which are not trained on; {hidden:,.0f} of them the split held back, for "
            "the others use `data.with_labels(answers)`"
        )
    if told:
        told = f"{'; '.join(told)}. Validation images stay validation images."
        warnings.warn(told, stacklevel=4)
    return {
        **parts,
        "labeled": np.union1d(parts["labeled"], new),
        "unlabeled": stay,
    }


def _tell_unused_answers(unlabeled: int, unused: int) -> None:
    told = []
    if unlabeled:
        told.append(
            f"{unlabeled:,} unlabeled images of `split` have answers, which are not "
            "trained on. Where these came after the split was made, list the images "
            "as labeled, or use `data.with_labels(answers)`"
        )
    if unused:
        told.append(
            f"{unused:,} answered images are in no part of `split` and not used"
        )
    if told:
        warnings.warn(f"{'. '.join(told)}.", stacklevel=5)
