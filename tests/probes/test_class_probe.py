"""`ClassProbe`."""

import numpy as np
import pytest

from keras_dc3.probes import ClassProbe
from keras_dc3.probes.logistic import softmax


def make(n=80, d=6, k=3, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, k, n)
    means = rng.normal(size=(k, d)) * 2
    features = means[classes] + noise * rng.normal(size=(n, d))
    return features, np.eye(k)[classes], means


def test_it_learns_classes():
    features, labels, means = make()
    probe = ClassProbe().fit(features, labels)
    assert (probe.held_out.argmax(axis=1) == labels.argmax(axis=1)).mean() > 0.9
    assert probe.predict(means).argmax(axis=1).tolist() == [0, 1, 2]
    np.testing.assert_allclose(probe.held_out.sum(axis=1), 1)


def test_soft_labels_are_learned_as_such():
    """Of people who differ everywhere alike, their shares are expected."""
    features = np.random.default_rng(0).normal(size=(400, 3))
    probe = ClassProbe().fit(features, np.tile([0.7, 0.3], (400, 1)))
    np.testing.assert_allclose(probe.predict(features)[:, 0], 0.7, atol=0.02)


def test_an_image_is_told_by_maps_that_have_not_seen_it():
    features, labels, _ = make(noise=3.0)
    first = ClassProbe().fit(features, labels)
    changed = labels.copy()
    changed[0] = np.roll(changed[0], 1)
    second = ClassProbe().fit(features, changed)
    assert first.penalty == second.penalty
    np.testing.assert_allclose(first.held_out[0], second.held_out[0], atol=1e-9)
    assert np.abs(first.held_out[1:] - second.held_out[1:]).max() > 1e-4


def test_units_of_features_do_not_matter():
    features, labels, _ = make()
    units = np.array([1e-6, 1e5, 1.0, 10.0, 3.0, 1.0])
    one = ClassProbe().fit(features, labels).predict(features[:5])
    other = ClassProbe().fit(features * units + 7, labels)
    np.testing.assert_allclose(one, other.predict(features[:5] * units + 7), atol=1e-6)


def test_a_feature_that_never_changes_plays_no_part():
    features, labels, _ = make()
    with_it = np.c_[features, np.full(len(features), 1e9)]
    one = ClassProbe().fit(features, labels).predict(features[:5])
    other = ClassProbe().fit(with_it, labels).predict(with_it[:5])
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_penalty_is_that_of_the_least_loss_of_held_out_images():
    features, labels, _ = make(n=60, d=40, noise=6.0)
    probe = ClassProbe(folds=3).fit(features, labels)
    chosen = -(labels * np.log(probe.held_out)).sum()
    # Written anew, by plain gradient descent, for a tenth of the penalty chosen.
    fold = np.random.default_rng(0).permutation(60) % 3
    inputs = (features - features.mean(axis=0)) / features.std(axis=0)
    loss = 0.0
    for number in range(3):
        seen, weights, bias = fold != number, np.zeros((40, 3)), np.zeros(3)
        for _ in range(3000):
            errors = softmax(inputs[seen] @ weights + bias) - labels[seen]
            slope = inputs[seen].T @ errors + probe.penalty / 10 * weights
            weights -= 1 / (120 + probe.penalty) * slope
            bias -= 0.01 * errors.sum(axis=0)
        expected = softmax(inputs[~seen] @ weights + bias)
        loss -= (labels[~seen] * np.log(expected)).sum()
    assert chosen < loss


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda x, y: (x[:4], y[:4]), "Received: 4 images with answers"),
        (lambda x, y: (x[:9], y), "same number of images|same batch|9"),
        (lambda x, y: (np.where(x > 9, x, np.nan), y), "must be finite"),
        (lambda x, y: (x[:, 0], y), "`features`"),
        (lambda x, y: (x, y * 2), "soft_labels"),
    ],
)
def test_bad_input(change, message):
    features, labels, _ = make()
    with pytest.raises(ValueError, match=message):
        ClassProbe().fit(*change(features, labels))


def test_features_of_another_network():
    features, labels, _ = make()
    probe = ClassProbe().fit(features, labels)
    with pytest.raises(ValueError, match="Received: 5; are they of another"):
        probe.predict(features[:, :5])


@pytest.mark.parametrize("folds", [1, 0, 2.5, True])
def test_bad_folds(folds):
    features, labels, _ = make()
    with pytest.raises((ValueError, TypeError), match="folds"):
        ClassProbe(folds=folds).fit(features, labels)
