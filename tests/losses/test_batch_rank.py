"""L_A: exactly floor(n p_A) ones, on the largest scores."""

import math

import keras
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from keras import ops

from keras_dc3.losses import (
    BatchRankAmbiguity,
    batch_rank_targets,
    binary_cross_entropy_with_logits,
)
from keras_dc3.testing import gradients


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def naive(scores, prior):
    """Marks the largest scores, of equal ones the earlier."""
    order = sorted(range(len(scores)), key=lambda i: (-float(scores[i]), i))
    targets = np.zeros(len(scores), "float32")
    for i in order[: math.floor(len(scores) * prior)]:
        targets[i] = 1.0
    return targets


@given(st.integers(1, 200), st.floats(0.0, 1.0), st.integers(0, 999), st.booleans())
@example(100, 0.29, 0, False)  # 28 in double precision, 29 in single
@example(100, 0.57, 0, False)
@example(200, 1.0, 0, True)
@example(200, 0.0, 0, True)
@example(1, 0.999999999, 0, True)
@example(64, 0.6, 0, True)  # 38
def test_exactly_floor_of_n_prior_ones_on_the_largest(n, prior, seed, tied):
    random = np.random.default_rng(seed)
    scores = random.integers(0, 4, n) / 4 if tied else random.normal(size=n)
    scores = scores.astype("float32")
    found = numpy(batch_rank_targets(scores, prior))
    assert found.dtype == "float32"
    assert found.sum() == math.floor(n * prior)
    np.testing.assert_array_equal(found, naive(scores, prior))


def test_by_hand():
    np.testing.assert_array_equal(
        numpy(batch_rank_targets([0.1, 0.9, 0.9, 0.4], prior=0.5)), [0, 1, 1, 0]
    )
    np.testing.assert_array_equal(
        numpy(batch_rank_targets([0.5] * 5, prior=0.6)), [1, 1, 1, 0, 0]
    )
    assert numpy(batch_rank_targets([0.3], prior=0.6)).tolist() == [0.0]
    assert numpy(batch_rank_targets([0.3], prior=1.0)).tolist() == [1.0]


def test_saturated_and_infinite_scores():
    scores = np.array([1e4, -1e4, np.inf, -np.inf, 1e4], "float32")
    np.testing.assert_array_equal(
        numpy(batch_rank_targets(scores, 0.4)), [1, 0, 1, 0, 0]
    )


def test_zeros_of_both_signs_are_a_tie():
    scores = np.array([-0.0, 0.0, -0.0, 0.0], "float32")
    np.testing.assert_array_equal(numpy(batch_rank_targets(scores, 0.5)), [1, 1, 0, 0])


def test_half_precision():
    scores = ops.convert_to_tensor([0.1, 0.9, 0.4, 0.2], dtype="float16")
    found = batch_rank_targets(scores, 0.5)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    np.testing.assert_array_equal(numpy(found), [0, 1, 1, 0])


def test_no_gradient():
    found = gradients(
        lambda x: ops.sum(batch_rank_targets(x, 0.5) * ops.stop_gradient(x)),
        np.array([0.1, 0.9, 0.4, 0.2]),
    )
    np.testing.assert_array_equal(found, np.zeros(4))


@pytest.mark.parametrize("prior", [-0.1, 1.1, float("nan"), "0.6", None, True])
def test_wrong_priors(prior):
    with pytest.raises(ValueError, match="`prior` must be a number in"):
        batch_rank_targets([0.1, 0.2], prior)
    with pytest.raises(ValueError, match="`prior` must be a number in"):
        BatchRankAmbiguity(prior)


@pytest.mark.parametrize("shape", [(), (3, 1), (3, 2)])
def test_wrong_rank(shape):
    with pytest.raises(ValueError, match=r"`ambiguity` must have shape \(images,\)"):
        batch_rank_targets(np.zeros(shape, "float32"), 0.6)


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("prior", [0.0, 0.29, 0.6, 1.0])
def test_in_a_function_of_unknown_batch_size(prior, jit_compile):
    import tensorflow as tf

    @tf.function(
        input_signature=[tf.TensorSpec((None,))],
        autograph=False,
        jit_compile=jit_compile,
    )
    def compute(scores):
        return batch_rank_targets(scores, prior)

    random = np.random.default_rng(3)
    for n in (1, 7, 100):
        for scores in (random.normal(size=n), random.integers(0, 3, n) / 2, [-0.0] * n):
            scores = np.array(scores, "float32")
            found = compute(scores).numpy()
            np.testing.assert_array_equal(found, naive(scores, prior))


def test_compiled_with_known_batch_size():
    """The graph's size does not depend on the batch; checked by running it."""
    backend = keras.backend.backend()
    scores = np.array([0.5, 0.25, 0.5, 0.75, 0.5, 0.0], "float32")
    if backend == "jax":
        import jax

        found = jax.jit(lambda x: batch_rank_targets(x, 0.5))(scores)
    elif backend == "tensorflow":
        import tensorflow as tf

        found = tf.function(lambda x: batch_rank_targets(x, 0.5), jit_compile=True)(
            tf.constant(scores)
        )
    else:
        pytest.skip("compiling takes long on torch")
    np.testing.assert_array_equal(numpy(found), naive(scores, 0.5))


# Binary cross-entropy ----------------------------------------------------------------


def test_binary_cross_entropy(rng):
    logits = rng.normal(0, 3, 20).astype("float32")
    targets = rng.integers(0, 2, 20).astype("float32")
    p = 1 / (1 + np.exp(-logits.astype("float64")))
    expected = -targets * np.log(p) - (1 - targets) * np.log(1 - p)
    found = numpy(binary_cross_entropy_with_logits(targets, logits))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_binary_cross_entropy_is_stable():
    logits = np.array([1e4, 1e4, -1e4, -1e4, 0.0])
    targets = np.array([1.0, 0.0, 1.0, 0.0, 1.0], "float32")
    found = numpy(binary_cross_entropy_with_logits(targets, logits.astype("float32")))
    np.testing.assert_allclose(found, [0, 1e4, 1e4, 0, math.log(2)], rtol=1e-6)
    gradient = gradients(
        lambda x: ops.sum(binary_cross_entropy_with_logits(targets, x)), logits
    )
    np.testing.assert_allclose(gradient, [0, 1, -1, 0, -0.5], atol=1e-6)


# The Loss class ----------------------------------------------------------------------


@pytest.mark.parametrize("from_logits", [False, True])
def test_loss_class(from_logits, rng):
    logits = rng.normal(0, 2, 10).astype("float32")
    p = 1 / (1 + np.exp(-logits.astype("float64")))
    h = naive(logits, 0.6)
    each = -h * np.log(p) - (1 - h) * np.log(1 - p)
    given = logits if from_logits else p.astype("float32")
    ignored = np.zeros(10, "float32")
    options = {"prior": 0.6, "from_logits": from_logits}
    none = BatchRankAmbiguity(reduction=None, **options)
    np.testing.assert_allclose(numpy(none(ignored, given)), each, rtol=1e-4)
    assert float(BatchRankAmbiguity(**options)(ignored, given)) == pytest.approx(
        each.mean(), rel=1e-4
    )
    assert float(
        BatchRankAmbiguity(reduction="sum", **options)(ignored, given)
    ) == pytest.approx(each.sum(), rel=1e-4)
    # As Keras models often give it: (n, 1).
    column = none(ignored[:, None], given[:, None])
    np.testing.assert_allclose(numpy(column), each, rtol=1e-4)


def test_loss_class_at_the_edges():
    p = np.array([1.0, 0.0, 1.0, 0.0])
    loss = BatchRankAmbiguity(0.25, reduction=None)
    found = numpy(loss(np.zeros(4, "float32"), p.astype("float32")))
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(0, abs=1e-6) and found[2] > 15
    gradient = gradients(lambda x: ops.sum(loss(np.zeros(4, "float32"), x)), p)
    assert np.isfinite(gradient).all()


def test_loss_class_wrong_rank():
    with pytest.raises(ValueError, match="`y_pred` must have shape"):
        BatchRankAmbiguity()(np.zeros(3), np.zeros((3, 2), "float32"))


def test_loss_class_half_precision():
    scores = ops.convert_to_tensor([1.0, 0.0, 0.5, 0.25], dtype="float16")
    found = BatchRankAmbiguity(0.5, reduction=None).call(None, scores)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    assert np.isfinite(numpy(found)).all()


def test_loss_class_round_trip():
    loss = BatchRankAmbiguity(0.3, from_logits=True, reduction="sum", name="rank")
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(loss)
    )
    assert type(again) is BatchRankAmbiguity
    assert again.get_config() == loss.get_config()
    assert (again.prior, again.from_logits, again.reduction) == (0.3, True, "sum")


def test_loss_class_trains_a_plain_model(rng):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, "sigmoid")])
    model.compile(keras.optimizers.SGD(1.0), BatchRankAmbiguity(0.5), jit_compile=False)
    x = rng.normal(size=(32, 3)).astype("float32")
    losses = model.fit(x, np.zeros((32, 1)), batch_size=32, epochs=8, verbose=0)
    losses = losses.history["loss"]
    assert losses[-1] < losses[0]
    scores = model.predict(x, verbose=0)[:, 0]
    assert 8 <= (scores >= 0.5).sum() <= 24
