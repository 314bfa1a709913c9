"""SIMULATION: what scripted people answer in a mode, and labels from their answers."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import simulated_people as people

from keras_dc3 import agreement

ESTIMATES = ("raw", "raw_shrunk", "corrected", "corrected_shrunk")
_LEAST = 1e-5  # probability, as in the authors' benchmark of annotation


def divergence(truth: np.ndarray, guess: np.ndarray) -> float:
    """Returns the mean over the images of KL(truth || guess), in nats."""
    truth, guess = truth.astype("float64"), guess.clip(_LEAST)
    logs = np.log(truth.clip(_LEAST) / guess)
    return float((truth * logs).sum(axis=1).mean())


def no_bias(class_names: tuple[str, ...]) -> agreement.ProposalBias:
    """Returns a correction that leaves answers as they are, and only shrinks."""
    return agreement.ProposalBias(
        class_names,
        np.zeros(len(class_names)),
        agreement.Estimate(0.0),
        0,
        0,
        "class",
    )


class Condition:
    """All people's answers in a mode.

    Args:
        crowd: the people.
        proposals: what the sheets are made of.
        mode: "none", "classes" or "dc3".
        acceptance: see `people.Crowd.answer`.
        control: share of blind images.
        seed: of the sheets.
    """

    def __init__(
        self,
        crowd: people.Crowd,
        proposals: Any,
        mode: str,
        acceptance: float,
        control: float,
        seed: int,
    ):
        self.proposals, self.mode = proposals, mode
        labels, shown, actions = [], [], []
        for person in range(crowd.people):
            sheet = people.make_sheet(proposals, mode, control, 1000 * seed + person)
            proposed = sheet.proposed
            rounds = [
                crowd.answer(proposed, person, acceptance, again)
                for again in range(people.ROUNDS)
            ]
            labels.append(rounds)
            shown.append([proposed] * people.ROUNDS)
            actions.append(people.count_actions(sheet.steps, rounds[0]))
        self.labels = np.array(labels).transpose(1, 0, 2)
        self.shown = np.array(shown).transpose(1, 0, 2)
        # (people, 2): per image, named apart and together.
        self.actions = np.array(actions) / len(self.proposals)

    def review(self, number: int, rounds: int = 1, shown: np.ndarray | None = None):
        """Returns the answers of the first `number` people."""
        shown = (
            self.shown if shown is None else np.broadcast_to(shown, self.shown.shape)
        )
        return people.as_review(
            self.labels[:rounds, :number],
            shown[:rounds, :number],
            self.proposals.ids,
            self.proposals.class_names,
            self.mode,
        )

    def kappa(self, number: int) -> dict[str, float]:
        """Returns kappa of the first `number` people; of answers to proposals."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # blind answers are left out, on purpose
            found = agreement.measure(self.review(number, people.ROUNDS), resamples=0)
        return {
            "between": found.kappa_between.value,
            "within": found.kappa_within.value,
        }

    def labels_of(self, number: int) -> tuple[dict[str, np.ndarray], float]:
        """Returns estimate -> labels from the first `number` people, and the bias."""
        review = self.review(number)
        bias = agreement.fit_bias(review, self.proposals, resamples=100)
        plain = no_bias(self.proposals.class_names).correct(review)
        better = bias.correct(review)
        labels = (plain.soft_labels, plain.shrunk_labels)
        labels += (better.soft_labels, better.shrunk_labels)
        return dict(zip(ESTIMATES, labels, strict=True)), bias.pooled.value

    def blind_labels_of(self, number: int) -> dict[str, np.ndarray]:
        """Returns the same of blind answers, which no proposal can bias."""
        labels = no_bias(self.proposals.class_names).correct(self.review(number))
        return {"raw": labels.soft_labels, "raw_shrunk": labels.shrunk_labels}

    def divergences(self, truth: np.ndarray, numbers: list[int]) -> dict[str, Any]:
        """Returns estimate -> KL at each number of answers, and the bias found."""
        kl: dict[str, list[float]] = {name: [] for name in (*ESTIMATES, "bias")}
        for number in numbers:
            labels, bias = self.labels_of(number)
            for name, found in labels.items():
                kl[name].append(divergence(truth, found))
            kl["bias"].append(bias)
        return kl

    def blind_divergences(
        self, truth: np.ndarray, numbers: list[int], proposed: dict[str, np.ndarray]
    ) -> dict[str, list[float]]:
        """Returns the same of blind answers; `proposed` nobody has seen."""
        correct = no_bias(self.proposals.class_names).correct
        kl: dict[str, list[float]] = {"raw": [], "raw_shrunk": []}
        kl |= {f"with_{mode}": [] for mode in proposed}
        for number in numbers:
            for name, found in self.blind_labels_of(number).items():
                kl[name].append(divergence(truth, found))
            for mode, shown in proposed.items():
                labels = correct(self.review(number, shown=shown))
                kl[f"with_{mode}"].append(divergence(truth, labels.shrunk_labels))
        return kl


def saved(
    blind: list[float], kl: list[float], actions: list[float], numbers: list[int]
) -> list[float | None]:
    """Returns, for each number of blind answers, the share of actions saved.

    Between numbers of answers, actions are interpolated linearly over ln KL. None where
    the KL of so many blind answers is not reached; where one answer per image is better
    already, what one answer saves, which is a lower bound.

    Args:
        blind: (q,) KL of blind answers, which cost an action each.
        kl: (q,) KL with proposals.
        actions: (q,) actions per image with proposals.
        numbers: (q,) answers per image.
    """
    best = np.minimum.accumulate(kl)
    shares: list[float | None] = []
    for number, goal in zip(numbers, blind, strict=True):
        if best[-1] > goal:
            shares.append(None)
            continue
        at = np.interp(-np.log(goal), -np.log(best), actions)
        shares.append(float(1 - at / number))
    return shares
