"""Probabilities as cleanlab takes them. NumPy only."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence

import numpy as np

from keras_dc3._names import KnownNames, match_all, tell_lacking
from keras_dc3._validation import check_names
from keras_dc3.annotations import Annotations
from keras_dc3.exports.checks import check_proposals, some
from keras_dc3.proposals import Proposals


def pred_probs(
    proposals: Proposals, images: Annotations | Sequence[str] | None = None
) -> np.ndarray:
    """Returns class probabilities, called `pred_probs` throughout cleanlab.

    Args:
        proposals: for images that the network was not trained on, as cleanlab asks for
            predictions out of sample: those of `model.propose(data.unlabeled)`.
        images: which, and in which order. Annotations: the annotated images and the
            class order of `annotations.to_frame("cleanlab")`. Ids: those. Default: all,
            in the order of `proposals`.

    Returns:
        float64 (n, k), each row sums to 1.

    Raises:
        ValueError: if an image has no proposal or could be that of several, or the
            classes differ. Names match as for `Annotations.match`.

    Example:

    >>> probabilities = keras_dc3.exports.pred_probs(proposals, annotations)
    >>> from cleanlab import multiannotator  # doctest: +SKIP
    >>> table = annotations.to_frame("cleanlab")  # doctest: +SKIP
    >>> multiannotator.get_label_quality_multiannotator(
    ...     table, probabilities
    ... )  # doctest: +SKIP
    """
    check_proposals(proposals)
    columns = np.arange(len(proposals.class_names))
    if images is None:
        images = proposals.ids
    elif isinstance(images, Annotations):
        names = images.class_names
        if sorted(names) != sorted(proposals.class_names):
            raise ValueError(
                "Annotations and proposals must have the same classes. Received: "
                f"{list(names)} and {list(proposals.class_names)}. Use "
                "`rename_classes`, or pass `class_names=` where they are read."
            )
        columns = [proposals.class_names.index(name) for name in names]
        without = set(images.unannotated)
        images = [name for name in images.images if name not in without]
    elif not isinstance(images, Iterable):
        raise TypeError(
            "`images` must be annotations, or ids of images. Received: "
            f"images={images!r}"
        )
    else:
        images = check_names("images", images)
    matches = match_all(images, KnownNames(proposals.ids), what="proposals")
    unknown = [images[position] for position in matches.lost]
    if unknown:
        raise ValueError(
            f"{len(unknown):,} of {len(images):,} images have no proposal: "
            f"{some(unknown)}. Propose for them, or leave them out with `select`."
        )
    told = tell_lacking(matches.lacking, "proposal")
    if told:
        warnings.warn("\n  ".join(["Images and proposals:", *told]), stacklevel=2)
    row_of = {name: row for row, name in enumerate(proposals.ids)}
    rows = [row_of[matches.found[name]] for name in images]
    chosen = proposals.class_probabilities[np.array(rows, "int64")][:, columns]
    return chosen / chosen.sum(axis=1, keepdims=True)
