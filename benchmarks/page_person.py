"""A scripted person who works through a review sheet by what can be seen on it.

What the person does, and when something goes wrong, stands in `ASSUMPTIONS`. Which
answers were meant is kept by the rules that people are told, without the scripts of the
page (`tests/review/intentions.py`).
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.review.intentions import Intentions

SLIPS = 0.02  # of the marks, classes and accepts, and of the cards (too early)
NOTICED = 0.8  # of the slips
RUN = 3  # images of one other class in a row that are marked together, at least
DOUBTFUL = 0.7  # of which fewer of the real people agree
ASSUMPTIONS = (
    "SIMULATION: no person answered anything.",
    "What the person thinks of an image is drawn once from its real answers; in a "
    "group, all images are looked at, in the order of the screen.",
    "What is of another class is marked and named at once; by mouse and finger, those "
    "of one class on the screen together. Where most of the first screen is of one "
    "other class, the group is renamed before.",
    f"{RUN} or more of one other class in a row are marked together where the way has "
    "an act for it: to the end of the group by E, any by Shift+click.",
    "New means: the images of groups stand in the order from one class to another, and "
    "a finger names the end of a group by 'From here to the end'.",
    f"Doubtful images large: those on which fewer than {DOUBTFUL:.0%} of the real "
    "people agree are looked at in the large view, and named there if need be.",
    f"{SLIPS:.0%} of the marks, classes and accepts are slips: a wrong image or class "
    f"beside the right one, a double press; {SLIPS:.0%} of the cards get an answer "
    "before they were seen. The person notices "
    f"{NOTICED:.0%} of them at once, and undoes what counted; {NOTICED:.0%} of the "
    "wrong classes of groups that are seen before they are accepted, too.",
)


class Meant(Intentions):
    """Keeps what was meant, where groups may stand in another order on the screen."""

    def __init__(self, content: dict[str, Any]):
        super().__init__(content)
        self.order: dict[str, int] = {}

    @property
    def here(self) -> list[int]:
        """Returns the items of this card in the order of the screen."""
        items = super().here
        if self.kind != "group":
            return items
        return sorted(items, key=lambda item: self.order.get(self.items[item][0], item))

    def name_large(self, number: int, label: int) -> None:
        """An image gets a class in the large view."""
        item = self.here[number]

        def name():
            self.meant["own"][item] = label
            self.meant["marked"].discard(item)

        self._act(name)


class Person:
    """Works through a page.

    Args:
        hands: on the page.
        content: what stands in the page.
        opinion: id -> class that the person thinks an image has.
        doubtful: ids of images that are looked at large.
        rng: of slips.
        new_means: whether what only the new page has is used.
    """

    def __init__(
        self,
        hands: Any,
        content: dict[str, Any],
        opinion: dict[str, int],
        doubtful: set[str],
        rng: random.Random,
        new_means: bool,
    ):
        self.hands, self.rng, self.new_means = hands, rng, new_means
        self.ids, self.names = content["images"], content["classes"]
        self.opinion, self.doubtful = opinion, doubtful
        self.meant = Meant(content)
        self.slips: Counter[str] = Counter()
        self.looked_large: set[str] = set()
        self.told = 0
        self.ordered = not new_means
        self.label_before = 0

    # What is seen.

    def see(self) -> dict[str, Any]:
        """Sees the page; in groups, in which order the images stand."""
        view = self.hands.see()
        if view["kind"] == "group":
            shown = enumerate(view["images"])
            self.meant.order = {self.ids[one["picture"]]: n for n, one in shown}
        return view

    def thinks(self, n: int = 0) -> int:
        """Returns the class that an image of the screen has for the person."""
        return self.opinion[self.name_of(n)]

    def name_of(self, n: int) -> str:
        """Returns the id of an image of the screen."""
        return self.ids[self.hands.view["images"][n]["picture"]]

    def notices(self) -> bool:
        """Returns whether the person notices something now."""
        return self.rng.random() < NOTICED

    # Acts. Each is done, and counts as meant unless the page says that it is ignored.

    def act(self, do: Callable[..., None], args: tuple, mean: Callable, *meant) -> bool:
        """Does something; returns whether it counted."""
        do(*args)
        view = self.see()
        ignored, self.told = view["told"] > self.told, view["told"]
        if not ignored:
            mean(*meant)
            self.see()
            self.at_the_right_place()
        return not ignored

    def at_the_right_place(self) -> None:
        """Raises where the page shows another place or other marks than were meant."""
        order = self.meant.places()
        expected = f"{order.index(self.meant.place) + 1} of {len(order) - 1}"
        view = self.hands.view
        there = self.meant.kind if view["kind"] == "card" else view["place"]
        if there != ("end" if self.meant.place == "end" else expected):
            raise AssertionError(f"The page is at {there}, and not at {expected}.")
        if self.meant.kind == "group":
            marked = self.meant.meant["marked"] - self.meant.meant["own"].keys()
            expected = [item in marked for item in self.meant.here]
            if [one["marked"] for one in view["images"]] != expected:
                raise AssertionError("Other images are marked than was meant.")

    def slip(self, *kinds: str) -> str:
        """Returns a slip that happens now, or ""."""
        if self.rng.random() >= SLIPS:
            return ""
        kind = self.rng.choice(kinds)
        self.slips[f"made: {kind}"] += 1
        return kind

    def mend(self, counted: bool) -> bool:
        """After a slip: undoes it where it is noticed; returns whether it was."""
        self.slips["ignored by the page"] += not counted
        if not self.notices():
            self.slips["left"] += counted
            return False
        self.slips["noticed"] += 1
        self.hands.wait("slip seen")
        if counted:
            self.slips["undone"] += 1
            self.undo()
        return True

    def undo(self) -> None:
        """Takes the last act back."""
        self.act(self.hands.undo, (), self.meant.undo)

    def surely(self, do: Callable, args: tuple, mean: Callable, *meant) -> None:
        """Does something, again where the page says that it was ignored."""
        for _ in range(5):
            if self.act(do, args, mean, *meant):
                return
            self.slips["repeated as told"] += 1
            self.hands.wait("slip seen")
        raise AssertionError("The page takes no answer.")

    def mark(self, n: int) -> None:
        """Marks an image."""
        slip = self.slip("image", "double")
        if slip == "image":
            wrong = n - 1 if n else min(1, len(self.hands.view["images"]) - 1)
            if self.hands.view["images"][wrong]["at"] and wrong != n:
                counted = self.act(*self._marking(wrong))
                if not self.mend(counted):
                    return
        self.act(*self._marking(n))
        if slip == "double":
            self.mend(self.act(self.hands.again, (), self.meant.click, n))

    def _marking(self, n: int) -> tuple:
        return self.hands.mark, (n, self.meant.focus), self.meant.click, n

    def choose(self, label: int) -> None:
        """Chooses a class for what it is for now."""
        slip = self.slip("class", "double")
        if slip == "class":
            wrong = label + self.rng.choice([-1, 1])
            wrong = wrong if 0 <= wrong < len(self.names) else abs(label - 1)
            self.label_before = wrong
            if not self.mend(
                self.act(self.hands.choose, (wrong,), self.meant.choose, wrong)
            ):
                return
        self.label_before = label
        self.surely(self.hands.choose, (label,), self.meant.choose, label)
        if slip == "double" and self.meant.kind == "end":
            self.slips["made: double"] -= 1  # there is nothing to press any more
        elif slip == "double":
            self.mend(self.act(self.hands.again, (), self.meant.choose, label))

    def accept(self) -> None:
        """Accepts the group, or a double press does."""
        self.surely(self.hands.accept, (), self.meant.accept)
        if self.meant.kind == "end" or not self.slip("double"):
            return
        mean = self.meant.accept if self.meant.kind == "group" else self._not_meant
        self.mend(self.act(self.hands.again, (), mean))

    @staticmethod
    def _not_meant() -> None:
        raise AssertionError("The page takes an accept for a single image.")

    # Cards.

    def work(self) -> None:
        """Works through the page, from the first card to the last."""
        self.see()
        while self.meant.place != "end":
            if self.too_early():
                continue
            if self.meant.kind == "group":
                self.group()
            else:
                self.single()
        if self.hands.view["title"] != "All done, thank you":
            raise AssertionError(f"The page ends with: {self.hands.view['title']}")

    def too_early(self) -> bool:
        """Perhaps answers a card before it was seen; returns whether it did."""
        if not self.slip("early"):
            return False
        self.hands.wait("too early")
        if self.meant.kind == "group":
            counted = self.act(self.hands.accept, (), self.meant.accept)
        else:
            label = self.label_before
            counted = self.act(self.hands.choose, (label,), self.meant.choose, label)
        self.mend(counted)
        return True

    def single(self) -> None:
        """An image alone."""
        self.hands.wait("look")
        label = self.thinks()
        if self.name_of(0) in self.doubtful:
            self.look_large(0)
            self.hands.close_large(taken_out=False)
            self.see()
        self.hands.wait("name")
        self.choose(label)

    def group(self) -> None:
        """A group: looks at all images, screen by screen."""
        self.hands.wait("see")
        if not self.ordered:
            self.hands.order()
            self.ordered = True
            self.meant.focus_on(self.see()["here"])
        label = self.names.index(self.hands.view["accept"])
        seen: set[int] = set()
        number = len(self.hands.view["images"])
        while len(seen) < number:
            shown = [n for n, one in enumerate(self.hands.view["images"]) if one["at"]]
            fresh = [n for n in shown if n not in seen]
            if not fresh:
                self.scroll(max(seen) + len(shown), number)
                continue
            for _ in fresh:
                self.hands.wait("look")
            if not seen:
                label = self.rename(fresh, label)
            seen.update(fresh)
            others = [n for n in fresh if self.thinks(n) != label]
            for n in fresh:
                if self.name_of(n) in self.doubtful:
                    self.look_at_doubtful(n, label)
            self.set_apart([n for n in others if self.name_of(n) not in self.doubtful])
        said = self.hands.view["accept"]
        wrong = said and said != self.names[label] and self.meant.aim == "group"
        if wrong and self.notices():
            self.slips["wrong class of a group seen"] += 1
            self.choose(label)
        self.accept()

    def scroll(self, to: int, number: int) -> None:
        """Brings the images up to one into sight, or up to the last of so many."""
        if self.hands.view["below"] < 1 and self.hands.way != "keys":
            raise AssertionError("Images of the group cannot be seen.")
        to = min(to, number - 1)
        self.hands.scroll(to, self.meant.focus)
        if self.hands.way == "keys":
            self.meant.focus_on(to)
        self.see()

    def rename(self, shown: list[int], label: int) -> int:
        """Renames a group of which most is of one other class; returns its class."""
        most, number = Counter(map(self.thinks, shown)).most_common(1)[0]
        if most == label or number <= len(shown) / 2:
            return label
        self.hands.wait("name")
        self.choose(most)
        return most

    def set_apart(self, others: list[int]) -> None:
        """Marks and names images that are of other classes."""
        runs = [
            [n for _, n in run]
            for _, run in groupby(
                enumerate(others),
                lambda pair: (pair[1] - pair[0], self.thinks(pair[1])),
            )
        ]
        if self.hands.way != "keys":
            runs.sort(key=lambda run: self.thinks(run[0]))
        for label, same in groupby(runs, key=lambda run: self.thinks(run[0])):
            self.hands.wait("name")
            by_menu = None
            for run in same:
                if self.is_end(run) and self.hands.way == "touch" and self.new_means:
                    by_menu = run[0]
                else:
                    self.mark_run(run)
            # Where no mark is there, one went wrong, and nobody noticed.
            if self.meant.aim == "marks" or by_menu is None:
                self.choose(label)
            if by_menu is not None:
                self.name_end(by_menu, label)

    def is_end(self, run: list[int]) -> bool:
        """Returns whether a row of images is the end of the group, and long."""
        return len(run) >= RUN and run[-1] == len(self.hands.view["images"]) - 1

    def mark_run(self, run: list[int]) -> None:
        """Marks images in a row."""
        if self.hands.way == "keys" and self.is_end(run):
            args = (run[0], self.meant.focus)
            self.act(self.hands.to_the_end, args, self._meant_to_the_end, run[0])
        elif self.hands.way == "mouse" and len(run) >= RUN:
            self.act(*self._marking(run[0]))
            self.act(self.hands.up_to, (run[-1],), self.meant.range_to, run[-1])
        else:
            for n in run:
                self.mark(n)

    def _meant_to_the_end(self, n: int) -> None:
        self.meant.focus_on(n)
        self.meant.to_the_end()

    def name_end(self, n: int, label: int) -> None:
        """Names all images from one to the end by the menu."""

        def mean():
            self.meant.focus_on(n)
            self.meant.from_here_on(label)

        self.surely(self.hands.from_here_on, (n, label), mean)

    def look_large(self, n: int) -> None:
        """Looks at an image in the large view."""
        self.looked_large.add(self.name_of(n))
        self.hands.large(n, self.meant.focus)
        self.see()
        self.hands.wait("large")

    def look_at_doubtful(self, n: int, label: int) -> None:
        """Looks at an image of a group in the large view, and names it if need be."""
        clicked = self.hands.way == "mouse"  # which marks it on the way
        if clicked:
            self.meant.click(n)
        self.look_large(n)
        self.meant.focus_on(n)
        opinion = self.thinks(n)
        if opinion != label:
            self.hands.wait("name")
            self.surely(
                self.hands.choose, (opinion,), self.meant.name_large, n, opinion
            )
        self.hands.close_large(taken_out=clicked and opinion == label)
        if clicked and opinion == label:
            self.meant.click(n)
        self.see()
