"""The candidates of a group, or of all images alone, that a budget can reach. NumPy."""

from __future__ import annotations

import math

import numpy as np

from keras_dc3.proposals.choosing import ACCEPT, ALONE, added, best_order

_FEW = 8192  # images that may wait to be sorted
_NEAR = 1e-3  # relative: worth that rounding might take for that of the opening
_MORE = 2.0  # actions above the budget that candidates are kept for


class Kept:
    """Images of one group, the best ones of which are kept.

    Dropped is what can neither belong to the images that the group begins with, as it
    is worth less than these together and the group is cheaper without it, nor be
    reached by the budget before less than one action is left of it.

    Args:
        budget: actions.

    Attributes:
        number: of images that were added. actions: of all of these. least: the least of
            one of these.
        cut: worth of the best that may have been dropped; -inf if none was.
        rows, gain, of_each: (m,) of those kept; `of_each` are their actions.
    """

    def __init__(self, budget: float):
        self._enough = budget + _MORE
        self.number, self.actions, self.least = 0, 0.0, math.inf
        self.cut = -math.inf
        self._parts = [(np.empty(0, "int64"), np.empty(0), np.empty(0))]
        self._waiting = self._sorted = 0

    @property
    def rows(self) -> np.ndarray:
        return self._joined()[0]

    @property
    def gain(self) -> np.ndarray:
        return self._joined()[1]

    @property
    def of_each(self) -> np.ndarray:
        return self._joined()[2]

    def add(self, rows: np.ndarray, gain: np.ndarray, actions: np.ndarray) -> None:
        """Adds images, whose positions are above those before."""
        if not len(rows):
            return
        self.number += len(rows)
        self.actions = added(actions, self.actions)
        self.least = min(self.least, float(actions.min()))
        good = gain / actions >= self.cut
        self._parts.append((rows[good], gain[good], actions[good]))
        self._waiting += int(good.sum())
        if self._waiting > max(_FEW, self._sorted):
            self._drop()

    def _joined(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if len(self._parts) > 1:
            parts = zip(*self._parts, strict=True)
            self._parts = [tuple(map(np.concatenate, parts))]
        return self._parts[0]

    def _drop(self) -> None:
        rows, gain, actions = self._joined()
        order = best_order(rows, gain, actions)
        rows, gain, actions = rows[order], gain[order], actions[order]
        spent, worth = actions.cumsum(), gain / actions
        together = gain.cumsum() / (ACCEPT + spent)
        number = np.arange(1, len(rows) + 1)
        enough = spent > self._enough
        enough &= ACCEPT + spent < ALONE * number - _NEAR
        enough &= worth < together * (1 - _NEAR)
        if enough.any():
            end = int(enough.argmax()) + 1
            rows, gain, actions = rows[:end], gain[:end], actions[:end]
            self.cut = float(worth[end - 1])
        self._parts = [(rows, gain, actions)]
        self._sorted, self._waiting = len(rows), 0


class KeptAlone:
    """The images of most gain, as many as a budget pays for.

    Args:
        budget: actions.

    Attributes:
        rows, gain: (m,) of these.
    """

    def __init__(self, budget: float):
        self._most = int(budget / ALONE) + int(_MORE)
        self.rows, self.gain = np.empty(0, "int64"), np.empty(0)

    def add(self, rows: np.ndarray, gain: np.ndarray) -> None:
        """Adds images in any order."""
        if len(self.gain) == self._most:
            good = gain >= self.gain[-1]
            rows, gain = rows[good], gain[good]
        if len(rows):
            rows = np.concatenate([self.rows, rows])
            gain = np.concatenate([self.gain, gain])
            order = np.lexsort((rows, -gain))[: self._most]
            self.rows, self.gain = rows[order], gain[order]
