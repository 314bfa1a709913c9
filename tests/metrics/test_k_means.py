"""k-means: what must hold for any points, and against scikit-learn."""

import importlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_dc3.metrics import joined_features, k_means
from tests.metrics import naive

# The package's attribute of that name is the function.
module = importlib.import_module("keras_dc3.metrics.k_means")


@st.composite
def problems(draw):
    """Points (n, d), many of them equal, and a number of clusters up to n."""
    n, d = draw(st.integers(1, 25)), draw(st.integers(1, 3))
    points = draw(hnp.arrays("int64", (n, d), elements=st.integers(-4, 4)))
    shift = draw(st.sampled_from([0.0, 1e6]))
    return points + shift, draw(st.integers(1, n))


def blobs(rng, groups, size, dimensions):
    """Returns points around far centers, and the group of each."""
    truth = rng.permutation(np.repeat(np.arange(groups), size))
    centers = 50 * rng.normal(size=(groups, dimensions))
    return centers[truth] + rng.normal(size=(len(truth), dimensions)), truth


def inertia(points, centers, assignment):
    return float(((points - centers[assignment]) ** 2).sum())


def partition(assignment):
    return {frozenset(np.flatnonzero(assignment == c)) for c in np.unique(assignment)}


@given(problems(), st.integers(0, 2**32 - 1))
def test_nothing_is_left_to_improve(problem, seed):
    points, k = problem
    centers, assignment = k_means(points, k, seed)
    assert centers.shape == (k, points.shape[1]) and centers.dtype == "float64"
    assert assignment.shape == (len(points),) and assignment.dtype == "int64"
    assert np.isfinite(centers).all()
    assert 0 <= assignment.min() <= assignment.max() < k
    # As many clusters have points as can have.
    assert len(np.unique(assignment)) == min(k, len(np.unique(points, axis=0)))
    for cluster in np.unique(assignment):
        mean = points[assignment == cluster].mean(axis=0)
        np.testing.assert_allclose(centers[cluster], mean, atol=1e-8)
    distances = np.linalg.norm(points[:, None] - centers, axis=2)
    own = distances[np.arange(len(points)), assignment]
    assert (own <= distances.min(axis=1) + 1e-6).all()


@given(problems(), st.integers(0, 2**32 - 1))
def test_the_seed_decides(problem, seed):
    points, k = problem
    for first, again in zip(
        k_means(points, k, seed), k_means(points.tolist(), k, seed), strict=True
    ):
        np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_units_and_origin_do_not_matter(rng, scale, offset):
    points, truth = blobs(rng, 7, 30, 4)
    _, assignment = k_means((points + offset) * scale, 7)
    assert partition(assignment) == partition(truth)


def test_as_good_as_scikit_learn(rng):
    cluster = pytest.importorskip("sklearn.cluster")
    noise = rng.normal(size=(600, 20))
    for points, k in ((blobs(rng, 12, 50, 8)[0], 12), (noise, 30), (noise, 3)):
        rival = cluster.KMeans(k, n_init=3, random_state=0).fit(points).inertia_
        assert inertia(points, *k_means(points, k)) <= 1.05 * rival


def test_one_cluster_and_one_for_each_point(rng):
    points = rng.normal(size=(20, 3))
    centers, assignment = k_means(points, 1)
    np.testing.assert_allclose(centers, points.mean(axis=0, keepdims=True))
    assert (assignment == 0).all()
    centers, assignment = k_means(points, 20)
    assert sorted(assignment) == list(range(20))
    np.testing.assert_allclose(centers[assignment], points)


def test_given_points_are_not_changed(rng):
    points = rng.normal(size=(20, 3))
    before = points.copy()
    k_means(points, 3)
    joined_features(points, np.ones((20, 1)))
    np.testing.assert_array_equal(points, before)


def test_an_empty_cluster_takes_the_farthest_point():
    points = np.array([[0.0], [1.0], [9.0], [0.5]])
    nearest = np.zeros(4, "int64")
    module._fill_empty(points, np.array([[0.0], [70.0], [80.0]]), nearest)
    assert nearest.tolist() == [0, 2, 1, 0]


def test_parts_give_the_same(rng, monkeypatch):
    points = rng.normal(size=(500, 5))
    whole = k_means(points, 9)
    monkeypatch.setattr(module, "_MOST_DISTANCES", 100)
    for expected, found in zip(whole, k_means(points, 9), strict=True):
        np.testing.assert_allclose(found, expected)


def test_distances_are_never_all_in_memory(rng):
    points, centers = rng.normal(size=(100_000, 2)), rng.normal(size=(200, 2))
    tracemalloc.start()
    module._nearest(points, centers)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40e6 < 100_000 * 200 * 8 / 2


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_joined_features_equal_a_plain_computation(rng, dtype):
    features = (9 * rng.normal(size=(30, 6))).astype(dtype)
    features[4] = 0
    probabilities = rng.dirichlet(np.ones(4), 30)
    joined = joined_features(features, probabilities)
    np.testing.assert_allclose(joined, naive.joined_features(features, probabilities))
    assert joined.dtype == "float64"
    np.testing.assert_allclose(np.linalg.norm(joined[:, 6:], axis=1), 2.0)


def test_joined_features_of_extreme_size(rng):
    features, probabilities = rng.normal(size=(5, 3)), np.ones((5, 1))
    expected = joined_features(features, probabilities)
    for scale in (1e-300, 1e300):
        found = joined_features(features * scale, probabilities)
        np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0]], 2), "`num_clusters` must be at most .*2 clusters for 1 points"),
        ((np.zeros((0, 3)), 1), "`num_clusters` must be at most .*for 0 points"),
        (([[1.0]], 0), "`num_clusters` must be an integer of at least 1"),
        (([[1.0]], 1.0), "`num_clusters` must be an integer of at least 1"),
        (([[1.0]], 1, -1), "`seed` must be an integer of at least 0"),
        (([1.0], 1), r"`points` must be numbers, shape \(points, coor.*\(1,\)"),
        ((np.zeros((3, 0)), 1), r"`points` must be numbers.*\(3, 0\)"),
        (([["a"]], 1), "`points` must be numbers.*<U1"),
        (([[0.0], [np.inf]], 1), "`points` must be finite, but 1 row holds .*row 1"),
    ],
)
def test_bad_points(arguments, message):
    with pytest.raises(ValueError, match=message):
        k_means(*arguments)


@pytest.mark.parametrize(
    ("features", "probabilities", "message"),
    [
        ([1.0], [[1.0]], r"`features` must be numbers, shape \(images, features\)"),
        ([[np.nan]], [[1.0]], "`features` must be finite.*row 0"),
        ([[1.0]], [[0.4]], "row of `class_probabilities` must be in .*sum to 1"),
        ([[1.0]], [[1.0]] * 2, "same number of images.*features: 1, class_prob"),
    ],
)
def test_bad_features(features, probabilities, message):
    with pytest.raises(ValueError, match=message):
        joined_features(features, probabilities)
