"""What to ask people next. NumPy only."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keras_dc3._text import number_of
from keras_dc3._validation import check_positive_int
from keras_dc3.proposals import dividing
from keras_dc3.proposals.data import ProposalData
from keras_dc3.proposals.sheets import sheet
from keras_dc3.review.plan import Step

GROUP, IMAGE = "group", "image"
_ORDER = "What brings most for the clicks that it takes comes first."


@dataclass(frozen=True)
class Question:
    """One thing to ask people: about a group at once, or about one image.

    Attributes:
        kind: "group", or "image" for one that is cheaper to ask about alone.
        name: of the group, such as "class cat" or "cluster 3"; "" for an image.
        label: position of the class to propose; -1 for an image.
        ids: of the images; of a group the most typical one first.
        gain: expected, in nats, see `Proposals.next`.
        actions: expected clicks or keys.
    """

    kind: str
    name: str
    label: int
    ids: tuple[str, ...]
    gain: float
    actions: float

    def __str__(self) -> str:
        what = self.ids[0]
        if self.kind == GROUP:
            what = f"{self.name}: {number_of(len(self.ids), 'image')}"
        return f"{what}; {self.gain:.3g} nats for {self.actions:.3g} actions"

    def step(self, class_names: Sequence[str]) -> Step:
        """Returns what a review sheet shows of a question about a group."""
        about = f"proposed: {class_names[self.label]}"
        title = self.name.removeprefix("class ")
        return Step(self.ids, self.name, title, about, self.label)


@dataclass(frozen=True, eq=False, repr=False)
class Questions:
    """What to ask next, the most gain per action first. Iterating gives `Question`s.

    `to_review` makes a sheet of them.

    Attributes:
        questions: tuple of `Question`; each image stands in one at most.
        settled: how many images are not asked about, as nobody disagrees on them.
        proposals: the proposals for the images to ask about alone, in order.

    Example:

    >>> asked = proposals.next(budget=20)
    >>> sum(question.actions for question in asked) <= 20
    True
    """

    questions: tuple[Question, ...]
    settled: int
    proposals: ProposalData

    def __len__(self) -> int:
        return len(self.questions)

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions)

    def __getitem__(self, position: int | slice) -> Any:
        return self.questions[position]

    @property
    def ids(self) -> tuple[str, ...]:
        """All images to ask about, in order."""
        return self.proposals.ids

    @property
    def gain(self) -> float:
        """Expected, in nats, of all."""
        return float(sum(question.gain for question in self))

    @property
    def actions(self) -> float:
        """Expected clicks or keys of all."""
        return float(sum(question.actions for question in self))

    @property
    def proposed(self) -> dict[str, str]:
        """Image -> name of the class to propose; images asked about alone have none."""
        names = self.proposals.class_names
        asked = (question for question in self if question.kind == GROUP)
        return {name: names[q.label] for q in asked for name in q.ids}

    def first_groups(self, number: int) -> Questions:
        """Returns the questions about the groups of most gain per action, alone.

        Args:
            number: how many groups, or parts of these, to ask about; less if there are
                less.

        Raises:
            ValueError: if it is below 1.

        Example:

        >>> asked = proposals.next(budget=20).first_groups(1)
        >>> [question.kind for question in asked]
        ['group']
        """
        check_positive_int("number", number)
        chosen = [question for question in self if question.kind == GROUP][:number]
        return dividing.questions_of(self, chosen)

    def divide(
        self,
        people: Sequence[str],
        overlap: float = 0.2,
        answered: Mapping[str, Collection[str]] | None = None,
    ) -> dict[str, Questions]:
        """Returns who is asked what.

        Some questions go to everybody, so that it can be measured whether people agree;
        each of the others goes to the one with the least to do so far. Nobody is asked
        about an image a second time.

        Args:
            people: their names.
            overlap: share of the work that everybody does, in [0, 1], spread over all
                of it. 1 asks everybody everything.
            answered: person -> ids of the images that this person has answered.

        Returns:
            Person -> what to ask; it may be nothing.

        Raises:
            ValueError: if names are empty or alike, or `overlap` is no share.

        Example:

        >>> asked = proposals.next(budget=20)
        >>> parts = asked.divide(["anna", "ben"], overlap=0.5)
        >>> set(parts["anna"].ids) | set(parts["ben"].ids) == set(asked.ids)
        True
        """
        return dividing.divide(self, people, overlap, answered)

    def to_review(
        self, path: str | os.PathLike, images: Any, **options: Any
    ) -> tuple[str, ...]:
        """Writes a review sheet that asks these questions, in their groups.

        Images to ask about alone come blind, in blocks between the groups. In the
        files that people download their `group` is "alone", so that nobody takes them
        for the control share, which is drawn from the groups. `review.read(files)`
        reads them back, with nothing but the files; whoever has the proposals at hand
        may pass them, all or `questions.proposals`, for the checks of `review.read`.

        Args:
            path: the file; see `Proposals.to_review`.
            images: of the proposals, in whatever form `Proposals.to_review` takes; an
                array in the order of `questions.proposals`.
            **options: of `Proposals.to_review`, all but its `mode`.

        Returns:
            The paths of the files.

        Raises:
            ValueError: if there is no question; else as `Proposals.to_review`.

        Example:

            asked = proposals.next(budget=500, annotations=review)
            asked.to_review("round-2.html", data.unlabeled)
        """
        if not self.questions:
            raise ValueError("There is nothing to ask: no question is left.")
        names = self.proposals.class_names
        groups = [one.step(names) for one in self if one.kind == GROUP]
        alone = [one.ids[0] for one in self if one.kind == IMAGE]
        asked = sheet(self.proposals, "dc3", groups, alone, _ORDER)
        return asked.write(path, images, **options)

    def __str__(self) -> str:
        if not self.questions:
            settled = number_of(self.settled, "image is", "images are")
            return f"There is nothing to ask: no question is left; {settled} settled."
        asked = [question for question in self if question.kind == GROUP]
        how, actions = "one by one", f"{self.actions:.3g} actions"
        if actions == "1 actions":
            actions = "1 action"
        if asked:
            in_groups = sum(len(question.ids) for question in asked)
            how = f"{in_groups:,} of them in {number_of(len(asked), 'group')}"
        return (
            f"Ask about {number_of(len(self.ids), 'image')}, {how}: about "
            f"{actions}, from which {self.gain:.3g} nats of information are expected; "
            f"{number_of(self.settled, 'image is', 'images are')} settled."
        )

    __repr__ = __str__
