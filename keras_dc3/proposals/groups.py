"""Proposals in groups: the classes of certain images, clusters of ambiguous ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from keras_dc3._decision import CERTAIN
from keras_dc3._text import number_of, one_line
from keras_dc3.metrics import k_means
from keras_dc3.proposals.data import ProposalData
from keras_dc3.proposals.geometry import centered, has_gap, medoids, spread
from keras_dc3.proposals.summary import shares
from keras_dc3.review.plan import Step

CLASS, CLUSTER = "class", "cluster"
_MEDOIDS, _NEAREST, _LEAST_TYPICAL = 3, 3, 3
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
            of the class or cluster.
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
    ids: tuple[str, ...]
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
        return f"class {self.name}" if self.kind == CLASS else self.name

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
        others = [name for name in self.ids[::-1] if name not in self.medoids]
        return tuple(others[:_LEAST_TYPICAL])


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
        *_members(CLASS, proposals.decision == CERTAIN, proposals.class_index),
        *_members(CLUSTER, proposals.decision != CERTAIN, proposals.cluster),
    ]
    mixtures = [proposals.class_probabilities[r].mean(axis=0) for _, _, r in members]
    means = mixtures
    if places is not None:
        places = centered(places) if len(places) else places
        means = [places[rows].mean(axis=0) for _, _, rows in members]
    found = []
    for number, (kind, index, rows) in enumerate(members):
        distances = np.linalg.norm(np.array(means) - means[number], axis=1)
        distances[number] = np.inf
        near = np.argsort(distances, kind="stable")[: len(members) - 1]
        suggestion = None
        if kind == CLUSTER and places is not None:
            clusters = [i for i in near if members[i][0] == CLUSTER][:_NEAREST]
            suggestion = _suggestion(places, members, mixtures, number, clusters)
        typical, inner = _typical(proposals, kind, rows)
        names = proposals.class_names
        mixture = mixtures[number]
        mixture.setflags(write=False)
        found.append(
            ProposalGroup(
                kind=kind,
                index=index,
                name=names[index] if kind == CLASS else f"cluster {index}",
                description=describe(kind, mixture, names),
                ids=tuple(proposals.ids[row] for row in typical),
                medoids=tuple(proposals.ids[row] for row in inner),
                shares=mixture,
                class_names=names,
                proposed_class=index if kind == CLASS else int(mixture.argmax()),
                nearest=tuple(
                    (members[i][0], members[i][1], float(distances[i]))
                    for i in near[:_NEAREST]
                ),
                suggestion=suggestion,
            )
        )
    return tuple(found)


def _members(
    kind: str, chosen: np.ndarray, of: np.ndarray
) -> list[tuple[str, int, np.ndarray]]:
    """Returns (kind, index, rows) of each group, the largest first."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(of[rows], kind="stable")]
    index, starts = np.unique(of[rows], return_index=True)
    parts = np.split(rows, starts[1:]) if len(index) else []
    found = [(kind, int(i), part) for i, part in zip(index, parts, strict=True)]
    return sorted(found, key=lambda group: -len(group[2]))


def _typical(
    proposals: ProposalData, kind: str, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows, the most typical first, and the medoids among them."""
    if proposals.embeddings is None:
        by_class = kind == CLASS
        p = proposals.class_probability if by_class else proposals.cluster_probability
        order = np.argsort(-p[rows], kind="stable")
        return rows[order], rows[order][:_MEDOIDS]
    places = proposals.embeddings[rows].astype("float64")
    inner = medoids(places, _MEDOIDS)
    distances = np.linalg.norm(places - places[inner[0]], axis=1)
    distances[inner[0]] = -1.0  # before its twins
    return rows[np.argsort(distances, kind="stable")], rows[inner]


def _suggestion(
    places: np.ndarray,
    members: list[tuple[str, int, np.ndarray]],
    mixtures: list[np.ndarray],
    number: int,
    candidates: list[int],
) -> str | None:
    """Returns what to do with a cluster; `candidates` are its nearest others."""
    mine = places[members[number][2]]

    def two_means(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        if len(rows) < 2:
            return None
        (first, second), _ = k_means(mine[rows], 2)
        return first, second

    if has_gap(mine, two_means):
        return "split"
    for candidate in candidates:
        theirs = places[members[candidate][2]]
        if np.abs(mixtures[number] - mixtures[candidate]).sum() / 2 > _ALIKE:
            continue
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
            return f"merge with cluster {members[candidate][1]}"
    return None


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(one_line, texts))
