"""A probe of disagreement as a layer: what it computes, forgets, and leaves alone."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dc3.layers import DisagreementHead
from keras_dc3.probes import DisagreementProbe


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.fixture(scope="module")
def example():
    """Features, of which the first tells where people differ, and answers."""
    rng = np.random.default_rng(0)
    features = rng.normal(2.0, 3.0, (300, 5)).astype("float32")
    p = np.where(features[:, :1] > 2, 0.5, 0.95)
    first = rng.binomial(4, p[:, 0])
    return features, np.stack([first, 4 - first, 0 * first], axis=1)


@pytest.fixture(scope="module")
def probe(example):
    return DisagreementProbe().fit(*example)


def learned(probe):
    head = DisagreementHead(3)
    head.build((None, 5))
    head.learn(probe.coefficients)
    return head


def test_it_is_the_probe(example, probe):
    head = learned(probe)
    found = numpy(head(example[0]))
    # The maps of the folds are averaged before the softmax, not after it.
    np.testing.assert_allclose(found, probe.predict(example[0]), atol=5e-3)
    assert found.dtype == "float32" and found.min() >= 0 and found.max() <= 1


def test_equation(example, probe):
    features, (mean, deviation, kernel, bias, of_classes, weights) = (
        example[0].astype("float64"),
        probe.coefficients,
    )
    x = (features - mean) / deviation
    powers = np.exp(x @ kernel + bias)
    p = powers / powers.sum(axis=1, keepdims=True)
    g = 1 - (p**2).sum(axis=1)
    logits = of_classes[0] + of_classes[1] * np.log(g / (1 - g))
    logits += of_classes[2] * (1 - p.max(axis=1)) + np.sqrt(p) @ of_classes[3:]
    expected = 1 / (1 + np.exp(-logits - x @ weights))
    np.testing.assert_allclose(numpy(learned(probe)(example[0])), expected, rtol=1e-4)


def test_before_it_learned_and_after_it_forgot(example, probe):
    head = DisagreementHead(3)
    head.build((None, 5))
    assert not head.is_learned and (numpy(head(example[0])) == -1).all()
    head.learn(probe.coefficients)
    assert head.is_learned and (numpy(head(example[0])) >= 0).all()
    head.forget()
    assert not head.is_learned and (numpy(head(example[0])) == -1).all()
    assert not head.trainable_variables


def test_saved_with_a_model(example, probe, tmp_path):
    head = DisagreementHead(3)
    inputs = keras.Input((5,))
    model = keras.Model(inputs, head(inputs))
    head.learn(probe.coefficients)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(numpy(loaded(example[0])), numpy(model(example[0])))
    assert DisagreementHead.from_config(head.get_config()).num_classes == 3
