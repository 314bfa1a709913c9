"""L_S against NumPy."""

import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_dc3.losses import ClusterConsistency, cluster_consistency
from keras_dc3.testing import gradients


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def naive(p, q):
    total = 0.0
    for a, b in zip(p, q, strict=True):
        total -= float(a) * math.log(min(max(float(b), 1e-7), 1.0))
    return total


@given(st.integers(1, 6), st.integers(2, 6), st.integers(0, 999))
def test_cluster_consistency(n, k, seed):
    random = np.random.default_rng(seed)
    p, q = random.dirichlet(np.full(k, 0.3), (2, n)).astype("float32")
    ambiguity = random.random(n).astype("float32")
    expected = [naive(a, b) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(
        numpy(cluster_consistency(p, q)), expected, rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(
        numpy(cluster_consistency(p, q, ambiguity)),
        ambiguity * expected,
        rtol=1e-4,
        atol=1e-6,
    )


def test_edges():
    p = [[1.0, 0.0], [1.0, 0.0], [0.5, 0.5]]
    q = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    most = -math.log(1e-7)
    np.testing.assert_allclose(
        numpy(cluster_consistency(p, q)), [0, most, most / 2], rtol=1e-5
    )


def test_logits(rng):
    p = rng.dirichlet(np.ones(4), 6).astype("float32")
    logits = rng.normal(0, 3, (6, 4)).astype("float32")
    q = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(
        numpy(cluster_consistency(p, logits, from_logits=True)),
        [naive(a, b) for a, b in zip(p, q, strict=True)],
        rtol=1e-4,
    )
    extreme = np.array([[1e4, -1e4, 0.0, 0.0]])
    found = gradients(
        lambda x: ops.sum(cluster_consistency(p[:1], x, from_logits=True)), extreme
    )
    np.testing.assert_allclose(found, [[1, 0, 0, 0]] - p[:1], atol=1e-5)


def test_half_precision():
    p = ops.convert_to_tensor([[1.0, 0.0], [0.5, 0.5]], dtype="float16")
    q = ops.convert_to_tensor([[0.0, 1.0], [0.25, 0.75]], dtype="float16")
    ambiguity = ops.convert_to_tensor([0.5, 1.0], dtype="float16")
    found = cluster_consistency(p, q, ambiguity)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    expected = [0.5 * naive([1, 0], [0, 1]), naive([0.5, 0.5], [0.25, 0.75])]
    np.testing.assert_allclose(numpy(found), expected, rtol=1e-5)


def test_gradients_are_finite_at_edges():
    x = {"p": np.array([[1.0, 0.0]]), "q": np.array([[0.0, 1.0]])}
    found = gradients(lambda x: ops.sum(cluster_consistency(x["p"], x["q"])), x)
    assert all(np.isfinite(part).all() for part in found.values())


@pytest.mark.parametrize(
    ("p", "q", "ambiguity", "message"),
    [
        ((3,), (3, 2), None, "`y_true` must have shape"),
        ((3, 2), (3,), None, "`y_pred` must have shape"),
        ((3, 2), (1, 2), None, "same number of images"),
        ((3, 2), (3, 1), None, "same number of clusters"),
        ((3, 2), (3, 2), (3, 1), r"`ambiguity` must have shape \(images,\)"),
        ((3, 2), (3, 2), (1,), "same number of images"),
    ],
)
def test_wrong_shapes(p, q, ambiguity, message):
    p, q = np.ones(p, "float32"), np.ones(q, "float32")
    ambiguity = None if ambiguity is None else np.ones(ambiguity, "float32")
    with pytest.raises(ValueError, match=message):
        cluster_consistency(p, q, ambiguity)


def test_loss_class(rng):
    p, q = rng.dirichlet(np.ones(4), (2, 5)).astype("float32")
    ambiguity = rng.random(5).astype("float32")
    each = numpy(cluster_consistency(p, q))
    none = ClusterConsistency(reduction=None)
    np.testing.assert_allclose(numpy(none(p, q, ambiguity)), each * ambiguity, 1e-5)
    assert float(ClusterConsistency()(p, q)) == pytest.approx(each.mean(), rel=1e-5)
    total = ClusterConsistency(reduction="sum")(p, q)
    assert float(total) == pytest.approx(each.sum(), rel=1e-5)
    logits = ClusterConsistency(from_logits=True)(p, np.log(q))
    assert float(logits) == pytest.approx(each.mean(), rel=1e-4)


def test_loss_class_round_trip():
    loss = ClusterConsistency(from_logits=True, reduction="sum", name="views")
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(loss)
    )
    assert type(again) is ClusterConsistency
    assert again.get_config() == loss.get_config()
    assert again.from_logits


def test_loss_class_trains_and_reloads_in_a_plain_model(rng, tmp_path):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "softmax")])
    model.compile(keras.optimizers.SGD(0.5), ClusterConsistency(), jit_compile=False)
    x = rng.normal(size=(16, 3)).astype("float32")
    y = rng.dirichlet(np.ones(4), 16).astype("float32")
    losses = model.fit(x, y, batch_size=8, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.loss, ClusterConsistency)
