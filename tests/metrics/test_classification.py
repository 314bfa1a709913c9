"""Weighted F1, AUROC and the baselines, against plain code and scikit-learn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.metrics import (
    area_under_roc,
    constant_majority_f1,
    f1_of_most_confident,
    weighted_f1,
)
from tests.metrics import naive

labels = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40
)
ranked = st.lists(
    st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(-9, 9), st.booleans()),
    min_size=1,
    max_size=40,
)


@given(labels)
def test_weighted_f1_equals_a_plain_computation(pairs):
    y_true, y_pred = np.array(pairs).T
    assert weighted_f1(y_true, y_pred, 5) == pytest.approx(
        naive.weighted_f1(y_true, y_pred)
    )
    order = np.random.default_rng(0).permutation(len(pairs))
    assert weighted_f1(y_true[order], y_pred[order], 9) == pytest.approx(
        weighted_f1(y_true, y_pred, 5)
    )


def test_weighted_f1_equals_scikit_learn(rng):
    metrics = pytest.importorskip("sklearn.metrics")
    for n, k in ((1, 2), (5, 8), (200, 3), (500, 10)):
        y_true, y_pred = rng.integers(0, k, n), rng.integers(0, k, n)
        expected = metrics.f1_score(y_true, y_pred, average="weighted", zero_division=0)
        assert weighted_f1(y_true, y_pred, k) == pytest.approx(expected, abs=1e-12)


def test_weighted_f1_at_its_ends():
    assert weighted_f1([0, 1, 2], [0, 1, 2], 3) == 1.0
    assert weighted_f1([0, 1, 2], [1, 2, 0], 3) == 0.0
    assert math.isnan(weighted_f1([], [], 3))


@given(ranked)
def test_area_under_roc_equals_a_plain_computation(pairs):
    scores, positives = zip(*pairs, strict=True)
    expected = naive.auroc(scores, positives)
    assert area_under_roc(scores, positives) == pytest.approx(expected, nan_ok=True)
    assert area_under_roc(-np.array(scores), positives) == pytest.approx(
        1 - expected, nan_ok=True
    )


def test_area_under_roc_equals_scikit_learn(rng):
    metrics = pytest.importorskip("sklearn.metrics")
    for decimals in (0, 1, 8):
        scores = rng.random(300).round(decimals)
        positives = rng.random(300) < 0.3
        assert area_under_roc(scores, positives) == pytest.approx(
            metrics.roc_auc_score(positives, scores)
        )


def test_area_under_roc_at_its_ends():
    assert area_under_roc([3, 2, 1], [1, 0, 0]) == 1.0
    assert area_under_roc([1, 2, 3], [1, 0, 0]) == 0.0
    assert area_under_roc([5.0, 5.0, 5.0], [True, False, True]) == 0.5
    for positives in ([True, True], [False, False]):
        assert math.isnan(area_under_roc([0.1, 0.2], positives))
    assert math.isnan(area_under_roc([], []))


@pytest.mark.parametrize("coverage", [0.0, 0.1, 0.37, 0.5, 1.0])
def test_f1_of_most_confident_equals_a_plain_computation(rng, coverage):
    probabilities = rng.dirichlet(np.ones(4), 60)
    majority = rng.integers(0, 4, 60)
    expected = naive.f1_most_confident(majority, probabilities, round(coverage * 60))
    value = f1_of_most_confident(majority, probabilities, coverage)
    assert value == pytest.approx(expected, nan_ok=True)
    order = rng.permutation(60)
    assert f1_of_most_confident(
        majority[order], probabilities[order], coverage
    ) == pytest.approx(value, nan_ok=True)
    if coverage == 1.0:
        assert value == pytest.approx(
            weighted_f1(majority, probabilities.argmax(axis=1), 4)
        )


def test_equal_confidence_is_decided_by_entropy():
    # max p is 0.5 throughout; the second image is the surer one.
    probabilities = [[0.5, 0.25, 0.25], [0.5, 0.5, 0.0], [0.5, 0.3, 0.2]]
    assert f1_of_most_confident([1, 0, 1], probabilities, 1 / 3) == 1.0


def test_confidence_that_float32_rounds_to_one_keeps_its_order():
    probabilities = np.array([[1.0, 1e-9], [1.0, 1e-12]], "float32")
    assert f1_of_most_confident([1, 0], probabilities, 0.5) == 1.0


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_constant_majority_equals_weighted_f1_of_a_constant(majority):
    winner = max(set(majority), key=majority.count)
    assert constant_majority_f1(majority) == pytest.approx(
        naive.weighted_f1(majority, [winner] * len(majority))
    )


def test_constant_majority_of_the_paper():
    # Turkey: 0.7998 if 86.3% of the images are of one class.
    majority = np.repeat([0, 1], [863, 137])
    assert constant_majority_f1(majority) == pytest.approx(0.7998, abs=5e-4)
    assert math.isnan(constant_majority_f1([]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weighted_f1([0], [0, 1], 2), "same number of images.*y_true: 1"),
        (lambda: weighted_f1([2], [0], 2), r"`y_true` must lie in 0..1 for 2 classes"),
        (lambda: weighted_f1([0], [5], 2), r"`y_pred` must lie in 0..1 for 2 classes"),
        (lambda: weighted_f1([[0]], [0], 2), "`y_true` must be integers"),
        (lambda: weighted_f1([0.5], [0], 2), "`y_true` must be integers"),
        (lambda: weighted_f1([0], [0], 0), "`num_classes` must be an integer"),
        (lambda: area_under_roc([np.nan, 1], [0, 1]), "`scores` must be finite.*nan a"),
        (lambda: area_under_roc([[1.0]], [1]), "`scores` must be numbers, shape"),
        (lambda: area_under_roc(["a"], [1]), "`scores` must be numbers, shape"),
        (lambda: area_under_roc([1.0], [2]), "`positives` must be true or false"),
        (lambda: area_under_roc([1.0], [1, 0]), "same number of images"),
        (lambda: f1_of_most_confident([0], [[0.5, 0.4]], 1.0), "in .0, 1. and sum to"),
        (lambda: f1_of_most_confident([0], [[2.0, -1.0]], 1.0), "softmax to logits"),
        (lambda: f1_of_most_confident([0], [[np.nan, 1]], 1.0), "row 0 is .nan, 1.0"),
        (lambda: f1_of_most_confident([0], [0.5], 1.0), r"shape \(images, classes\)"),
        (lambda: f1_of_most_confident([0], [[1.0, 0]], 1.5), "`coverage` must be a nu"),
        (lambda: f1_of_most_confident([2], [[1.0, 0]], 0.0), "`majority` must lie in"),
        (lambda: constant_majority_f1([0.5]), "`majority` must be integers"),
        (lambda: constant_majority_f1([-1]), "`majority` must be at least 0"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
