"""Intervals of scores: what they hold, how wide they are, and few images."""

import math
import time

import numpy as np
import pytest

from keras_dc3.metrics import (
    area_under_roc,
    honest_context,
    intervals,
    mean_inner_distance,
    proposal_scores,
    score_intervals,
    size_weighted_inner_distance,
    weighted_f1,
)
from keras_dc3.metrics.image_weights import F1, AreaUnderROC, InnerDistance, Truth
from tests.metrics import naive


def made_up(rng, n, k=4, skill=2.0):
    """Returns soft labels, p_n, p_o, p_a of images on which people disagree more or
    less, by a model that sees some of it."""
    truth = rng.dirichlet(np.full(k, 0.4), n)
    soft = np.array([rng.multinomial(5, row) for row in truth]) / 5
    logits = skill * truth + rng.normal(size=(n, k))
    p_n = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    p_a = np.clip(1.3 - truth.max(axis=1) + rng.normal(0, 0.2, n), 0, 1)
    return soft, p_n, rng.dirichlet(np.full(3 * k, 0.3), n), p_a


@pytest.fixture
def case(rng):
    return made_up(rng, 150)


def test_scores_of_resamples_are_those_of_repeated_images(case, rng):
    """Weights say the same as images that stand there several times."""
    soft, p_n, p_o, p_a = case
    weights = rng.integers(0, 4, (150, 3)).astype("float32")
    predicted, clusters = p_n.argmax(axis=1), p_o.argmax(axis=1)
    people = soft.max(axis=1) < 0.7
    rounded = p_a.round(1)  # with ties
    for column, of_f1, of_area, d, d_size in zip(
        weights.T.astype(int),
        F1(Truth.of("soft", soft), predicted)(weights),
        AreaUnderROC(rounded, people)(weights),
        *InnerDistance(soft, clusters)(weights),
        strict=True,
    ):
        rows = np.repeat(np.arange(150), column)
        assert of_f1 == pytest.approx(naive.weighted_f1(soft[rows], predicted[rows]))
        area = area_under_roc(rounded[rows], people[rows])
        assert of_area == pytest.approx(area, rel=1e-5)
        expected = mean_inner_distance(soft[rows], clusters[rows])
        assert d == pytest.approx(expected, rel=1e-5)
        expected = size_weighted_inner_distance(soft[rows], clusters[rows])
        assert d_size == pytest.approx(expected, rel=1e-5)


def test_every_score_has_an_interval_around_it(case, rng):
    soft, p_n, _, p_a = case
    features = rng.normal(size=(150, 3))
    scores = {
        **proposal_scores(*case, features=features),
        **honest_context(soft, p_n, p_a, reference_probabilities=p_n),
    }
    found = score_intervals(*case, features=features, reference_probabilities=p_n)
    assert set(found) == set(scores) - {"degenerated"}
    for name, (low, high) in found.items():
        assert low < scores[name] < high, name
        assert high - low < 0.5, name
    again = score_intervals(*case, features=features, reference_probabilities=p_n)
    other = score_intervals(*case, seed=1)
    assert found == again and found["f1"] != other["f1"]


def test_a_vanilla_model_has_intervals_too(case):
    soft, p_n, _, _ = case
    found = score_intervals(soft, p_n)
    assert found["f1"] == found["f1_confident"]
    assert all(map(math.isnan, found["ambiguous"]))  # it is so by definition
    assert all(map(math.isnan, found["auroc_ambiguity"]))
    assert "accuracy" not in score_intervals(soft, p_n.argmax(axis=1))


def test_four_times_the_images_halve_the_interval(rng):
    few, many = (score_intervals(*made_up(rng, n)) for n in (400, 1600))
    for name in ("f1", "d_class", "accuracy", "auroc_softmax"):
        ratio = np.diff(few[name])[0] / np.diff(many[name])[0]
        assert 1.5 < ratio < 2.7, name


def test_intervals_hold_the_truth(rng):
    """In 95% of trials; here at least 90% of 80."""
    whole = made_up(rng, 20_000)
    soft, p_n, _, p_a = whole
    truth = {**proposal_scores(*whole), **honest_context(soft, p_n, p_a)}
    names = ("f1", "f1_confident", "accuracy", "auroc_ambiguity", "ambiguous")
    held = dict.fromkeys(names, 0)
    for seed in range(80):
        rows = rng.choice(20_000, 100, replace=False)
        found = score_intervals(*(part[rows] for part in whole), seed=seed)
        for name in names:
            held[name] += found[name][0] <= truth[name] <= found[name][1]
    assert min(held.values()) >= 72, held


def test_few_images_that_are_all_right_are_not_sure():
    soft = np.eye(3)[np.arange(18) % 3]
    found = score_intervals(soft, soft, np.arange(18) % 5, np.zeros(18))
    assert found["f1"][1] == 1.0 and found["f1"][0] < 0.85
    assert found["accuracy"][0] < 0.85
    assert all(map(math.isnan, found["d"]))  # no image is ambiguous


def test_a_few_disagreements_in_perfect_order_are_not_sure():
    soft = np.r_[np.tile([1.0, 0.0], (26, 1)), np.tile([0.5, 0.5], (3, 1))]
    p_a = np.linspace(0.1, 0.9, 29)
    found = score_intervals(soft, np.tile([0.9, 0.1], (29, 1)), soft, p_a)
    low, high = found["auroc_ambiguity"]
    assert 0.5 < low < 0.75 and high == 1.0
    assert intervals.of_area_under_roc(1.0, 1, 28)[0] < 0.5


def test_no_image_at_all():
    none = np.zeros((0, 3))
    found = score_intervals(none, none, none, [])
    assert np.isnan(list(found.values())).all()


def test_ten_thousand_images_take_seconds(rng):
    start = time.perf_counter()
    score_intervals(*made_up(rng, 10_000, k=10))
    assert time.perf_counter() - start < 60  # about 2 on an idle machine


def test_wilson_by_hand():
    # Newcombe, Statistics in Medicine 17, 1998, table I.
    assert intervals.wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert intervals.wilson(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=1e-4)
    assert intervals.wilson(0.0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert intervals.wilson(1 / 29, 29) == pytest.approx((0.0061, 0.1718), abs=1e-4)


def test_an_area_is_the_middle_of_what_is_possible():
    low, high = intervals.of_area_under_roc(0.5, 40, 60)
    assert low + high == pytest.approx(1.0)
    mirrored = intervals.of_area_under_roc(0.2, 60, 40)
    low, high = intervals.of_area_under_roc(0.8, 40, 60)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-6)
    assert low < 0.8 < high


def test_a_difference_of_nothing_is_not_sure_of_few_images():
    low, high = intervals.of_paired_difference(np.zeros(29), 29)
    # Agresti and Min: half an image in each of four counts.
    assert high == pytest.approx(1.959964 / 31) and low == -high
    low, high = intervals.of_paired_difference(np.r_[np.ones(60), np.zeros(40)], 100)
    middle, n = 60 / 102, 102
    half = 1.959964 * math.sqrt(61 - 60**2 / n) / n
    assert (low, high) == pytest.approx((middle - half, middle + half))


def test_ties_share_an_image():
    assert weighted_f1([[0.4, 0.4, 0.2]], [0], 3) == pytest.approx(1 / 3)
    assert weighted_f1(np.eye(3), [0, 1, 2], 3) == 1.0
    with pytest.raises(ValueError, match=r"`y_true` must be integers.*\(1, 2\)"):
        weighted_f1([[0.5, 0.5]], [0], 3)
