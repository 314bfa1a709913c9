"""d, eq. 4, and its size-weighted sibling."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.metrics import mean_inner_distance, size_weighted_inner_distance
from tests.metrics import naive

FUNCTIONS = (mean_inner_distance, size_weighted_inner_distance)


@st.composite
def clusterings(draw):
    """Soft labels (n, k) and clusters (n,), often one-hot and often with ties."""
    n, k = draw(st.integers(1, 30)), draw(st.integers(1, 5))
    counts = draw(
        st.lists(
            st.lists(st.integers(0, 4), min_size=k, max_size=k).filter(any),
            min_size=n,
            max_size=n,
        )
    )
    counts = np.array(counts, "float64")
    clusters = draw(st.lists(st.integers(0, 6), min_size=n, max_size=n))
    return counts / counts.sum(axis=1, keepdims=True), np.array(clusters)


@given(clusterings())
def test_equals_a_plain_computation(case):
    soft, clusters = case
    assert mean_inner_distance(soft, clusters) == pytest.approx(
        naive.mean_inner_distance(soft, clusters), abs=1e-12
    )
    assert size_weighted_inner_distance(soft, clusters) == pytest.approx(
        naive.size_weighted(soft, clusters), abs=1e-12
    )


@given(clusterings(), st.integers(0, 2**32 - 1))
def test_range_and_invariance(case, seed):
    soft, clusters = case
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(soft))
    new_names = rng.permutation(1000)[:7]
    for function in FUNCTIONS:
        value = function(soft, clusters)
        assert 0.0 <= value <= math.sqrt(2)
        assert function(soft[order], clusters[order]) == pytest.approx(value)
        assert function(soft, new_names[clusters]) == pytest.approx(value)


def test_by_hand():
    soft = [[1, 0], [0, 1], [0, 1]]
    # Cluster 0: centroid (.5, .5), both members at distance sqrt(.5). Cluster 7: 0.
    assert mean_inner_distance(soft, [0, 0, 7]) == pytest.approx(math.sqrt(0.5) / 2)
    assert size_weighted_inner_distance(soft, [0, 0, 7]) == pytest.approx(
        math.sqrt(0.5) * 2 / 3
    )


def test_upper_reference_of_ten_classes():
    # One-hot labels spread evenly over ten classes: sqrt(0.9).
    soft = np.tile(np.eye(10), (5, 1))
    for function in FUNCTIONS:
        assert function(soft, np.zeros(50, int)) == pytest.approx(math.sqrt(0.9))


def test_clusters_of_one_image_have_distance_zero(rng):
    soft = rng.dirichlet(np.ones(4), 20)
    for function in FUNCTIONS:
        assert function(soft, np.arange(20)) == 0.0


def test_clusters_of_equal_labels_have_distance_zero():
    soft = np.eye(3)[[0, 1, 2, 2]]
    for function in FUNCTIONS:
        assert function(soft, [0, 1, 2, 2]) == 0.0


def test_empty_clusters_and_huge_numbers_do_not_count(rng):
    soft = rng.dirichlet(np.ones(3), 6)
    clusters = np.array([0, 0, 0, 1, 1, 1])
    for function in FUNCTIONS:
        expected = function(soft, clusters)
        assert function(soft, clusters * 2**60) == pytest.approx(expected)
        assert function(soft.astype("float32"), clusters.astype("uint8")) == (
            pytest.approx(expected, abs=1e-6)
        )


def test_no_image_gives_nan():
    for function in FUNCTIONS:
        assert math.isnan(function(np.zeros((0, 3)), []))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("soft", "clusters", "message"),
    [
        ([0.5, 0.5], [0, 0], r"`soft_labels` must have shape \(images, classes\)"),
        ([[np.nan, 1.0]], [0], "`soft_labels` must be finite, but 1 row"),
        ([[3, 1]], [0], "row of `soft_labels` must be a distribution"),
        ([[-0.5, 1.5]], [0], "row of `soft_labels` must be a distribution"),
        ([[0.5, 0.5]], [0, 1], "same number of images.*soft_labels: 1, clusters: 2"),
        ([[0.5, 0.5]], [0.0], "`clusters` must be integers.*use np.argmax"),
        ([[0.5, 0.5]], [[1]], r"`clusters` must be integers.*shape \(1, 1\)"),
        ([[0.5, 0.5]], [-1], "`clusters` must be at least 0. Received: -1 at posi"),
        ([[0.5, 0.5]], [True], "`clusters` must be integers.*dtype bool"),
    ],
)
def test_bad_input(function, soft, clusters, message):
    with pytest.raises(ValueError, match=message):
        function(soft, clusters)
