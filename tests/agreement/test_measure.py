"""Figures against plain loops and other packages, gaps, intervals."""

import csv
import itertools
import json
import math
import time
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import agreement
from keras_dc3.annotations import Annotations, Records
from tests.agreement.helpers import (
    annotations_of,
    by_image,
    by_person,
    crowd,
    measure,
    naive_alpha,
    naive_kappa,
)
from tests.annotations.helpers import told
from tests.cases import case


def weighted(values):
    """Mean of (value or None, weight)."""
    values = [(v, w) for v, w in values if v is not None]
    total = sum(w for _, w in values)
    return sum(v * w for v, w in values) / total if total else math.nan


@given(
    seed=st.integers(0, 10_000),
    people=st.integers(1, 5),
    classes=st.integers(1, 4),
    rounds=st.integers(1, 3),
    gaps=st.sampled_from([0.0, 0.3, 0.8]),
)
def test_figures_are_those_of_plain_loops(seed, people, classes, rounds, gaps):
    rng = np.random.default_rng(seed)
    answers = crowd(rng, 12, people, classes, gaps, rounds)
    if not answers:
        return
    with told():
        found = measure(answers)
    units, given_by = by_image(answers), by_person(answers)
    expected = []
    for one, two in itertools.combinations(sorted(given_by), 2):
        common = sorted(set(given_by[one]) & set(given_by[two]))
        if common:
            pair = [[given_by[p][i][0] for i in common] for p in (one, two)]
            expected.append((naive_kappa(*pair), len(common)))
    kappa = weighted(expected)
    assert found.kappa_between.value == pytest.approx(kappa, nan_ok=True)
    assert bool(found.kappa_between.note)
    assert len(found.pairs) == len(expected)
    within = []
    for images in given_by.values():
        for one, two in itertools.combinations(range(rounds), 2):
            common = [labels for labels in images.values() if len(labels) > two]
            if common:
                pair = [[labels[r] for labels in common] for r in (one, two)]
                within.append((naive_kappa(*pair), len(common)))
    value = found.kappa_within.value
    assert value == pytest.approx(weighted(within), nan_ok=True)
    pairs = [p for u in units.values() for p in itertools.combinations(u, 2)]
    if not pairs:
        assert math.isnan(found.raw.value) and "two people" in found.raw.note
        return
    assert found.raw.value == pytest.approx(np.mean([a == b for a, b in pairs]))
    used = {label for unit in units.values() if len(unit) > 1 for label in unit}
    if len(used) == 1:
        for figure in (found.alpha, found.fleiss):
            assert math.isnan(figure.value) and figure.note
    else:
        assert found.alpha.value == pytest.approx(naive_alpha(units.values()))


@pytest.mark.parametrize("seed", range(5))
def test_figures_are_those_of_other_packages(seed):
    krippendorff = pytest.importorskip("krippendorff")
    inter_rater = pytest.importorskip("statsmodels.stats.inter_rater")
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    answers = crowd(rng, 80, 4, 3, 0.25)
    found = measure(answers)
    given_by, classes = by_person(answers), ["c0", "c1", "c2"]
    images = sorted({answer[0] for answer in answers})
    table = [
        [
            classes.index(given_by[p][i][0]) if i in given_by[p] else np.nan
            for i in images
        ]
        for p in sorted(given_by)
    ]
    alpha = krippendorff.alpha(table, level_of_measurement="nominal")
    assert found.alpha.value == pytest.approx(alpha, abs=1e-12)
    for pair in found.pairs:
        common = sorted(set(given_by[pair.first]) & set(given_by[pair.second]))
        labels = [
            [given_by[p][i][0] for i in common] for p in (pair.first, pair.second)
        ]
        assert pair.images == len(common)
        kappa = sklearn.cohen_kappa_score(*labels)
        assert pair.kappa == pytest.approx(kappa, abs=1e-12)
    full = [u for u in by_image(answers).values() if len(u) == 3]
    assert f"on the {len(full)} of" in found.fleiss.note
    assert "exactly 3 answers" in found.fleiss.note
    counts = [[unit.count(c) for c in classes] for unit in full]
    fleiss = inter_rater.fleiss_kappa(np.array(counts))
    assert found.fleiss.value == pytest.approx(fleiss, abs=1e-12)


def with_gaps(source, tmp_path):
    """Rows of the long table, those of the wide one, and the figure expected."""
    if source == "case":
        folder = case("15-agreement-with-gaps")
        with open(folder / "annotations.csv", encoding="utf-8", newline="") as file:
            rows = [tuple(row.values()) for row in csv.DictReader(file)]
        expected = json.loads((folder / "expected.json").read_text("utf-8"))
        wide = Annotations.from_wide(folder / "annotations_wide.csv")
        return rows, wide, expected
    rows = [row[:3] for row in crowd(np.random.default_rng(15), 30, 4, 3, 0.4)]
    units = by_image(rows)
    several = [unit for unit in units.values() if len(unit) > 1]
    people = by_person(rows)
    lines = [",".join(["image", *people])]
    lines += [
        ",".join([i, *(people[p].get(i, [""])[0] for p in people)]) for i in units
    ]
    (tmp_path / "wide.csv").write_text("\n".join(lines))
    wide = Annotations.from_wide(tmp_path / "wide.csv")
    expected = {
        "krippendorff_alpha_nominal": naive_alpha(units.values()),
        "images_with_two_or_more": len(several),
        "images_with_one": len(units) - len(several),
        "annotations": len(rows),
    }
    return rows, wide, expected


@pytest.mark.parametrize("source", ["made up", "case"])
def test_gaps(source, tmp_path):
    rows, other, expected = with_gaps(source, tmp_path)
    for annotations in (annotations_of(rows), other):
        found = agreement.measure(annotations, resamples=50)
        alpha = expected["krippendorff_alpha_nominal"]
        assert found.alpha.value == pytest.approx(alpha, abs=1e-9)
        assert found.alpha.images == expected["images_with_two_or_more"]
        single = expected["images_with_one"]
        assert found.alpha.note == f"{single} images with one answer left out"
        assert found.answers == expected["annotations"]
        assert f"on the {found.fleiss.images} of" in found.fleiss.note
        assert 0 < found.kappa_between.value < 1 and len(found.pairs) == 6
    # An image that one person answered changes nothing.
    more = agreement.measure(
        annotations_of([*rows, ("further.png", rows[0][1], rows[0][2])]), resamples=0
    )
    for name in ("alpha", "fleiss", "raw", "kappa_between"):
        assert getattr(more, name).value == getattr(found, name).value


ONE_CLASS = [(f"i{i}", p, "cat") for i in range(8) for p in ("a", "b")]


@pytest.mark.parametrize(
    "answers, reasons",
    [
        (
            ONE_CLASS,
            {
                "kappa_between": "one class to all common images",
                "alpha": "one class",
                "fleiss": "exactly 2",
                "kappa_within": "again",
            },
        ),
        (
            [(f"i{i}", "a", "cat" if i % 2 else "dog") for i in range(8)],
            {
                "kappa_between": "fewer than two known annotators",
                "alpha": "no image was answered by two people",
                "raw": "no image was answered by two people",
            },
        ),
        (
            [(f"{p}{i}", p, "cat" if i % 2 else "dog") for i in range(8) for p in "ab"],
            {
                "kappa_between": "no 5 images that two annotators answered",
                "fleiss": "no image was answered by two people",
            },
        ),
        (
            [
                (f"i{i}", None, "cat" if i % 2 else "dog")
                for i in range(8)
                for _ in "ab"
            ],
            {"kappa_between": "fewer than two known annotators"},
        ),
    ],
)
def test_what_is_not_defined_is_nan_with_a_reason(answers, reasons):
    with told():
        found = agreement.measure(annotations_of(answers, ["cat", "dog"]), resamples=40)
    for name, reason in reasons.items():
        figure = getattr(found, name)
        assert math.isnan(figure.value) and reason in figure.note
        assert math.isnan(figure.low) and str(figure) == "-"
        assert reason in str(found)


def test_perfect_agreement_on_two_classes_is_one():
    answers = [(f"i{i}", p, ("cat", "dog")[i % 2]) for i in range(9) for p in "abc"]
    found = agreement.measure(annotations_of(answers), resamples=100)
    for figure in (found.kappa_between, found.alpha, found.fleiss, found.raw):
        assert figure.value == pytest.approx(1) and figure.low == pytest.approx(1)


def test_only_counts():
    counts = np.array([[3, 0], [1, 2], [0, 3], [0, 1]])
    annotations = Annotations([*"abcd"], ["cat", "dog"], counts=counts)
    found = agreement.measure(annotations, resamples=20)
    units = [["c"] * 3, ["c", "d", "d"], ["d"] * 3, ["d"]]
    assert found.alpha.value == pytest.approx(naive_alpha(units))
    assert found.answers == 10 and found.fleiss.images == 3
    assert "only counts are known" in found.kappa_between.note
    assert "no answer has a time" in found.seconds_mean.note
    half = Annotations([*"ab"], ["cat", "dog"], counts=[[0.5, 0.5], [1, 0]])
    found = agreement.measure(half, resamples=20)
    assert math.isnan(found.alpha.value) and "fractions" in found.alpha.note


def test_people_have_figures_of_their_own(rng):
    answers = crowd(rng, 60, 3, 3, 0.2, rounds=2, correct=0.9)
    with told():
        found = measure(answers)
    given_by = by_person(answers)
    for person in found.people:
        mine = [
            pair for pair in found.pairs if person.name in (pair.first, pair.second)
        ]
        assert len(mine) == 2
        kappa = weighted([(pair.kappa, pair.images) for pair in mine])
        assert person.kappa_between.value == pytest.approx(kappa)
        again = [labels for labels in given_by[person.name].values() if len(labels) > 1]
        kappa = naive_kappa(*zip(*again, strict=True))
        assert person.kappa_within.value == pytest.approx(kappa)
        times = [t for _, p, _, t in answers if p == person.name]
        assert person.seconds_mean.value == pytest.approx(np.mean(times))
        assert person.answers == len(times)
        assert person.name in str(found)


def test_intervals(rng):
    answers = crowd(rng, 400, 3, 3, 0.0)
    annotations = annotations_of(answers)
    found = agreement.measure(annotations, resamples=400, seed=3)
    assert found == agreement.measure(annotations, resamples=400, seed=3)
    assert found != agreement.measure(annotations, resamples=400, seed=4)
    # The times of 400 images, three answers each: the mean's standard error.
    means = np.reshape([t for *_, t in answers], (400, 3)).mean(axis=1)
    half = 1.96 * means.std() / 20
    assert found.seconds_mean.low == pytest.approx(means.mean() - half, abs=half / 5)
    assert found.seconds_mean.high == pytest.approx(means.mean() + half, abs=half / 5)
    for name in ("kappa_between", "alpha", "fleiss", "raw", "seconds_median"):
        figure = getattr(found, name)
        assert figure.low < figure.value < figure.high
        assert 0 < figure.high - figure.low < 0.5


def test_intervals_hold_the_truth(rng):
    """Krippendorff's alpha of 0.49 is in about 95% of the intervals."""
    inside = 0
    for seed in range(40):
        label = rng.integers(0, 2, (1, 80))
        # Answers are right with 0.85: any two agree with 0.745, by chance with 0.5.
        label = np.where(rng.random((3, 80)) < 0.85, label, 1 - label)
        counts = np.stack([(label == c).sum(axis=0) for c in (0, 1)], axis=1)
        annotations = Annotations([f"{i}" for i in range(80)], [*"ab"], counts=counts)
        alpha = agreement.measure(annotations, resamples=200, seed=seed).alpha
        inside += alpha.low <= 0.49 <= alpha.high
    assert inside >= 34


def test_the_interval_of_many_small_pairs_holds_the_figure(rng):
    """Kappa of ten images falls where some are drawn twice; the interval does not."""
    answers = []
    for i in range(600):
        truth = rng.integers(0, 4)
        for p in rng.permutation(8)[:3] + 8 * (i // 30):
            label = truth if rng.random() < 0.7 else rng.integers(0, 4)
            answers.append((f"i{i:03d}", f"p{p}", f"c{label}"))
    found = agreement.measure(annotations_of(answers), resamples=200, least_common=3)
    kappa = found.kappa_between
    assert kappa.low < kappa.value < kappa.high and kappa.high - kappa.low < 0.2


def test_one_image_has_no_interval():
    answers = [("a", "x", "cat", 2.0), ("a", "y", "dog", 3.0)]
    found = agreement.measure(annotations_of(answers), resamples=50)
    assert found.raw.value == 0 and math.isnan(found.raw.low)
    assert found.raw.format(".2f") == "0.00"


def test_many_annotators_are_not_all_printed(rng):
    answers = [(f"i{i}", f"p{i % 40}", f"c{i % 2}", 1.0) for i in range(200)]
    answers += [(f"i{i}", f"p{(i + 1) % 40}", f"c{i % 2}", 1.0) for i in range(200)]
    text = str(measure(answers))
    assert "... and 20 more, in `people`" in text and len(text.splitlines()) < 45


@pytest.mark.slow
def test_ten_thousand_images_are_quick(rng):
    n = 10_000
    label = rng.integers(0, 10, n).repeat(3)
    wrong = rng.random(3 * n) < 0.2
    label = np.where(wrong, rng.integers(0, 10, 3 * n), label)
    records = Records(
        np.arange(n).repeat(3), np.tile([0, 1, 2], n), label, rng.lognormal(size=3 * n)
    )
    annotations = Annotations(
        [f"{i}" for i in range(n)],
        [f"{c}" for c in range(10)],
        annotators=[*"abc"],
        records=records,
    )
    start = time.process_time()
    agreement.measure(annotations, break_seconds=1000, resamples=1000)
    assert time.process_time() - start < 10


def test_intervals_of_kappa_stay_in_their_range():
    rows = [
        (f"i{i}", p, "cat" if (i + (p == "b")) % 2 else "dog")
        for i in range(12)
        for p in "ab"
    ]
    same = [(f"i{i}", p, "cat" if i % 2 else "dog") for i in range(12) for p in "ab"]
    found = agreement.measure(annotations_of(rows)).kappa_between
    assert found.value == pytest.approx(-1) and -1 <= found.low <= found.high < 0
    with told():
        table = agreement.compare(none=annotations_of(rows), dc3=annotations_of(same))
    difference = table.kappa_difference["dc3"]
    assert difference.value == pytest.approx(2)
    assert 1 < difference.low <= difference.high <= 2


def test_blind_repetitions_count_beside_a_chance_one():
    """One image that came again with a proposal by chance does not hide the others."""
    rows = [(f"i{i}", "a", "cat" if i % 2 else "dog") for i in range(40)]
    blind = [(f"b{i}", "a", "cat" if i % 3 else "dog") for i in range(20)] * 2
    once = [("i0", "a", "dog")]
    every = annotations_of(rows + blind + once)
    of_group = np.array([name[0] == "i" for name in every.ids])
    proposed = np.where(of_group[every.records.image], 0, -1)
    with told():
        found = agreement.measure(
            SimpleNamespace(annotations=every, proposed=proposed), resamples=0
        )
    assert found.kappa_within.value == pytest.approx(1)
    assert found.kappa_within.images == found.people[0].kappa_within.images == 20
