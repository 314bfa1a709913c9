"""Class probabilities are made as sure as they are right."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import Proposals
from keras_dc3.proposals.calibration import fit_temperature, tempered


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@given(st.integers(0, 1000), st.floats(0.25, 32))
def test_tempered_against_logits(seed, temperature):
    logits = np.random.default_rng(seed).normal(0, 3, (5, 4))
    found = tempered(softmax(logits), temperature)
    np.testing.assert_allclose(found, softmax(logits / temperature), rtol=1e-6)
    assert (found.argmax(axis=1) == logits.argmax(axis=1)).all()


def test_a_class_of_probability_0_stays_the_last():
    found = tempered(np.array([[1.0, 0.0, 0.0]]), 4.0)
    assert np.isfinite(found).all() and found.sum() == pytest.approx(1)
    assert found[0, 0] > found[0, 1] == found[0, 2] > 0


@pytest.mark.parametrize("true", [0.5, 1.0, 4.0])
def test_the_temperature_of_many_images_is_found(true):
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 5))
    people = softmax(logits)
    labels = np.stack([rng.multinomial(3, p) for p in people]) / 3
    shown = softmax(logits * true)  # too sure where it is above 1
    found = fit_temperature(shown, labels)
    assert found == pytest.approx(true, rel=0.1)
    confidence = tempered(shown, found).max(axis=1).mean()
    right = (labels * np.eye(5)[shown.argmax(axis=1)]).sum(axis=1).mean()
    assert confidence == pytest.approx(right, abs=0.02)


def test_of_few_images_it_stays_near_1():
    """One image, on which the model is wrong and sure: T rises, not to the end."""
    p, label = np.array([[0.99, 0.01]]), np.array([[0.0, 1.0]])
    assert 1.5 < fit_temperature(p, label) < 8
    assert fit_temperature(np.zeros((0, 2)), np.zeros((0, 2))) == 1
    assert fit_temperature(p[:, ::-1], label) < 1.1


def made(p, names=("cod", "eel")):
    n = len(p)
    ids = [f"img_{i}" for i in range(n)]
    return Proposals(ids, np.linspace(0, 1, n), p, np.ones((n, 1)), names)


def test_proposals_are_calibrated_and_else_as_they_were():
    rng = np.random.default_rng(0)
    p = rng.dirichlet([0.1, 0.1], 80)
    labels = np.eye(2)[np.where(rng.random(80) < 0.3, 1, 0) ^ p.argmax(axis=1)]
    proposals, known = made(p[:50]), made(p)
    found = proposals.calibrated(known, labels)
    expected = tempered(p, fit_temperature(p, labels))[:50]
    np.testing.assert_allclose(found.class_probabilities, expected, rtol=1e-6)
    assert found.class_probabilities.max(axis=1).mean() < 0.85
    np.testing.assert_array_equal(found.ambiguity, proposals.ambiguity)
    assert found.ids == proposals.ids
    # What is expected to be changed is what will be.
    assert found.next(20).actions <= 20 + 1


@pytest.mark.parametrize(
    ("known", "labels", "error", "message"),
    [
        (
            made(np.full((2, 2), 0.5), ("eel", "cod")),
            [[1, 0]] * 2,
            ValueError,
            "classes",
        ),
        (made(np.full((2, 2), 0.5)), [[1, 0]] * 3, ValueError, "each of the 2 images"),
        (made(np.full((2, 2), 0.5)), [[1, 0.5]] * 2, ValueError, "distribution"),
        (np.full((2, 2), 0.5), [[1, 0]] * 2, TypeError, "must be proposals"),
    ],
)
def test_bad_input(known, labels, error, message):
    with pytest.raises(error, match=message):
        made(np.full((2, 2), 0.5)).calibrated(known, labels)
