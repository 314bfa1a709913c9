"""`proposal_scores` and `honest_context` against plain code."""

import math

import numpy as np
import pytest

from keras_dc3.metrics import honest_context, mean_inner_distance, proposal_scores
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
        [naive.argmax(soft[i]) for i in certain],
        [naive.argmax(classes[i]) for i in certain],
    )
    labels = [soft[i] for i in rest]
    by_cluster = [naive.argmax(clusters[i]) for i in rest]
    d = naive.mean_inner_distance(labels, by_cluster)
    return {
        "f1": f1,
        "d": d,
        "d_minus_f1": d - f1,
        "ambiguous": len(rest) / len(soft),
        "degenerated": min(len(rest), len(certain)) <= 0.1 * len(soft),
        "d_size_weighted": naive.size_weighted(labels, by_cluster),
        "d_class": naive.mean_inner_distance(
            labels, [naive.argmax(classes[i]) for i in rest]
        ),
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
    assert scores["f1"] == pytest.approx(
        naive.weighted_f1(soft.argmax(axis=1), predicted)
    )
    assert scores["d"] == scores["d_class"] == mean_inner_distance(soft, predicted)
    assert scores["d_size_weighted"] == pytest.approx(
        naive.size_weighted(soft, predicted)
    )
    assert scores["d_minus_f1"] == scores["d"] - scores["f1"]


@pytest.mark.parametrize(("level", "absent"), [(0.0, "d"), (1.0, "f1")])
def test_one_side_only(case, level, absent):
    soft, classes, clusters, _ = case
    scores = proposal_scores(soft, classes, clusters, np.full(80, level))
    assert scores["degenerated"] is True
    assert scores["ambiguous"] == level
    gone = {name for name, value in scores.items() if math.isnan(value)}
    of_clusters = {"d", "d_size_weighted", "d_class", "d_shuffled"}
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


def test_ties_of_people_go_to_the_first_class():
    assert proposal_scores([[0.5, 0.5]], [0])["f1"] == 1.0
    assert proposal_scores([[0.5, 0.5]], [1])["f1"] == 0.0


def test_no_image_at_all():
    none = np.zeros((0, 3))
    for scores in (proposal_scores(none, none), honest_context(none, none)):
        assert all(math.isnan(v) for k, v in scores.items() if k != "degenerated")


def plain_context(soft, probabilities, ambiguity, threshold):
    certain = [i for i in range(len(soft)) if ambiguity[i] < 0.5]
    majority = [naive.argmax(row) for row in soft]
    of_certain = [majority[i] for i in certain]
    people = [max(row) < threshold - 1e-9 for row in soft]
    winner = max(set(of_certain), key=of_certain.count)
    predicted = [naive.argmax(row) for row in probabilities]
    hits = sum(a == b for a, b in zip(majority, predicted, strict=True))
    return {
        "f1_constant_majority": naive.weighted_f1(of_certain, [winner] * len(certain)),
        "f1_confident": naive.f1_most_confident(majority, probabilities, len(certain)),
        "accuracy": hits / len(soft),
        "auroc_ambiguity": naive.auroc(ambiguity, people),
        "auroc_softmax": naive.auroc([1 - max(row) for row in probabilities], people),
        "auroc_entropy": naive.auroc(
            [naive.entropy(row) for row in probabilities], people
        ),
    }


@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_context_equals_a_plain_computation(case, threshold):
    soft, probabilities, _, ambiguity = case
    context = honest_context(soft, probabilities, ambiguity, threshold)
    assert context == pytest.approx(
        plain_context(soft, probabilities, ambiguity, threshold), nan_ok=True
    )


def test_context_of_a_vanilla_model(case):
    soft, probabilities, _, _ = case
    context = honest_context(soft, probabilities)
    assert math.isnan(context.pop("auroc_ambiguity"))
    expected = plain_context(soft, probabilities, np.zeros(80), 0.8)
    del expected["auroc_ambiguity"]
    assert context == pytest.approx(expected)
    assert context["f1_confident"] == proposal_scores(soft, probabilities)["f1"]


def test_context_does_not_depend_on_the_order_of_images(case, rng):
    soft, probabilities, _, ambiguity = case
    order = rng.permutation(80)
    assert honest_context(
        soft[order], probabilities[order], ambiguity[order]
    ) == pytest.approx(honest_context(soft, probabilities, ambiguity))


def test_context_of_people_who_never_disagree():
    soft, probabilities = np.eye(2), np.array([[0.9, 0.1], [0.3, 0.7]])
    context = honest_context(soft, probabilities, [0.1, 0.9])
    assert all(math.isnan(v) for k, v in context.items() if k.startswith("auroc"))
    assert context["accuracy"] == 1.0


@pytest.mark.parametrize("share", [0.7, 0.8, 0.9])
def test_threshold_is_not_passed_by_rounding(share):
    soft = np.array([[share, 1 - share], [0.6, 0.4]], "float32")
    context = honest_context(soft, soft, human_threshold=share)
    assert context["auroc_softmax"] == 1.0  # the first image counts as clear


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((SOFT, [[1.0, 0.0]]), "same number of images.*class_probabilities: 1"),
        ((SOFT, [0, 1]), r"`class_probabilities` must be probabilities, shape"),
        ((SOFT, [[1.0, 0.0, 0.0]] * 2), "as many columns as `soft_labels`.*3 columns"),
        ((SOFT, SOFT, [0.1]), "same number of images.*ambiguity: 1"),
        ((SOFT, SOFT, [0.1, -0.2]), "`ambiguity` must be in .*-0.2 at position 1"),
        ((SOFT, SOFT, None, 80), "`human_threshold` must be a number in .0, 1.*=80"),
    ],
)
def test_bad_input_of_the_context(arguments, message):
    with pytest.raises(ValueError, match=message):
        honest_context(*arguments)


def test_bad_seed():
    with pytest.raises(ValueError, match="`seed` must be an integer of at least 0"):
        proposal_scores(SOFT, [0, 1], seed=-1)
