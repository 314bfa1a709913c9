"""`DisagreementProbe`, and `Proposals.expected_disagreement`."""

import warnings

import numpy as np
import pytest

from keras_dc3 import Annotations
from keras_dc3.metrics.classification import area_under_roc
from keras_dc3.probes import DisagreementProbe
from keras_dc3.proposals import Proposals
from tests.slow import few


def people(shares, answers, rng):
    """Counts of so many answers to each image, drawn from shares (n, k)."""
    return np.stack([rng.multinomial(answers, row) for row in shares])


def unclear(n=600, answers=3, seed=0):
    """Two classes told by the first feature; the second says where people differ."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 5))
    difficult = features[:, 1] > 0.5
    shares = np.where(difficult, 0.5, 0.97)
    shares = np.where(features[:, 0] > 0, shares, 1 - shares)
    counts = people(np.stack([shares, 1 - shares], axis=1), answers, rng)
    return features, counts, difficult


@pytest.mark.parametrize("answers", [2, 3, 10])
def test_it_finds_what_people_differ_about(answers):
    features, counts, difficult = unclear(answers=answers)
    probe = DisagreementProbe().fit(features[:400], counts[:400])
    expected = probe.predict(features[400:])
    assert area_under_roc(expected, difficult[400:]) > 0.9
    assert probe.explained > 0.05
    # Of the clear ones people would differ in 2 * 0.97 * 0.03 of pairs, else in half.
    truth = np.where(difficult[400:], 0.5, 0.0582)
    assert expected.mean() == pytest.approx(truth.mean(), abs=0.05)
    assert np.corrcoef(expected, truth)[0, 1] > 0.6


def test_the_target_is_the_share_of_pairs_that_differ():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(100, 2))
    counts = rng.integers(0, 4, (100, 3))
    counts[counts.sum(axis=1) < 2] = [2, 0, 0]
    shares, weights = [], []
    for row in counts:
        answers = np.repeat(np.arange(3), row)
        pairs = [
            answers[i] != answers[j]
            for i in range(len(answers))
            for j in range(i + 1, len(answers))
        ]
        shares.append(np.mean(pairs))
        weights.append(1 - 1 / len(answers))
    with warnings.catch_warnings(action="ignore"):
        probe = DisagreementProbe().fit(features, counts)
    assert probe.mean == pytest.approx(np.average(shares, weights=weights))


def test_where_nothing_is_to_be_learned_it_follows_the_classes():
    """Chance decides who differs: features add nothing, and it is told."""
    rng = np.random.default_rng(2)
    features = rng.normal(size=(60, 30))
    counts = people(np.full((60, 3), 1 / 3), 2, rng)
    with pytest.warns(UserWarning, match="was not learned from 60 images"):
        probe = DisagreementProbe().fit(features, counts)
    assert probe.explained <= 0


def test_other_images_change_nothing():
    """Those of no answer; and those of one or of shares but for the classes."""
    features, counts, _ = unclear(n=200)
    one = DisagreementProbe().fit(features, counts)
    more = np.r_[features, 5 * np.ones((7, 5))]
    other = DisagreementProbe().fit(more, np.r_[counts, np.zeros((7, 2), int)])
    np.testing.assert_allclose(one.predict(features), other.predict(features))
    single = np.r_[counts, np.tile([[1, 0]], (6, 1)), [[1.5, 1.5]]]
    third = DisagreementProbe().fit(more, single)
    assert third.mean == one.mean


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda x, c: (x, np.minimum(c, 1) * [1, 0]), "Received: 0 in"),
        (lambda x, c: (x, c / 3), "Received: 0 in 200 images .shares"),
        (lambda x, c: (x[:19], c[:19]), "at least 20 of them. Received: 19"),
        (lambda x, c: (x, -c), "counts"),
        (lambda x, c: (x * np.inf, c), "must be finite"),
        (lambda x, c: (x[1:], c), "199|200"),
    ],
)
def test_bad_input(change, message):
    features, counts, _ = unclear(n=200)
    with pytest.raises(ValueError, match=message):
        DisagreementProbe().fit(*change(features, counts))


def proposals_of(features, ids, **parts):
    n = len(features)
    return Proposals(
        ids, np.zeros(n), np.full((n, 2), 0.5), np.ones((n, 1)), ["cod", "eel"], **parts
    )


def records(ids, counts, names=("cod", "eel")):
    return [
        (name, f"person {j}", names[c])
        for name, row in zip(ids, counts, strict=True)
        for j, c in enumerate(np.repeat([0, 1], row))
    ]


def test_of_proposals():
    features, counts, difficult = unclear(n=500)
    ids = [f"img_{i}.png" for i in range(500)]
    proposals = proposals_of(features, ids, embeddings=features)
    answers = Annotations.from_records(records(ids[:300], counts[:300]))
    expected = proposals.expected_disagreement(answers)
    assert expected.shape == (500,) and (expected >= 0).all() and (expected <= 1).all()
    assert area_under_roc(expected[300:], difficult[300:]) > 0.85
    # Neither the order of classes nor that of images matters.
    turned = Annotations.from_records(
        records(ids[:300], counts[:300])[::-1], class_names=["eel", "cod"]
    )
    np.testing.assert_allclose(proposals.expected_disagreement(turned), expected)


def test_of_proposals_without_embeddings():
    features, counts, _ = unclear(n=30)
    ids = [f"img_{i}" for i in range(30)]
    answers = Annotations.from_records(records(ids, counts))
    with pytest.raises(ValueError, match="no `embeddings`: a CSV file does not keep"):
        proposals_of(features, ids).expected_disagreement(answers)


def test_of_proposals_for_images_without_answers():
    """As of `data.unlabeled`, where all answered images are labeled."""
    features, counts, _ = unclear(n=60)
    ids = [f"img_{i}" for i in range(60)]
    answers = Annotations.from_records(records(ids[:30], counts[:30]))
    others = proposals_of(features[30:], ids[30:], embeddings=features[30:])
    told = r"None of the 30 images of these proposals has an answer.*propose\(data\)"
    with pytest.raises(ValueError, match=told):
        others.expected_disagreement(answers)


@pytest.mark.parametrize(
    "labeled, answers, gain",
    few([(1600, 10, 0.005), (200, 3, -0.005)], (200, 3, -0.005)),
)
def test_on_real_images(labeled, answers, gain, data_dir):
    """Above the entropy of the classes, or level with it where there is too little."""
    features = np.load(data_dir / "cifar10h_features.npz")["plain"]
    counts = np.load(data_dir / "cifar10h.npz")["counts"]
    rng = np.random.default_rng(1000)
    order = rng.permutation(len(counts))
    test, rows = order[:2000], order[2000 : 2000 + labeled]
    said = np.stack([rng.multivariate_hypergeometric(c, answers) for c in counts[rows]])
    with warnings.catch_warnings(action="ignore"):
        probe = DisagreementProbe().fit(features[rows], said)
    ambiguous = counts[test].max(axis=1) < 0.8 * counts[test].sum(axis=1)
    p = probe.class_probe.predict(features[test])
    entropy = area_under_roc(-(p * np.log(p)).sum(axis=1), ambiguous)
    assert area_under_roc(probe.predict(features[test]), ambiguous) > entropy + gain
