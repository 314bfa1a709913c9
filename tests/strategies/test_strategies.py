"""The paper's five strategies against NumPy, and what all have in common."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dc3 import strategies
from keras_dc3.strategies import (
    FixMatch,
    MeanTeacher,
    PiModel,
    PseudoLabel,
    SSLStrategy,
    Supervised,
)
from keras_dc3.testing import gradients

K, N, M = 4, 9, 5


def softmax(logits):
    exponents = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def cross_entropy(label, logits):
    return -np.log(softmax(logits.astype("float64"))[label])


def tensors(logits):
    return {view: ops.convert_to_tensor(value) for view, value in logits.items()}


def masked_loss(strategy, logits):
    """As the model computes it."""
    return strategy.mask(logits) * strategy.unlabeled_loss(logits)


def compute(strategy, logits):
    return ops.convert_to_numpy(masked_loss(strategy, tensors(logits)))


def mask(strategy, logits):
    return ops.convert_to_numpy(strategy.mask(tensors(logits)))


@pytest.fixture
def logits(rng):
    def make(*views):
        return {
            view: rng.normal(0, 3, (M if view == "labeled" else N, K)).astype("float32")
            for view in ("labeled", *views)
        }

    return make


# Logits whose largest probability is exactly `confidence` as far as float32 goes.
def logits_of(confidence, classes=2):
    other = (1.0 - confidence) / (classes - 1)
    return np.log(np.array([[confidence] + [other] * (classes - 1)])).astype("float32")


@pytest.mark.parametrize("cls", [PiModel, MeanTeacher])
def test_squared_difference(cls, logits):
    logits = logits("first", "second")
    expected = [
        sum(
            (softmax(logits["second"])[i, c] - softmax(logits["first"])[i, c]) ** 2
            for c in range(K)
        )
        / K
        for i in range(N)
    ]
    np.testing.assert_allclose(compute(cls(), logits), expected, rtol=1e-4, atol=1e-7)
    np.testing.assert_array_equal(mask(cls(), logits), np.ones(N))


def test_squared_difference_by_hand():
    logits = {"first": np.array([[0.0, 0.0]]), "second": np.array([[0.0, np.log(3.0)]])}
    logits = {view: value.astype("float32") for view, value in logits.items()}
    np.testing.assert_allclose(compute(PiModel(), logits), [0.0625], rtol=1e-6)


@pytest.mark.parametrize("threshold", [0.0, 0.6, 0.95, 1.0])
def test_pseudo_label(threshold, logits):
    logits = logits("only")
    p = softmax(logits["only"])
    expected = [
        cross_entropy(p[i].argmax(), logits["only"][i])
        if p[i].max() >= threshold
        else 0
        for i in range(N)
    ]
    strategy = PseudoLabel(threshold=threshold)
    np.testing.assert_allclose(
        compute(strategy, logits), expected, rtol=1e-4, atol=1e-6
    )
    np.testing.assert_array_equal(
        mask(strategy, logits), (p.max(axis=-1) >= threshold).astype("float32")
    )


@pytest.mark.parametrize("threshold", [0.0, 0.6, 0.95, 1.0])
def test_fixmatch(threshold, logits):
    logits = logits("weak", "strong")
    p = softmax(logits["weak"])
    expected = [
        cross_entropy(p[i].argmax(), logits["strong"][i])
        if p[i].max() >= threshold
        else 0
        for i in range(N)
    ]
    strategy = FixMatch(threshold=threshold)
    np.testing.assert_allclose(
        compute(strategy, logits), expected, rtol=1e-4, atol=1e-6
    )


def test_fixmatch_teaches_the_strong_view_only(logits):
    found = gradients(
        lambda x: ops.sum(masked_loss(FixMatch(threshold=0.5), x)),
        logits("weak", "strong"),
    )
    assert not found["weak"].any()
    assert found["strong"].any()
    assert not found["labeled"].any()


def test_pseudo_label_gradient_is_that_of_the_cross_entropy(logits):
    logits = logits("only")
    found = gradients(
        lambda x: ops.sum(masked_loss(PseudoLabel(threshold=0.6), x)), logits
    )["only"]
    p = softmax(logits["only"])
    expected = p - np.eye(K)[p.argmax(axis=-1)]
    expected[p.max(axis=-1) < 0.6] = 0
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_supervised_has_no_unlabeled_loss(logits):
    logits = logits("first", "second")
    np.testing.assert_array_equal(compute(Supervised(), logits), np.zeros(N))
    assert not Supervised.needs_unlabeled
    found = gradients(lambda x: ops.sum(Supervised().unlabeled_loss(x)), logits)
    assert not any(value.any() for value in found.values())


@pytest.mark.parametrize("name", strategies.names())
def test_labeled_loss_is_the_cross_entropy(name, rng):
    logits = rng.normal(0, 3, (M, K)).astype("float32")
    targets = rng.dirichlet(np.ones(K), M).astype("float32")
    losses = strategies.get(name).labeled_loss(
        ops.convert_to_tensor(targets), ops.convert_to_tensor(logits)
    )
    expected = [
        -sum(targets[i, c] * np.log(softmax(logits[i])[c]) for c in range(K))
        for i in range(M)
    ]
    np.testing.assert_allclose(ops.convert_to_numpy(losses), expected, rtol=1e-4)


@pytest.mark.parametrize("cls", [PseudoLabel, FixMatch])
def test_thresholds_at_their_edges(cls):
    views = list(cls.views)

    def masked(confidence, threshold, classes=2):
        logits = dict.fromkeys(views, logits_of(confidence, classes))
        return mask(cls(threshold=threshold), logits)[0]

    assert masked(0.5, 0.0) == 1  # 0 lets the most uncertain image through
    assert masked(0.5, 0.5) == 1  # >=, not >
    assert masked(0.5, 0.500001) == 0
    assert masked(0.96, 0.95) == 1 and masked(0.94, 0.95) == 0
    certain = dict.fromkeys(views, np.array([[50.0, -50.0]], "float32"))
    assert mask(cls(threshold=1.0), certain)[0] == 1  # softmax gives exactly 1
    nearly = dict.fromkeys(views, np.array([[10.0, 0.0]], "float32"))  # 0.9999546
    assert mask(cls(threshold=1.0), nearly)[0] == 0
    assert mask(cls(threshold=0.999999), nearly)[0] == 0
    nearer = dict.fromkeys(views, np.array([[14.0, 0.0]], "float32"))  # 0.99999917
    assert mask(cls(threshold=0.999999), nearer)[0] == 1


@pytest.mark.parametrize("cls", [PseudoLabel, FixMatch])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "0.95", True, None])
def test_bad_thresholds(cls, value):
    with pytest.raises(ValueError, match="`threshold` must be a number in"):
        cls(threshold=value)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, None])
def test_bad_ratio(value):
    with pytest.raises(ValueError, match="`unlabeled_ratio` must be an integer"):
        FixMatch(unlabeled_ratio=value)


@pytest.mark.parametrize("name", strategies.names())
def test_bad_weights_and_ramps(name):
    cls = type(strategies.get(name))
    for weight in (-1, float("inf"), float("nan"), "1", True, None):
        with pytest.raises(ValueError, match="`weight` must be a finite number"):
            cls(weight=weight)
    for steps in (-1, 1.5, "1", True, None):
        with pytest.raises(ValueError, match="`ramp_steps` must be an integer"):
            cls(ramp_steps=steps)
    assert cls(weight=0).weight == 0.0


def weights(strategy, steps):
    return [
        float(
            ops.convert_to_numpy(
                strategy.loss_weight(ops.convert_to_tensor(step, "int32"))
            )
        )
        for step in steps
    ]


def test_ramp_is_linear_from_zero():
    strategy = MeanTeacher(weight=50.0, ramp_steps=200)
    found = weights(strategy, (0, 1, 50, 100, 199, 200, 201, 10**6))
    expected = [0, 0.25, 12.5, 25, 49.75, 50, 50, 50]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_no_ramp_is_constant():
    assert weights(PiModel(weight=3.0, ramp_steps=0), (0, 1, 10**6)) == [3.0] * 3
    assert weights(PiModel(weight=0.0, ramp_steps=9), (0, 1, 10**6)) == [0.0] * 3


def test_defaults_are_the_reference_s():
    # 1,024 * 1,024 images in batches of 64 are 16,384 steps; over 40% of them it ramps.
    expected = {
        "supervised": (1.0, 0, 1),
        "pi_model": (10.0, 6554, 1),
        "mean_teacher": (50.0, 6554, 1),
        "pseudo_label": (1.0, 6554, 1),
        "fixmatch": (1.0, 0, 7),
        "uda": (1.0, 0, 7),
        "flexmatch": (1.0, 0, 7),
        "freematch": (1.0, 0, 7),
        "softmatch": (1.0, 0, 7),
        "mixmatch": (75.0, 6554, 1),
    }
    found = {
        name: (s.weight, s.ramp_steps, s.unlabeled_ratio)
        for name in strategies.names()
        for s in [strategies.get(name)]
    }
    assert found == expected
    assert PseudoLabel().threshold == FixMatch().threshold == 0.95


def test_ramp_follows_the_length_of_training():
    assert strategies.get("pi_model", training_steps=1_000).ramp_steps == 400
    assert strategies.get(MeanTeacher, training_steps=1).ramp_steps == 0
    assert strategies.get("fixmatch", training_steps=1_000).ramp_steps == 0
    given = PiModel(ramp_steps=7)
    assert strategies.get(given, training_steps=1_000) is given
    assert given.ramp_steps == 7


def test_the_weight_of_mixmatch_follows_the_length_of_training():
    strategy = strategies.get("mixmatch", training_steps=1_638)
    assert strategy.weight == pytest.approx(7.5, abs=0.01)
    assert strategies.get("mixmatch", training_steps=10**6).weight == 75.0
    strategy.replan(1_638, 8_192)
    assert strategy.weight == 37.5 and strategy.ramp_steps == 3_277
    given = strategies.MixMatch(weight=9.0)
    given.replan(16_384, 8_192)
    assert given.weight == 9.0


def test_table_of_interface():
    table = {
        "supervised": ({"first": "detached", "second": "student"}, "second", "first"),
        "pi_model": ({"first": "detached", "second": "student"}, "second", "first"),
        "mean_teacher": ({"first": "teacher", "second": "student"}, "second", "first"),
        "pseudo_label": ({"only": "student"}, "only", None),
        "mixmatch": ({"first": "student", "second": "detached"}, "first", "second"),
    }
    for name in ("fixmatch", "uda", "flexmatch", "freematch", "softmatch"):
        table[name] = ({"weak": "student", "strong": "student"}, "weak", "strong")
    assert sorted(table) == strategies.names()
    for name, (views, anchor, partner) in table.items():
        strategy = strategies.get(name)
        assert (strategy.views, strategy.anchor, strategy.partner) == (
            views,
            anchor,
            partner,
        )
        assert strategy.needs_unlabeled == (name != "supervised")


def test_names_are_sorted_and_complete():
    assert strategies.names() == [
        "fixmatch",
        "flexmatch",
        "freematch",
        "mean_teacher",
        "mixmatch",
        "pi_model",
        "pseudo_label",
        "softmatch",
        "supervised",
        "uda",
    ]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("pi-model", "pi_model"),
        ("PiModel", "pi_model"),
        ("fixmach", "fixmatch"),
        ("Mean Teacher", "mean_teacher"),
    ],
)
def test_unknown_names_get_the_nearest(name, near):
    with pytest.raises(ValueError, match=f"Did you mean '{near}'") as error:
        strategies.get(name)
    for known in strategies.names():
        assert known in str(error.value)


def test_unknown_name_without_a_near_one():
    with pytest.raises(ValueError, match=r"Unknown strategy 'zzz'. Known names: fixm"):
        strategies.get("zzz")


@pytest.mark.parametrize(
    "value", [None, 3, 0.5, ["pi_model"], keras.layers.Layer, keras.layers.Dense, dict]
)
def test_wrong_types(value):
    with pytest.raises(TypeError, match="strategy must be one of the names"):
        strategies.get(value)


def test_config_of_something_else():
    config = keras.saving.serialize_keras_object(keras.layers.Dense(2))
    with pytest.raises(TypeError, match="strategy must be one of the names"):
        strategies.get(config)


def test_base_class_is_no_strategy():
    with pytest.raises(ValueError, match=r"`SSLStrategy.views` is empty"):
        strategies.get(SSLStrategy)


def test_get_takes_serialized_configs():
    strategy = FixMatch(threshold=0.7, unlabeled_ratio=3, weight=2.0, ramp_steps=5)
    again = strategies.get(keras.saving.serialize_keras_object(strategy))
    assert type(again) is FixMatch and again is not strategy
    assert again.get_config() == strategy.get_config()
    assert (again.threshold, again.unlabeled_ratio) == (0.7, 3)


class Own(PiModel):
    """A strategy of a user's own."""


class Second(PiModel):
    """Another one."""


@pytest.fixture
def registry(monkeypatch):
    """Leaves the registry as it was."""
    monkeypatch.setattr(strategies, "_NAMED", dict(strategies._NAMED))


@pytest.mark.usefixtures("registry")
def test_register():
    strategies.register("own", Own)
    assert "own" in strategies.names()
    assert type(strategies.get("own")) is Own
    strategies.register("own", Own)  # once more is no harm
    with pytest.raises(ValueError, match="name 'own' is taken by `Own`"):
        strategies.register("own", Second)
    with pytest.raises(ValueError, match="name 'pi_model' is taken by `PiModel`"):
        strategies.register("pi_model", Own)
    assert type(strategies.get("pi_model")) is PiModel


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("value", [None, "pi_model", Own(), keras.layers.Dense])
def test_register_wrong_types(value):
    with pytest.raises(TypeError, match="must be a subclass of"):
        strategies.register("own", value)
    assert "own" not in strategies.names()


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("name", [None, 3, ""])
def test_register_wrong_names(name):
    with pytest.raises(TypeError, match="`name` must be a string"):
        strategies.register(name, Own)
