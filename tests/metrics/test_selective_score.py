"""The score of a whole set of proposals, against its definition by a curve."""

import numpy as np
import pytest

from keras_dc3.metrics import selective_score


def by_the_curve(labels, classes, ambiguity):
    """1 - 2 times the area under the generalized risk, by integration."""
    risk = 1 - labels[np.arange(len(labels)), classes.argmax(axis=1)]
    certain = ambiguity < 0.5
    c = certain.mean()
    points = np.array([[0, 0], [c, risk[certain].sum() / len(risk)], [1, risk.mean()]])
    return 1 - 2 * np.trapezoid(points[:, 1], points[:, 0])


@pytest.fixture
def predictions(rng):
    return (
        rng.dirichlet([0.5] * 4, size=50),
        rng.dirichlet([0.5] * 4, size=50),
        rng.random(50),
    )


def test_it_is_the_area_under_the_curve(predictions):
    assert selective_score(*predictions) == pytest.approx(by_the_curve(*predictions))


@pytest.mark.parametrize("side", [0.0, 1.0, None])
def test_one_side_alone_gains_nothing(side, predictions):
    labels, classes, _ = predictions
    agreement = labels[np.arange(50), classes.argmax(axis=1)].mean()
    ambiguity = None if side is None else np.full(50, side)
    assert selective_score(labels, classes, ambiguity) == pytest.approx(agreement)


def test_calling_certain_what_people_agree_on_gains(predictions):
    labels, classes, _ = predictions
    agreement = labels[np.arange(50), classes.argmax(axis=1)]
    right = (agreement < np.median(agreement)).astype(float)
    alike = selective_score(labels, classes, np.ones(50))
    assert selective_score(labels, classes, right) > alike
    assert selective_score(labels, classes, 1 - right) < alike


def test_a_few_right_images_do_not_win():
    """All but one ambiguous, and that one right: F1 would be 1."""
    labels, classes = np.eye(2)[[0] * 10 + [1] * 10], np.eye(2)[[0] * 20]
    few, many = np.ones(20), np.zeros(20)
    few[0], many[10:] = 0.0, 1.0
    assert selective_score(labels, classes, few) == pytest.approx(0.525)
    assert selective_score(labels, classes, many) == pytest.approx(0.75)


def test_no_image_and_bad_input():
    assert np.isnan(selective_score(np.zeros((0, 2)), np.zeros((0, 2))))
    with pytest.raises(ValueError, match="must be in"):
        selective_score([[1.0, 0.0]], [[1.0, 0.0]], [1.5])
    with pytest.raises(ValueError, match="as many columns"):
        selective_score([[1.0, 0.0]], [[1.0, 0.0, 0.0]])
