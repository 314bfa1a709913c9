"""`fit` and its surroundings, as for any Keras model."""

import warnings

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import strategies
from tests.models.helpers import (
    STRATEGIES,
    Batches,
    arrays,
    difference,
    make_model,
    strategy,
)
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")

TERMS = {f"{t}_loss" for t in ("supervised", "ssl", "inverse", "ambiguity")}
TERMS |= {"consistency_loss", "ambiguous", "mask_rate", "loss", "accuracy"}
SCORES = {"f1", "d", "d_minus_f1", "ambiguous", "degenerated", "selective_score"}


@pytest.mark.graph
@pytest.mark.parametrize("ssl", few(STRATEGIES, "fixmatch"))
def test_logs_terms_rates_accuracy_and_validation_scores(ssl, make_backbone):
    x, y = arrays(ssl)
    soft = np.eye(3, dtype="float32")[y] * 0.8 + 0.2 / 3
    model = make_model(make_backbone, strategy(ssl))
    history = model.fit(
        x, y, batch_size=8, epochs=2, verbose=0, validation_data=(x["labeled"], soft)
    ).history
    expected = TERMS | {f"val_{s}" for s in SCORES} | {"val_loss", "val_accuracy"}
    assert set(history) == expected
    assert all(np.isfinite(history["loss"]))
    assert int(keras.ops.convert_to_numpy(model.step.value)) == 6
    total = sum(history[name][0] for name in TERMS if name.endswith("_loss"))
    assert total == pytest.approx(history["loss"][0], rel=1e-5)


def test_integer_validation_labels_give_no_distances(make_backbone):
    x, y = arrays("pi_model")
    model = make_model(make_backbone)
    history = model.fit(
        x, y, batch_size=8, verbose=0, validation_data=(x["labeled"], y)
    ).history
    assert {"val_f1", "val_ambiguous", "val_degenerated"} <= set(history)
    assert not {"val_d", "val_d_minus_f1"} & set(history)


def test_evaluate_equals_scores_of_predictions(make_backbone):
    x, y = arrays("pi_model", n=30)
    rng = np.random.default_rng(0)
    soft = rng.dirichlet(np.ones(3) * 0.5, size=30).astype("float32")
    model = make_model(make_backbone)
    model.fit(x, y, batch_size=8, verbose=0)
    logs = model.evaluate(x["labeled"], soft, batch_size=7, verbose=0, return_dict=True)
    outputs = model.predict(x["labeled"], verbose=0)
    expected = keras_dc3.metrics.proposal_scores(
        soft, outputs["classes"], outputs["clusters"], outputs["ambiguity"]
    )
    expected["selective_score"] = keras_dc3.metrics.selective_score(
        soft, outputs["classes"], outputs["ambiguity"]
    )
    for name in SCORES:
        np.testing.assert_allclose(logs[name], float(expected[name]), rtol=1e-6)
    cross_entropy = -np.mean(np.sum(soft * np.log(outputs["classes"]), axis=1))
    assert logs["loss"] == pytest.approx(cross_entropy, rel=1e-4)
    assert "inverse_loss" not in logs
    values = model.evaluate(x["labeled"], soft, batch_size=7, verbose=0)
    assert values == pytest.approx([logs["loss"], logs["accuracy"]])


def test_vanilla_calls_every_image_certain(make_backbone):
    x, y = arrays("pi_model")
    soft = np.eye(3, dtype="float32")[y]
    model = make_model(make_backbone, config=keras_dc3.DC3Config.vanilla())
    model.fit(x, y, batch_size=8, verbose=0)
    assert (model.predict(x["labeled"], verbose=0)["ambiguity"] == 0).all()
    logs = model.evaluate(x["labeled"], soft, verbose=0, return_dict=True)
    assert logs["ambiguous"] == 0 and not logs["degenerated"]
    assert np.isfinite(logs["d"])


@pytest.mark.graph
@pytest.mark.filterwarnings("error:Gradients do not exist")
def test_supervised_trains_on_plain_images(make_backbone):
    x, y = arrays("supervised", n=32)
    model = make_model(
        make_backbone, "supervised", optimizer=keras.optimizers.Adam(0.1)
    )
    with pytest.warns(UserWarning, match="ambiguity and clusters stay random"):
        model.fit(x["labeled"], y, batch_size=8, verbose=0)
    vanilla = keras_dc3.DC3Config.vanilla()
    optimizer = keras.optimizers.Adam(0.1)
    model = make_model(make_backbone, "supervised", vanilla, optimizer=optimizer)
    history = model.fit(x["labeled"], y, batch_size=8, epochs=15, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.slow
def test_py_dataset_equals_arrays(make_backbone):
    x, y = arrays("mean_teacher")
    models = [make_model(make_backbone, strategy("mean_teacher")) for _ in range(2)]
    models[0].fit(x, y, batch_size=8, shuffle=False, verbose=0)
    models[1].fit(Batches(x, y), shuffle=False, verbose=0)
    assert difference(*models) < 1e-6


def test_any_object_with_the_data_protocol_trains(make_backbone):
    x, y = arrays("fixmatch")

    class Data:
        num_classes = 3

        def training_batches(self, views, unlabeled_ratio=1):
            self.asked = set(views), unlabeled_ratio
            return Batches(x, y)

        def validation_batches(self):
            return None

    data = Data()
    model = make_model(make_backbone, "fixmatch", num_classes=None)
    history = model.fit(data, epochs=2, verbose=0).history
    assert data.asked == ({"weak", "strong"}, 7)
    assert len(history["loss"]) == 2 and model.num_clusters == 15


def test_number_of_classes_from_soft_labels(make_backbone):
    x, y = arrays("pi_model")
    model = make_model(make_backbone, num_classes=None)
    model.fit(x, np.eye(5, dtype="float32")[y], batch_size=8, verbose=0)
    assert model.num_classes == 5
    assert model.predict(x["labeled"], verbose=0)["clusters"].shape == (24, 25)


def test_same_seed_same_weights(make_backbone):
    x, y = arrays("fixmatch")
    config = keras_dc3.DC3Config.reference()  # draws random partners
    models = []
    for seed in (3, 3, 4):
        model = make_model(
            make_backbone, strategy("fixmatch"), config, seed, backbone={"dropout": 0.2}
        )
        model.fit(x, y, batch_size=8, epochs=2, verbose=0)
        models.append(model)
    assert difference(models[0], models[1]) == 0
    assert difference(models[0], models[2]) > 1e-3


@pytest.mark.slow
@pytest.mark.graph
@pytest.mark.parametrize(
    "option",
    few(
        ["run_eagerly", "jit_compile", "steps_per_execution"],
        "steps_per_execution",
    ),
)
def test_ways_to_run_agree(option, make_backbone):
    backend = keras.backend.backend()
    if backend == "torch" and option != "run_eagerly":
        pytest.skip("slow, or refused by Keras, on PyTorch")
    x, y = arrays("mean_teacher", n=40)
    value = 2 if option == "steps_per_execution" else True
    models = []
    for compiled in ({"jit_compile": False}, {option: value}):
        model = make_model(
            make_backbone,
            strategy("mean_teacher"),
            optimizer=keras.optimizers.SGD(0.05, momentum=0.9),
            compile=compiled,
        )
        model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
        models.append(model)
    assert difference(*models) < 1e-5


@pytest.mark.slow
@pytest.mark.graph
@pytest.mark.parametrize("ssl", few(STRATEGIES, "fixmatch"))
def test_mixed_float16_stays_finite(ssl, make_backbone):
    x, y = arrays(ssl)
    model = make_model(make_backbone, strategy(ssl), dtype="mixed_float16")
    history = model.fit(x, y, batch_size=8, epochs=2, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert all(np.isfinite(w).all() for w in model.get_weights())
    outputs = model.predict(x["labeled"], verbose=0)
    assert {str(value.dtype) for value in outputs.values()} == {"float32"}


@pytest.mark.filterwarnings("ignore:`EarlyStopping` monitors|`val_d_minus_f1` was NaN")
def test_callbacks_and_a_compile_of_ones_own(make_backbone, tmp_path):
    x, y = arrays("pi_model")
    soft = np.eye(3, dtype="float32")[y]
    model = make_model(make_backbone)
    model.compile(
        optimizer="adam", metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy(2)]
    )
    callbacks = [
        keras.callbacks.EarlyStopping("val_d_minus_f1", mode="min", patience=5),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
    ]
    if keras.backend.backend() == "tensorflow":
        callbacks.append(keras.callbacks.TensorBoard(tmp_path / "board"))
    model.fit(
        x,
        y,
        batch_size=8,
        epochs=2,
        verbose=0,
        validation_data=(x["labeled"], soft),
        callbacks=callbacks,
    )
    header = (tmp_path / "log.csv").read_text().splitlines()[0]
    assert "val_d_minus_f1" in header and "inverse_loss" in header
    keras.saving.load_model(tmp_path / "best.keras")


@pytest.mark.slow
@pytest.mark.graph
def test_a_length_that_does_not_fit_the_schedule_is_told(make_backbone):
    x, y = arrays("pi_model")
    model = make_model(make_backbone, training_steps=1000)
    with pytest.warns(UserWarning, match=r"ends after 3 steps.*training_steps=3"):
        model.fit(Batches(x, y), verbose=0)
    model = make_model(make_backbone, training_steps=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.fit(Batches(x, y), verbose=0)


class Idle(keras.layers.Layer):
    """A layer of the user's with a weight that nothing depends on."""

    def build(self, input_shape):
        self.forgotten = self.add_weight(shape=(1,), name="forgotten")

    def call(self, inputs):
        return inputs


@pytest.mark.slow
def test_heads_that_plain_images_do_not_train(make_backbone):
    x, y = arrays("supervised")
    settings = ("supervised", keras_dc3.DC3Config.vanilla())
    model = make_model(make_backbone, *settings, training_steps=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.fit(x["labeled"], y, batch_size=8, verbose=0)
        for run_eagerly in (False, True):  # the warning comes where a step is traced
            model.compile("sgd", run_eagerly=run_eagerly)
            model.train_on_batch(x["labeled"][:8], y[:8])
    if keras.backend.backend() == "jax":
        return  # every gradient exists there
    backbone = keras.Sequential([*make_backbone().layers, Idle()])
    model = make_model(lambda: backbone, *settings, training_steps=3)
    with pytest.warns(UserWarning, match="Gradients do not exist .*forgotten"):
        model.fit(x["labeled"], y, batch_size=8, verbose=0)
    model.compile("sgd")
    with pytest.warns(UserWarning, match="Gradients do not exist .*forgotten"):
        model.train_on_batch(x["labeled"][:8], y[:8])


@pytest.mark.slow
def test_freezing_the_backbone_then_training_it(make_backbone):
    x, y = arrays("mean_teacher")
    model = make_model(make_backbone, strategy("mean_teacher"))
    model.build((None, 8, 8, 3))
    before = [np.array(w) for w in model.backbone.get_weights()]
    model.backbone.trainable = False
    model.compile("sgd")
    model.fit(x, y, batch_size=8, verbose=0)
    pairs = zip(before, model.backbone.get_weights(), strict=True)
    assert all((a == b).all() for a, b in pairs)
    model.backbone.trainable = True
    model.compile("sgd")
    model.fit(x, y, batch_size=8, verbose=0)
    pairs = zip(before, model.backbone.get_weights(), strict=True)
    assert any((a != b).any() for a, b in pairs)


@pytest.mark.slow
def test_backbones_of_every_kind():
    class Subclassed(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.conv = keras.layers.Conv2D(4, 3)

        def call(self, images):
            return self.conv(images)

    inputs = keras.Input((8, 8, 3))
    functional = keras.Model(inputs, keras.layers.Flatten()(inputs))
    x, y = arrays("pi_model")
    for backbone in (Subclassed(), functional, keras.layers.Flatten()):
        model = keras_dc3.DC3Model(backbone, num_classes=3, training_steps=3)
        model.fit(x, y, batch_size=8, verbose=0)
        assert model(x["labeled"][:2])["classes"].shape == (2, 3)


def test_integer_images_are_scaled_unless_the_backbone_does_it():
    x, _ = arrays("pi_model")
    images = x["labeled"]

    def outputs(backbone, images, **kwargs):
        keras.utils.set_random_seed(0)
        model = keras_dc3.DC3Model(backbone, num_classes=3, **kwargs)
        return keras.ops.convert_to_numpy(model(images)["classes"])

    flatten = keras.layers.Flatten
    scaled = outputs(flatten(), images)
    by_hand = outputs(flatten(), images / np.float32(127.5) - 1)
    np.testing.assert_allclose(scaled, by_hand, atol=1e-6)
    own = keras.Sequential([keras.layers.Rescaling(1 / 127.5, -1), flatten()])
    np.testing.assert_allclose(outputs(own, images), scaled, atol=1e-6)
    raw = outputs(flatten(), images, rescale=False)
    np.testing.assert_allclose(raw, outputs(flatten(), images.astype("float32")))


def test_names_of_strategies_in_the_error():
    with pytest.raises(ValueError, match=r"Did you mean 'mean_teacher'.*pi_model"):
        keras_dc3.DC3Model(keras.layers.Flatten(), ssl="mean-teachr")
    assert strategies.names() == sorted(strategies.names())


@pytest.mark.slow
def test_parts_of_a_data_set_go_in_everywhere(make_backbone):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (70, 8, 8, 3)).astype("uint8")
    counts = rng.multinomial(5, [0.5, 0.3, 0.2], size=70)
    names = [f"fish, {i}" for i in range(70)]
    data = keras_dc3.datasets.from_arrays(
        images, counts, ids=names, class_names=["cod", "haddock", "neither"]
    )
    model = make_model(make_backbone, num_classes=None)
    model.fit(data, epochs=1, steps_per_epoch=2, verbose=0)
    assert model.class_names == ("cod", "haddock", "neither")
    part = data.validation
    predicted = model.predict(part, batch_size=5, verbose=0)
    expected = model.predict(part.images, verbose=0)
    for name, value in expected.items():
        np.testing.assert_allclose(predicted[name], value, atol=1e-6)
    by_part = model.evaluate(part, verbose=0, return_dict=True)
    by_data = model.evaluate(data, verbose=0, return_dict=True)
    assert by_part == pytest.approx(by_data, nan_ok=True)
    proposals = model.propose(part, batch_size=2, verbose=0)
    assert tuple(proposals.ids) == part.ids
    batches = [
        {"image": part.images[i : i + 3], "id": part.ids[i : i + 3]}
        for i in range(0, len(part), 3)
    ]
    assert model.propose(batches, batch_size=2, verbose=0) == proposals
    again = model.propose(part.images, ids=part.ids, verbose=0)
    assert tuple(again.ids) == part.ids
    np.testing.assert_allclose(again.ambiguity, proposals.ambiguity, atol=1e-6)


@pytest.mark.slow
def test_balanced_class_weights_come_from_the_labeled_images_alone(make_backbone):
    rng = np.random.default_rng(0)
    labels = np.array([0] * 16 + [1] * 6 + [2] * 2)
    weights = keras_dc3.annotations.balanced_class_weights(labels, 4)
    assert weights == pytest.approx({0: 0.5, 1: 24 / 18, 2: 4.0, 3: 1.0})
    images = rng.integers(0, 256, (60, 8, 8, 3)).astype("uint8")
    data = keras_dc3.datasets.from_parts(
        images[:24],
        labels,
        images[24:48],
        (images[48:], rng.integers(0, 3, 12)),
        num_classes=3,
        batch_size=8,
    )
    del weights[3]
    models = []
    for class_weight in ("balanced", weights, None):
        model = make_model(make_backbone, strategy("pi_model"), optimizer="sgd")
        model.fit(data, epochs=1, verbose=0, class_weight=class_weight)
        models.append(model)
    assert difference(models[0], models[1]) == 0
    assert difference(models[0], models[2]) > 1e-5
    with pytest.raises(ValueError, match="`class_weight` must be one of"):
        model.fit(data, class_weight="ballanced")
    with pytest.raises(ValueError, match="needs the labels as an array"):
        x, y = arrays("pi_model")
        model.fit(Batches(x, y), class_weight="balanced", verbose=0)
