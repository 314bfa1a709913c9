"""What a budget of actions pays for: groups, parts of them, and images. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

ACCEPT, CHANGE, ALONE = 1.0, 2.0, 1.0  # actions on a review sheet
_SLACK = 1e-9  # of a budget, for the rounding of sums


class Candidate(NamedTuple):
    """Images that are asked about together, or one that follows those of its group.

    worth: gain per action. group: number of the group; -1 for an image alone. opens:
    whether the group begins with them. rows: (m,) of the images. actions: (m,) of each.
    """

    worth: float
    group: int
    opens: bool
    rows: np.ndarray
    actions: np.ndarray

    @property
    def place(self) -> tuple[float, bool, int]:
        """By which candidates are in order, the most gain per action first."""
        return -self.worth, not self.opens, int(self.rows[0])


def change_actions(guess: np.ndarray, proposed: np.ndarray | int) -> np.ndarray:
    """Returns (n,), the actions expected for images that stand in a group.

    Args:
        guess: (n, k), the distributions of people's answers.
        proposed: class, or (n,) classes, that the group proposes.
    """
    return CHANGE * (1 - guess[np.arange(len(guess)), proposed])


def added(actions: np.ndarray, before: float = 0.0) -> float:
    """Returns a sum, one after the other: parts of the actions give what all do."""
    return float(np.cumsum(np.concatenate([[before], actions]))[-1])


def is_cheaper(number: int, actions: float) -> bool:
    """Whether a group of so many images, and actions for them, is cheaper than each."""
    return ACCEPT + actions < ALONE * number


def best_order(rows: np.ndarray, gain: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Returns the order of images of a group, the most gain per action first."""
    return np.lexsort((rows, -gain / actions))


def opening(gain: np.ndarray, actions: np.ndarray) -> tuple[int, float]:
    """Returns how many images a group begins with, and their gain per action.

    Args:
        gain: (m,) of the images in their best order.
        actions: (m,) likewise.
    """
    spent = ACCEPT + actions.cumsum()
    cheaper = spent < ALONE * np.arange(1, len(actions) + 1)  # than all alone
    together = np.where(cheaper, gain.cumsum() / spent, -np.inf)
    first = int(together.argmax()) + 1
    return first, together[first - 1]


def of_group(
    number: int, rows: np.ndarray, gain: np.ndarray, actions: np.ndarray
) -> Iterator[Candidate]:
    """Yields what can be asked of a group that is cheaper than its images, in order."""
    order = best_order(rows, gain, actions)
    rows, gain, actions = rows[order], gain[order], actions[order]
    first, worth = opening(gain, actions)
    worths = np.concatenate([[worth], gain[first:] / actions[first:]])
    begins = np.concatenate([rows[:1], rows[first:]])
    follows = np.arange(len(worths)) > 0
    for position in np.lexsort((begins, follows, -worths)):
        if position == 0:
            yield Candidate(worth, number, True, rows[:first], actions[:first])
            continue
        one = slice(first + position - 1, first + position)
        yield Candidate(worths[position], number, False, rows[one], actions[one])


def of_images(rows: np.ndarray, gain: np.ndarray) -> Iterator[Candidate]:
    """Yields images to ask about alone, in order."""
    for position in np.lexsort((rows, -gain)):
        row = rows[position : position + 1]
        yield Candidate(gain[position] / ALONE, -1, True, row, np.array([ALONE]))


class Purchase:
    """What was taken of the candidates, offered in order.

    Args:
        budget: actions.

    Attributes:
        left: of the budget.
        taken: number of a group -> arrays of rows.
    """

    def __init__(self, budget: float):
        self.left = budget + _SLACK
        self.taken: dict[int, list[np.ndarray]] = {}
        self._alone: list[np.ndarray] = []

    def offer(self, one: Candidate) -> None:
        """Takes what fits into what is left."""
        group, rows = one.group, one.rows
        begin = ACCEPT if group >= 0 and one.opens else 0.0
        costs = one.actions.cumsum()
        fits = int((begin + costs <= self.left).sum())
        spent = begin + one.actions[:fits].sum()
        # What is left of a budget may be too little for a group, or for so few of it
        # that each alone is cheaper.
        apart = group >= 0 and not one.opens and group not in self.taken
        if apart or (one.opens and group >= 0 and spent >= ALONE * fits):
            fits = min(len(rows), int(self.left / ALONE))
            self._alone += [rows[i : i + 1] for i in range(fits)]
            self.left -= ALONE * fits
        elif fits:
            self.left -= spent
            if group >= 0:
                self.taken.setdefault(group, []).append(rows[:fits])
            else:
                self._alone.append(rows)

    def result(self) -> list[tuple[int, np.ndarray]]:
        """Returns (group, rows) of what was taken; -1 for an image alone."""
        groups = [(group, np.concatenate(rows)) for group, rows in self.taken.items()]
        return groups + [(-1, rows) for rows in self._alone]
