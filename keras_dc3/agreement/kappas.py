"""Cohen's kappa of many pairs of answers at once. NumPy only."""

from __future__ import annotations

import numpy as np

from keras_dc3.agreement.answers import Answers
from keras_dc3.agreement.estimate import ratio
from keras_dc3.agreement.ordinal import OrdinalPairs

MOST_ENTRIES = 20_000_000
_LEAST_CHANCE = 1e-12


class PairTable:
    """Pairs of series of answers, such as those of two people, on common images.

        kappa = (p_o - p_e) / (1 - p_e)

    with the observed agreement p_o and p_e, that of series with the same shares of the
    classes but independent of each other.

    Args:
        image: (e,) position of the image of each entry.
        first, second: (e,) class that either series gives it.
        pair: (e,) int64, any numbers that tell the pairs apart.
        num_classes: k.
        least_common: pairs with fewer entries are left out.
        weights: "linear" or "quadratic" for classes with an order, see `OrdinalPairs`;
            None for others.

    Attributes:
        pairs: (p,) the numbers of the pairs that are left, ascending.
        images: (p,) on how many images they rest.
        left_out: number of pairs left out.
    """

    def __init__(
        self,
        image: np.ndarray,
        first: np.ndarray,
        second: np.ndarray,
        pair: np.ndarray,
        num_classes: int,
        least_common: int,
        weights: str | None = None,
    ):
        found, number, size = np.unique(pair, return_inverse=True, return_counts=True)
        enough = size >= least_common
        rows = enough[number]
        self.pairs, self.images = found[enough], size[enough]
        self.left_out = int((~enough).sum())
        self.pair = (np.cumsum(enough) - 1)[number[rows]]
        self.image = image[rows]
        self.equal = (first == second)[rows]
        cells = np.concatenate([first[rows], second[rows]])
        cells += num_classes * np.concatenate([self.pair, self.pair])
        used, cells = np.unique(cells, return_inverse=True)
        self.first, self.second = np.split(cells, 2)
        self.cell_pair = used // num_classes
        self.ordinal: OrdinalPairs | None = None
        if weights is not None:
            one, other = first[rows], second[rows]
            self.ordinal = OrdinalPairs(
                one, other, self.pair, len(self.pairs), num_classes, weights
            )

    def __len__(self) -> int:
        return len(self.pairs)

    def evaluate(self, weights: np.ndarray) -> tuple[np.ndarray, ...]:
        """Returns kappa, agreement and number of each pair (p,), for weights (n,).

        kappa is NaN where both series have one class only, and the same.
        """
        weight = weights[self.image]
        p, cells = len(self.pairs), len(self.cell_pair)
        number = np.bincount(self.pair, weight, p)
        agreed = ratio(np.bincount(self.pair, weight * self.equal, p), number)
        if self.ordinal is not None:
            return self.ordinal.kappa(weight, number), agreed, number
        both = np.bincount(self.first, weight, cells)
        both *= np.bincount(self.second, weight, cells)
        chance = ratio(np.bincount(self.cell_pair, both, p), number**2)
        room = np.where(1 - chance > _LEAST_CHANCE, 1 - chance, 0.0)
        return ratio(agreed - chance, room), agreed, number


class KappaMeasures:
    """Mean kappa and agreement of pairs, pooled and per annotator.

    Args:
        table: the pairs.
        owners: (p, 2) or (p, 1), the annotators whom a pair belongs to.
        num_annotators: how many there are.
    """

    def __init__(self, table: PairTable, owners: np.ndarray, num_annotators: int):
        self.table, self.owners, self.size = table, owners, num_annotators

    def evaluate(self, weights: np.ndarray) -> np.ndarray:
        """Returns pooled kappa and agreement, the people's kappas and agreements.

        Each pair counts by its number of images; pairs without kappa are left out.
        """
        kappa, agreed, number = self.table.evaluate(weights)
        return np.concatenate(
            [
                [self._mean(kappa, number), self._mean(agreed, number)],
                self._by_person(kappa, number),
                self._by_person(agreed, number),
            ]
        )

    def images_of(self, person: int) -> int:
        """Returns how many images stand in the pairs of a person."""
        of_person = (self.owners == person).any(axis=1)
        return int(np.unique(self.table.image[of_person[self.table.pair]]).size)

    @staticmethod
    def _mean(values, number):
        known = np.isfinite(values)
        total = number[known].sum()
        return (values[known] * number[known]).sum() / total if total else np.nan

    def _by_person(self, values, number):
        known = np.isfinite(values)
        total, weight = np.zeros(self.size), np.zeros(self.size)
        for column in self.owners[known].T:
            total += np.bincount(column, (values * number)[known], self.size)
            weight += np.bincount(column, number[known], self.size)
        return ratio(total, weight)


def between_people(
    answers: Answers, least_common: int, weights: str | None = None
) -> KappaMeasures | str:
    """Returns the pairs of annotators, or why there are none.

    The first answer of each person to each image counts.
    """
    rows = np.flatnonzero((answers.annotator >= 0) & (answers.round == 0))
    rows = rows[np.lexsort((answers.annotator[rows], answers.image[rows]))]
    people = len(answers.annotators)
    size = np.bincount(answers.image[rows])
    if (size * (size - 1) // 2).sum() > MOST_ENTRIES:
        return "there are too many pairs of answers for kappa of pairs; see alpha"
    left, right = _within_runs(answers.image[rows], rows)
    pair = answers.annotator[left] * people + answers.annotator[right]
    sizes = len(answers.class_names), least_common
    table = _table(answers, left, right, pair, *sizes, weights)
    if not len(table):
        if np.unique(answers.annotator[rows]).size < 2:
            return "there are fewer than two known annotators"
        return _too_few("two annotators answered", least_common)
    owners = np.stack([table.pairs // people, table.pairs % people], axis=1)
    return KappaMeasures(table, owners, people)


def within_people(
    answers: Answers, least_common: int, weights: str | None = None
) -> KappaMeasures | str:
    """Returns the pairs of rounds of each annotator, or why there are none."""
    given = answers.rounds
    rows = np.flatnonzero(given.annotator >= 0)
    rows = rows[
        np.lexsort((given.round[rows], given.annotator[rows], given.image[rows]))
    ]
    people, rounds = len(answers.annotators), int(given.round.max(initial=0)) + 1
    if rounds == 1:
        return "no known annotator answered an image again"
    run = given.image[rows] * people + given.annotator[rows]
    left, right = _within_runs(run, rows)
    pair = given.annotator[left] * rounds + given.round[left]
    pair = pair * rounds + given.round[right]
    sizes = len(answers.class_names), least_common
    table = _table(given, left, right, pair, *sizes, weights)
    if not len(table):
        return _too_few("one annotator answered twice", least_common)
    return KappaMeasures(table, table.pairs[:, None] // rounds**2, people)


def _within_runs(run: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of rows whose entries of the sorted `run` are equal."""
    left, right, shift = [], [], 1
    while shift < len(run):
        same = np.flatnonzero(run[shift:] == run[:-shift])
        if not same.size:
            break
        left.append(rows[same])
        right.append(rows[same + shift])
        shift += 1
    none = np.zeros(0, "int64")
    return np.concatenate([none, *left]), np.concatenate([none, *right])


def _table(given, left, right, pair, num_classes, least_common, weights):
    return PairTable(
        given.image[left],
        given.label[left],
        given.label[right],
        pair,
        num_classes,
        least_common,
        weights,
    )


def _too_few(what: str, least_common: int) -> str:
    return f"there are no {least_common} images that {what}"
