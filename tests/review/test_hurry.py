"""Somebody in a hurry: nothing that is done on a review sheet is lost in silence."""

import random
import warnings
from itertools import product

import numpy as np
import pytest

from keras_dc3 import review
from keras_dc3.proposals import Proposals
from tests.review.driving import begin, download, write
from tests.review.hands import WITNESS, MouseAndKeys, Touch
from tests.review.helpers import make_images
from tests.review.intentions import Intentions
from tests.slow import few

pytest.importorskip("PIL.Image")

NAMES = ("cat", "dog", "deer", "horse", "frog", "bird", "ship", "truck", "plane", "car")
WITHOUT = {"cannot tell": -1, "bad image": -2, "none of these": -3}
SOON = 250  # milliseconds, as the page on review sheets says


class Person:
    """Does at random what people do, keeps what was meant, and reads what is told.

    What is not for a whole card or group counts at once, always. The rest counts, or
    the page says that it was ignored; then somebody who meant it does it again.
    """

    def __init__(self, page, hands, content, rng):
        self.page, self.hands, self.rng = page, hands, rng
        self.meant = Intentions(content)
        self.acts, self.told, self.ignored = 0, 0, 0
        self.by_itself = True  # whether the card came by itself, after an answer

    def act(self, name, *args):
        """Something that always counts."""
        self.hands.look()
        self.hands.wait()
        getattr(self.hands, name)(*args)
        self.acts += 1

    def click(self, number):
        self.act("click", number)
        self.meant.click(number)

    def news(self):
        """What the page has told since the last time, and when things happened."""
        self.hands.rest()
        found = self.page.evaluate("window.witness")
        new, self.told = found["told"][self.told :], len(found["told"])
        self.ignored += len(new)
        return new, found

    def expect_nothing_told(self):
        new, _ = self.news()
        assert not new, f"told without need: {new}"

    def judged(self, name, *args):
        """An answer for a whole card or group, again until it counts."""
        self.expect_nothing_told()
        came = self.page.evaluate("window.witness.changed").pop()
        for _ in range(20):
            self.act(name, *args)
            new, found = self.news()
            assert len(new) <= 1, new
            if not new:
                break
            assert new[0][0] - max(came, *found["pressed"][-6:-1]) < SOON + 1000, new
        else:
            raise AssertionError(f"never taken: {name} {args}")
        if self.by_itself and found["changed"][-1] > came:
            assert found["changed"][-1] - came > SOON - 20, (
                "an answer that nobody meant"
            )

    def choose(self, label):
        meant = self.meant
        if meant.kind == "group" and meant.aim != "group" and meant.touched:
            self.act("choose", label)
        else:
            self.judged("choose", label)
        self.answered(meant.choose, label)

    def accept(self):
        self.judged("do", "accept")
        self.answered(self.meant.accept)

    def answered(self, mean, *args):
        place = self.meant.place
        mean(*args)
        self.by_itself |= self.meant.place != place

    def twice(self, act):
        """One press too many: the second one is no answer."""
        self.expect_nothing_told()
        self.act("twice", act)
        self.acts += 1
        new, found = self.news()
        first, second = found["pressed"][-2:]
        mean = self.meant.accept if act == "accept" else self.meant.choose
        args = () if act == "accept" else (act,)
        for number in range(2 - len(new)):  # of those that counted
            if number == 1 and self.meant.place == "end":
                break  # there was nothing to press any more
            if number == 1 and self.meant.aim != "current":
                # A machine under load may be so slow that the second one is no slip.
                assert second - first > SOON - 20, "an unseen answer, or a silent loss"
            self.answered(mean, *args)

    def travel(self, name):
        """Undo, redo, back, or next."""
        self.act("do", name)
        place = self.meant.place
        getattr(self, f"_{name}")()
        self.by_itself &= self.meant.place == place

    def _undo(self):
        self.meant.undo()

    def _redo(self):
        self.meant.redo()

    def _back(self):
        self.meant.move(-1)

    def _next(self):
        self.meant.move(1)

    def label(self):
        by_keys = isinstance(self.hands, MouseAndKeys)
        without = [*([-3, -2] if by_keys else []), -1]
        return self.rng.choice([*without, *range(len(NAMES))])

    def some_images(self, most=3):
        """Numbers of images that are neither marked nor named."""
        self.hands.look()
        own, marked = self.meant.meant["own"], self.meant.meant["marked"]
        here = self.meant.here
        free = [n for n in self.hands.images() if here[n] not in own.keys() | marked]
        return self.rng.sample(free, min(len(free), self.rng.randint(1, most)))

    # What may be done, each with how often.

    def name_images(self):
        for number in self.some_images():
            self.click(number)
        if self.meant.aim != "group":
            self.choose(self.label())

    def change_mind(self):
        for number in self.some_images(1):
            self.click(number)
            self.click(number)
        if self.meant.aim == "group" and self.rng.random() < 0.5:
            self.choose(self.label())

    def click_any(self):
        self.hands.look()
        self.click(self.rng.choice(self.hands.images()))

    def name_twice(self):
        for number in self.some_images():
            self.click(number)
        if self.meant.aim == "marks" and self.meant.touched:
            self.twice(self.label())

    def mark_a_range(self):
        self.hands.look()
        first, last = (self.rng.choice(self.hands.images()) for _ in range(2))
        self.click(first)
        self.act("mouse", f"image {last}", True)
        self.meant.range_to(last)

    def go_by_keys(self):
        self.act("key", "Home")
        self.meant.focus_on(0)
        for number in range(1, min(self.rng.randint(1, 3), len(self.meant.here))):
            self.act("key", "ArrowRight")
            self.meant.focus_on(number)

    def name_from_here_on(self):
        self.go_by_keys()
        self.act("key", "h")
        label = self.label()
        self.act("choose", label)
        self.meant.from_here_on(label)

    def mark_by_keys(self):
        self.go_by_keys()
        if self.rng.random() < 0.8:
            self.act("key", " ")
            self.meant.click(self.meant.focus)
        else:
            self.act("key", "e")
            self.meant.to_the_end()

    def name_group(self):
        if self.meant.aim == "group":
            self.choose(self.label())

    def answer_one(self):
        self.choose(self.label())

    def one_answer_too_many(self):
        self.hands.look()
        self.twice(self.label())

    def accept_twice(self):
        self.hands.look()
        self.twice("accept")

    def step(self):
        """One thing that is done here, of one act or several."""
        meant = self.meant
        if meant.kind == "end":
            self.expect_nothing_told()
            self.page.locator("main button", has_text="Back").click()
            meant.move(-1)
            self.by_itself = False
            return
        if meant.kind == "group":
            odds = {"name_images": 8, "change_mind": 1, "click_any": 1}
            odds |= {"name_twice": 2, "name_group": 1, "accept": 3, "accept_twice": 2}
            if isinstance(self.hands, MouseAndKeys):
                odds |= {"mark_a_range": 1, "mark_by_keys": 1, "name_from_here_on": 1}
        else:
            odds = {"answer_one": 12, "one_answer_too_many": 2}
        chosen = list(odds)
        travels = {"undo": bool(meant.past), "redo": bool(meant.future), "next": True}
        travels["back"] = meant.place != 0
        for name, possible in travels.items():
            if possible:
                odds[name] = 0.8
        name = self.rng.choices(list(odds), list(odds.values()))[0]
        if name in chosen:
            getattr(self, name)()
        else:
            self.travel(name)
        self.at_the_right_place(name)

    def at_the_right_place(self, done):
        order = self.meant.places()
        place = f"{order.index(self.meant.place) + 1} of {len(order) - 1}"
        self.hands.rest()
        there = "end"
        if self.page.is_visible("#place"):
            there = self.page.inner_text("#place").split(" · ")[0]
        expected = "end" if self.meant.place == "end" else place
        assert there == expected, f"after {done}, {self.acts} acts"


def sheet(tmp_path, n):
    """A page of small groups, and blind images of which some come again."""
    rng = np.random.default_rng(0)
    classes = np.eye(len(NAMES))[rng.integers(0, len(NAMES), n)] * 0.9 + 0.01
    clusters = np.eye(n // 10)[rng.integers(0, n // 10, n)]
    ambiguity = np.where(rng.random(n) < 0.8, 1.0, 0.0)
    ids = [f"{i}.png" if i % 2 else f"a/folder/of/long/names/{i}.png" for i in range(n)]
    proposals = Proposals(ids, ambiguity, classes, clusters, NAMES)
    options = {"images": make_images(n), "control": 0.12, "repetitions": 0.2}
    path, content = write(tmp_path, proposals, **options)
    return path, content, proposals


def read_back(page, tmp_path, proposals):
    """The answers that the downloads hold, as `review.read` gives them."""
    found = []
    for kind in ("json", "csv"):
        path = download(page, kind, tmp_path / f"hurry.{kind}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # not all images are answered yet
            read = review.read(path, proposals=proposals)
        rows = read.annotations.records
        images = [proposals.ids[i] for i in rows.image.tolist()]
        keys = zip(images, read.repetition.tolist(), strict=True)
        answers = zip(rows.label.tolist(), read.kinds, strict=True)
        labels = [WITHOUT.get(kind, label) for label, kind in answers]
        found.append(dict(zip(keys, labels, strict=True)))
    return found


@pytest.mark.parametrize(
    ("way", "acts"),
    few(
        list(product(["mouse and keys", "touch"], [60, 150, 1000])),
        ("mouse and keys", 60),
    ),
)
def test_no_answer_of_a_person_in_a_hurry_is_lost(visit, tmp_path, way, acts):
    path, content, proposals = sheet(tmp_path, acts)
    page = visit(path, script=WITNESS, hurried=True, has_touch=way == "touch")
    rng = random.Random(31)
    hands = (Touch if way == "touch" else MouseAndKeys)(page, rng)
    begin(page)
    person = Person(page, hands, content, rng)
    while person.acts < acts:
        person.step()
    person.news()
    expected = person.meant.answers()
    assert len(expected) > acts / 8 and person.ignored > acts / 50
    for found in read_back(page, tmp_path, proposals):
        assert found == expected
