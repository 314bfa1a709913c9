"""Proposals for the images that are there."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_dc3._names import match_all, tell_lacking
from keras_dc3._validation import check_choice, check_names

if TYPE_CHECKING:
    from keras_dc3.proposals.proposals import Proposals


def match(
    proposals: Proposals, images: Sequence[str], missing: str = "error"
) -> Proposals:
    """Returns the proposals for some images, in the order of `images`.

    Names match as for `Annotations.match`; the result has the ids as `images` spell
    them. What they lack of those of the proposals is told.

    For proposals that were made a while ago, or read from a file that may have lost
    lines: it says which of their images are gone, and which images they do not know.

    Args:
        images: different ids, such as `data.unlabeled.ids` or the names of files.
        missing: what to do about proposals whose image is not among `images`, and
            images without a proposal: "error", or "drop" to leave them out, which is
            told. No proposal for any image is always an error.

    Raises:
        ValueError: if some are missing; it says how many, and names some. If an image
            could be that of several proposals, or two are that of the same one.

    Example:

    >>> proposals = keras_dc3.proposals.Proposals(
    ...     ["a", "b"], [0.1, 0.8], [[1, 0], [0.5, 0.5]], [[1, 0], [0, 1]], ["3", "8"]
    ... )
    >>> proposals.match(["b", "a"]).ids
    ('b', 'a')
    """
    check_choice("missing", missing, ("error", "drop"))
    if not isinstance(images, Iterable):
        raise TypeError(
            "`images` must be ids, such as `data.unlabeled.ids`. Received: "
            f"images={images!r}"
        )
    images = check_names("images", images)
    matches = match_all(images, proposals._known_ids, what="proposals")
    there = set(matches.found.values())
    gone = [name for name in proposals.ids if name not in there]
    unknown = [images[position] for position in matches.lost]
    facts = []
    if gone:
        facts.append(
            f"{len(gone):,} of {len(proposals):,} proposals are for images that are "
            f"not there: {_some(gone)}."
        )
    if unknown:
        facts.append(
            f"{len(unknown):,} of {len(images):,} images have no proposal: "
            f"{_some(unknown)}."
        )
    nothing = bool(images) and len(unknown) == len(images)
    if facts and (missing == "error" or nothing):
        fix = "Make the names agree" if nothing else "Propose anew"
        other = "" if nothing else ', or pass `missing="drop"` to leave them out'
        raise ValueError(" ".join([*facts, f"{fix}{other}."]))
    facts += ["They were left out."] if facts else []
    facts += tell_lacking(matches.lacking, "proposal")
    if facts:
        warnings.warn(" ".join(facts), stacklevel=2)
    rows = [proposals._row_of[one] for one in matches.found.values()]
    return take(proposals, rows, list(matches.found))


def take(
    proposals: Proposals, rows: Sequence[int], ids: Sequence[str] | None = None
) -> Proposals:
    """Returns the proposals at some rows, under other ids if some are given."""
    rows = np.array(rows, "int64")
    taken = type(proposals).from_columns(
        [proposals.ids[row] for row in rows] if ids is None else ids,
        proposals.ambiguity[rows],
        proposals.class_probabilities[rows],
        proposals.cluster[rows],
        proposals.cluster_probability[rows],
        proposals.class_names,
        None if proposals.embeddings is None else proposals.embeddings[rows],
        proposals.verdict,
    )
    if proposals.cluster_probabilities is not None:
        taken.cluster_probabilities = proposals.cluster_probabilities[rows]
        taken.cluster_probabilities.setflags(write=False)
    return taken


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:3])) + (", ..." if len(names) > 3 else "")
