"""`honest_context` against plain code and cleanlab."""

import math

import numpy as np
import pytest

from keras_dc3.annotations import sample_hard_labels
from keras_dc3.metrics import area_under_roc, honest_context, proposal_scores
from tests.metrics import naive


@pytest.fixture
def case(rng):
    """Soft labels (80, 4), p_n (80, 4), and p_a of 80 images."""
    counts = rng.multinomial(5, [0.4, 0.3, 0.2, 0.1], 80)
    return counts / 5, rng.dirichlet(np.ones(4), 80), rng.random(80)


def plain_context(soft, probabilities, ambiguity, threshold, seed=0):
    certain = [i for i in range(len(soft)) if ambiguity[i] < 0.5]
    of_certain = [soft[i] for i in certain]
    people = [max(row) < threshold - 1e-9 for row in soft]
    counts = [
        sum(naive.shares(row).get(c, 0.0) for row in of_certain) for c in range(4)
    ]
    winner = naive.argmax(counts)
    predicted = [naive.argmax(row) for row in probabilities]
    hits = sum(
        naive.shares(a).get(b, 0.0) for a, b in zip(soft, predicted, strict=True)
    )
    given = naive.given_labels(soft, np.random.default_rng(seed).random(len(soft)))
    of_given = [row[c] for row, c in zip(probabilities, given, strict=True)]
    return {
        "f1_constant_majority": naive.weighted_f1(of_certain, [winner] * len(certain)),
        "f1_confident": naive.f1_most_confident(soft, probabilities, len(certain)),
        "accuracy": hits / len(soft),
        "auroc_ambiguity": naive.auroc(ambiguity, people),
        "auroc_softmax": naive.auroc([1 - max(row) for row in probabilities], people),
        "auroc_margin": naive.auroc(
            [1 - naive.margin(row) for row in probabilities], people
        ),
        "auroc_entropy": naive.auroc(
            [naive.entropy(row) for row in probabilities], people
        ),
        "auroc_label_quality": naive.auroc([1 - p for p in of_given], people),
    }


@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_context_equals_a_plain_computation(case, threshold):
    soft, probabilities, ambiguity = case
    context = honest_context(soft, probabilities, ambiguity, threshold, seed=7)
    assert context == pytest.approx(
        plain_context(soft, probabilities, ambiguity, threshold, seed=7), nan_ok=True
    )
    assert all(type(value) is float for value in context.values())


def test_context_of_a_vanilla_model(case):
    soft, probabilities, _ = case
    context = honest_context(soft, probabilities)
    assert math.isnan(context.pop("auroc_ambiguity"))
    expected = plain_context(soft, probabilities, np.zeros(80), 0.8)
    del expected["auroc_ambiguity"]
    assert context == pytest.approx(expected)
    assert context["f1_confident"] == proposal_scores(soft, probabilities)["f1"]


def test_context_does_not_depend_on_the_order_of_images(case, rng):
    soft, probabilities, ambiguity = case
    order = rng.permutation(80)
    expected = honest_context(soft, probabilities, ambiguity)
    context = honest_context(soft[order], probabilities[order], ambiguity[order])
    for one in (expected, context):
        del one["auroc_label_quality"]  # depends on the order, as documented
    assert context == pytest.approx(expected)


def test_label_quality_equals_cleanlab(case):
    rank = pytest.importorskip("cleanlab.rank")
    soft, probabilities, _ = case
    for seed in range(5):
        quality = rank.get_label_quality_scores(
            sample_hard_labels(soft, seed), probabilities, method="self_confidence"
        )
        expected = area_under_roc(1 - quality, soft.max(axis=1) < 0.8 - 1e-6)
        context = honest_context(soft, probabilities, seed=seed)
        assert context["auroc_label_quality"] == pytest.approx(expected)


def test_given_labels_are_seeded_and_follow_the_soft_labels(case):
    soft, probabilities, _ = case
    first, again, other = (
        honest_context(soft, probabilities, seed=seed)["auroc_label_quality"]
        for seed in (3, 3, 4)
    )
    assert first == again != other
    # Nobody answered class 1 in the clear images, nor is it ever drawn there.
    soft = np.repeat([[1.0, 0.0], [0.5, 0.5]], [500, 500], axis=0)
    context = honest_context(soft, np.tile([0.9, 0.1], (1000, 1)))
    assert context["auroc_label_quality"] == pytest.approx(0.75, abs=0.03)


def test_reference_is_scored_at_the_same_coverage(case, rng):
    soft, probabilities, ambiguity = case
    reference = rng.dirichlet(np.ones(4), 80)
    context = honest_context(
        soft, probabilities, ambiguity, reference_probabilities=reference
    )
    assert context.pop("f1_confident_reference") == pytest.approx(
        naive.f1_most_confident(soft, reference, sum(ambiguity < 0.5))
    )
    assert context == honest_context(soft, probabilities, ambiguity)
    same = honest_context(
        soft, probabilities, ambiguity, reference_probabilities=probabilities
    )
    assert same["f1_confident_reference"] == same["f1_confident"]


def test_one_class_has_no_second_choice():
    context = honest_context([[1.0], [1.0]], [[1.0], [1.0]])
    assert context["accuracy"] == 1.0
    assert math.isnan(context["auroc_margin"])


def test_no_image_at_all():
    none = np.zeros((0, 3))
    context = honest_context(none, none, [], reference_probabilities=none)
    assert all(math.isnan(value) for value in context.values())


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "`seed` must be an integer of at least 0"),
        ({"reference_probabilities": [0, 1]}, "`reference_probabilities` must be prob"),
        (
            {"reference_probabilities": [[1.0, 0.0]]},
            "same number of images.*reference_probabilities: 1",
        ),
        (
            {"reference_probabilities": [[1.0, 0.0, 0.0]] * 2},
            "`reference_probabilities` must have as many columns as `soft_labels`",
        ),
        (
            {"reference_probabilities": [[3.0, -2.0]] * 2},
            "row of `reference_probabilities` must be in .*softmax",
        ),
    ],
)
def test_bad_options_of_the_context(options, message):
    with pytest.raises(ValueError, match=message):
        honest_context(SOFT, SOFT, **options)
