"""SIMULATION: labels by actions, for `Proposals.next` and for random order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import simulated_people as people

from keras_dc3.annotations import Annotations
from keras_dc3.proposals.belief import beliefs

CHECKPOINTS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # actions per image
_ROUND = 0.125  # actions per image that one person is asked for


def compare(
    proposals: Any,
    truth: np.ndarray,
    crowd: people.Crowd,
    acceptance: float,
    seed: int,
    divergence: Callable[[np.ndarray, np.ndarray], float],
) -> dict[str, Any]:
    """Returns order -> KL, and answers per image, at each of `CHECKPOINTS`.

    All labels are the mean of the belief that `Proposals.next` has: of the answers, and
    of the model's class probabilities as so many answers as explain these best.
    """
    n = len(proposals)

    def kl_of(counts: np.ndarray) -> float:
        belief = beliefs(proposals.class_probabilities, counts)
        return divergence(truth, belief / belief.sum(axis=1, keepdims=True))

    orders = {
        "next": _by_gain(proposals, crowd, acceptance),
        "next_agreeing_3": _by_gain(proposals, crowd, acceptance, agreeing=3),
        "random": _at_random(proposals, crowd, acceptance, seed),
        "blind": _blind(proposals, crowd, seed),
    }
    result: dict[str, Any] = {"actions": list(CHECKPOINTS)}
    for name, states in orders.items():
        spent, kl, asked = [0.0], [kl_of(_nothing(proposals))], [0.0]
        for actions, counts in states:
            spent.append(actions / n)
            kl.append(kl_of(counts))
            asked.append(counts.sum() / n)
            if spent[-1] > CHECKPOINTS[-1]:
                break
        for key, values in ((name, kl), (f"{name}_answers", asked)):
            found = np.interp(CHECKPOINTS, spent, values, right=np.nan)
            result[key] = [None if np.isnan(v) else v for v in found.tolist()]
        if spent[-1] < CHECKPOINTS[-1]:  # everything is settled, or people are used up
            result[f"{name}_ended_at"] = spent[-1]
    return result


def _by_gain(
    proposals: Any, crowd: people.Crowd, acceptance: float, agreeing: int = 2
) -> Iterator[tuple[int, np.ndarray]]:
    """Yields (actions so far, counts so far): rounds of a person each."""
    counts, actions = _nothing(proposals), 0
    budget = max(1, int(_ROUND * len(proposals)))
    for turn in range(people.ROUNDS * crowd.people):
        told = Annotations(proposals.ids, proposals.class_names, counts=counts)
        asked = proposals.next(budget, told, agreeing=agreeing)
        if not len(asked):
            return
        again, person = divmod(turn, crowd.people)
        steps = _steps(proposals, asked)
        actions += _answer(counts, steps, crowd, person, acceptance, again)
        yield actions, counts


def _at_random(
    proposals: Any, crowd: people.Crowd, acceptance: float, seed: int
) -> Iterator[tuple[int, np.ndarray]]:
    """The same, of all questions that `next` has at first, shuffled for each person."""
    counts, actions = _nothing(proposals), 0
    steps = _steps(proposals, proposals.next(10 * len(proposals)))
    yield from _in_turns(counts, actions, steps, crowd, acceptance, seed)


def _blind(
    proposals: Any, crowd: people.Crowd, seed: int
) -> Iterator[tuple[int, np.ndarray]]:
    """The same, of all images alone, shuffled for each person."""
    steps = [(-1, np.array([row])) for row in range(len(proposals))]
    yield from _in_turns(_nothing(proposals), 0, steps, crowd, 0.0, seed)


def _in_turns(counts, actions, steps, crowd, acceptance, seed):
    part = max(1, int(_ROUND * len(steps)))
    for person in range(crowd.people):
        order = np.random.default_rng([seed, person, 5]).permutation(len(steps))
        for start in range(0, len(order), part):
            some = [steps[i] for i in order[start : start + part]]
            actions += _answer(counts, some, crowd, person, acceptance, 0)
            yield actions, counts


def _steps(proposals: Any, asked: Any) -> list[tuple[int, np.ndarray]]:
    row = {name: position for position, name in enumerate(proposals.ids)}
    return [(q.label, np.array([row[name] for name in q.ids])) for q in asked]


def _answer(counts, steps, crowd, person, acceptance, again) -> int:
    """Adds a person's answers to `counts`; returns the actions they took."""
    proposed = np.full(len(counts), -1)
    for label, rows in steps:
        proposed[rows] = label
    label = crowd.answer(proposed, person, acceptance, again)
    rows = np.concatenate([rows for _, rows in steps])
    counts[rows, label[rows]] += 1
    return people.count_actions(steps, label)[0]


def _nothing(proposals: Any) -> np.ndarray:
    return np.zeros(proposals.class_probabilities.shape, "int64")
