"""Probabilities as cleanlab takes them. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keras_dc3._names import match_all, tell_lacking
from keras_dc3._text import some, tell
from keras_dc3._validation import check_names
from keras_dc3.annotations import Annotations
from keras_dc3.exports.checks import check_proposals
from keras_dc3.proposals import Proposals


def to_cleanlab(
    proposals: Proposals,
    annotations: Annotations | None = None,
    *,
    ids: Sequence[str] | None = None,
) -> np.ndarray:
    """Returns class probabilities, called `pred_probs` throughout cleanlab.

    They are of all images in the order of `proposals`, if nothing else is said.

    Args:
        proposals: for images that the network was not trained on, as cleanlab asks for
            predictions out of sample: those of `model.propose(data.unlabeled)`.
        annotations: for the annotated images, rows and columns in the order of
            `annotations.to_frame("cleanlab")`.
        ids: for these images, in this order.

    Returns:
        float64 (n, k), each row sums to 1.

    Raises:
        ValueError: if an image has no proposal or could be that of several, the classes
            differ, or both `annotations` and `ids` are given. Names match as for
            `Annotations.match`.

    Example:

    >>> probabilities = keras_dc3.exports.to_cleanlab(proposals, annotations)
    >>> from cleanlab import multiannotator  # doctest: +SKIP
    >>> table = annotations.to_frame("cleanlab")  # doctest: +SKIP
    >>> multiannotator.get_label_quality_multiannotator(
    ...     table, probabilities
    ... )  # doctest: +SKIP
    """
    check_proposals(proposals)
    columns = list(range(len(proposals.class_names)))
    if annotations is not None:
        if ids is not None:
            raise ValueError("Pass `annotations` or `ids`, not both.")
        if not isinstance(annotations, Annotations):
            raise TypeError(
                "`annotations` must be `keras_dc3.Annotations`; pass ids of images as "
                f"`ids=`. Received: {type(annotations).__name__}"
            )
        names = annotations.class_names
        if sorted(names) != sorted(proposals.class_names):
            raise ValueError(
                "Annotations and proposals must have the same classes. Received: "
                f"{list(names)} and {list(proposals.class_names)}. Use "
                "`rename_classes`, or pass `class_names=` where they are read."
            )
        columns = [proposals.class_names.index(name) for name in names]
        without = set(annotations.unannotated)
        ids = [name for name in annotations.ids if name not in without]
    ids = proposals.ids if ids is None else check_names("ids", ids)
    matches = match_all(ids, proposals.known_ids, what="proposals")
    unknown = [ids[position] for position in matches.lost]
    if unknown:
        raise ValueError(
            f"{len(unknown):,} of {len(ids):,} images have no proposal: "
            f"{some(map(repr, unknown), 3)}. Propose for them, or leave them out with "
            "`select`."
        )
    told = tell_lacking(matches.lacking, "proposal")
    tell("Images and proposals:", told)
    rows = [proposals.row_of[matches.found[name]] for name in ids]
    chosen = proposals.class_probabilities[np.array(rows, "int64")][:, columns]
    return chosen / chosen.sum(axis=1, keepdims=True)
