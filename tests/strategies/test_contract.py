"""Every strategy, ours or a user's, keeps one contract; broken ones are told why."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_dc3 import strategies
from keras_dc3.strategies import SSLStrategy
from keras_dc3.testing import check_strategy, gradients
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")
register = keras.saving.register_keras_serializable("test_contract")


@register
class UDA(SSLStrategy):
    """Sharpened soft targets from the weak view (Xie et al., 2020)."""

    views = {"weak": "student", "strong": "student"}
    anchor, partner = "weak", "strong"

    def __init__(self, temperature=0.4, threshold=0.8, **kwargs):
        super().__init__(**kwargs)
        self.temperature, self.threshold = temperature, threshold

    def unlabeled_loss(self, logits):
        target = ops.stop_gradient(ops.softmax(logits["weak"] / self.temperature))
        confidence = ops.stop_gradient(ops.max(ops.softmax(logits["weak"]), axis=-1))
        keep = ops.cast(confidence >= self.threshold, target.dtype)
        return keep * ops.categorical_crossentropy(
            target, logits["strong"], from_logits=True
        )

    def get_config(self):
        return {
            **super().get_config(),
            "temperature": self.temperature,
            "threshold": self.threshold,
        }


@register
class BatchNormalized(SSLStrategy):
    """A loss that is divided by its mean over the batch."""

    views = {"only": "student"}
    anchor = "only"

    def unlabeled_loss(self, logits):
        losses = ops.logsumexp(logits["only"], axis=-1) ** 2 + 1.0
        return losses / ops.mean(losses)


@register
class Counting(SSLStrategy):
    """A strategy with state that every call of its loss changes."""

    views = {"weak": "student", "strong": "teacher"}
    anchor, partner = "weak", "strong"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = self.add_weight(
            name="seen", shape=(), initializer="zeros", trainable=False
        )

    def unlabeled_loss(self, logits):
        self.seen.assign(self.seen + 1.0)
        return ops.mean((logits["weak"] - logits["strong"]) ** 2, axis=-1) / self.seen


# The base of the broken ones: right in everything.
@register
class Sound(SSLStrategy):
    views = {"weak": "student", "strong": "student"}
    anchor, partner = "weak", "strong"

    def unlabeled_loss(self, logits):
        return ops.mean((logits["weak"] - logits["strong"]) ** 2, axis=-1)


@pytest.mark.parametrize("name", few(strategies.names(), "fixmatch"))
def test_registered_strategies_keep_the_contract(name):
    check_strategy(name)


def test_a_strategy_of_ones_own_keeps_the_contract():
    check_strategy(UDA(temperature=0.3, threshold=0.5), image_shape=(6, 5, 1))


@pytest.mark.slow
def test_more_strategies_keep_the_contract():
    check_strategy(Sound, num_classes=2)
    check_strategy(BatchNormalized, independent_images=False)


@pytest.mark.slow
def test_strategy_with_state_keeps_the_contract():
    check_strategy(Counting, independent_images=False)


def _broken(name, **members):
    """Registers and returns a `Sound` strategy with some members replaced."""
    return register(type(name, (Sound,), members))


def _distance(logits):
    return ops.mean((logits["weak"] - logits["strong"]) ** 2, axis=-1)


def _keepdims(self, logits):
    # The slip of the authors' pseudo-label: (n, 1) * (n,) is (n, n).
    mask = ops.max(ops.softmax(logits["weak"]), axis=-1, keepdims=True) > 0.5
    return ops.cast(mask, "float32") * _distance(logits)


def _nan_gradient(self, logits):
    return ops.sqrt(ops.sum((logits["weak"] - logits["strong"]) ** 2, axis=-1))


def _mutating(self, logits):
    logits["weak"] = logits["weak"] * 0.0
    return _distance(logits)


def _adding(self, logits):
    logits["mean"] = (logits["weak"] + logits["strong"]) / 2.0
    return _distance(logits)


def _half_mask(self, logits):
    return ops.ones_like(logits["weak"][:, 0]) * 0.5


BROKEN = [
    ("NoViews", {"views": {}}, "views` is empty"),
    (
        "UnknownRole",
        {"views": {"weak": "student", "strong": "pupil"}},
        r"UnknownRole.views\['strong'\]` must be one of .*'pupil'",
    ),
    (
        "Reserved",
        {"views": {"labeled": "student"}, "anchor": "labeled", "partner": None},
        "reserved name 'labeled'",
    ),
    ("NoAnchor", {"anchor": None}, "NoAnchor.anchor` must name one of its views"),
    ("OtherAnchor", {"anchor": "other"}, "anchor` must name .*'other'"),
    (
        "TeacherAnchor",
        {"views": {"weak": "teacher", "strong": "student"}},
        "anchor` must be a view with the role 'student'",
    ),
    ("OtherPartner", {"partner": "other"}, "partner` must be None or one .*'other'"),
    ("NotADict", {"views": ["weak"]}, "NotADict.views` must be a dict"),
    (
        "UndeclaredView",
        {"unlabeled_loss": lambda self, logits: logits["third"][:, 0]},
        "unlabeled_loss` asks for the view 'third', but gets .*declare it",
    ),
    ("NoRatio", {"unlabeled_ratio": 0}, "NoRatio.unlabeled_ratio` must be an integer"),
    (
        "Scalar",
        {"unlabeled_loss": lambda self, logits: ops.mean(_distance(logits))},
        r"Scalar.unlabeled_loss` must return one value per image.* shape \(\)",
    ),
    (
        "Column",
        {"unlabeled_loss": lambda self, logits: _distance(logits)[:, None]},
        r"one value per image, shape \(7,\)\. Received: shape \(7, 1\)",
    ),
    ("Square", {"unlabeled_loss": _keepdims}, r"Received: shape \(7, 7\)"),
    (
        "LabeledRows",
        {"unlabeled_loss": lambda self, logits: logits["labeled"][:, 0]},
        r"shape \(7,\)\. Received: shape \(5,\)",
    ),
    (
        "Integers",
        {"unlabeled_loss": lambda self, logits: ops.argmax(logits["weak"], axis=-1)},
        "must return floating-point numbers",
    ),
    (
        "NotANumber",
        {"unlabeled_loss": lambda self, logits: _distance(logits) * float("nan")},
        "NotANumber.unlabeled_loss` must be finite, but on random logits",
    ),
    (
        "Overflow",
        {
            "unlabeled_loss": lambda self, logits: ops.sum(
                ops.exp(2.0 * ops.abs(logits["weak"])), axis=-1
            )
        },
        r"must be finite, but on logits of \+-50",
    ),
    (
        "NaNGradient",
        {"unlabeled_loss": _nan_gradient},
        "gradient of `NaNGradient.unlabeled_loss` for the view .* is NaN",
    ),
    ("Mutating", {"unlabeled_loss": _mutating}, "must not change the logits"),
    ("Adding", {"unlabeled_loss": _adding}, "must not change the logits"),
    ("HalfMask", {"mask": _half_mask}, "mask` must be 0 or 1 for each image"),
    (
        "MatrixMask",
        {"mask": lambda self, logits: ops.ones_like(logits["weak"])},
        r"mask` must return one value per image, shape \(7,\)",
    ),
    (
        "Coupled",
        {
            "unlabeled_loss": lambda self, logits: (
                _distance(logits) - ops.mean(_distance(logits))
            )
        },
        "the loss of an image must depend on its own views alone.*independent_images",
    ),
    (
        "LabeledScalar",
        {"labeled_loss": lambda self, targets, logits: ops.mean(logits)},
        r"labeled_loss` must return one value per image, shape \(5,\)",
    ),
    (
        "LabeledInfinite",
        {
            "labeled_loss": lambda self, targets, logits: (
                -ops.sum(targets * ops.log(ops.softmax(9.0 * logits)), axis=-1)
            )
        },
        "labeled_loss` must be finite, but on .* logits of",
    ),
    (
        "VectorWeight",
        {"loss_weight": lambda self, step: ops.ones((1,))},
        r"loss_weight` must return a scalar.* shape \(1,\) at step 0",
    ),
    (
        "NegativeWeight",
        {"loss_weight": lambda self, step: 500.0 - ops.cast(step, "float32")},
        "loss_weight` must be finite and at least 0.* at step 1,000",
    ),
    (
        "InfiniteWeight",
        {"loss_weight": lambda self, step: 1.0 / ops.cast(step, "float32")},
        "loss_weight` must be finite.*inf at step 0",
    ),
    (
        "NotPlain",
        {"get_config": lambda self: {**Sound.get_config(self), "set": {1}}},
        "(JSON|cannot|serializ)",
    ),
]


@pytest.mark.parametrize(("name", "members", "message"), BROKEN, ids=lambda v: v)
def test_broken_strategies_are_told_why(name, members, message):
    with pytest.raises((AssertionError, ValueError, TypeError), match=message):
        check_strategy(_broken(name, **members))


class Unregistered(Sound):
    pass


@register
class ForgetsArgument(Sound):
    def __init__(self, temperature=0.4, **kwargs):
        super().__init__(**kwargs)
        self.temperature = temperature


@register
class ChangesArgument(ForgetsArgument):
    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature + 1.0}


@register
class NeedsArgument(Sound):
    def __init__(self, temperature, **kwargs):
        super().__init__(**kwargs)


@register
class NotWritten(SSLStrategy):
    views = {"only": "student"}
    anchor = "only"


@register
class NaNInTraining(Sound):
    """Right on logits of any other size than those of an untrained model."""

    def unlabeled_loss(self, logits):
        largest = ops.max(ops.abs(logits["weak"]))
        untrained = ops.logical_and(largest > 0.0, largest < 2.0)
        return _distance(logits) + ops.where(untrained, float("nan"), 0.0)


def test_broken_configs_are_told_why():
    with pytest.raises(AssertionError, match="`Unregistered` is not registered"):
        check_strategy(Unregistered())
    with pytest.raises(AssertionError, match=r"lacks .* \['temperature'\]"):
        check_strategy(ForgetsArgument)
    with pytest.raises(AssertionError, match="comes back with another config"):
        check_strategy(ChangesArgument)
    with pytest.raises(ValueError, match="`NeedsArgument` cannot be made without"):
        check_strategy(NeedsArgument)
    with pytest.raises(NotImplementedError, match="`NotWritten` must implement"):
        check_strategy(NotWritten)
    with pytest.raises(ValueError, match=r"Unknown strategy 'fixmach'.*'fixmatch'"):
        check_strategy("fixmach")
    with pytest.raises(TypeError, match="must be one of the names"):
        check_strategy(keras.layers.Dense(2))


def test_loss_that_is_nan_only_in_training_is_found():
    with pytest.raises(AssertionError, match=r"after one training step .* is nan"):
        check_strategy(NaNInTraining, independent_images=False)


def test_gradients_of_structures():
    found = gradients(
        lambda x: ops.sum(x["a"] ** 2) + ops.sum(ops.stop_gradient(x["b"][0])),
        {"a": np.array([1.0, -2.0]), "b": [np.ones(2), np.ones((1, 3))]},
    )
    np.testing.assert_allclose(found["a"], [2.0, -4.0])
    np.testing.assert_array_equal(found["b"][0], np.zeros(2))
    np.testing.assert_array_equal(found["b"][1], np.zeros((1, 3)))
    constant = gradients(lambda x: ops.convert_to_tensor(1.0), np.ones(2))
    np.testing.assert_array_equal(constant, np.zeros(2))
