"""Proposals for other images than before, or of other classes. NumPy only."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from keras_dc3._names import match_all, tell_lacking
from keras_dc3._text import some
from keras_dc3._validation import check_choice, check_names
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.proposals.data import ProposalData

_Proposals = TypeVar("_Proposals", bound=ProposalData)


def in_order_of(proposals: _Proposals, ids: Sequence[str], missing: str) -> _Proposals:
    """See `Proposals.in_order_of`."""
    check_choice("missing", missing, ("error", "drop"))
    if not isinstance(ids, Iterable):
        raise TypeError(
            f"`ids` must be ids, such as `data.unlabeled.ids`. Received: ids={ids!r}"
        )
    ids = check_names("ids", ids)
    matches = match_all(ids, proposals.known_ids, what="proposals")
    there = set(matches.found.values())
    gone = [name for name in proposals.ids if name not in there]
    unknown = [ids[position] for position in matches.lost]
    facts = []
    if gone:
        facts.append(
            f"{len(gone):,} of {len(proposals):,} proposals are for images that are "
            f"not there: {some(map(repr, gone), 3)}."
        )
    if unknown:
        facts.append(
            f"{len(unknown):,} of {len(ids):,} images have no proposal: "
            f"{some(map(repr, unknown), 3)}."
        )
    nothing = bool(ids) and len(unknown) == len(ids)
    if facts and (missing == "error" or nothing):
        fix = "Make the names agree" if nothing else "Propose anew"
        other = "" if nothing else ', or pass `missing="drop"` to leave them out'
        raise ValueError(" ".join([*facts, f"{fix}{other}."]))
    facts += ["They were left out."] if facts else []
    facts += tell_lacking(matches.lacking, "proposal")
    if facts:
        warnings.warn(" ".join(facts), stacklevel=3)
    rows = [proposals.row_of[one] for one in matches.found.values()]
    return proposals.take(rows, list(matches.found))


def without(proposals: _Proposals, ids: Sequence[str]) -> _Proposals:
    """See `Proposals.without`."""
    gone = set(rows_of_ids(proposals, ids))
    return proposals.take([row for row in range(len(proposals)) if row not in gone])


def rows_of_ids(proposals: _Proposals, ids: Sequence[str]) -> list[int]:
    """Returns the rows of images, which all must have a proposal, in their order."""
    ids = check_names("ids", [ids] if isinstance(ids, str) else list(ids))
    matches = match_all(ids, proposals.known_ids, what="proposals")
    if matches.lost:
        unknown = [ids[position] for position in matches.lost]
        raise ValueError(
            f"{len(unknown):,} of {len(ids):,} images have no proposal: "
            f"{some(map(repr, unknown), 3)}. Make the names agree."
        )
    return [proposals.row_of[name] for name in matches.found.values()]


def changed(proposals: _Proposals, change: ClassChange) -> _Proposals:
    """See `Proposals.with_classes`."""
    if change.is_none:
        return proposals
    p = change.of_values(proposals.class_probabilities)
    left = p.sum(axis=1, keepdims=True)
    if change.left_out:  # what they had goes to the others, as far as these have any
        p = np.where(left > 0, p / np.where(left > 0, left, 1.0), 1 / p.shape[1])
    return proposals.of_classes(p, change.after)
