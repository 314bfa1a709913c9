"""How often two answers to an image differ, against counting pairs."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.annotations import Annotations, MeanDisagreement, disagreement
from keras_dc3.data import ImageSet

NAMES = ["cod", "eel", "ray"]


def by_pairs(counts):
    answers = np.repeat(np.arange(len(counts)), counts)
    pairs = list(combinations(answers, 2))
    return sum(a != b for a, b in pairs) / len(pairs) if pairs else math.nan


@given(
    st.lists(
        st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=1, max_size=9
    )
)
def test_it_is_the_share_of_pairs_that_differ(counts):
    expected = [by_pairs(row) for row in counts]
    np.testing.assert_allclose(disagreement(counts), expected)
    images = ImageSet(np.zeros((len(counts), 2, 2, 1), "uint8"), names(counts), counts)
    np.testing.assert_allclose(images.disagreement, expected)


def names(counts):
    return [str(i) for i in range(len(counts))]


@pytest.mark.parametrize("number", [2, 3, 10])
def test_it_does_not_depend_on_the_number_of_answers(number):
    truth = np.random.default_rng(0).dirichlet([0.5, 0.5, 0.5], 4000)
    drawn = np.random.default_rng(1).multinomial(number, truth)
    found = Annotations.from_counts(
        drawn, ids=names(drawn), class_names=NAMES
    ).mean_disagreement()
    expected = (1 - (truth**2).sum(axis=1)).mean()
    assert found.images == 4000
    assert found.mean == pytest.approx(expected, abs=0.02)
    assert found.low < expected < found.high and found.high - found.low < 0.04


def test_the_interval_is_that_of_the_images():
    rng = np.random.default_rng(5)
    covered = 0
    for seed in range(200):
        shares = rng.choice([0.0, 2 / 3, 1.0], 100, p=[0.6, 0.3, 0.1])
        found = MeanDisagreement.of(shares, seed)
        assert found.mean == pytest.approx(shares.mean())
        covered += found.low <= 0.3 <= found.high
    assert 180 <= covered <= 199


def test_where_it_is_not_known():
    assert np.isnan(disagreement([[1, 0], [0, 0], [0.5, 1.5]])).all()
    one = Annotations.from_counts(
        [[1, 0], [0, 1]], ids=["a", "b"], class_names=NAMES[:2]
    )
    found = one.mean_disagreement()
    assert found.images == 0 and math.isnan(found.mean)
    assert str(found) == "no image has two answers"
    both = MeanDisagreement.of(np.array([0.0, 0.5, math.nan]))
    assert str(both).startswith("two answers to an image differ in 25.0% of cases (95%")
    assert str(both).endswith("2 images)")
