"""`class_weight` of `fit`, against a loss computed in NumPy, for each kind of data."""

from itertools import product

import keras
import numpy as np
import pytest

import keras_dc3
from tests.models.helpers import Batches, arrays, make_model, run_case, strategy
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")

NAMES = ["common", "some", "rare"]
WEIGHTS = {"rare": 10.0, "some": 0.5}  # "common" weighs 1
SOFT = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.1, 0.7]], "float32")
ARRAYS = ["images", "dict", "column", "soft dict"]
KINDS = [*ARRAYS, "py_dataset", "data set", "tf.data", "soft tf.data"]


def labels(soft):
    y = np.random.default_rng(3).choice(3, 24, p=[0.6, 0.3, 0.1]).astype("int32")
    y[:3] = 0, 1, 2
    return SOFT[y] if soft else y


def training_data(kind):
    """Returns the arguments of `fit`, images and labels as distributions, in order."""
    ssl = "supervised" if kind == "images" else "pi_model"
    x, _ = arrays(ssl)
    y = labels("soft" in kind)
    hard = y.argmax(axis=1) if y.ndim == 2 else y
    targets = y if y.ndim == 2 else np.eye(3)[y]
    if kind == "images":
        given = (x["labeled"], y)
    elif kind == "py_dataset":
        given = (Batches(x, y),)
    elif kind == "data set":
        data = keras_dc3.datasets.from_parts(
            x["labeled"],
            y,
            x["unlabeled"]["first"],
            (x["unlabeled"]["second"], y),
            class_names=NAMES,
            batch_size=8,
            augment=keras_dc3.data.NoAugmentation(),
        )
        given = (data,)
    elif "tf.data" in kind:
        import tensorflow as tf

        given = (tf.data.Dataset.from_tensor_slices((x, y)).batch(8),)
    else:
        given = (x, y[:, None] if kind == "column" else y)
    return ssl, given, x["labeled"], targets, hard


def first_loss(kind, class_weight):
    """The supervised loss of an epoch in which no weight moves, and its model."""
    ssl, given, images, targets, hard = training_data(kind)
    model = make_model(
        keras.layers.Flatten,
        strategy(ssl),
        keras_dc3.DC3Config.vanilla(),
        class_names=NAMES,
        optimizer=keras.optimizers.SGD(0.0),
    )
    size = 8 if kind in ARRAYS else None
    history = model.fit(
        *given, batch_size=size, epochs=1, class_weight=class_weight, verbose=0
    ).history
    name = "loss" if kind == "images" else "supervised_loss"
    return history[name][0], model, images, targets, hard


@pytest.mark.parametrize(
    ("kind", "form"),
    few(
        list(product(KINDS, ["names", "numbers", "list"])),
        ("dict", "names"),
        ("data set", "list"),
        ("soft tf.data", "numbers"),
    ),
)
def test_weights_act(kind, form):
    if "tf.data" in kind and keras.backend.backend() != "tensorflow":
        pytest.skip("tf.data")
    weights = {"names": WEIGHTS, "numbers": {2: 10, 1: 0.5}, "list": [1, 0.5, 10]}[form]
    loss, model, images, targets, hard = first_loss(kind, weights)
    predicted = model.predict(images, verbose=0)["classes"].astype("float64")
    cross_entropy = -np.sum(targets * np.log(predicted), axis=1)
    expected = np.mean(np.array([1.0, 0.5, 10.0])[hard] * cross_entropy)
    assert expected != pytest.approx(cross_entropy.mean(), rel=0.01)
    assert loss == pytest.approx(expected, rel=1e-4)


TIED = np.array([[0.5, 0.0, 0.5], [0.1, 0.8, 0.1], [1, 1, 1]], "float32")
TIED /= TIED.sum(axis=1, keepdims=True)
OF_TIED = np.array([5.5, 0.5, 11.5 / 3])  # by weights 1, 0.5, 10


@pytest.mark.parametrize("kind", ["dict", "data set"])
def test_classes_that_tie_weigh_their_mean(kind):
    x, _ = arrays("pi_model")
    row = np.random.default_rng(3).integers(0, 3, 24)
    y = TIED[row]
    given = (x, y)
    if kind == "data set":
        data = keras_dc3.datasets.from_parts(
            x["labeled"],
            y,
            x["unlabeled"]["first"],
            class_names=NAMES,
            batch_size=8,
            augment=keras_dc3.data.NoAugmentation(),
        )
        given = (data,)
    model = make_model(
        keras.layers.Flatten,
        strategy("pi_model"),
        keras_dc3.DC3Config.vanilla(),
        class_names=NAMES,
        optimizer=keras.optimizers.SGD(0.0),
    )
    size = 8 if kind == "dict" else None
    options = {"batch_size": size, "class_weight": WEIGHTS, "verbose": 0, "epochs": 1}
    loss = model.fit(*given, **options).history["supervised_loss"][0]
    predicted = model.predict(x["labeled"], verbose=0)["classes"].astype("float64")
    cross_entropy = -np.sum(y * np.log(predicted), axis=1)
    assert loss == pytest.approx(np.mean(OF_TIED[row] * cross_entropy), rel=1e-4)


def test_classes_that_tie_weigh_their_mean_on_one_batch():
    x, _ = arrays("pi_model", n=8)
    y = TIED[np.arange(8) % 3]
    model = make_model(keras.layers.Flatten, strategy("pi_model"), class_names=NAMES)
    options = {"optimizer": keras.optimizers.SGD(0.0)}
    model.compile(**options)
    weighed = model.train_on_batch(x, y, class_weight=WEIGHTS, return_dict=True)
    own = OF_TIED[np.arange(8) % 3].astype("float32")
    same = model.train_on_batch(x, y, sample_weight=own, return_dict=True)
    assert weighed["loss"] == pytest.approx(same["loss"], rel=1e-5)


WRONG = [{"rarely": 2.0}, {7: 2.0}, {2: -1.0}, [1.0, 2.0], {"rare": 2.0, 0: 1.0}]


@pytest.mark.parametrize("kind", ["images", "dict", "py_dataset", "data set"])
def test_refused_before_the_first_step(kind):
    _, given, *_ = training_data(kind)
    ssl = strategy("supervised" if kind == "images" else "pi_model")
    config = keras_dc3.DC3Config.vanilla()
    model = make_model(keras.layers.Flatten, ssl, config, class_names=NAMES)
    for weights in WRONG:
        with pytest.raises(ValueError, match="class_weight"):
            model.fit(*given, class_weight=weights, verbose=0)
    assert int(keras.ops.convert_to_numpy(model.step.value)) == 0


def test_names_come_from_the_data_set():
    _, given, *_ = training_data("data set")
    model = make_model(keras.layers.Flatten, strategy("pi_model"), num_classes=None)
    model.fit(*given, class_weight=WEIGHTS, epochs=1, verbose=0)
    with pytest.raises(ValueError, match="'cod' in `class_weight` is no class"):
        model.fit(*given, class_weight={"cod": 2.0}, verbose=0)


def test_on_one_batch():
    x, _ = arrays("pi_model", n=8)
    y = labels(False)[:8]
    logs = []
    for weights in (None, [1, 1, 1], {"rare": 10.0}, {2: 10.0}):
        model = make_model(
            keras.layers.Flatten, strategy("pi_model"), class_names=NAMES
        )
        logs.append(
            model.train_on_batch(x, y, class_weight=weights, return_dict=True)["loss"]
        )
    assert logs[0] == pytest.approx(logs[1], rel=1e-6)
    assert logs[2] == pytest.approx(logs[3], rel=1e-6) != pytest.approx(logs[0])
    with pytest.raises(ValueError, match="'cod' in `class_weight` is no class"):
        model.train_on_batch(x, y, class_weight={"cod": 1.0})


def test_not_with_weights_of_images():
    x, y = arrays("pi_model")
    model = make_model(keras.layers.Flatten, strategy("pi_model"))
    with pytest.raises(ValueError, match="either `class_weight` or `sample_weight`"):
        model.fit(x, y, class_weight={0: 2.0}, sample_weight=np.ones(24), verbose=0)


@pytest.mark.slow
@pytest.mark.tensorflow
def test_a_case_from_outside():
    run_case("30")
