"""What to ask next of a run: a few passes over its files. NumPy only."""

from __future__ import annotations

import heapq
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._text import some
from keras_dc3.proposals import Proposals, Question, Questions, asking, choosing
from keras_dc3.proposals.belief import (
    answer_gain,
    beliefs,
    fit_weight,
    guess_of,
    prior_of,
)
from keras_dc3.proposals.choosing import Candidate, Purchase
from keras_dc3.proposals.groups import title_of
from keras_dc3.scale.blocks import Block, Blocks
from keras_dc3.scale.grouping import Grouping
from keras_dc3.scale.kept import Kept, KeptAlone
from keras_dc3.scale.matching import rows_named

_AT_ONCE = 10_000  # candidates of the last action that are looked at in one pass


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers so far, of the images that have some.

    Attributes:
        rows: (m,) positions, in rising order. counts: (m, k). bad: (m,) bool.
        weight: how many answers the model's class probabilities count as.
        agreeing: how many equal voices settle an image.
    """

    rows: np.ndarray
    counts: np.ndarray
    bad: np.ndarray
    weight: float
    agreeing: int

    @classmethod
    def of(
        cls, blocks: Blocks, annotations: Any, weight: float | None, agreeing: int
    ) -> Answers:
        """See `Proposals.next`."""
        rows = np.empty(0, "int64")
        names = _names(annotations)
        if names:
            rows = rows_named(blocks, names)
            if not len(rows):
                warnings.warn(
                    "None of the images with answers is among the scores: "
                    f"{some(map(repr, dict.fromkeys(names)))}. These answers play no "
                    "part; are they of other images, or of another run?",
                    stacklevel=3,
                )
        found = blocks.take(rows)
        counts = asking.counts_of(found, annotations)
        if weight is None:
            given = asking.counts_of(found, annotations, as_given=True, quiet=True)
            weight = fit_weight(prior_of(found.class_probabilities), given)
        bad = asking.called_bad(found, annotations)
        return cls(rows, counts, bad, weight, agreeing)

    def at(self, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns counts (n, k) and bad (n,) of the images at some positions."""
        counts, bad = np.zeros((len(rows), k)), np.zeros(len(rows), bool)
        places = np.searchsorted(self.rows, rows)
        there = places < len(self.rows)
        there[there] = self.rows[places[there]] == rows[there]
        counts[there], bad[there] = self.counts[places[there]], self.bad[places[there]]
        return counts, bad


class _Judged(NamedTuple):
    """Images of a file: what an answer would tell, and what it would cost.

    rows: (n,) positions. group: (n,) numbers. gain: (n,). actions: (n,) in the group.
    asked: (n,) bool, whether it may be asked about. settled: how many are.
    """

    rows: np.ndarray
    group: np.ndarray
    gain: np.ndarray
    actions: np.ndarray
    asked: np.ndarray
    settled: int

    @property
    def fits(self) -> np.ndarray:
        """(n,) bool, whether it may be asked about in its group."""
        return self.asked & (self.actions < choosing.ALONE)


class Asking:
    """Chooses what to ask about a run.

    Args:
        blocks: its files.
        grouping: its groups.
        answers: those so far.
        budget: actions.
    """

    def __init__(
        self, blocks: Blocks, grouping: Grouping, answers: Answers, budget: float
    ):
        self._blocks, self._grouping, self._answers = blocks, grouping, answers
        self._layout = grouping.layout
        self._groups = [Kept(budget) for _ in self._layout.keys]
        self._alone = KeptAlone(budget)
        self._purchase = Purchase(budget)
        self._openings: dict[int, np.ndarray] = {}
        self._settled = 0

    def questions(self) -> Questions:
        """Returns what `Proposals.next` would."""
        self._collect()
        last = self._spend()
        if last is not None:
            self._spend_the_rest(last)
        chosen = self._purchase.result()
        rows = np.concatenate([rows for _, rows in chosen] or [np.empty(0, "int64")])
        rows = np.sort(rows)
        some = self._blocks.take(rows)
        self._grouping.find_medoids(group for group, _ in chosen if group >= 0)
        asked = [self._question(*one, some, rows) for one in chosen]
        asked = asking.by_worth(asked)
        order = [some.row_of[name] for question in asked for name in question.ids]
        return Questions(tuple(asked), self._settled, some.take(order))

    def _judged(self, block: Block) -> _Judged:
        answers, p = self._answers, block.class_probabilities
        counts, bad = answers.at(block.rows, p.shape[1])
        belief = beliefs(p, counts, answers.weight)
        gain, guess = answer_gain(belief), guess_of(belief)
        settled = asking.settled(block, counts, answers.agreeing)
        group = self._layout.number_of(block)
        actions = choosing.change_actions(guess, self._layout.proposed[group])
        asked = ~(settled | bad) & (gain > 0)
        return _Judged(block.rows, group, gain, actions, asked, int(settled.sum()))

    def _collect(self) -> None:
        """Keeps the candidates that the budget can reach. One pass."""
        for block in self._blocks:
            one = self._judged(block)
            self._settled += one.settled
            fits = np.flatnonzero(one.fits)
            order = fits[np.argsort(one.group[fits], kind="stable")]
            numbers, starts = np.unique(one.group[order], return_index=True)
            parts = np.split(order, starts[1:]) if len(numbers) else []
            for number, part in zip(numbers, parts, strict=True):
                values = one.rows[part], one.gain[part], one.actions[part]
                self._groups[number].add(*values)
            alone = one.asked & ~one.fits
            self._alone.add(one.rows[alone], one.gain[alone])

    def _candidates(self) -> Iterator[Candidate]:
        """Yields what is kept, in order."""
        streams = []
        for number, kept in enumerate(self._groups):
            if choosing.is_cheaper(kept.number, kept.actions):
                given = kept.rows, kept.gain, kept.of_each
                streams.append(choosing.of_group(number, *given))
            else:
                self._alone.add(kept.rows, kept.gain)
        streams.append(choosing.of_images(self._alone.rows, self._alone.gain))
        return heapq.merge(*streams, key=lambda one: one.place)

    def _spend(self) -> tuple[float, bool, int] | None:
        """Spends the budget on what is kept.

        Once less than an action is left, only images that follow those of their group
        can be taken, and there may be some among those that were dropped.

        Returns:
            The place behind which these are to be looked for; None if all is done.
        """
        dropped = max((kept.cut for kept in self._groups), default=-math.inf)
        last = None
        for one in self._candidates():
            if self._purchase.left <= 0:
                return None
            if self._purchase.left < choosing.ALONE and one.worth <= dropped:
                return last
            self._purchase.offer(one)
            last = one.place
            if one.opens and one.group >= 0:
                self._openings[one.group] = one.rows
        return None if dropped == -math.inf else last

    def _spend_the_rest(self, last: tuple[float, bool, int]) -> None:
        """Spends what is left of the last action. Hardly ever more than one pass."""
        least = min((self._groups[g].least for g in self._purchase.taken), default=1.0)
        while self._purchase.left >= least:
            found = self._after(last)
            for one in found:
                self._purchase.offer(one)
            if len(found) < _AT_ONCE:
                return
            last = found[-1].place

    def _after(self, last: tuple[float, bool, int]) -> list[Candidate]:
        """Returns the first candidates behind a place that what is left pays for."""
        openings = {g: self._openings[g] for g in self._purchase.taken}
        worth, row, number = np.empty(0), np.empty(0, "int64"), np.empty(0, "int64")
        actions = np.empty(0)
        for block in self._blocks:
            one = self._judged(block)
            good = one.fits & (one.actions <= self._purchase.left)
            good &= np.isin(one.group, list(openings))
            value = one.gain / np.where(good, one.actions, 1.0)
            behind = one.rows > last[2] if last[1] else True
            good &= (value < -last[0]) | ((value == -last[0]) & behind)
            for group in np.unique(one.group[good]):
                mine = good & (one.group == group)
                good[mine] = ~np.isin(one.rows[mine], openings[group])
            worth = np.concatenate([worth, value[good]])
            row = np.concatenate([row, one.rows[good]])
            number = np.concatenate([number, one.group[good]])
            actions = np.concatenate([actions, one.actions[good]])
            order = np.lexsort((row, -worth))[:_AT_ONCE]
            worth, row = worth[order], row[order]
            number, actions = number[order], actions[order]
        return [
            Candidate(float(w), int(g), False, row[i : i + 1], actions[i : i + 1])
            for i, (w, g) in enumerate(zip(worth, number, strict=True))
        ]

    def _question(
        self, group: int, rows: np.ndarray, some: Proposals, known: np.ndarray
    ) -> Question:
        inside = np.searchsorted(known, rows)
        p = some.class_probabilities[inside]
        counts, _ = self._answers.at(rows, p.shape[1])
        belief = beliefs(p, counts, self._answers.weight)
        gain = answer_gain(belief)
        if group < 0:
            return asking.question_alone(some.ids[inside[0]], gain[0])
        inside.sort()
        values = self._grouping.order_values(group, known[inside], some.take(inside))
        order = inside[np.argsort(values, kind="stable")]
        proposed = int(self._layout.proposed[group])
        return asking.question_of(
            title_of(self._layout.keys[group], self._blocks.class_names),
            proposed,
            [some.ids[i] for i in order],
            gain,
            choosing.change_actions(guess_of(belief), proposed),
        )


def _names(annotations: Any) -> list[str]:
    """Returns all names that answers, or what people say of an image, stand under."""
    found = list(getattr(annotations, "ids", ()))
    inner = getattr(annotations, "annotations", annotations)
    return [*found, *getattr(inner, "ids", ()), *getattr(inner, "bad_images", ())]
