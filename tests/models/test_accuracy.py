"""Accuracy that prefers none of the classes that tie."""

import itertools

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.metrics import honest_context
from keras_dc3.models.step_metrics import MajorityAccuracy
from tests.models.helpers import arrays, make_model


def test_ties_count_in_part_whatever_their_place(rng):
    soft = (rng.multinomial(4, [0.4, 0.3, 0.3], 60) / 4).astype("float32")
    p_n = rng.dirichlet(np.ones(3), 60).astype("float32")
    expected = honest_context(soft, p_n)["accuracy"]
    for order in map(list, itertools.permutations(range(3))):
        metric = MajorityAccuracy()
        metric.update_state(soft[:, order], p_n[:, order])
        assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


def test_without_ties_it_is_keras_accuracy(rng):
    soft = rng.dirichlet(np.ones(5), 60).astype("float32")
    p_n = rng.dirichlet(np.ones(5), 60).astype("float32")
    ours, theirs = MajorityAccuracy(), keras.metrics.CategoricalAccuracy()
    weights = rng.random(60).astype("float32")
    for metric in (ours, theirs):
        metric.update_state(soft, p_n, weights)
    assert float(ours.result()) == pytest.approx(float(theirs.result()), abs=1e-6)


def test_it_is_the_accuracy_that_a_model_logs(make_backbone, tmp_path):
    model = make_model(make_backbone, "supervised", keras_dc3.DC3Config.vanilla())
    x, _ = arrays("supervised", n=24)
    images = x["labeled"]
    soft = np.tile([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5]], (12, 1)).astype("float32")
    logs = model.evaluate(images, soft, verbose=0, return_dict=True)
    classes = model.predict(images, verbose=0)["classes"].argmax(axis=1)
    expected = (soft[np.arange(24), classes] > 0).mean() / 2
    assert logs["accuracy"] == pytest.approx(expected)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.evaluate(images, soft, verbose=0)[1] == pytest.approx(expected)
