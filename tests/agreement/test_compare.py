"""Conditions against each other."""

import math

import numpy as np
import pytest

from keras_dc3 import agreement
from tests.agreement.helpers import annotations_of, crowd, review_of
from tests.annotations.helpers import told


def condition(seed, seconds, correct, images=150, first=0, people=3, rounds=1):
    """Annotations of images that are easy to a degree, and take a time."""
    rng = np.random.default_rng(seed)
    answers = []
    for i in range(first, first + images):
        for p in range(people):
            for _ in range(rounds):
                right = rng.random() < correct
                label = i % 3 if right else rng.integers(0, 3)
                time = seconds * rng.lognormal(0, 0.3)
                answers.append((f"i{i:03d}", f"p{p}", f"c{label}", time))
    return annotations_of(answers)


def test_table_3(capsys):
    with told() as texts:
        found = agreement.compare(
            none=condition(1, 4.0, 0.6, rounds=2),
            classes=condition(2, 2.0, 0.8, rounds=2),
            dc3=condition(3, 1.6, 0.9, rounds=2),
            resamples=200,
        )
    assert not texts
    printed = capsys.readouterr().out
    assert printed == f"{found}\n"
    assert repr(found) == "<Comparison of none, classes, dc3>"  # not the table again
    assert list(found.conditions) == ["none", "classes", "dc3"]
    blind, dc3 = found.conditions["none"], found.conditions["dc3"]
    speedup = found.speedup["dc3"]
    expected = blind.seconds_mean.value / dc3.seconds_mean.value
    assert speedup.value == pytest.approx(expected) == pytest.approx(2.5, abs=0.15)
    assert 2.3 < speedup.low < speedup.value < speedup.high < 2.7
    for name, attribute in (
        ("kappa_difference", "kappa_between"),
        ("kappa_within_difference", "kappa_within"),
        ("alpha_difference", "alpha"),
    ):
        change = getattr(found, name)["dc3"]
        one, two = getattr(dc3, attribute).value, getattr(blind, attribute).value
        assert change.value == pytest.approx(one - two)
        assert 0 < change.low < change.value < change.high
    assert set(found.people_speedup) == {"p0", "p1", "p2"}
    assert 2 < found.people_speedup["p1"]["dc3"].value < 3
    for part in (
        "kappa within an annotator",
        "speed-up",
        "difference",
        "p2",
        "classes",
    ):
        assert part in printed
    assert speedup.format(".2f") in printed


def test_figures_are_those_of_measure():
    parts = {"none": condition(1, 4.0, 0.6), "dc3": condition(2, 2.0, 0.9)}
    found = agreement.compare(**parts, resamples=50, seed=7)
    for name, part in parts.items():
        # The same images are drawn with the same seed.
        alone = agreement.measure(part, resamples=50, seed=7)
        assert found.conditions[name] == alone


@pytest.mark.filterwarnings("ignore:Agreement:")
def test_the_same_images_are_drawn_for_all():
    """A condition against itself differs by nothing, in every draw."""
    same = condition(1, 4.0, 0.6)
    found = agreement.compare(none=same, again=same, resamples=50)
    for estimate in (found.speedup["again"], found.kappa_difference["again"]):
        assert estimate.low == pytest.approx(estimate.value)
        assert estimate.high == pytest.approx(estimate.value)
    others = condition(1, 4.0, 0.6, first=300)
    found = agreement.compare(none=same, others=others, resamples=50)
    change = found.kappa_difference["others"]
    assert change.low < -0.01 < change.value < 0.01 < change.high


def test_without_blind_answers_there_is_no_speedup():
    with told() as texts:
        found = agreement.compare(dc3=condition(1, 4.0, 0.6), resamples=20)
    assert not found.speedup and not found.kappa_difference
    assert "There is no condition `none`" in texts[0] and "`none`" in str(found)


def test_other_people_are_told():
    blind = annotations_of(crowd(np.random.default_rng(0), people=2))
    with told() as texts:
        found = agreement.compare(
            none=blind, dc3=condition(1, 1.0, 0.9, people=3), resamples=20
        )
    assert len(texts) == 1 and "dc3: other people answered than in `none`" in texts[0]
    assert set(found.people_speedup) == {"p0", "p1"}


@pytest.mark.parametrize(
    ("images", "classes", "note"),
    [
        ("ij", ("xy", "xy"), "dc3: none of its 12 images was answered in `none`"),
        ("ii", ("xy", "uv"), "dc3: none of its classes, such as 'u', is one of `none`"),
    ],
)
def test_nothing_in_common_is_told(images, classes, note):
    none, dc3 = (
        annotations_of(
            [
                (f"{i}{n}", p, of[(n + (p == "b") * (n // 3)) % 2])
                for n in range(12)
                for p in "ab"
            ]
        )
        for i, of in zip(images, classes, strict=True)
    )
    with told() as texts:
        found = agreement.compare(none=none, dc3=dc3, resamples=20)
    assert len(texts) == 1 and note in texts[0] and note in str(found)
    assert sum("none of its" in line for line in found.notes) == 1


def test_what_is_not_defined_says_why():
    same = annotations_of([(f"i{n}", p, "x") for n in range(10) for p in "ab"])
    with told():
        found = agreement.compare(none=same, dc3=same, resamples=20)
        alone = agreement.measure(same, resamples=20)
    lines = str(found).split("No figure")[1].splitlines()
    for heading in ("kappa between", "Krippendorff's alpha", "Fleiss' kappa"):
        (line,) = [line for line in lines if line.strip().startswith(heading)]
        assert "(none, dc3): " in line and "chance agrees as well" in line
    assert "chance agrees as well" in alone.fleiss.note


def test_the_control_share_is_a_condition(rng):
    shares = rng.dirichlet(np.full(3, 0.4), 300)
    review = review_of(shares, shares.argmax(axis=1), 3, 0.7, 0.3, rng, True)
    with told() as texts:
        found = agreement.compare(
            none=agreement.control_share(review), classes=review, resamples=40
        )
    assert "classes: " in texts[0] and "control share are left out" in texts[0]
    assert found.kappa_difference["classes"].value > 0.1
    assert math.isnan(found.speedup["classes"].value)
    assert found.speedup["classes"].note
    assert "speed-up" not in str(found).split("Notes")[0]


def test_times_follow_one_rule_in_all_conditions():
    slow = annotations_of([(f"i{i}", "x", "cat", 50.0) for i in range(4)])
    fast = annotations_of([(f"i{i}", "x", "cat", 5.0) for i in range(4)])
    with told() as texts:
        found = agreement.compare(none=slow, fast=fast, break_seconds=20, resamples=9)
    assert found.speedup["fast"].value == pytest.approx(4)
    assert "none: Times: 4 above 20 s count as that much" in texts[0]


def test_bad_input():
    with pytest.raises(ValueError, match="Name at least one condition"):
        agreement.compare()
    with pytest.raises(TypeError, match="`dc3` must be annotations or a review"):
        agreement.compare(dc3="dc3.json")
