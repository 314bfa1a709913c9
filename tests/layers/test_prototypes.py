"""`PrototypeHead`, and the k-means behind it."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_dc3 import metrics
from keras_dc3.layers import PrototypeHead
from keras_dc3.layers import prototypes as k_means
from keras_dc3.testing import gradients


def update(head, features, class_probabilities, selected, restart=False):
    """What a training step does with a head."""
    head.remember(features, class_probabilities, selected)
    head.move(restart)


def array(tensor):
    return ops.convert_to_numpy(tensor)


def blobs(n=1200, clusters=6, width=5, classes=3, seed=0):
    """Features around some centers, and class probabilities."""
    rng = np.random.default_rng(seed)
    centers = 4 * rng.normal(size=(clusters, width))
    features = centers[rng.integers(0, clusters, n)] + rng.normal(size=(n, width)) / 4
    return features.astype("float32"), rng.dirichlet(np.ones(classes), n).astype(
        "float32"
    )


def joined(features, p):
    """z of the docstring, in NumPy."""
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    norms[norms == 0] = 1
    return np.concatenate([features / norms, 2 * np.sqrt(p)], axis=1)


def inertia(points, centers):
    """Mean squared distance to the nearest center."""
    return ((points[:, None] - centers[None]) ** 2).sum(-1).min(1).mean()


def test_joined_features_are_those_of_the_metrics():
    features, p = blobs(20)
    features[3] = 0.0
    z = array(k_means.joined_features(features, p))
    np.testing.assert_allclose(z, joined(features, p), atol=1e-6)
    np.testing.assert_allclose(z, metrics.joined_features(features, p), atol=1e-6)


def test_squared_distances():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(7, 4)), rng.normal(size=(3, 4))
    expected = ((a[:, None] - b[None]) ** 2).sum(-1)
    found = k_means.squared_distances(a.astype("float32"), b.astype("float32"))
    np.testing.assert_allclose(array(found), expected, rtol=1e-5)


def test_prototypes_are_spread_over_valid_points():
    points = np.repeat(10 * np.eye(4, dtype="float32"), 5, axis=0)
    valid = np.ones(20, "float32")
    found = array(k_means.spread_prototypes(points, valid, 4))
    assert {tuple(row) for row in found} == {tuple(row) for row in 10 * np.eye(4)}
    valid[:5] = 0  # the first corner does not count
    found = array(k_means.spread_prototypes(points, valid, 3))
    assert {tuple(row) for row in found} == {tuple(row) for row in 10 * np.eye(4)[1:]}


def test_equal_points_do_not_disturb():
    points = np.ones((6, 2), "float32")
    found = array(k_means.spread_prototypes(points, np.ones(6, "float32"), 3))
    np.testing.assert_array_equal(found, np.ones((3, 2)))


def naive_move(prototypes, points, valid):
    """One step of Lloyd's algorithm, by loops."""
    distances = ((points[:, None] - prototypes[None]) ** 2).sum(-1)
    nearest = distances.argmin(1)
    far = list(np.argsort(-distances.min(1) * valid, kind="stable"))
    moved = []
    for j in range(len(prototypes)):
        members = [i for i in range(len(points)) if valid[i] and nearest[i] == j]
        moved.append(points[members].mean(0) if members else points[far.pop(0)])
    return np.stack(moved)


@given(seed=st.integers(0, 2**31 - 1), clusters=st.sampled_from([2, 5]))
def test_a_step_of_k_means(seed, clusters):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(15, 3)).astype("float32")
    valid = (rng.random(15) < 0.7).astype("float32")
    valid[0] = 1.0
    prototypes = rng.normal(size=(clusters, 3)).astype("float32")
    prototypes[0] = 50.0  # nothing is near
    found = array(k_means.move_prototypes(prototypes, points, valid))
    expected = naive_move(prototypes, points, valid)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@given(
    selections=st.lists(
        st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=6
    )
)
def test_the_last_selected_points_are_remembered(selections):
    size, kept = 7, []
    memory, written = ops.zeros((size + 1, 1)), ops.convert_to_tensor(0, "int32")
    for step, selected in enumerate(selections):
        points = 1 + np.arange(4, dtype="float32")[:, None] + 10 * step
        kept += [float(p[0]) for p, s in zip(points, selected, strict=True) if s]
        memory, written = k_means.remember(
            memory, written, points, np.array(selected, "float32")
        )
    assert int(array(written)) == len(kept)
    rows = [float(row[0]) for row in array(memory)[:size] if row[0]]
    assert sorted(rows) == sorted(kept[-size:])


def test_updates_reach_what_k_means_reaches():
    features, p = blobs()
    head = PrototypeHead(6, memory_size=600)
    assert array(head(features[:3], p[:3])).shape == (3, 6)
    for start in range(0, 1200, 100):
        rows = slice(start, start + 100)
        update(head, features[rows], p[rows], np.ones(100))
    z = joined(features, p)
    best, _ = metrics.k_means(z, 6)
    assert inertia(z, array(head.prototypes)) < 1.1 * inertia(z, best)


def test_the_output_is_a_softmax_of_distances():
    features, p = blobs(30)
    head = PrototypeHead(4, temperature=0.5)
    found = array(head(features, p))
    z, prototypes = joined(features, p), array(head.prototypes)
    logits = -((z[:, None] - prototypes[None]) ** 2).sum(-1) / 0.5
    expected = np.exp(logits - logits.max(1, keepdims=True))
    expected /= expected.sum(1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    head.activation = None
    np.testing.assert_allclose(array(head(features, p)), logits, rtol=1e-4, atol=1e-4)


def test_only_selected_images_count_and_the_start_waits():
    features, p = blobs(40, clusters=2)
    head = PrototypeHead(2, memory_size=64)
    head(features[:1], p[:1])
    before = array(head.prototypes)
    selected = np.arange(10) < 7
    update(head, features[:10], p[:10], selected)
    assert int(array(head.written.value)) == 7
    # Fewer than 4 images per cluster: the prototypes rest.
    np.testing.assert_array_equal(array(head.prototypes), before)
    update(head, features[10:20], p[10:20], selected)
    assert int(array(head.started.value)) == 1
    points = joined(features, p)[[*range(7), *range(10, 17)]]
    distance = inertia(array(head.prototypes), points)
    assert np.isfinite(distance) and np.abs(array(head.prototypes) - before).max() > 0


def test_restart_spreads_anew():
    features, p = blobs(200)
    head = PrototypeHead(6, memory_size=256)
    head(features[:1], p[:1])
    update(head, features, p, np.ones(200))
    head.prototypes.assign(np.zeros(head.prototypes.shape))
    update(head, features[:1], p[:1], np.zeros(1), restart=True)
    z = joined(features, p)
    best, _ = metrics.k_means(z, 6)
    assert inertia(z, array(head.prototypes)) < 2 * inertia(z, best)


def test_no_gradient_flows():
    _, p = blobs(6)
    head = PrototypeHead(4)
    head(np.ones((6, 5), "float32"), p)
    assert not head.trainable_variables

    def loss(features):
        return ops.sum(features) + ops.sum(ops.square(head(features, p)))

    found = gradients(loss, np.ones((6, 5), "float32"))
    np.testing.assert_allclose(found, np.ones((6, 5)), atol=1e-6)


def test_state_is_saved(tmp_path):
    features, p = blobs(100)
    inputs = [keras.Input((5,)), keras.Input((3,))]
    head = PrototypeHead(4, temperature=0.3, memory_size=50)
    model = keras.Model(inputs, head(*inputs))
    update(head, features[:50], p[:50], np.ones(50))
    model.save(tmp_path / "head.keras")
    loaded = keras.saving.load_model(tmp_path / "head.keras")
    again = loaded.layers[-1]
    assert again.get_config() == head.get_config()
    for state in ("prototypes", "memory", "written", "started"):
        np.testing.assert_array_equal(
            array(getattr(again, state).value), array(getattr(head, state).value)
        )
    update(head, features[50:], p[50:], np.ones(50))
    update(again, features[50:], p[50:], np.ones(50))
    np.testing.assert_array_equal(array(again.prototypes), array(head.prototypes))


def test_bad_input():
    with pytest.raises(ValueError, match="temperature"):
        PrototypeHead(4, temperature=0.0)
    with pytest.raises(ValueError, match="memory_size"):
        PrototypeHead(4, memory_size=0)
    head = PrototypeHead(4, memory_size=8)
    with pytest.raises(ValueError, match="must hold the same number of images"):
        head(np.ones((2, 5), "float32"), np.ones((3, 4), "float32"))


def test_of_a_batch_larger_than_the_memory_the_last_images_are_remembered():
    features, p = blobs(30)
    heads = [PrototypeHead(4, memory_size=16) for _ in range(2)]
    for head, rows in zip(heads, (slice(None), slice(14, None)), strict=True):
        head(features, p)
        update(head, features[rows], p[rows], np.ones(len(p[rows])))
    np.testing.assert_array_equal(*(np.asarray(head.memory) for head in heads))
    np.testing.assert_array_equal(*(np.asarray(head.prototypes) for head in heads))
