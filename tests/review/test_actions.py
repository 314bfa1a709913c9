"""The actions that simulations count are those that a review sheet takes."""

import sys
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from tests.review.driving import answers, begin, seen, write
from tests.review.helpers import NAMES, make_proposals

pytest.importorskip("PIL.Image")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import simulated_people as people


class Counted:
    """Does on a page what is done, and counts it."""

    def __init__(self, page):
        self.page, self.acts = page, 0

    def key(self, key):
        self.page.keyboard.press(key)
        self.acts += 1

    def mark(self, n):
        self.page.locator(".thumb").nth(n).click()
        self.acts += 1

    def choose(self, label):
        self.key(str(label + 1))


def fewest(label, proposed, together):
    """The class to accept a group as, at the fewest actions."""

    def cost(name):
        others = [one for one in label if one != name]
        keys = len(set(others) if together else others)
        return (name != proposed) + len(others) + keys

    return min(range(len(NAMES)), key=cost)


def work(page, steps, label, together):
    """Answers a page by the fewest acts; returns their number."""
    hands = Counted(page)
    for proposed, rows in steps:
        wanted = label[rows].tolist()
        if proposed < 0:
            hands.choose(wanted[0])
            continue
        name = fewest(wanted, proposed, together)
        if name != proposed:
            hands.choose(name)
        others = sorted((one, n) for n, one in enumerate(wanted) if one != name)
        parts = [[n] for _, n in others]
        if together:
            by_class = groupby(others, lambda one: one[0])
            parts = [[n for _, n in part] for _, part in by_class]
        for part in parts:
            for n in part:
                hands.mark(n)
            hands.choose(wanted[part[0]])
        hands.key("Enter")
    return hands.acts


def test_a_page_takes_the_actions_that_are_counted(visit, tmp_path, rng):
    path, made = write(tmp_path, make_proposals(40), control=0.1, repetitions=0)
    steps = [(s.get("label", -1), np.array(s["images"])) for s in made["steps"]]
    label = rng.integers(0, len(NAMES), 40)
    counted = people.count_actions(steps, label)
    assert counted[1] < counted[0]
    for together, number in zip((False, True), counted, strict=True):
        page = visit(path, f"together {together}")
        begin(page)
        assert work(page, steps, label, together) == number
        found = answers(page, tmp_path)
        assert len(found) == 40
        for (image, _), name in found.items():
            assert name == NAMES[label[made["images"].index(image)]]


def test_joined_groups_cost_what_they_cost_apart(visit, tmp_path):
    """And the overview, which is for going elsewhere, costs nothing to who goes on."""
    path, made = write(tmp_path, make_proposals(40), control=0.0)
    page = visit(path)
    begin(page)
    hands = Counted(page)
    sizes = [len(step["images"]) for step in made["steps"][:2]]
    hands.key("j")
    hands.key("Enter")
    assert seen(page)["count"].startswith(f"{sum(sizes)} of")
    steps = [(0, np.arange(sizes[0])), (0, np.arange(sizes[1]))]
    assert people.count_actions(steps, np.zeros(40, int)) == (hands.acts, hands.acts)
