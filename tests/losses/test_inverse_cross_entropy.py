"""CE^-1 and its partners, against naive loops in NumPy."""

import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_dc3.losses import (
    InverseCrossEntropy,
    inverse_cross_entropy,
    partner_weights,
    partnered_inverse_cross_entropy,
)
from keras_dc3.testing import gradients


def naive(p, q):
    """CE^-1 of one image and its partner, eq. 2."""
    total = 0.0
    for a, b in zip(p, q, strict=True):
        total -= float(a) * math.log(min(max(1.0 - float(b), 1e-7), 1.0))
    return total


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


@st.composite
def distributions(draw, rows=None):
    n, k = rows or draw(st.integers(1, 6)), draw(st.integers(2, 6))
    seed, sharpness = draw(st.integers(0, 10**6)), draw(st.sampled_from([0.05, 1, 5]))
    p, q = np.random.default_rng(seed).dirichlet(np.full(k, sharpness), (2, n))
    return p.astype("float32"), q.astype("float32")


@given(distributions())
def test_inverse_cross_entropy(pair):
    p, q = pair
    expected = [naive(a, b) for a, b in zip(p, q, strict=True)]
    found = inverse_cross_entropy(p, q)
    assert found.shape == (len(p),)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    # Near q = 1, float32 holds 1 - q to about 6e-8 only.
    np.testing.assert_allclose(numpy(found), expected, rtol=2e-3, atol=1e-5)


def test_by_hand():
    assert numpy(inverse_cross_entropy([[1.0, 0.0]], [[0.5, 0.5]]))[0] == pytest.approx(
        math.log(2.0)
    )
    found = inverse_cross_entropy([[0.25, 0.75]], [[0.9, 0.1]])
    assert numpy(found)[0] == pytest.approx(
        -0.25 * math.log(0.1) - 0.75 * math.log(0.9), rel=1e-5
    )


def test_edges():
    p = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    q = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]
    most = -math.log(1e-7)
    np.testing.assert_allclose(
        numpy(inverse_cross_entropy(p, q)), [most, 0.0, 0.0, most / 2], rtol=1e-5
    )


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_gradient_at_edges_is_finite(value):
    x = {"p": np.array([[value, 1 - value]]), "q": np.array([[value, 1 - value]])}
    found = gradients(lambda x: ops.sum(inverse_cross_entropy(x["p"], x["q"])), x)
    assert all(np.isfinite(part).all() for part in found.values())


def test_gradient_reaches_both_and_pushes_apart():
    x = {"p": np.array([[0.6, 0.4]]), "q": np.array([[0.7, 0.3]])}
    found = gradients(lambda x: ops.sum(inverse_cross_entropy(x["p"], x["q"])), x)
    np.testing.assert_allclose(found["p"], [[-math.log(0.3), -math.log(0.7)]], 1e-5)
    np.testing.assert_allclose(found["q"], [[0.6 / 0.3, 0.4 / 0.7]], rtol=1e-5)


def test_saturated_logits_still_have_finite_gradients():
    logits = {"p": np.array([[1e4, -1e4]]), "q": np.array([[1e4, -1e4]])}
    found = gradients(
        lambda x: ops.sum(
            inverse_cross_entropy(ops.softmax(x["p"]), ops.softmax(x["q"]))
        ),
        logits,
    )
    assert all(np.isfinite(part).all() for part in found.values())


def test_half_precision_gives_float32():
    p = ops.convert_to_tensor([[1.0, 0.0], [0.5, 0.5]], dtype="float16")
    q = ops.convert_to_tensor([[1.0, 0.0], [0.25, 0.75]], dtype="float16")
    found = inverse_cross_entropy(p, q)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    expected = [naive([1, 0], [1, 0]), naive([0.5, 0.5], [0.25, 0.75])]
    np.testing.assert_allclose(numpy(found), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        (np.ones(3), np.ones((3, 2)), r"`y_true` must have shape \(images, clusters\)"),
        (np.ones((3, 2)), np.ones(3), "`y_pred` must have shape"),
        (np.ones((3, 2)), np.ones((1, 2)), "same number of images"),
        (np.ones((3, 2)), np.ones((3, 1)), "same number of clusters"),
    ],
)
def test_wrong_shapes(p, q, message):
    with pytest.raises(ValueError, match=message):
        inverse_cross_entropy(p.astype("float32"), q.astype("float32"))


# Partners ------------------------------------------------------------------------

classes_and_pools = st.tuples(
    st.lists(st.integers(0, 3), min_size=1, max_size=6),
    st.lists(st.integers(0, 3), min_size=1, max_size=7),
)


@given(classes_and_pools, st.sampled_from(["mean", "random"]), st.integers(0, 999))
def test_partner_weights(classes, partner, seed):
    own, pool = (np.array(part, "int32") for part in classes)
    weights = numpy(partner_weights(own, pool, partner, seed=seed))
    assert weights.shape == (len(own), len(pool)) and weights.dtype == "float32"
    for i, row in enumerate(weights):
        others = [j for j in range(len(pool)) if pool[j] != own[i]]
        same = [j for j in range(len(pool)) if pool[j] == own[i]]
        assert not row[same].any()
        if not others:
            assert not row.any()
        elif partner == "mean":
            np.testing.assert_allclose(row[others], 1 / len(others), rtol=1e-6)
        else:
            assert sorted(row)[-1] == 1.0 and row.sum() == 1.0


def test_random_partners_are_uniform_and_reproducible():
    own, pool = np.zeros(3_000, "int32"), np.array([0, 1, 2, 0, 1, 3], "int32")
    weights = numpy(partner_weights(own, pool, "random", seed=7))
    np.testing.assert_array_equal(
        weights, numpy(partner_weights(own, pool, "random", seed=7))
    )
    assert (weights != numpy(partner_weights(own, pool, "random", seed=8))).any()
    counts = weights.sum(axis=0)
    assert counts[0] == counts[3] == 0
    observed = counts[[1, 2, 4, 5]]
    chi_square = ((observed - 750) ** 2 / 750).sum()
    assert chi_square < 16.3  # 3 degrees of freedom, p = 0.001


def test_a_generator_draws_anew():
    own, pool = np.zeros(50, "int32"), np.arange(8, dtype="int32")
    generator = keras.random.SeedGenerator(3)
    first = numpy(partner_weights(own, pool, "random", seed=generator))
    second = numpy(partner_weights(own, pool, "random", seed=generator))
    assert (first != second).any()


def test_wrong_partner():
    with pytest.raises(ValueError, match=r"`partner` must be one of .*'median'"):
        partner_weights(np.zeros(2, "int32"), np.ones(2, "int32"), "median")


@pytest.mark.parametrize("shapes", [((2, 1), (3,)), ((2,), (3, 1))])
def test_wrong_ranks_of_classes(shapes):
    own, pool = (np.zeros(shape, "int32") for shape in shapes)
    with pytest.raises(ValueError, match=r"must have shape \(images,\)"):
        partner_weights(own, pool)


def test_lists_will_do():
    np.testing.assert_allclose(
        numpy(partner_weights([0, 1], [0, 1, 1])), [[0, 0.5, 0.5], [1, 0, 0]]
    )


@pytest.mark.parametrize("known", [None, 3])
@given(distributions(rows=5), st.lists(st.integers(0, 2), min_size=10, max_size=10))
def test_partnered_mean(known, pair, classes):
    clusters, pool = pair
    own, others = np.array(classes[:5], "int32"), np.array(classes[5:], "int32")
    found = numpy(
        partnered_inverse_cross_entropy(clusters, own, pool, others, num_classes=known)
    )
    for i in range(5):
        losses = [naive(clusters[i], pool[j]) for j in range(5) if others[j] != own[i]]
        if losses:
            expected = sum(losses) / len(losses)
            assert found[i] == pytest.approx(expected, rel=2e-3, abs=1e-5)
        else:
            assert found[i] == 0.0


def test_gradients_of_sums_by_class_are_those_of_sums_by_image(rng):
    clusters = {n: rng.dirichlet(np.ones(4), 9).astype("float32") for n in "ab"}
    own, others = rng.integers(0, 5, (2, 9)).astype("int32")

    def loss(x, known=None):
        losses = partnered_inverse_cross_entropy(
            x["a"], own, x["b"], others, num_classes=known
        )
        return ops.sum(losses * losses)

    by_image = gradients(loss, clusters)
    by_class = gradients(lambda x: loss(x, 5), clusters)
    for name, gradient in by_image.items():
        np.testing.assert_allclose(by_class[name], gradient, rtol=1e-4, atol=1e-5)


def test_partnered_random_is_one_of_the_partners(rng):
    clusters, pool = rng.dirichlet(np.ones(4), (2, 6)).astype("float32")
    own, others = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 2, 0, 1, 2])
    found = numpy(
        partnered_inverse_cross_entropy(
            clusters, own, pool, others, partner="random", seed=5
        )
    )
    weights = numpy(partner_weights(own, others, "random", seed=5))
    for i in range(6):
        j = int(weights[i].argmax())
        assert others[j] != own[i]
        assert found[i] == pytest.approx(naive(clusters[i], pool[j]), rel=1e-4)


@pytest.mark.parametrize(
    ("partner", "known"), [("mean", None), ("mean", 3), ("random", None)]
)
def test_anchor_without_partner_gives_zero_and_no_nan(partner, known):
    x = {
        # Saturated, where an unmasked logarithm would give NaN.
        "own": np.array([[1.0, 0.0], [0.5, 0.5]]),
        "pool": np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]),
    }
    own, pool = np.array([2, 2], "int32"), np.array([2, 2, 2], "int32")

    def loss(x):
        return partnered_inverse_cross_entropy(
            x["own"], own, x["pool"], pool, partner, seed=1, num_classes=known
        )

    found = numpy(loss({k: v.astype("float32") for k, v in x.items()}))
    np.testing.assert_array_equal(found, [0.0, 0.0])
    for gradient in gradients(lambda x: ops.sum(loss(x)), x).values():
        np.testing.assert_array_equal(gradient, np.zeros_like(gradient))


def test_wrong_shapes_of_partnered():
    p, own = np.ones((3, 2), "float32"), np.zeros(3, "int32")
    with pytest.raises(ValueError, match="`clusters` must have shape"):
        partnered_inverse_cross_entropy(p[0], own, p, own)
    with pytest.raises(ValueError, match="same number of images"):
        partnered_inverse_cross_entropy(p, own[:2], p, own)
    with pytest.raises(ValueError, match="same number of images"):
        partnered_inverse_cross_entropy(p, own, p, own[:2])


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("partner", ["mean", "random"])
def test_in_a_function_of_unknown_batch_size(partner, jit_compile, rng):
    import tensorflow as tf

    spec = tf.TensorSpec((None, 4)), tf.TensorSpec((None,), tf.int32)

    @tf.function(input_signature=spec * 2, jit_compile=jit_compile)
    def compute(clusters, own, pool, others):
        return partnered_inverse_cross_entropy(
            clusters, own, pool, others, partner=partner, seed=3
        )

    for n in (3, 6):
        clusters, pool = rng.dirichlet(np.ones(4), (2, n)).astype("float32")
        own, others = np.arange(n, dtype="int32") % 2, np.arange(n, dtype="int32") % 3
        found = compute(clusters, own, pool, others).numpy()
        assert found.shape == (n,)
        for i in range(n):
            losses = [
                naive(clusters[i], pool[j]) for j in range(n) if others[j] != own[i]
            ]
            if partner == "mean":
                assert found[i] == pytest.approx(np.mean(losses), rel=1e-4)
            else:
                assert np.isclose(losses, found[i], rtol=1e-4).any()


# The Loss class --------------------------------------------------------------------


def test_loss_class(rng):
    p, q = rng.dirichlet(np.ones(4), (2, 5)).astype("float32")
    each = numpy(inverse_cross_entropy(p, q))
    loss = InverseCrossEntropy()
    assert float(loss(p, q)) == pytest.approx(each.mean(), rel=1e-5)
    weight = np.array([0.0, 1.0, 2.0, 0.0, 1.0], "float32")
    assert float(loss(p, q, weight)) == pytest.approx((each * weight).mean(), rel=1e-5)
    none = InverseCrossEntropy(reduction=None)
    np.testing.assert_allclose(numpy(none(p, q)), each, rtol=1e-5)
    total = InverseCrossEntropy(reduction="sum")
    assert float(total(p, q)) == pytest.approx(each.sum(), rel=1e-5)


def test_loss_class_round_trip():
    loss = InverseCrossEntropy(reduction="sum", name="apart")
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(loss)
    )
    assert type(again) is InverseCrossEntropy
    assert again.get_config() == loss.get_config()
    assert (again.reduction, again.name) == ("sum", "apart")


def test_loss_class_trains_a_plain_model(rng):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "softmax")])
    model.compile("sgd", loss=InverseCrossEntropy(), jit_compile=False)
    x = rng.normal(size=(8, 3)).astype("float32")
    y = np.eye(4, dtype="float32")[np.zeros(8, int)]
    losses = model.fit(x, y, batch_size=4, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]  # leaves the cluster it is pushed out of
