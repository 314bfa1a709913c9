"""The regressions against their own conditions: no slope is left, none is lower."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.probes.logistic import (
    fit_logistic,
    fit_softmax,
    principal_axes,
    sigmoid,
    softmax,
)


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, d, k = (draw(st.integers(*limits)) for limits in ((5, 60), (1, 8), (2, 5)))
    inputs = rng.normal(size=(n, d)) * draw(st.sampled_from([1e-2, 1.0, 30.0]))
    if draw(st.booleans()):
        inputs = np.c_[inputs, inputs[:, :1]]  # says the same twice
    if draw(st.booleans()):
        inputs = np.c_[inputs, np.zeros(n)]
    penalties = np.r_[np.full(inputs.shape[1], draw(st.sampled_from([0.3, 10.0])))]
    targets = rng.dirichlet(np.ones(k), n)
    if draw(st.booleans()):
        targets = np.eye(k)[targets.argmax(axis=1)]
    return inputs, targets, penalties, rng.random(n)


def softmax_loss(weights, inputs, targets, penalties):
    logits = inputs @ weights
    logs = logits - np.logaddexp.reduce(logits, axis=1)[:, None]
    return -(targets * logs).sum() + 0.5 * (penalties[:, None] * weights**2).sum()


@given(problems())
def test_a_softmax_regression_is_at_its_minimum(problem):
    inputs, targets, penalties, _ = problem
    found = fit_softmax(inputs, targets, penalties)
    least = softmax_loss(found, inputs, targets, penalties)
    slope = inputs.T @ (softmax(inputs @ found) - targets) + penalties[:, None] * found
    # The penalty alone curves the loss so much, so that it can fall no further.
    assert (slope**2 / (2 * penalties[:, None])).sum() < 1e-3 * (1 + len(inputs))
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-1):
        other = found + size * rng.normal(size=found.shape)
        assert softmax_loss(other, inputs, targets, penalties) > least - 1e-6


@given(problems())
def test_a_logistic_regression_is_at_its_minimum(problem):
    inputs, targets, penalties, weights = problem
    targets = targets[:, 0]
    prior = np.linspace(-1, 1, len(penalties)) / (1 + np.abs(inputs).max(axis=0))
    found = fit_logistic(inputs, targets, penalties, weights, prior)
    errors = weights * (sigmoid(inputs @ found) - targets)
    slope = inputs.T @ errors + penalties * (found - prior)
    assert (slope**2 / (2 * penalties)).sum() < 1e-3 * (1 + len(inputs))


def test_by_hand():
    """Without inputs but a constant, the mean of the targets is expected."""
    one, free = np.ones((4, 1)), np.zeros(1)
    targets, weights = np.array([0.0, 0.5, 1.0, 1.0]), np.array([1.0, 1.0, 0.5, 0.5])
    found = fit_logistic(one, targets, free, weights, np.zeros(1))
    mean = (targets * weights).sum() / weights.sum()
    assert sigmoid(found)[0] == pytest.approx(mean, abs=1e-3)
    labels = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    found = fit_softmax(np.ones((2, 1)), labels, free)
    np.testing.assert_allclose(softmax(found)[0], labels.mean(axis=0), atol=1e-3)


@pytest.mark.parametrize("shape", [(60, 5), (20, 50)])
def test_along_principal_axes_it_is_the_same(shape):
    rng = np.random.default_rng(0)
    features = rng.normal(size=shape) @ rng.normal(size=(shape[1], shape[1]))
    features -= features.mean(axis=0)
    targets = rng.dirichlet([1, 1, 1], shape[0])
    axes, squares = principal_axes(features)
    np.testing.assert_allclose(axes.T @ axes, np.eye(len(squares)), atol=1e-8)
    along = features @ axes
    np.testing.assert_allclose((along**2).sum(axis=0), squares, rtol=1e-6)
    part = slice(0, shape[0] * 4 // 5)
    penalties = np.full(len(squares), 3.0)
    found = axes @ fit_softmax(along[part], targets[part], penalties, squares)
    expected = fit_softmax(features[part], targets[part], np.full(shape[1], 3.0))

    def loss(weights):
        p = softmax(features[part] @ weights)
        return -(targets[part] * np.log(p)).sum() + 1.5 * (weights**2).sum()

    assert loss(found) == pytest.approx(loss(expected), abs=1e-4)
