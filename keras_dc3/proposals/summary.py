"""Proposals in words. NumPy only."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_dc3._decision import is_certain
from keras_dc3._text import number_of
from keras_dc3.metrics import Verdict
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
    return mixture_of(np.bincount(class_index, minlength=len(class_names)), class_names)


def mixture_of(counts: np.ndarray, class_names: Sequence[str]) -> list[str]:
    """Returns what `mixture` does, of how many images (k,) each class has."""
    images = int(counts.sum())
    order = np.argsort(-counts, kind="stable")
    named = [c for c in order[:3] if counts[c]]
    if len(named) == 1:
        every = "both" if images == 2 else "all"
        name = class_names[named[0]]
        if images == 1:
            return [f"class {name}" if name[:1].isdigit() else name]
        return [_of_class(every, name)]
    parts = [_of_class(f"{counts[c]:,}", class_names[c]) for c in named]
    rest = images - int(counts[named].sum())
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


class Tally(NamedTuple):
    """How many images of each kind there are.

    per_class: (k,), certain images of each class. clusters: (m,), those with ambiguous
    images, in rising order. per_cluster: (m, k), ambiguous images of each by class.
    known: how many clusters the model has, if that is known.
    """

    per_class: np.ndarray
    clusters: np.ndarray
    per_cluster: np.ndarray
    known: int | None = None

    @classmethod
    def of(cls, data: ProposalData) -> Tally:
        """Counts the images of some proposals."""
        certain, k = is_certain(data.ambiguity), len(data.class_names)
        clusters, places = np.unique(data.cluster[~certain], return_inverse=True)
        pairs = places * k + data.class_index[~certain]
        known = data.cluster_probabilities
        return cls(
            np.bincount(data.class_index[certain], minlength=k),
            clusters,
            np.bincount(pairs, minlength=len(clusters) * k).reshape(-1, k),
            None if known is None else known.shape[1],
        )


def summarize(
    tally: Tally,
    names: Sequence[str],
    verdict: Verdict | None,
    num_clusters: int,
    with_verdict: bool,
) -> str:
    """Returns the lines of `Proposals.summary`."""
    certain, ambiguous = int(tally.per_class.sum()), int(tally.per_cluster.sum())
    n = certain + ambiguous
    lines = [*lines_or_not_measured(verdict), ""] if with_verdict else []
    lines += [
        f"Proposals for {number_of(n, 'image')}",
        f"  certain    {_count(certain, n)}: a class is proposed",
        f"  ambiguous  {_count(ambiguous, n)}: a cluster of look-alikes is proposed",
    ]
    if certain:
        lines += ["", *textwrap.wrap(f"{of_certain_images(verdict)}.", 88)]
        lines += ["", "Certain images per class (share of the certain images)"]
        width = max(map(len, names))
        lines += [
            f"  {name:<{width}}  {_count(int(number), certain)}"
            for name, number in zip(names, tally.per_class, strict=True)
        ]
    if ambiguous:
        used, sizes = tally.clusters, tally.per_cluster.sum(axis=1)
        of = "" if tally.known is None else f" of {tally.known:,}"
        lines += ["", f"Clusters of ambiguous images: {len(used):,}{of} used"]
        largest = np.argsort(-sizes, kind="stable")[:num_clusters]
        for c in largest:
            guesses = mixture_of(tally.per_cluster[c], names)
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
