"""The bias of proposals, on simulated people of known bias."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import agreement
from keras_dc3.annotations import Annotations, Records
from tests.agreement.helpers import annotations_of, review_of

CLASSES = 4


def shares_of(rng, images):
    """Distributions as people have them: most images are nearly clear."""
    return rng.dirichlet(np.full(CLASSES, 0.25), images)


def proposals_of(rng, shares, correct=0.8):
    wrong = rng.integers(0, CLASSES, len(shares))
    right = rng.random(len(shares)) < correct
    return np.where(right, shares.argmax(axis=1), wrong)


def simulated(seed, images, people, delta, control=0.15, same_control=False):
    """Distributions, proposals and the review of these."""
    rng = np.random.default_rng(seed)
    shares = shares_of(rng, images)
    proposed = proposals_of(rng, shares)
    review = review_of(shares, proposed, people, delta, control, rng, same_control)
    return shares, {f"i{i}": int(c) for i, c in enumerate(proposed)}, review


def divergence(shares, found):
    """Mean KL divergence, with probabilities of at least 1e-5."""
    found = found.clip(1e-5, 1)
    return (shares * np.log(shares.clip(1e-5, 1) / found)).sum(axis=1).mean()


def squared(shares, found):
    return ((shares - found) ** 2).sum(axis=1).mean()


def no_bias(bias):
    """The same without any bias, to see what the correction alone does."""
    return agreement.ProposalBias(
        bias.class_names, np.zeros(CLASSES), bias.pooled, 1, 1, "image"
    )


@pytest.mark.parametrize("same_control", [False, True])
@pytest.mark.parametrize("delta", [0.0, 0.2, 0.5, 0.8])
def test_delta_is_recovered(delta, same_control):
    _, proposals, review = simulated(1, 4000, 5, delta, 0.15, same_control)
    bias = agreement.fit_bias(review, proposals, resamples=200)
    assert bias.compared_by == ("class" if same_control else "image")
    # Blind answers to one image count less where images are not compared themselves.
    assert bias.pooled.value == pytest.approx(delta, abs=0.1 if same_control else 0.07)
    assert bias.pooled.low <= delta + 0.03 and bias.pooled.high >= delta - 0.03
    assert 0 < bias.pooled.high - bias.pooled.low < 0.2
    np.testing.assert_allclose(bias.delta, delta, atol=0.09)


def test_delta_of_classes_is_recovered():
    delta = np.array([0.0, 0.3, 0.6, 0.9])
    _, _, review = simulated(2, 4000, 6, delta)
    bias = agreement.fit_bias(review, resamples=200)
    np.testing.assert_allclose(bias.delta, delta, atol=0.08)
    assert "c3" in str(bias) and "compared by image" in str(bias)


def test_few_blind_answers_draw_classes_together():
    delta = np.array([0.3, 0.5, 0.4, 0.4])
    wrong = []
    for seed in range(8):
        _, _, review = simulated(seed, 250, 3, delta, 0.1)
        bias = agreement.fit_bias(review, resamples=100)
        wrong.append(np.abs(bias.delta - delta).mean())
    assert np.mean(wrong) < 0.2


@pytest.mark.parametrize("people, soft, shrunk", [(5, 0.11, 0.095), (40, 0.021, 0.021)])
def test_distributions_are_recovered(people, soft, shrunk):
    """Within the mean squared errors stated here; uncorrected: 0.126 and 0.073."""
    shares, _, review = simulated(3, 1500, people, 0.5)
    labels = agreement.fit_bias(review, resamples=100).correct(review)
    raw = review.annotations.soft_labels
    for found, error in ((labels.soft_labels, soft), (labels.shrunk_labels, shrunk)):
        assert squared(shares, found) < error < squared(shares, raw)
        assert divergence(shares, found) < divergence(shares, raw) / 3


def smoothed(counts):
    """What needs no control share: all counts plus 0.1."""
    return (counts + 0.1) / (counts + 0.1).sum(axis=1, keepdims=True)


def test_more_than_smoothing():
    """Figures of docs/agreement.md: 4 classes, 15% of the proposals wrong, delta 0.5.

    A divergence with a floor rewards any smoothing, so that it is no evidence.
    """
    found = []
    for seed in range(6):
        shares, proposals, review = simulated(seed, 1500, 5, 0.5)
        labels = agreement.fit_bias(review, resamples=60).correct(review)
        counts = np.asarray(review.annotations.counts, "float64")
        raw = counts / counts.sum(axis=1, keepdims=True)
        at = np.arange(1500), np.array(list(proposals.values()))
        found.append(
            [
                (squared(shares, given), (given - shares)[at].mean())
                for given in (
                    raw,
                    smoothed(counts),
                    labels.soft_labels,
                    labels.shrunk_labels,
                )
            ]
        )
    error, too_much = np.mean(found, axis=0).T
    np.testing.assert_allclose(error, [0.126, 0.109, 0.105, 0.089], atol=0.001)
    np.testing.assert_allclose(too_much, [0.157, 0.117, 0.002, 0.001], atol=0.001)


def test_a_small_bias_is_not_worth_plain_corrected_labels():
    """Figures of docs/agreement.md: as above, delta 0.2."""
    found = []
    for seed in range(6):
        shares, proposals, review = simulated(seed, 1500, 5, 0.2)
        labels = agreement.fit_bias(review, proposals, resamples=60).correct(review)
        raw = np.asarray(review.annotations.soft_labels, "float64")
        given = raw, labels.soft_labels, labels.shrunk_labels
        found.append([squared(shares, labels) for labels in given])
    error = np.mean(found, axis=0)
    np.testing.assert_allclose(error, [0.080, 0.085, 0.067], atol=0.001)


@pytest.mark.parametrize("delta", [0.0, 0.5])
def test_few_blind_answers_are_too_few_to_tell(delta):
    found = []
    for seed in range(10):
        _, proposals, review = simulated(seed, 30, 3, delta, 0.15)
        bias = agreement.fit_bias(review, proposals, resamples=100)
        assert 0 <= bias.pooled.low <= bias.pooled.value <= bias.pooled.high <= 1
        text = str(bias)
        assert "drawn towards each other and towards 0" in text
        assert f"{bias.blind_answers} blind answers, " in text
        assert "too few to tell whether there is a bias." in text
        assert "whatever people think: not known, from" in text  # no interval either
        assert f"all classes, with few answers  {bias.delta.min():.3f}" in text
        assert len(text.splitlines()) == 4
        found.append(bias.delta.max())
    assert max(found) < 0.9  # not all that is accepted is taken for bias
    _, proposals, review = simulated(1, 4000, 5, delta)
    bias = agreement.fit_bias(review, proposals, resamples=100)
    assert "too few" not in str(bias)
    assert ("No bias can be seen." in str(bias)) == (delta == 0)


def test_bias_is_told_of_classes_with_enough_answers():
    delta = np.array([0.25, 0.5, 0.0, 0.125])
    pooled = agreement.Estimate(0.2, 0.1, 0.3, 90)
    given = (tuple("abcd"), delta, pooled, 90, 400, "class")
    told = str(agreement.ProposalBias(*given, others=np.array([9, 30, 0, 10])))
    assert "0.200 (0.100 to 0.300), from 90" in told
    rows = [line.strip().rsplit("  ", 1) for line in told.splitlines()[2:]]
    assert [(name.strip(), value) for name, value in rows] == [
        ("b", "0.500"),
        ("d", "0.125"),
        ("2 other classes, with few answers", "0.000 to 0.250"),
    ]
    for name in "abcd":  # nobody knows how many there were
        assert f"  {name}  " in str(agreement.ProposalBias(*given))


def test_class_shares_are_recovered():
    """Proposals of one class alone pull all shares; the correction puts them back."""
    rng = np.random.default_rng(4)
    shares = shares_of(rng, 3000)
    proposed = np.zeros(3000, int)
    review = review_of(shares, proposed, 4, 0.5, 0.2, rng)
    labels = agreement.fit_bias(review, resamples=100).correct(review)
    raw = np.asarray(review.annotations.soft_labels).mean(axis=0)
    assert raw[0] > shares.mean(axis=0)[0] + 0.2
    for found in (labels.soft_labels, labels.shrunk_labels):
        np.testing.assert_allclose(found.mean(axis=0), shares.mean(axis=0), atol=0.04)


@pytest.mark.parametrize("people", [1, 3, 10])
def test_without_bias_it_is_not_worse_on_average(people):
    """Mean over simulations; up to 5% in the squared error are for doing it at all."""
    raw, soft, shrunk = [], [], []
    for seed in range(8):
        shares, proposals, review = simulated(seed, 600, people, 0.0)
        labels = agreement.fit_bias(review, proposals, resamples=60).correct(review)
        found = np.asarray(review.annotations.soft_labels, "float64")
        for scores, values in (
            (raw, found),
            (soft, labels.soft_labels),
            (shrunk, labels.shrunk_labels),
        ):
            scores.append([divergence(shares, values), squared(shares, values)])
    raw, soft, shrunk = (np.mean(scores, axis=0) for scores in (raw, soft, shrunk))
    assert soft[0] <= raw[0] and soft[1] <= 1.05 * raw[1]
    assert shrunk[0] < 0.5 * raw[0] and shrunk[1] < 0.95 * raw[1]


def test_delta_of_zero_leaves_labels_as_they_are():
    _, _, review = simulated(5, 300, 4, 0.0)
    bias = agreement.fit_bias(review, resamples=60)
    labels = no_bias(bias).correct(review)
    counts = review.annotations.counts
    np.testing.assert_allclose(labels.counts, counts, atol=1e-12)
    np.testing.assert_allclose(
        labels.soft_labels, review.annotations.soft_labels, atol=1e-6
    )
    nearly = bias.correct(review)
    assert np.abs(nearly.soft_labels - labels.soft_labels).mean() < 0.02


@given(
    seed=st.integers(0, 10_000),
    people=st.integers(1, 6),
    delta=st.sampled_from([0.0, 0.4, 0.99]),
    second=st.booleans(),
)
def test_corrected_labels_are_distributions(seed, people, delta, second):
    _, _, review = simulated(seed, 60, people, delta, 0.3)
    if second:  # a second round, with other proposals
        other = review_of(
            shares_of(np.random.default_rng(seed), 60),
            np.random.default_rng(seed).integers(0, CLASSES, 60),
            people,
            delta,
            0.3,
            np.random.default_rng(seed + 1),
        )
        review = joined(review, other)
    bias = agreement.ProposalBias(
        tuple(f"c{c}" for c in range(CLASSES)),
        np.full(CLASSES, delta),
        agreement.Estimate(delta),
        1,
        1,
        "image",
    )
    labels = bias.correct(review)
    for found in (labels.soft_labels, labels.shrunk_labels):
        assert (found >= 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1)
    total = labels.counts.sum(axis=1)
    assert (total >= 1 - 1e-9).all() and (total <= 2 * people + 1e-9).all()
    np.testing.assert_allclose(total, np.round(total))
    assert labels.ids == review.annotations.ids


def joined(one, two):
    """Two rounds, each with annotators of its own."""
    other = two.annotations
    names = [f"second {name}" for name in other.annotators]
    other = Annotations(
        other.ids, other.class_names, annotators=names, records=other.records
    )
    image = [part.annotations.records.image for part in (one, two)]
    order = np.argsort(np.concatenate(image), kind="stable")
    return SimpleNamespace(
        annotations=one.annotations.merge(other),
        proposed=np.concatenate([one.proposed, two.proposed])[order],
    )


def exact(prior, blind, given, proposed, delta):
    """Mean of the posterior, and counts of what people thought: sums over all cases.

    A case says which answers were people's own; what those who accepted thought is
    drawn from the image's distribution, given the others.
    """
    total, mean, thought = 0.0, np.zeros(len(prior)), np.zeros(len(prior))
    for own in itertools.product((0, 1), repeat=len(given)):
        weight, counts = 1.0, prior + blind
        for answer, is_own in zip(given, own, strict=True):
            if is_own:
                weight *= (1 - delta) * counts[answer] / counts.sum()
                counts = counts + np.eye(len(prior))[answer]
            else:
                weight *= delta * (answer == proposed)
        total += weight
        mean += weight * counts / counts.sum()
        accepted = len(given) - sum(own)
        known = counts - prior
        thought += weight * (known + accepted * counts / counts.sum())
    return mean / total, thought / total


def test_the_posterior_is_exact():
    from keras_dc3.agreement.answers import read_answers
    from keras_dc3.agreement.correction import _posterior, tallies

    _, _, review = simulated(6, 40, 4, 0.4, 0.3)
    answers = read_answers("review", review, "all")
    rng = np.random.default_rng(0)
    prior = rng.dirichlet(np.ones(CLASSES), 40) * 2
    delta = np.array([0.1, 0.3, 0.5, 0.7])
    blind, steps = tallies(answers)
    _, counts, mean = _posterior(blind, steps, delta, prior)
    for i in range(40):
        mine = (answers.image == i) & (answers.proposed >= 0)
        c = int(answers.proposed[mine][0]) if mine.any() else 0
        expected = exact(prior[i], blind[i], answers.label[mine], c, delta[c])
        np.testing.assert_allclose(mean[i], expected[0], rtol=1e-9)
        np.testing.assert_allclose(counts[i], expected[1], rtol=1e-9)


def test_a_bias_corrects_other_reviews_too():
    _, _, first = simulated(7, 1500, 5, 0.5)
    bias = agreement.fit_bias(first, resamples=60)
    shares, _, second = simulated(8, 800, 5, 0.5, control=0.0)
    labels = bias.correct(second)
    raw = second.annotations.soft_labels
    assert divergence(shares, labels.soft_labels) < divergence(shares, raw) / 1.5
    blind = review_of(shares, np.zeros(800, int), 5, 0.0, 1.0, np.random.default_rng(1))
    labels = bias.correct(blind.annotations)  # annotations, all of them blind
    np.testing.assert_allclose(labels.counts, blind.annotations.counts)


def test_images_asked_about_alone_are_no_control_share():
    """They were chosen because the model is unsure, so that few agree with it."""
    _, proposals, review = simulated(4, 800, 4, 0.4)
    unsure = np.random.default_rng(0).random(800) < 0.3
    image = review.annotations.records.image
    alone = unsure[image]
    records = review.annotations.records
    label = np.where(
        alone & (records.label == [proposals[f"i{i}"] for i in image]),
        (records.label + 1) % CLASSES,
        records.label,
    )
    annotations = Annotations(
        review.annotations.ids,
        review.annotations.class_names,
        annotators=review.annotations.annotators,
        records=Records(records.image, records.annotator, label, records.seconds),
    )
    proposed = np.where(alone, -1, review.proposed)
    group = np.where(alone, "alone", np.where(proposed < 0, "", "cluster 1"))
    asked = SimpleNamespace(annotations=annotations, proposed=proposed, group=group)
    found = agreement.fit_bias(asked, proposals, resamples=60)
    assert found.pooled.value == pytest.approx(0.4, abs=0.08)
    with pytest.warns(UserWarning, match=r"\([\d,]+ of them to images asked about"):
        agreement.measure(asked, resamples=0)
    control = agreement.control_share(asked)
    assert not set(control.records.image) & set(np.flatnonzero(unsure))
    one = SimpleNamespace(**{**vars(asked), "group": group[1:]})
    with pytest.raises(ValueError, match=r"`review\.group` must hold one name"):
        agreement.fit_bias(one, proposals)


def test_images_without_answer_have_no_label():
    _, _, review = simulated(9, 50, 3, 0.3)
    bias = agreement.fit_bias(review, resamples=60)
    annotations = annotations_of(
        [("a", "x", "c0"), ("b", "x", None), ("c", "y", "c1")],
        [f"c{c}" for c in range(CLASSES)],
    )
    labels = bias.correct(
        SimpleNamespace(annotations=annotations, proposed=np.array([0, 0, -1]))
    )
    assert np.isnan(labels.soft_labels[1]).all() and labels.counts[1].sum() == 0
    assert np.isnan(labels.shrunk_labels[1]).all()
    assert math.isclose(labels.soft_labels[0].sum(), 1)


class Proposed:
    """What the correction needs of `Proposals`."""

    def __init__(self, classes):
        self.ids = tuple(classes)
        self.class_names = tuple(f"c{c}" for c in range(CLASSES))[::-1]
        self.chosen = classes

    def steps(self, mode):
        for c in range(CLASSES):
            ids = tuple(i for i, own in self.chosen.items() if own == c)
            yield SimpleNamespace(ids=ids, label=CLASSES - 1 - c)


@pytest.mark.parametrize("mode", ["classes", "dc3"])
def test_proposals_tell_what_would_have_been_proposed(mode):
    _, proposals, review = simulated(10, 1500, 3, 0.5, 0.2, True)
    review.mode = mode
    by_number = agreement.fit_bias(review, proposals, resamples=60)
    names = {image: f"c{c}" for image, c in proposals.items()}
    for given_proposals in (names, Proposed(proposals)):
        found = agreement.fit_bias(review, given_proposals, resamples=60)
        np.testing.assert_allclose(found.delta, by_number.delta)
    assert by_number.pooled.value == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize("mode", ["classes", "dc3"])
def test_with_real_proposals_and_a_real_review(mode):
    from keras_dc3.proposals import Proposals
    from keras_dc3.review import Review

    shares, _, given = simulated(12, 800, 3, 0.6, 0.2, True)
    rng = np.random.default_rng(12)
    proposals = Proposals(
        ids=list(given.annotations.ids),
        ambiguity=rng.random(800),
        class_probabilities=shares,
        cluster_probabilities=rng.dirichlet(np.ones(20), 800),
        class_names=[f"c{c}" for c in range(CLASSES)],
    )
    parts = ("annotations", "proposed", "group", "accepted", "repetition")
    review = Review(**{name: getattr(given, name) for name in parts}, mode=mode)
    bias = agreement.fit_bias(review, proposals, resamples=60)
    assert bias.compared_by == "class" and bias.pooled.value > 0.3
    labels = bias.correct(review)
    assert labels.ids == review.annotations.ids
    found = agreement.measure(review.annotations, resamples=0)
    assert found.alpha.value > 0


def test_bad_input():
    _, proposals, review = simulated(11, 80, 3, 0.5, 0.0)
    with pytest.raises(ValueError, match=r"no blind answers.*control share"):
        agreement.fit_bias(review, proposals)
    _, proposals, review = simulated(11, 80, 3, 0.5, 0.2, True)
    with pytest.raises(ValueError, match="Pass `proposals`"):
        agreement.fit_bias(review)
    with pytest.raises(ValueError, match=r"'cow' for 'i.*none of the classes"):
        agreement.fit_bias(review, dict.fromkeys(proposals, "cow"))
    with pytest.raises(TypeError, match="`Proposals` or a dict of image to class"):
        agreement.fit_bias(review, "proposals.csv")
    with pytest.raises(ValueError, match="no answers to proposals"):
        agreement.fit_bias(review.annotations)
    with pytest.raises(ValueError, match="`resamples`"):
        agreement.fit_bias(review, proposals, resamples=3)
    bias = agreement.fit_bias(review, proposals, resamples=60)
    with pytest.raises(ValueError, match="classes that the bias was fitted on"):
        bias.correct(annotations_of([("a", "x", "cow")]))
    counts = Annotations(["a"], bias.class_names, counts=np.ones((1, CLASSES), int))
    with pytest.raises(ValueError, match="Only counts are known"):
        bias.correct(counts)
