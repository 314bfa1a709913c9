"""`proposal_scores` against plain code."""

import math

import numpy as np
import pytest

from keras_dc3.metrics import k_means, mean_inner_distance, proposal_scores
from tests.metrics import naive


@pytest.fixture
def case(rng):
    """Soft labels (80, 4), p_n, p_o (80, 9) and p_a of 80 images."""
    counts = rng.multinomial(5, [0.4, 0.3, 0.2, 0.1], 80)
    return (
        counts / 5,
        rng.dirichlet(np.ones(4), 80),
        rng.dirichlet(np.ones(9), 80),
        rng.random(80),
    )


def plain_scores(soft, classes, clusters, ambiguity):
    certain = [i for i in range(len(soft)) if ambiguity[i] < 0.5]
    rest = [i for i in range(len(soft)) if ambiguity[i] >= 0.5]
    f1 = naive.weighted_f1(
        [soft[i] for i in certain],
        [naive.argmax(classes[i]) for i in certain],
    )
    labels = [soft[i] for i in rest]
    by_cluster = [naive.argmax(clusters[i]) for i in rest]
    by_class = [naive.argmax(classes[i]) for i in rest]
    d = naive.mean_inner_distance(labels, by_cluster)
    return {
        "f1": f1,
        "d": d,
        "d_minus_f1": d - f1,
        "ambiguous": len(rest) / len(soft),
        "degenerated": min(len(rest), len(certain)) <= 0.1 * len(soft),
        "d_size_weighted": naive.size_weighted(labels, by_cluster),
        "d_class": naive.mean_inner_distance(labels, by_class),
        "d_class_size_weighted": naive.size_weighted(labels, by_class),
    }


def test_equals_a_plain_computation(case):
    scores = proposal_scores(*case)
    shuffled = scores.pop("d_shuffled")
    assert scores == pytest.approx(plain_scores(*case))
    assert all(type(value) is float or value is False for value in scores.values())
    assert 0 < shuffled < math.sqrt(2)


def test_integers_and_probabilities_give_the_same(case):
    soft, classes, clusters, ambiguity = case
    assert proposal_scores(*case) == proposal_scores(
        soft.tolist(), classes.argmax(axis=1), clusters.argmax(axis=1), list(ambiguity)
    )


def test_order_of_images_and_names_of_clusters_do_not_matter(case, rng):
    expected = proposal_scores(*case)
    order, names = rng.permutation(80), rng.permutation(9)
    soft, classes, clusters, ambiguity = (part[order] for part in case)
    scores = proposal_scores(soft, classes, names[clusters.argmax(axis=1)], ambiguity)
    for one in (expected, scores):
        del one["d_shuffled"]  # depends on the order, as documented
    assert scores == pytest.approx(expected)


def test_shuffling_is_seeded_and_keeps_the_sizes(case):
    soft, classes, _, ambiguity = case
    first, again = (proposal_scores(*case, seed=3)["d_shuffled"] for _ in range(2))
    assert first == again != proposal_scores(*case, seed=4)["d_shuffled"]
    # Clusters of one image stay such, whatever is dealt.
    alone = np.arange(80)
    assert proposal_scores(soft, classes, alone, ambiguity)["d_shuffled"] == 0.0


def test_shuffled_clusters_are_worse_than_good_ones(rng):
    truth = rng.integers(0, 4, 400)
    scores = proposal_scores(np.eye(4)[truth], truth, truth, np.full(400, 0.9))
    assert scores["d"] == 0.0
    assert scores["d_shuffled"] == pytest.approx(math.sqrt(0.75), abs=0.02)


def test_vanilla_scores_all_images_by_class(case):
    soft, classes, clusters, _ = case
    scores = proposal_scores(soft, classes)
    predicted = classes.argmax(axis=1)
    assert scores == proposal_scores(soft, classes, clusters)
    assert scores["ambiguous"] == 0.0
    assert scores["degenerated"] is False
    assert scores["f1"] == pytest.approx(naive.weighted_f1(soft, predicted))
    assert scores["d"] == scores["d_class"] == mean_inner_distance(soft, predicted)
    assert scores["d_size_weighted"] == pytest.approx(
        naive.size_weighted(soft, predicted)
    )
    assert scores["d_class_size_weighted"] == scores["d_size_weighted"]
    assert scores["d_minus_f1"] == scores["d"] - scores["f1"]


def blobs(rng, groups, size=20, num_classes=4):
    """Returns soft labels, p_n, features and the group each image looks like."""
    truth = rng.permutation(np.repeat(np.arange(groups), size))
    n = len(truth)
    features = np.eye(groups)[truth] + rng.normal(0, 0.01, (n, groups))
    p_n = rng.dirichlet(np.full(num_classes, 99.0), n)  # tells the groups little
    return rng.dirichlet(np.ones(num_classes), n), p_n, features, truth


def test_k_means_finds_what_looks_alike(rng):
    soft, p_n, features, truth = blobs(rng, 6)
    ambiguity = np.where(rng.random(120) < 0.3, 0.2, 0.9)
    clusters = rng.integers(0, 6, 120) * 7  # numbers of empty clusters do not count
    scores = proposal_scores(soft, p_n, clusters, ambiguity, features=features)
    rest = ambiguity >= 0.5
    assert scores["d_k_means"] == pytest.approx(
        naive.mean_inner_distance(soft[rest], truth[rest])
    )
    assert scores["d_k_means_size_weighted"] == pytest.approx(
        naive.size_weighted(soft[rest], truth[rest])
    )
    for name in ("d_k_means", "d_k_means_size_weighted"):
        assert type(scores.pop(name)) is float
    assert scores == proposal_scores(soft, p_n, clusters, ambiguity)


def test_k_means_of_a_vanilla_model(rng):
    soft, _, features, truth = blobs(rng, 3)
    p_n = np.eye(4)[truth] * 0.9 + 0.025
    scores = proposal_scores(soft, p_n, features=features)
    # Three classes occur, and look and are predicted alike.
    assert scores["d_k_means"] == pytest.approx(scores["d"])


def test_k_means_is_that_of_joined_features(case, rng):
    soft, classes, clusters, ambiguity = case
    features = rng.normal(size=(80, 5)).astype("float32")
    scores = proposal_scores(*case, seed=5, features=features)
    rest = np.flatnonzero(ambiguity >= 0.5)
    number = len({naive.argmax(clusters[i]) for i in rest})
    points = naive.joined_features(features[rest], classes[rest])
    _, found = k_means(points, number, seed=5)
    assert scores["d_k_means"] == pytest.approx(
        naive.mean_inner_distance(soft[rest], found)
    )


@pytest.mark.parametrize(("level", "absent"), [(0.0, "d"), (1.0, "f1")])
def test_one_side_only(case, level, absent):
    soft, classes, clusters, _ = case
    scores = proposal_scores(
        soft, classes, clusters, np.full(80, level), features=np.ones((80, 2))
    )
    assert scores["degenerated"] is True
    assert scores["ambiguous"] == level
    gone = {name for name, value in scores.items() if math.isnan(value)}
    of_clusters = {name for name in scores if name.startswith("d")}
    of_clusters -= {"d_minus_f1", "degenerated"}
    assert gone == {"d_minus_f1"} | (of_clusters if absent == "d" else {"f1"})


@pytest.mark.parametrize(
    ("ambiguous", "degenerated"),
    [(0, True), (10, True), (11, False), (89, False), (90, True), (100, True)],
)
def test_degenerated_at_ten_percent(rng, ambiguous, degenerated):
    soft = rng.dirichlet(np.ones(3), 100)
    p_a = np.where(np.arange(100) < ambiguous, 0.9, 0.1)
    scores = proposal_scores(soft, soft, soft, p_a)
    assert scores["degenerated"] is degenerated


def test_one_half_is_ambiguous_and_just_below_is_certain():
    p_a = np.array([0.5, np.nextafter(np.float32(0.5), np.float32(0))], "float32")
    scores = proposal_scores([[1.0, 0], [0, 1.0]], [1, 1], [0, 0], p_a)
    assert scores["ambiguous"] == 0.5
    assert scores["f1"] == 1.0


def test_ties_of_people_prefer_no_class():
    for predicted in (0, 1):
        # Half the image is right: F1 is 2 * 0.5 / (0.5 + 1) for half of it.
        f1 = proposal_scores([[0.5, 0.5, 0.0]], [predicted])["f1"]
        assert f1 == pytest.approx(1 / 3)
    assert proposal_scores([[0.5, 0.5, 0.0]], [2])["f1"] == 0.0


def test_names_of_classes_do_not_matter(case, rng):
    soft, classes, clusters, ambiguity = case
    assert (np.isclose(soft, soft.max(axis=1, keepdims=True)).sum(axis=1) > 1).any()
    expected = proposal_scores(*case)["f1"]
    for _ in range(5):
        order = rng.permutation(4)
        scores = proposal_scores(soft[:, order], classes[:, order], clusters, ambiguity)
        assert scores["f1"] == pytest.approx(expected)


def test_no_image_at_all():
    none = np.zeros((0, 3))
    scores = proposal_scores(none, none, features=none)
    assert scores.pop("degenerated") is False
    assert all(math.isnan(value) for value in scores.values())


SOFT = [[0.6, 0.4], [0.2, 0.8]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SOFT, [0, 1], None, [0.1, 0.9]), "`clusters` must be given with `ambiguity`"),
        ((SOFT, [0, 2]), r"`classes` must lie in 0..1 for 2 classes"),
        ((SOFT, [0]), "same number of images.*soft_labels: 2, classes: 1"),
        ((SOFT, [[1.0, 0, 0]] * 2), "`classes` must have as many columns as `soft_lab"),
        ((SOFT, [[3.0, -1.0]] * 2), "row of `classes` must be in .*softmax"),
        ((SOFT, [0.0, 1.0]), "`classes` must be integers"),
        ((SOFT, [0, 1], [0], [0.1, 0.9]), "same number of images.*clusters: 1"),
        ((SOFT, [0, 1], [0, 0], [0.1]), "same number of images.*ambiguity: 1"),
        ((SOFT, [0, 1], [0, 0], [0.1, np.nan]), "`ambiguity` must be in .*nan at pos"),
        ((SOFT, [0, 1], [0, 0], [0.1, 3.0]), "`ambiguity` must be in .0, 1.*sigmoid"),
        ((SOFT, [0, 1], [0, 0], [[0.1], [0.9]]), r"`ambiguity` must be .*\(2, 1\)"),
        ((SOFT, [0, 1], [[0.3, 0.3]] * 2, [0, 1]), "row of `clusters` must be in"),
        (([0.6, 0.4], [0, 1]), r"`soft_labels` must have shape"),
        (([[np.nan, np.nan]], [0]), "`soft_labels` must be finite"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        proposal_scores(*arguments)


def test_bad_seed():
    with pytest.raises(ValueError, match="`seed` must be an integer of at least 0"):
        proposal_scores(SOFT, [0, 1], seed=-1)


@pytest.mark.parametrize(
    ("classes", "options", "message"),
    [
        ([0, 1], {"features": [[1.0], [2.0]]}, r"`classes` must be prob.*shape \(2,\)"),
        (SOFT, {"features": [1.0, 2.0]}, r"`features` must be numbers, .*\(2,\)"),
        (SOFT, {"features": 1.0}, r"`features` must be numbers, shape \(images, f"),
        (SOFT, {"features": [["a"], ["b"]]}, "`features` must be numbers.*<U1"),
        (SOFT, {"features": [[1.0]]}, "same number of images.*features: 1"),
        (SOFT, {"features": [[1.0], [np.nan]]}, "`features` must be finite.*row 1"),
    ],
)
def test_bad_features(classes, options, message):
    with pytest.raises(ValueError, match=message):
        proposal_scores(SOFT, classes, **options)
