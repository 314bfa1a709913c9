"""The columns of a file of proposals, and what must hold of its rows. NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_dc3._decision import AMBIGUOUS, CERTAIN, is_certain
from keras_dc3.proposals.data import ProposalData

COLUMNS = (
    "id",
    "ambiguity",
    "decision",
    "class",
    "class_probability",
    "cluster",
    "cluster_probability",
)
_TOLERANCE = 1e-3  # of sums and copies of probabilities, for tables that were rounded


def columns_of(data: ProposalData) -> dict[str, Any]:
    """Returns name of a column -> its values, in the order of a file."""
    probabilities = np.ascontiguousarray(data.class_probabilities.T)
    named = zip(data.class_names, probabilities, strict=True)
    return {
        "id": list(data.ids),
        "ambiguity": data.ambiguity,
        "decision": data.decision.tolist(),
        "class": data.class_name.tolist(),
        "class_probability": data.class_probability,
        "cluster": data.cluster,
        "cluster_probability": data.cluster_probability,
        **{f"p({name})": values for name, values in named},
    }


def not_unicode(error: UnicodeEncodeError) -> ValueError:
    """Returns the error for a text that no file can hold."""
    return ValueError(
        "Ids and class names must be valid Unicode text to be written as UTF-8, but "
        f"one holds {error.object[error.start : error.end]!r}. Rename it."
    )


def class_names_of(path: str, header: Sequence[str], hint: str) -> list[str]:
    """Returns the classes that the columns of a file name.

    Args:
        path: of the file, for messages.
        header: names of its columns.
        hint: what to do if some are missing, a sentence.

    Raises:
        ValueError: if columns are missing, or stand there twice.
    """
    doubled = sorted({name for name in header if header.count(name) > 1})
    if doubled:
        raise ValueError(
            f"{path!r} has more than one column {doubled[0]!r}; remove one."
        )
    missing = [name for name in COLUMNS if name not in header]
    names = [h[2:-1] for h in header if h.startswith("p(") and h.endswith(")")]
    if not names:
        missing.append("p(<class name>)")
    if missing:
        raise ValueError(f"{path!r} lacks the columns {missing}. {hint}")
    return names


def read_columns(
    path: str,
    place: Callable[[int], str],
    class_names: Sequence[str],
    texts: Callable[[str], list[str]],
    numbers: Callable[..., np.ndarray],
) -> dict[str, Any]:
    """Returns the arguments of `Proposals.from_columns` that all files have.

    Args:
        path: of the file, for messages.
        place: from a position to what is said of it, such as "line 7".
        class_names: of the file.
        texts: from a column to its n texts.
        numbers: from a column to its numbers (n,), integers with `whole=True`.

    Raises:
        ValueError: unless the rows of the file fit together.
    """
    ids = texts("id")
    p = np.stack([numbers(f"p({name})") for name in class_names], axis=1)
    ambiguity, decision = numbers("ambiguity"), texts("decision")
    class_name = texts("class")
    class_probability = numbers("class_probability")

    def refuse(bad: np.ndarray, problem: Callable[[int], str]) -> None:
        if bad.any():
            row = int(np.argmax(bad))
            raise ValueError(f"{path!r}, {place(row)}: {problem(row)}")

    first: dict[str, int] = {}
    seen = [first.setdefault(name, row) for row, name in enumerate(ids)]
    refuse(np.array([not n for n in ids]), lambda i: "`id` is empty; name the image.")
    refuse(
        np.array(seen, "int64") != np.arange(len(ids)),
        lambda i: f"the id {ids[i]!r} stands in {place(seen[i])} already.",
    )
    totals = p.sum(axis=1)
    refuse(
        ~(np.abs(totals - 1.0) <= _TOLERANCE),
        lambda i: f"the class probabilities sum to {totals[i]:.4g} and not to 1.",
    )
    refuse(
        ~((ambiguity >= 0) & (ambiguity <= 1)),
        lambda i: f"`ambiguity` must be a number in 0..1. Found: {ambiguity[i]}",
    )
    decided = np.where(is_certain(ambiguity), CERTAIN, AMBIGUOUS)
    refuse(
        np.array(decision, object) != decided,
        lambda i: (
            f"`decision` is {decision[i]!r}, but with an ambiguity of {ambiguity[i]} "
            f"it must be {str(decided[i])!r}. Correct one of them."
        ),
    )
    likeliest = np.array(class_names, object)[p.argmax(axis=1)]
    refuse(
        np.array(class_name, object) != likeliest,
        lambda i: (
            f"`class` is {class_name[i]!r}, but the largest probability is that of "
            f"{likeliest[i]!r}. This file holds proposals; put corrected labels into a "
            "file of annotations."
        ),
    )
    refuse(
        ~(np.abs(class_probability - p.max(axis=1)) <= _TOLERANCE),
        lambda i: (
            f"`class_probability` is {class_probability[i]}, but `p({class_name[i]})` "
            f"is {p[i].max()}; they must agree."
        ),
    )
    return {
        "ids": ids,
        "ambiguity": ambiguity,
        "class_probabilities": p,
        "class_names": class_names,
        "cluster": numbers("cluster", whole=True),
        "cluster_probability": numbers("cluster_probability"),
    }
