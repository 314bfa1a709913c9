"""Scripted annotators who work through review sheets. NumPy only; nobody is real.

What they are assumed to do stands in `ASSUMPTIONS`, which every result carries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_dc3.annotations import Annotations, Records
from keras_dc3.review import Review
from keras_dc3.review.plan import Step, blind_pages, group_pages

ROUNDS = 2  # the second one repeats the first, for kappa within people
ASSUMPTIONS = (
    "SIMULATION: no person answered anything.",
    "A person's own answer to an image is drawn from its real soft label, anew each "
    "time: all people are alike, and nobody remembers an answer. In expectation, kappa "
    "within and between people are therefore equal.",
    "Who sees a proposal accepts it with the stated probability whatever they think "
    "(people who measured this found 0 to 0.65, by data set), else gives their own "
    "answer. It is the same for classes and clusters, right and wrong proposals.",
    "Actions are clicks or keys on the review sheet; looking costs nothing, so that "
    "actions are not time.",
    "An image alone costs 1: the key of its class, which also goes on.",
    "A group costs 1 to accept it, which also goes on, and 2 for each image whose "
    "answer is not the proposed class: a click to mark it and a key to name it. Where "
    "that is cheaper, 1 key names the whole group anew first.",
    "'Named together': 1 click for each such image and 1 "
    "key for each class among them. Marks of several images at once (Shift+click, E, "
    "'From here to the end') would cost less, and are not counted. Groups that are "
    "joined cost what they cost apart, and nobody needs the overview to go on.",
    "Each person has a sheet of all images with its own seed; in the modes with "
    "proposals a tenth of the images is blind, and counts like any other.",
    "The second round, for kappa within people, costs nothing and adds no answers.",
    "Kappa is that of the first five people, with proposals of answers to these alone. "
    "In KL, no share of a label counts as less than 0.00001.",
    "Which images next: sheets as `Questions.to_review` makes them, without a control "
    "share; a group costs 1 to accept however large it is. Each person is asked for an "
    "eighth of an action per image; when all have been asked, they are asked again, "
    "and count twice. 'Random' are the questions that `next` has at first, shuffled. "
    "Labels are the best guess of `next`; no bias is corrected.",
)


class Sheet(NamedTuple):
    """What one person is asked: (proposed class or -1, rows of images) in order."""

    steps: list[tuple[int, np.ndarray]]

    @property
    def proposed(self) -> np.ndarray:
        """(n,) class proposed for each image, -1 for none."""
        rows = np.concatenate([rows for _, rows in self.steps])
        proposed = np.full(rows.max() + 1, -1)
        for label, group in self.steps:
            proposed[group] = label
        return proposed


def make_sheet(proposals: Any, mode: str, control: float, seed: int) -> Sheet:
    """Returns the sheet that `Proposals.to_review` would write, without the pixels."""
    if mode == "none":
        pages = blind_pages(proposals.ids, 0.0, seed, len(proposals))
    else:
        groups = by_class(proposals) if mode == "classes" else by_group(proposals)
        pages = group_pages(groups, control, 0.0, seed, len(proposals))
    row = {name: position for position, name in enumerate(proposals.ids)}
    return Sheet(
        [
            (step.label, np.array([row[name] for name in step.ids]))
            for page in pages
            for step in page
        ]
    )


def by_class(proposals: Any) -> list[Step]:
    """Returns a group per predicted class, of all images."""
    ids = np.array(proposals.ids, dtype=object)
    found = []
    for label, name in enumerate(proposals.class_names):
        members = tuple(ids[proposals.class_index == label])
        if members:
            found.append(Step(members, f"class {name}", label=label))
    return found


def by_group(proposals: Any) -> list[Step]:
    """Returns the classes of the certain images and the clusters of the others."""
    return [
        Step(group.ids, f"{group.kind} {group.name}", label=int(group.proposed_class))
        for group in proposals.groups()
    ]


class Crowd:
    """People whose answers follow from `seed` alone, the same in all modes.

    Args:
        soft_labels: (n, k), what they draw from.
        people: how many.
        seed: of all draws.
    """

    def __init__(self, soft_labels: np.ndarray, people: int, seed: int):
        rng = np.random.default_rng([seed, 3])
        edges = soft_labels.astype("float64").cumsum(axis=1)
        shape = (ROUNDS, people, len(soft_labels))
        places = rng.random(shape)[..., None] * edges[:, -1:]
        self.own = (places >= edges).sum(axis=-1).clip(0, soft_labels.shape[1] - 1)
        self.luck = rng.random(shape)
        self.people = people

    def answer(
        self, proposed: np.ndarray, person: int, acceptance: float, again: int = 0
    ) -> np.ndarray:
        """Returns the answers to all images.

        Args:
            proposed: (n,) class, -1 for blind.
            person: number of the person.
            acceptance: probability to accept whatever they think.
            again: the round.
        """
        own = self.own[again, person]
        accepts = (proposed >= 0) & (self.luck[again, person] < acceptance)
        return np.where(accepts, proposed, own)


def count_actions(
    steps: Iterable[tuple[int, np.ndarray]], label: np.ndarray
) -> tuple[int, int]:
    """Returns clicks and keys: each image named by itself, and named together.

    Args:
        steps: of a sheet.
        label: (n,) the answers.
    """
    apart = together = 0
    for proposed, rows in steps:
        if proposed < 0:
            apart += len(rows)
            together += len(rows)
            continue
        numbers = np.bincount(label[rows], minlength=proposed + 1)
        others = len(rows) - numbers
        renamed = np.arange(len(numbers)) != proposed
        classes = (numbers > 0).sum() - (numbers > 0)
        apart += 1 + int((renamed + 2 * others).min())
        together += 1 + int((renamed + others + classes).min())
    return apart, together


def as_review(
    labels: np.ndarray,
    proposed: np.ndarray,
    ids: Sequence[str],
    class_names: Sequence[str],
    mode: str,
) -> Review:
    """Returns answers as `review.read` would.

    Args:
        labels, proposed: (rounds, people, n); rounds after the first are repetitions.
        ids: of the n images.
        class_names: k names.
        mode: of the sheets.
    """
    rounds, people, n = labels.shape
    shown = proposed.transpose(2, 1, 0).ravel()
    given = labels.transpose(2, 1, 0).ravel()
    records = Records(
        np.repeat(np.arange(n), people * rounds),
        np.tile(np.repeat(np.arange(people), rounds), n),
        given,
        np.full(len(given), np.nan),
    )
    return Review(
        Annotations(
            tuple(ids),
            tuple(class_names),
            annotators=tuple(f"person {p + 1}" for p in range(people)),
            records=records,
        ),
        proposed=shown,
        group=np.where(shown < 0, "", "group"),
        accepted=(shown >= 0) & (given == shown),
        repetition=np.tile(np.arange(rounds) > 0, n * people),
        mode=mode,
    )
