"""Proposals in words. NumPy only."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np

from keras_dc3._decision import CERTAIN
from keras_dc3._text import number_of
from keras_dc3.metrics.findings import lines_or_not_measured, of_certain_images
from keras_dc3.proposals.data import ProposalData


def mixture(class_index: np.ndarray, class_names: Sequence[str]) -> list[str]:
    """Returns the three most frequent classes of images, such as "3 cat", "2 dog".

    Numbers of images, not shares, which would look like probabilities. A class that is
    named by a number is told from them, such as "3 of class 7".

    Args:
        class_index: (m,) int, at least one.
        class_names: k names.
    """
    counts = np.bincount(class_index, minlength=len(class_names))
    order = np.argsort(-counts, kind="stable")
    named = [c for c in order[:3] if counts[c]]
    if len(named) == 1:
        every = "both" if len(class_index) == 2 else "all"
        name = class_names[named[0]]
        if len(class_index) == 1:
            return [f"class {name}" if name[:1].isdigit() else name]
        return [_of_class(every, name)]
    parts = [_of_class(f"{counts[c]:,}", class_names[c]) for c in named]
    rest = len(class_index) - int(counts[named].sum())
    return [*parts, f"{rest:,} other"] if rest else parts


def _of_class(number: str, name: str) -> str:
    return f"{number} of class {name}" if name[:1].isdigit() else f"{number} {name}"


def shares(
    fractions: np.ndarray, class_names: Sequence[str], most: int = 3
) -> list[str]:
    """Returns the largest of (k,) fractions of sum 1, such as "60% cat", "40% dog"."""
    order = np.argsort(-fractions, kind="stable")
    named = [c for c in order[:most] if fractions[c] >= 0.005]
    parts = [f"{fractions[c]:.0%} {class_names[c]}" for c in named]
    rest = 1.0 - sum(fractions[c] for c in named)
    if rest >= 0.005:
        parts.append(f"{rest:.0%} other")
    return parts


def summarize(data: ProposalData, num_clusters: int, with_verdict: bool) -> str:
    """Returns the lines of `Proposals.summary`."""
    certain, n = data.decision == CERTAIN, len(data)
    ambiguous = ~certain
    lines = [*lines_or_not_measured(data.verdict), ""] if with_verdict else []
    lines += [
        f"Proposals for {number_of(n, 'image')}",
        f"  certain    {_count(int(certain.sum()), n)}: a class is proposed",
        f"  ambiguous  {_count(int(ambiguous.sum()), n)}: a cluster of look-alikes is "
        "proposed",
    ]
    if certain.any():
        names = data.class_names
        per_class = np.bincount(data.class_index[certain], minlength=len(names))
        lines += ["", *textwrap.wrap(f"{of_certain_images(data.verdict)}.", 88)]
        lines += ["", "Certain images per class (share of the certain images)"]
        width = max(map(len, names))
        lines += [
            f"  {name:<{width}}  {_count(int(number), int(certain.sum()))}"
            for name, number in zip(names, per_class, strict=True)
        ]
    if ambiguous.any():
        used, sizes = np.unique(data.cluster[ambiguous], return_counts=True)
        known = data.cluster_probabilities
        of = "" if known is None else f" of {known.shape[1]:,}"
        lines += ["", f"Clusters of ambiguous images: {len(used):,}{of} used"]
        largest = np.argsort(-sizes, kind="stable")[:num_clusters]
        for c in largest:
            members = ambiguous & (data.cluster == used[c])
            guesses = mixture(data.class_index[members], data.class_names)
            number = number_of(int(sizes[c]), "image")
            lines.append(
                f"  cluster {used[c]:<4d} {number:>12}, which the model would call "
                f"{', '.join(guesses)}"
            )
        if len(used) > len(largest):
            rest = number_of(int(sizes.sum() - sizes[largest].sum()), "image")
            lines.append(f"  and {len(used) - len(largest):,} smaller ones with {rest}")
    return "\n".join(lines)


def _count(number: int, total: int) -> str:
    return f"{number:>7,} ({number / total if total else 0:6.1%})"
