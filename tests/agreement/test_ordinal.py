"""Classes with an order: weighted kappa and ordinal alpha, against other packages."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import Annotations, agreement
from tests.annotations.helpers import told

GRADES = ("none", "mild", "severe", "fatal")


def records(matrix, names=GRADES):
    """(people, images) class numbers, -1 for none, as annotations."""
    return Annotations.from_records(
        [
            (f"i{i}", f"p{p}", names[matrix[p, i]])
            for p, i in itertools.product(*map(range, matrix.shape))
            if matrix[p, i] >= 0
        ],
        class_names=names,
    )


def measured(matrix, weights):
    with told():
        return agreement.measure(
            records(matrix), weights=weights, resamples=0, least_common=1
        )


def made(seed, people=3, images=40, gaps=0.2):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, images)
    matrix = np.clip(truth + rng.integers(-1, 2, (people, images)), 0, 3)
    matrix[rng.random(matrix.shape) < gaps] = -1
    return matrix


def of_statsmodels(first, second, weights):
    kappas = pytest.importorskip("statsmodels.stats.inter_rater")
    both = (first >= 0) & (second >= 0)
    table = np.zeros((4, 4))
    np.add.at(table, (first[both], second[both]), 1)
    return kappas.cohens_kappa(table, wt=weights, return_results=False), both.sum()


@pytest.mark.parametrize("weights", ["linear", "quadratic"])
@pytest.mark.parametrize("seed", range(3))
def test_weighted_kappa_against_statsmodels(weights, seed):
    matrix = made(seed)
    found = measured(matrix, weights)
    expected = {}
    for a, b in itertools.combinations(range(3), 2):
        expected[f"p{a}", f"p{b}"] = of_statsmodels(matrix[a], matrix[b], weights)
    for pair in found.pairs:
        key = (pair.first, pair.second)
        kappa, number = expected[key if key in expected else key[::-1]]
        assert pair.kappa == pytest.approx(kappa, abs=1e-12) and pair.images == number
    total = sum(number for _, number in expected.values())
    mean = sum(kappa * number for kappa, number in expected.values()) / total
    assert found.kappa_between.value == pytest.approx(mean, abs=1e-12)
    nominal = measured(matrix, None)
    assert found.kappa_between.value != nominal.kappa_between.value
    assert found.raw == nominal.raw and found.fleiss == nominal.fleiss


@pytest.mark.parametrize("seed", range(4))
def test_ordinal_alpha_against_krippendorff(seed):
    krippendorff = pytest.importorskip("krippendorff")
    matrix = made(seed, people=4)
    data = np.where(matrix < 0, np.nan, matrix)
    expected = {
        level: krippendorff.alpha(
            data, level_of_measurement=level, value_domain=[0, 1, 2, 3]
        )
        for level in ("nominal", "ordinal")
    }
    for weights in ("linear", "quadratic"):
        found = measured(matrix, weights).alpha.value
        assert found == pytest.approx(expected["ordinal"], abs=1e-12)
    found = measured(matrix, None).alpha.value
    assert found == pytest.approx(expected["nominal"], abs=1e-12)


@given(st.integers(0, 10**6), st.sampled_from(["linear", "quadratic"]))
def test_weighted_kappa_against_its_definition(seed, weights):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 4, (2, 12))
    table = np.zeros((4, 4))
    np.add.at(table, (first, second), 1 / 12)
    steps = abs(np.subtract.outer(np.arange(4), np.arange(4)))
    cost = steps if weights == "linear" else steps**2
    chance = (np.outer(table.sum(axis=1), table.sum(axis=0)) * cost).sum()
    found = measured(np.array([first, second]), weights).kappa_between.value
    if chance < 1e-12:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(1 - (table * cost).sum() / chance, abs=1e-9)


def test_the_order_matters():
    matrix = made(5)
    by_grade = measured(matrix, "quadratic")
    shuffled = records(matrix).rename_classes(lambda name: name)
    other = Annotations.from_records(
        [
            (shuffled.ids[i], f"p{p}", GRADES[matrix[p, i]])
            for p, i in itertools.product(range(3), range(40))
            if matrix[p, i] >= 0
        ],
        class_names=("severe", "none", "fatal", "mild"),
    )
    with told():
        found = agreement.measure(other, weights="quadratic", resamples=0)
    assert found.kappa_between.value < by_grade.kappa_between.value
    assert found.alpha.value < by_grade.alpha.value
    assert "none < mild < severe < fatal" in str(by_grade)
    assert "quadratic weights" in str(by_grade) and by_grade.weights == "quadratic"
    with pytest.raises(ValueError, match="same classes in the same order"):
        agreement.compare(none=records(matrix), dc3=other, weights="linear")


def test_an_order_that_is_the_alphabets_is_told():
    answers = [
        (f"{i}", p, ("low", "mid", "high")[i % 3]) for i in range(9) for p in "ab"
    ]
    with pytest.warns(UserWarning, match=r"alphabet: high < low < mid\. If it"):
        agreement.measure(Annotations.from_records(answers), weights="linear")
    right = Annotations.from_records(answers, class_names=["low", "mid", "high"])
    grades = Annotations.from_records([(i, p, int(i) % 3) for i, p, _ in answers])
    for annotations in (right, grades):
        with told() as texts:
            agreement.measure(annotations, weights="linear", resamples=0)
        assert not any("alphabet" in text for text in texts)
    with told() as texts:
        agreement.measure(Annotations.from_records(answers), resamples=0)
    assert not any("alphabet" in text for text in texts)


def test_intervals_and_comparisons_are_ordinal(capsys):
    matrix = made(2)
    with told():
        agreement.measure(records(matrix), weights="linear", resamples=30)
        found = agreement.compare(
            none=records(matrix), dc3=records(matrix), weights="linear", resamples=30
        )
    assert found.kappa_difference["dc3"].value == 0
    assert found.conditions["dc3"].weights == "linear"
    assert "linear weights" in capsys.readouterr().out
    one = found.conditions["none"].alpha
    assert one.low < one.value < one.high


def test_one_class_has_no_weighted_kappa():
    found = measured(np.zeros((2, 6), int), "quadratic")
    assert np.isnan(found.kappa_between.value) and np.isnan(found.alpha.value)


def test_wrong_weights():
    with pytest.raises(ValueError, match="`weights` must be one of"):
        agreement.measure(records(made(0)), weights="cubic")


def test_an_ordered_categorical_gives_the_order():
    pd = pytest.importorskip("pandas")
    kind = pd.CategoricalDtype(["low", "mid", "high", "top"], ordered=True)
    rows = {"image": list("aabb"), "annotator": list("xyxy")}
    labels = pd.Series(["high", "low", "mid", None]).astype(kind)
    long = pd.DataFrame({**rows, "label": labels})
    assert Annotations.from_frame(long).class_names == ("low", "mid", "high", "top")
    free = long.assign(label=long.label.astype("category").cat.as_unordered())
    assert Annotations.from_frame(free).class_names == ("high", "low", "mid")
    given = Annotations.from_frame(long, class_names=["mid", "low", "high"])
    assert given.class_names == ("mid", "low", "high")
    wide = pd.DataFrame({"image": ["a", "b"], "x": labels[:2], "y": labels[2:].values})
    wide["y"] = wide["y"].astype(kind)
    assert Annotations.from_wide(wide).class_names == ("low", "mid", "high", "top")
    wide["y"] = wide["y"].astype(str)
    assert Annotations.from_wide(wide, no_answer=["nan"]).class_names[0] == "high"
    numbers = pd.DataFrame(
        {**rows, "label": pd.Categorical([2, 10, 1, 2], [10, 2, 1], ordered=True)}
    )
    assert Annotations.from_frame(numbers).class_names == ("10", "2", "1")
    with pytest.warns(UserWarning, match="'unknown', which is a class here"):
        names = ["unknown", "low"]
        odd = pd.Categorical(["low", "unknown", "low", "low"], names, ordered=True)
        Annotations.from_frame(long.assign(label=odd))
    left = Annotations.from_frame(long.assign(label=odd), no_answer=["unknown"])
    assert left.class_names == ("low",)
