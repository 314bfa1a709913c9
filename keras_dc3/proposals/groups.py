"""Proposals in groups: the classes of certain images, clusters of ambiguous ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np

from keras_dc3._decision import is_certain
from keras_dc3._text import number_of, one_line
from keras_dc3.metrics import k_means
from keras_dc3.proposals.data import ProposalData
from keras_dc3.proposals.geometry import centered, has_gap, medoids, spread, total
from keras_dc3.proposals.neighbours import nearest
from keras_dc3.proposals.summary import shares
from keras_dc3.review.plan import Step

CLASS, CLUSTER = "class", "cluster"
MEDOIDS, _NEAREST, _LEAST_TYPICAL = 3, 3, 3
_ALIKE = 0.15  # half the sum of differences between the class mixtures of two clusters
_MOSTLY, _WORTH_NAMING = 0.8, 0.1  # shares of classes


@dataclass(frozen=True, eq=False)
class ProposalGroup:
    """Images for which the same is proposed. Printing it gives its card.

    Attributes:
        kind: "class" for certain images, "cluster" for ambiguous ones.
        index: of the class or cluster.
        name: the name of the class, or such as "cluster 3".
        description: in words, such as "between cat and dog (54/38%)".
        ids: the images, the most typical one first and the least typical one last: by
            their distance to the first medoid, without embeddings by the probability
            of the class or cluster. A tuple; of `scale.Scores.groups` a sequence that
            reads them when it is asked for.
        medoids: ids of up to three images with the smallest sums of distances to all
            others of the group, the smallest first; without embeddings the most
            probable ones.
        shares: (k,) float64, the mean of the class probabilities.
        class_names: tuple of k names.
        proposed_class: the class itself, or the one with the largest share.
        nearest: up to three (kind, index, distance) of the groups with the nearest
            means of the embeddings, without these of the class probabilities.
        suggestion: for people who tidy up clusters, such as "merge with cluster 4" or
            "split"; else None. See `Proposals.groups`.

    Example:

    >>> group = proposals.groups()[0]
    >>> group.kind, len(group.ids) > 0
    ('class', True)
    """

    kind: str
    index: int
    name: str
    description: str
    ids: Sequence[str]
    medoids: tuple[str, ...]
    shares: np.ndarray
    class_names: tuple[str, ...]
    proposed_class: int
    nearest: tuple[tuple[str, int, float], ...] = ()
    suggestion: str | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def __str__(self) -> str:
        says = _listed(shares(self.shares, self.class_names))
        facts = [
            ("typical", _listed(self.medoids)),
            ("least typical", _listed(self.least_typical)),
            ("the model says", f"{says} (mean probabilities)"),
            ("nearest", _listed(self._named(*near) for near in self.nearest)),
            ("suggestion", self.suggestion or ""),
        ]
        lines = [f"{self.title}: {self.description}, {number_of(len(self), 'image')}"]
        lines += [f"  {name:<15} {text}" for name, text in facts if text]
        return "\n".join(lines)

    def _named(self, kind: str, index: int, distance: float) -> str:
        name = self.class_names[index] if kind == CLASS else index
        return f"{kind} {name} ({distance:.3g})"

    @property
    def title(self) -> str:
        """Such as "class cat" or "cluster 3"."""
        return title_of((self.kind, self.index), self.class_names)

    def step(self) -> Step:
        """Returns what a review sheet shows of the group: medoids first."""
        others = [name for name in self.ids if name not in set(self.medoids)]
        return Step(
            (*self.medoids, *others),
            self.title,
            self.name,
            self.description,
            int(self.proposed_class),
            len(self.medoids),
        )

    @property
    def least_typical(self) -> tuple[str, ...]:
        """Up to three ids, the least typical one first, no medoids among them."""
        others = (name for name in reversed(self.ids) if name not in self.medoids)
        return tuple(islice(others, _LEAST_TYPICAL))


def describe(kind: str, mixture: np.ndarray, class_names: tuple[str, ...]) -> str:
    """Returns a group in words.

    Args:
        kind: "class" or "cluster".
        mixture: (k,), the share of each class.
        class_names: k names.
    """
    order = np.argsort(-mixture, kind="stable")
    first = class_names[order[0]]
    if kind == CLASS:
        return f"{first}, mean probability {mixture[order[0]]:.0%}"
    if mixture[order[0]] >= _MOSTLY:
        return f"mostly {first} ({mixture[order[0]]:.0%})"
    named = [c for c in order[:3] if mixture[c] >= _WORTH_NAMING]
    if len(named) > 2 and mixture[named[:2]].sum() >= _MOSTLY:
        named = named[:2]
    if len(named) < 2 or mixture[named].sum() < 0.5:
        return f"of many classes, most often {first} ({mixture[order[0]]:.0%})"
    names = [class_names[c] for c in named]
    percent = "/".join(f"{100 * mixture[c]:.0f}" for c in named)
    return f"between {', '.join(names[:-1])} and {names[-1]} ({percent}%)"


def make_groups(proposals: ProposalData) -> tuple[ProposalGroup, ...]:
    """Returns the groups; see `Proposals.groups`."""
    places = proposals.embeddings
    members = [
        *members_of(CLASS, is_certain(proposals.ambiguity), proposals.class_index),
        *members_of(CLUSTER, ~is_certain(proposals.ambiguity), proposals.cluster),
    ]
    keys = [(kind, index) for kind, index, _ in members]
    mixtures = [_mean(proposals.class_probabilities[rows]) for _, _, rows in members]
    means = mixtures
    if places is not None:
        places = centered(places) if len(places) else places
        means = [_mean(places[rows]) for _, _, rows in members]
    near = near_groups(keys, means)
    found = []
    for number, (kind, _, rows) in enumerate(members):
        suggestion = None
        if kind == CLUSTER and places is not None:
            suggestion = suggest(
                number,
                near.clusters[number],
                keys,
                mixtures,
                lambda one: places[members[one][2]],
            )
        p = proposals.class_probability
        p = p if kind == CLASS else proposals.cluster_probability
        points = None if places is None else proposals.embeddings[rows]
        order, inner = typical(p[rows], points)
        found.append(
            group_of(
                keys[number],
                proposals.class_names,
                mixtures[number],
                tuple(proposals.ids[row] for row in rows[order]),
                tuple(proposals.ids[row] for row in rows[inner]),
                tuple((*keys[i], distance) for i, distance in near.groups[number]),
                suggestion,
            )
        )
    return tuple(found)


def group_of(
    key: tuple[str, int],
    class_names: tuple[str, ...],
    mixture: np.ndarray,
    ids: Sequence[str],
    medoids: tuple[str, ...],
    nearest: tuple[tuple[str, int, float], ...],
    suggestion: str | None,
) -> ProposalGroup:
    """Returns a group, of which name and description follow from the arguments."""
    kind, index = key
    mixture.setflags(write=False)
    return ProposalGroup(
        kind=kind,
        index=index,
        name=class_names[index] if kind == CLASS else f"cluster {index}",
        description=describe(kind, mixture, class_names),
        ids=ids,
        medoids=medoids,
        shares=mixture,
        class_names=class_names,
        proposed_class=proposed_class(key, mixture),
        nearest=nearest,
        suggestion=suggestion,
    )


def proposed_class(key: tuple[str, int], mixture: np.ndarray) -> int:
    """Returns the class that a (kind, index) of this mixture proposes."""
    kind, index = key
    return index if kind == CLASS else int(mixture.argmax())


def title_of(key: tuple[str, int], class_names: Sequence[str]) -> str:
    """Returns how a (kind, index) is called, such as "class cat" or "cluster 3"."""
    kind, index = key
    return f"{kind} {class_names[index] if kind == CLASS else index}"


class Near(NamedTuple):
    """Which groups lie nearest to each one.

    groups: of each, (number, distance) of others. clusters: of each, numbers of others
    that are clusters.
    """

    groups: list[list[tuple[int, float]]]
    clusters: list[list[int]]


def near_groups(keys: Sequence[tuple[str, int]], means: Sequence[np.ndarray]) -> Near:
    """Returns up to three of each, by the means (d,) of the groups."""
    if not keys:
        return Near([], [])
    points = np.array(means)
    clusters = np.flatnonzero([kind == CLUSTER for kind, _ in keys])
    found = nearest(points, _NEAREST, np.arange(len(keys)))
    others = nearest(points, _NEAREST, clusters)
    return Near(
        [[(int(i), float(d)) for i, d in zip(*one, strict=True)] for one in found],
        [rows.tolist() for rows, _ in others],
    )


def cards_of(groups: Callable[[], Sequence[ProposalGroup]], kind: str | None) -> str:
    """Returns what `Proposals.cards` does, of groups that are made if `kind` fits."""
    if kind not in (None, CLASS, CLUSTER):
        raise ValueError(
            f'`kind` must be "class", "cluster" or None. Received: kind={kind!r}'
        )
    chosen = (group for group in groups() if kind in (None, group.kind))
    return "\n\n".join(map(str, chosen))


def _mean(rows: np.ndarray) -> np.ndarray:
    return total(rows) / len(rows)


def members_of(
    kind: str, chosen: np.ndarray, of: np.ndarray
) -> list[tuple[str, int, np.ndarray]]:
    """Returns (kind, index, rows) of each group, the largest first."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(of[rows], kind="stable")]
    index, starts = np.unique(of[rows], return_index=True)
    parts = np.split(rows, starts[1:]) if len(index) else []
    found = [(kind, int(i), part) for i, part in zip(index, parts, strict=True)]
    return sorted(found, key=lambda group: -len(group[2]))


def typical(
    probability: np.ndarray | None, points: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the positions of a group's images, the most typical first, and medoids.

    Args:
        probability: (m,) of the class or cluster; of no interest with embeddings.
        points: (m, d), their embeddings, or None.
    """
    if points is None:
        order = np.argsort(-probability, kind="stable")
        return order, order[:MEDOIDS]
    points = points.astype("float64")
    inner = medoids(points, MEDOIDS)
    is_medoid = np.arange(len(points)) == inner[0]
    distances = distances_to(points[inner[0]], points, is_medoid)
    return np.argsort(distances, kind="stable"), inner


def distances_to(
    medoid: np.ndarray, points: np.ndarray, is_medoid: np.ndarray
) -> np.ndarray:
    """Returns (m,), by which images are in order, the most typical one first.

    Args:
        medoid: float64 (d,), the first one of the group.
        points: float64 (m, d).
        is_medoid: (m,) bool, which point it is; it comes before its twins.
    """
    return np.where(is_medoid, -1.0, np.linalg.norm(points - medoid, axis=1))


def are_alike(mixtures: Sequence[np.ndarray], one: int, other: int) -> bool:
    """Whether two groups have nearly the same mixture of classes."""
    return bool(np.abs(mixtures[one] - mixtures[other]).sum() / 2 <= _ALIKE)


def suggest(
    number: int,
    candidates: Sequence[int],
    keys: Sequence[tuple[str, int]],
    mixtures: Sequence[np.ndarray],
    points_of: Callable[[int], np.ndarray],
) -> str | None:
    """Returns what to do with a cluster.

    Args:
        number: of the cluster.
        candidates: numbers of its nearest others.
        keys: (kind, index) of all groups.
        mixtures: (k,) of each group.
        points_of: from a number to the group's embeddings (m, d), float64 around the
            mean of all images. It is asked about the cluster and those alike.
    """
    mine = points_of(number)

    def two_means(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        if len(rows) < 2:
            return None
        (first, second), _ = k_means(mine[rows], 2)
        return first, second

    if has_gap(mine, two_means):
        return "split"
    for candidate in candidates:
        if not are_alike(mixtures, number, candidate):
            continue
        theirs = points_of(candidate)
        distance = np.linalg.norm(mine.mean(axis=0) - theirs.mean(axis=0))
        if distance >= (spread(mine) + spread(theirs)) / 2:
            continue
        both = np.concatenate([mine, theirs])
        first = np.arange(len(both)) < len(mine)

        def two_means_of(
            rows: np.ndarray, both: np.ndarray = both, first: np.ndarray = first
        ) -> tuple[np.ndarray, np.ndarray] | None:
            if first[rows].all() or not first[rows].any():
                return None
            return (
                both[rows[first[rows]]].mean(axis=0),
                both[rows[~first[rows]]].mean(axis=0),
            )

        if not has_gap(both, two_means_of):
            return f"merge with cluster {keys[candidate][1]}"
    return None


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(one_line, texts))
