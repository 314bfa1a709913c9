"""How a project stands, in words: what was done, and what to do next."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keras_dc3._text import number_of, some
from keras_dc3.agreement import Agreement, Stopping
from keras_dc3.annotations import Annotations
from keras_dc3.project.costs import Cost
from keras_dc3.project.progress import in_words
from keras_dc3.project.rounds import Round

_SHOWN = 5  # names of images in a line


@dataclass(frozen=True, repr=False)
class Status:
    """How a project stands. Printing it says so.

    Attributes:
        name: of the project.
        images: how many there are.
        answered: how many of them have an answer.
        withdrawn: how many play no part.
        rounds: the records of all rounds.
        costs: round -> what its answers have cost.
        agreement: how far people agree; None where that is not known yet.
        bias: what is said of the bias of proposals.
        no_class: what is said of images that are bad or that no class fits, and of
            classes that people have typed, with what to do about them.
        stopping: whether more answers still help; None where that is not known yet.
        next_step: what to do now.
    """

    name: str
    images: int
    answered: int
    withdrawn: int
    rounds: Sequence[Mapping[str, Any]]
    costs: Mapping[int, Cost]
    agreement: Agreement | None
    bias: str
    stopping: Stopping | None
    next_step: str
    no_class: Sequence[str] = ()

    def __str__(self) -> str:
        left_out = f", {self.withdrawn:,} withdrawn" if self.withdrawn else ""
        lines = [
            f"{self.name}: {number_of(self.images, 'image')}, {self.answered:,} with "
            f"answers{left_out}",
        ]
        if self.rounds:
            lines += ["", *_table(self.rounds, self.costs)]
        if self.agreement is not None:
            lines += ["", *_in_words(self.agreement), "", str(self.agreement)]
        if self.no_class:
            lines += ["", "Answers that are none of the classes", *self.no_class]
        if self.bias:
            lines += ["", "Bias of proposals", self.bias]
        if self.stopping is not None:
            lines += ["", "Do more answers help?", str(self.stopping)]
        return "\n".join([*lines, "", f"Next: {self.next_step}"])

    __repr__ = __str__


def _in_words(agreement: Agreement) -> list[str]:
    """Returns how far people agree, in a sentence; nothing where nobody knows."""
    raw = agreement.raw
    if math.isnan(raw.value):
        return []
    return [
        f"Of two people who answered the same image, {raw.format('.0%')} said the same "
        f"(on {number_of(raw.images, 'image')}, with and without proposals)."
    ]


def no_class(
    answers: Annotations | None, typed: Mapping[str, Sequence[str]]
) -> list[str]:
    """Returns what is said of answers that are none of the classes, and what to do.

    Args:
        answers: of all people; None if there are none.
        typed: class that people have typed -> the images of these answers.
    """
    told = []
    if answers is not None and answers.bad_images:
        bad = answers.bad_images
        names = " ".join(map(shlex.quote, bad[:_SHOWN]))
        told.append(
            f"Most people call {number_of(len(bad), 'image')} bad, for which there is "
            f'no label. `keras-dc3 withdraw {names} --reason "bad image"` takes '
            + ("the first ones out" if len(bad) > _SHOWN else "out what is named")
            + ", so that nobody is asked about it any more."
        )
    if answers is not None and answers.none_of_these:
        none = answers.none_of_these
        told.append(
            f"In {number_of(len(none), 'image')} somebody sees none of these classes: "
            f"{some(none, _SHOWN)}. `keras-dc3 classes --add NAME` adds a class."
        )
    for name, images in typed.items():
        told.append(
            f"Somebody has typed the class {name!r} for "
            f"{number_of(len(images), 'image')}: {some(images, _SHOWN)}. The answers "
            f"count from `keras-dc3 classes --add {shlex.quote(name)}` on."
        )
    return told


def _table(rounds: Sequence[Mapping[str, Any]], costs: Mapping[int, Cost]) -> list[str]:
    rows = [("round", "trained on", "F1 of certain images", "answers", "cost")]
    for record in rounds:
        number, trained = record["round"], record.get("train")
        rows.append(
            (
                str(number),
                f"{trained['labeled']:,} labeled" if trained else "-",
                f1_of(trained),
                f"{costs[number].answers:,}" if number in costs else "-",
                cost_in_words(costs[number]) if number in costs else "-",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def f1_of(trained: Mapping[str, Any] | None) -> str:
    """Returns F1 of the certain validation images, with its interval."""
    value = (trained or {}).get("scores", {}).get("f1")
    if value is None or math.isnan(value):
        return "-"
    low, high = trained["intervals"].get("f1", (math.nan, math.nan))
    between = "" if math.isnan(low) else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{100 * value:.0f}{between}"


def cost_in_words(cost: Cost) -> str:
    """Returns actions and time."""
    time = "" if math.isnan(cost.seconds) else f", {in_words(cost.seconds)}"
    return f"{number_of(cost.actions, 'action')}{time}"


def next_step(current: Round | None, answered: int, classes: int) -> str:
    """Returns what to do now, as a command with its reason.

    Args:
        current: the last round.
        answered: images with an answer.
        classes: how many there are.
    """
    enough = answered >= 2 * classes
    if current is None:
        if enough:
            return "`keras-dc3 train` trains a model on the answers that there are."
        return "`keras-dc3 sheet` writes pages on which people answer first images."
    if current.done("answers"):
        return (
            "`keras-dc3 next` begins another round with these answers; if they suffice,"
            " `keras-dc3 labels` writes the labels of all images."
        )
    if current.done("sheets"):
        return (
            "people open their pages and send you the files that they download: "
            "`keras-dc3 read FILE ...` takes them in. Or `keras-dc3 serve` gives them "
            "the pages, and `keras-dc3 read` takes in what they have answered."
        )
    if current.done("propose"):
        return "`keras-dc3 sheet` writes pages on which people answer."
    if current.done("train"):
        return "`keras-dc3 propose` says what the model makes of each image."
    if enough:
        return "`keras-dc3 train` trains a model on the answers that there are."
    return "`keras-dc3 sheet` writes pages on which people answer first images."
