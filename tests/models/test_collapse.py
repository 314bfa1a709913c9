"""Training that no longer helps is told; made to collapse by hand, on purpose."""

import warnings

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.callbacks import collapse_monitor, generalization
from keras_dc3.callbacks.validation_figures import ValidationFigures
from tests.models.helpers import STRATEGIES, Batches, make_model, strategy
from tests.slow import few

EPOCHS, STEPS, BATCH = 4, 5, 24  # 20 steps: fewer say nothing


def colours(ssl, n=BATCH * STEPS):
    """Images of one colour: red, green or blue is their class, pale ones unclear."""
    rows = np.arange(n)
    strength = np.where(rows // 3 % 2, 1.0, 0.1)
    pixels = (strength[:, None] * np.eye(3)[rows % 3]).astype("float32")
    images = np.broadcast_to(pixels[:, None, None], (n, 4, 4, 3)).copy()
    views = keras_dc3.strategies.get(ssl).views
    return {"labeled": images, "unlabeled": {v: images for v in views}}, rows % 3


def colour_model(ssl="mean_teacher", config=None, threshold=None, **changes):
    """A model whose heads read the colours well, but for `changes`; it never learns.

    Args:
        changes: names of heads -> weights to set, or a number to add to each of them.
    """
    settings = {} if threshold is None else {"threshold": threshold}
    names = changes.pop("class_names", None)
    model = make_model(
        keras.layers.GlobalAveragePooling2D,
        strategy(ssl, **settings),
        config or keras_dc3.DC3Config(cluster_head="linear"),
        optimizer=keras.optimizers.SGD(0.0),
        training_steps=EPOCHS * STEPS,
        image_shape=(4, 4, 3),
        class_names=names,
    )
    weights = {
        "class_head": [np.eye(3) * 10, np.zeros(3)],
        "cluster_head": [np.eye(3, 15) * 10, np.zeros(15)],
        "ambiguity_head": [np.array(1), np.array(3)],
        **changes,
    }
    for head, values in weights.items():
        getattr(model.network, head).set_weights(values)
    return model


def fit(model, x, y, **kwargs):
    """Trains, and returns the warnings that name an epoch."""
    options = {"epochs": EPOCHS, "verbose": 0, "shuffle": False, **kwargs}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(Batches(x, y, BATCH), **options)
    told = [w for w in caught if str(w.message).startswith("Epoch ")]
    assert all(w.category is UserWarning for w in told)
    # They point to the line that called `fit`, whatever Keras puts between.
    assert all(w.filename == __file__ for w in told)
    return [str(w.message) for w in told]


@pytest.mark.parametrize("ssl", few(STRATEGIES, "supervised", "fixmatch"))
def test_a_good_model_is_told_nothing(ssl):
    assert fit(colour_model(ssl), *colours(ssl)) == []


@pytest.mark.parametrize(("bias", "figure"), [(99, "100.0%"), (-99, "0.0%")])
def test_one_side(bias, figure):
    weights = [np.array(1), np.array(bias)]
    told = fit(colour_model(ambiguity_head=weights), *colours("mean_teacher"))
    assert len(told) == 1
    assert told[0].startswith(f"Epoch 4: {figure} of the unlabeled images were called")
    assert "`prior` expects 60%" in told[0]


@pytest.mark.slow
def test_one_side_is_meant_where_the_prior_says_so():
    weights = [np.array(1), np.array(-99)]
    for prior, number in ((0.0, 0), (0.05, 1)):
        config = keras_dc3.DC3Config(prior=prior, cluster_head="linear")
        model = colour_model(config=config, ambiguity_head=weights)
        assert len(fit(model, *colours("mean_teacher"))) == number
    model = colour_model(config=keras_dc3.DC3Config.ce_inverse_only())
    assert fit(model, *colours("mean_teacher")) == []  # here p_a counts as 0


def test_one_class():
    model = colour_model(
        class_head=[np.eye(3) * 10, np.array([0, 99, 0])],
        class_names=["cod", "haddock", "neither"],
        config=keras_dc3.DC3Config.vanilla(),
    )
    (message,) = fit(model, *colours("mean_teacher"))
    expected = "Epoch 4: 100.0% of the unlabeled images were predicted as class 1 ("
    assert message.startswith(expected + "'haddock')")


@pytest.mark.parametrize(
    "config", few(["ce_inverse_only", "cc_only", "vanilla"], "ce_inverse_only")
)
def test_one_cluster(config):
    """Told where clusters are trained, and only there."""
    model = colour_model(
        config=getattr(keras_dc3.DC3Config, config)(cluster_head="linear"),
        cluster_head=[np.eye(3, 15) * 10, np.eye(15)[14] * 99],
    )
    told = fit(model, *colours("mean_teacher"))
    assert len(told) == (config != "vanilla")
    assert all("100.0% of" in m and "into cluster 14, one of 15" in m for m in told)


@pytest.mark.slow
def test_one_cluster_of_prototypes():
    """Told too, but no weight of the objective helps those."""
    model = colour_model(config=keras_dc3.DC3Config(prior=0.0))  # so they never move
    prototypes = model.network.prototype_head.prototypes
    far = np.full(prototypes.shape, 9.0)
    far[4] = 0.0
    prototypes.assign(far)
    told = fit(model, *colours("mean_teacher"))
    (message,) = [message for message in told if "into cluster" in message]
    assert "100.0% of" in message and "cluster 4, one of 15" in message
    assert "`inverse_weight`" not in message


@pytest.mark.slow
@pytest.mark.parametrize("ssl", ["fixmatch", "pseudo_label"])
def test_pseudo_labels_of_one_class(ssl):
    """Every class is predicted, but only one with confidence."""
    model = colour_model(ssl, class_head=[np.diag([10, 2, 2]), np.zeros(3)])
    (message,) = fit(model, *colours(ssl))
    assert message.startswith("Epoch 4: 100.0% of the pseudo-labels used were class 0")


@pytest.mark.parametrize("rank_by", few(["uncertainty", "ambiguity"], "uncertainty"))
def test_ambiguity_against_the_uncertainty(rank_by):
    weights = [np.zeros((3, 1)), np.array([-10, 0]), np.array([5])]
    config = keras_dc3.DC3Config(
        rank_by=rank_by,
        ambiguity_inputs="features+uncertainty",
        cluster_head="linear",
    )
    model = colour_model(config=config, ambiguity_head=weights)
    (message,) = fit(model, *colours("mean_teacher"))
    assert "entropy of the class prediction is -1.00" in message
    assert ("`rank_by=" in message) == (rank_by == "ambiguity")


@pytest.mark.slow
def test_when_it_is_told(monkeypatch):
    """Where it has lasted, or at the end of `fit`; once."""
    data, vanilla = colours("mean_teacher"), keras_dc3.DC3Config.vanilla()

    class Bias(keras.callbacks.Callback):
        """Lets the classes collapse, in some epochs alone."""

        def __init__(self, epochs, stop_after=None):
            super().__init__()
            self.epochs, self.stop_after = epochs, stop_after

        def on_epoch_begin(self, epoch, logs=None):
            bias = np.array([99.0 if epoch in self.epochs else 0.0, 0, 0])
            self.model.network.class_head.set_weights([np.eye(3) * 10, bias])

        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch + 1 == self.stop_after

    def told(*bias, training_steps=10_000, step=0, **kwargs):
        model = colour_model(config=vanilla)
        model.training_steps = training_steps
        model.step.assign(step)
        messages = fit(model, *data, callbacks=[Bias(*bias)], **kwargs)
        return [message.split(":")[0] for message in messages]

    always = range(9999)
    assert told(always, epochs=3) == []
    assert told(always, epochs=6) == ["Epoch 6"]
    assert told(always, 5, epochs=9999) == ["Epoch 5"]
    assert told(always, step=9000, epochs=2) == ["Epoch 2"]
    monkeypatch.setattr(collapse_monitor, "LASTING_STEPS", 10)
    one = {"steps_per_epoch": 1, "epochs": 50}
    assert told(range(20, 99), **one) == ["Epoch 30"]
    assert told(range(20, 29), **one) == []
    assert told(always, 9, epochs=9999, training_steps=125) == ["Epoch 5"]


@pytest.mark.slow
@pytest.mark.parametrize("validated", few([False, True], True))
def test_sums_are_those_of_the_epoch_alone(validated):
    """Also where validation comes before the end of the epoch is told."""
    seen = []

    class Read(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.epoch_statistics.read())

    x, y = colours("pi_model")
    model = colour_model("pi_model")
    model.evaluate(x["labeled"], y, verbose=0)
    validation = (x["labeled"][:30], y[:30]) if validated else None
    fit(model, x, y, epochs=2, callbacks=[Read()], validation_data=validation)
    for sums in seen:
        np.testing.assert_array_equal(sums["classes"], [40, 40, 40])
        np.testing.assert_array_equal(sums["pseudo_labels"], [40, 40, 40])
        np.testing.assert_array_equal(sums["clusters"][:4], [40, 40, 40, 0])
        np.testing.assert_array_equal(sums["finite"], STEPS)
    p = keras.ops.convert_to_numpy(model(x["labeled"])["classes"])
    a = keras.ops.convert_to_numpy(model(x["labeled"])["ambiguity"])
    entropy = -(p * np.log(p)).sum(axis=1) / np.log(3)
    expected = np.zeros(3)
    for rows in np.split(np.arange(len(a)), STEPS):
        u, v = a[rows] - a[rows].mean(), entropy[rows] - entropy[rows].mean()
        expected += [np.sum(u * v), np.sum(u * u), np.sum(v * v)]
    np.testing.assert_allclose(seen[0]["agreement"], expected, rtol=1e-4)


@pytest.mark.slow
def test_a_model_that_was_stepped_before_fit():
    """Its step was compiled without the sums."""
    x, y = colours("mean_teacher")
    model = colour_model(class_head=[np.eye(3) * 10, np.array([99, 0, 0])])
    model.train_on_batch(*Batches(x, y, BATCH)[0])
    assert any("as class 0" in message for message in fit(model, x, y))


@pytest.mark.slow
@pytest.mark.tensorflow
def test_sums_under_a_strategy(mirrored):
    x, y = colours("mean_teacher", n=BATCH * STEPS - 1)
    with mirrored.scope():
        model = colour_model(
            class_head=[np.eye(3) * 10, np.array([99, 0, 0])],
            config=keras_dc3.DC3Config.vanilla(),
        )
    (message,) = fit(model, x, y)
    assert message.startswith("Epoch 4: 100.0% of the unlabeled images were predicted")
    sums = model.epoch_statistics.read()
    np.testing.assert_array_equal(sums["classes"], [119, 0, 0])
    np.testing.assert_array_equal(sums["finite"], 2 * STEPS)


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="refused by Keras")
def test_sums_of_several_steps_per_execution():
    x, y = colours("mean_teacher")
    model = colour_model()
    model.compile(keras.optimizers.SGD(0.0), steps_per_execution=2)
    fit(model, x, y)
    np.testing.assert_array_equal(model.epoch_statistics.read()["classes"], 40)


@pytest.mark.slow
@pytest.mark.parametrize("ssl", few(STRATEGIES, "fixmatch"))
def test_a_short_training_that_goes_well_is_told_nothing(ssl, make_backbone):
    """Noisy colours, learned in a few epochs; at first nothing may be confident."""
    x, y = colours(ssl)
    rng = np.random.default_rng(0)
    noisy = keras.tree.map_structure(
        lambda images: (images + 0.5 * rng.normal(size=images.shape)).astype("float32"),
        x,
    )
    # Averages over 1,000 steps would stay where they begin.
    changes = {"momentum": 0.9} if ssl in ("freematch", "softmatch") else {}
    model = make_model(
        make_backbone,
        strategy(ssl, weight=1.0, **changes),
        optimizer=keras.optimizers.SGD(0.03, momentum=0.9),
        training_steps=12 * STEPS,
        image_shape=(4, 4, 3),
    )
    told = fit(model, noisy, y, epochs=12)
    assert [message for message in told if "(mask_rate 0.0)" not in message] == []


def figures(right, wrong, commonest=0.5, k=3):
    """Those of a validation with so many images right, and wrong."""
    n = right + wrong
    majority = np.where(np.arange(n) < round(commonest * n), 0, 1)
    predicted = np.where(np.arange(n) < right, majority, 2)
    return ValidationFigures.of(np.eye(k)[majority], np.eye(k)[predicted])


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (40, 160, True),
        (100, 100, True),  # just as good
        (140, 60, False),
        (4, 6, False),  # too few images
        (14, 16, True),  # few, but nearly all right where 0 is right
    ],
)
def test_accuracy_not_above_the_commonest_class(right, wrong, told):
    message = generalization.not_above_commonest(figures(right, wrong), str)
    assert (message is not None) == told
    if told:
        share = f"{right / (right + wrong):.1%}"
        assert message.startswith(f"{share} of the {right + wrong} validation images")
        assert "the commonest class, 0, would get: 50.0%" in message


def test_ties_favour_no_class_by_its_place():
    soft = np.array([[1, 0, 0]] * 20 + [[0, 0.5, 0.5]] * 80)
    classes = np.array([[0.8, 0.1, 0.1]] * 20 + [[0.1, 0.3, 0.6]] * 80)
    for order in ([0, 1, 2], [0, 2, 1], [2, 1, 0]):
        found = ValidationFigures.of(soft[:, order], classes[:, order])
        assert found.accuracy == pytest.approx(0.6)  # of a tie, half is right
        assert found.share == pytest.approx(0.4)
        assert sorted(found.labeled) == [20, 40, 40]


def test_classes_that_are_never_certain():
    def told(predicted, certain, seen=None):
        return generalization.never_certain(
            np.array(predicted), np.array(certain), seen, "'{}'".format
        )

    assert told([60, 60, 60], [20, 1, 30]) is None
    assert told([60, 40, 60], [20, 0, 30]) is None  # too few to tell
    assert told([60, 60, 60], [0, 0, 0]) is None  # told as a whole
    assert "'1', predicted for 60 unlabeled" in told([60, 60, 60], [20, 0, 30])
    message = told([40, 0, 40], [20, 0, 30], figures(100, 100))
    assert "'1', never predicted, but the majority label of 100" in message


@pytest.mark.parametrize(
    ("losses", "accuracy", "told"),
    [
        ([1.0, 0.5, 0.6, 0.7, 0.8], 1.0, True),
        ([1.0, 0.5, 0.6, 0.7, 0.8], 0.8, False),
        ([1.0, 0.8, 0.6, 0.5, 0.45], 1.0, False),
        ([1.0, 0.5, 0.7, 0.51, 0.8], 1.0, False),  # up and down
        ([0.1, 0.01, 0.02, 0.02, 0.02], 1.0, False),  # next to nothing
        ([0.5, 0.8, 0.9], 1.0, False),  # too early to tell
        ([1.0, 0.5, 0.6, 0.7, 0.8], None, False),
    ],
)
def test_validation_loss_that_rises(losses, accuracy, told):
    message = generalization.memorizing(losses, accuracy, "val_x")
    assert (message is not None) == told
    if told:
        assert "from 0.5 to 0.8, while 100.0% of the labeled images" in message


@pytest.mark.slow
def test_a_model_no_better_than_the_commonest_class_is_told():
    x, y = colours("mean_teacher")
    labels = np.where(np.arange(len(y)) % 2, 2, y)  # 2 is commonest, and rarely right
    weights = [np.roll(np.eye(3), 1, axis=1) * 10, np.zeros(3)]
    model = colour_model(class_head=weights, class_names=["cod", "eel", "ray"])
    told = fit(model, x, y, validation_data=(x["labeled"], labels))
    (message,) = [text for text in told if "commonest" in text]
    assert message.startswith("Epoch 4: ") and "2 ('ray'), would get" in message
    assert fit(colour_model(), x, y, validation_data=(x["labeled"], y)) == []
