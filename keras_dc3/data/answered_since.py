"""Images that were answered after a split was made. NumPy only."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from keras_dc3.data.annotated_images import AnnotatedImages


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
        told.append(
            f"{new.size:,} images that the split lists as unlabeled have answers now "
            "and join the labeled images "
            f"({len(parts['labeled']):,} -> {len(parts['labeled']) + new.size:,})"
        )
    if out:
        told.append(
            f"{out:,} images with new answers are in no part of the split and stay out"
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
