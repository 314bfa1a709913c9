"""Arguments that were once taken without a word."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.models.data_adapters import batches as adapters
from tests.models.helpers import Batches, arrays, make_model

BACKBONE = [keras.layers.Flatten, lambda: keras.layers.Dense(4)]


def backbone(*more):
    return keras.Sequential([*(make() for make in BACKBONE), *more])


def model(layers=None, **kwargs):
    kwargs = {"num_classes": 3, "training_steps": 10, **kwargs}
    return keras_dc3.DC3Model(layers or backbone(), **kwargs)


@pytest.fixture(scope="module")
def data():
    x, y = arrays("pi_model", n=48)
    sizes = {"labeled": 16, "unlabeled": 16, "validation": 16}
    return keras_dc3.datasets.from_arrays(
        x["labeled"], np.eye(3, dtype=int)[y], batch_size=8, **sizes
    )


@pytest.mark.parametrize(
    "numbers",
    [
        *({"epochs": value} for value in (-1, 0, 2.0, True, "3")),
        *({"steps_per_epoch": value} for value in (-1, 0, 1.5, True)),
        *({"validation_steps": value} for value in (0, 2.0)),
        *({"validation_freq": value} for value in (0, 0.5, [0])),
        {"initial_epoch": -1},
        {"validation_split": 1.0},
        {"initial_epoch": 3, "epochs": 2},
    ],
)
def test_numbers_of_fit(numbers, data):
    with pytest.raises(ValueError, match=f"`{next(reversed(numbers))}`"):
        model().fit(data, verbose=0, **numbers)


@pytest.mark.parametrize("name", ["batch_size", "sample_weight"])
def test_arguments_for_arrays_alone(name, data):
    value = {"batch_size": 4, "sample_weight": np.ones(16)}[name]
    for batches in (data, Batches(*arrays("pi_model")), iter([])):
        with pytest.raises(ValueError, match=f"`{name}` would be ignored"):
            model().fit(batches, verbose=0, **{name: value})


NAMES = ["abc", {"a", "b", "c"}, {"a": 0, "b": 1, "c": 2}, {"a": 0}.keys(), b"abc", 3]


@pytest.mark.parametrize("names", NAMES, ids=lambda names: type(names).__name__)
def test_names_and_ids_have_an_order(names, data):
    images, counts = np.zeros((3, 8, 8, 3), "uint8"), np.eye(3, dtype=int)
    built = model()
    built.build((None, 8, 8, 3))
    distribution = np.full((3, 3), 1 / 3)
    clusters = np.full((3, 4), 1 / 4)
    doors = [
        lambda: model(class_names=names),
        lambda: keras_dc3.datasets.from_arrays(images, counts, class_names=names),
        lambda: keras_dc3.datasets.from_arrays(images, counts, ids=names),
        lambda: keras_dc3.datasets.from_parts(
            images, np.arange(3), num_classes=3, labeled_ids=names
        ),
        lambda: built.propose(images, ids=names, verbose=0),
        lambda: keras_dc3.Proposals(
            names, np.zeros(3), distribution, clusters, ("a", "b", "c")
        ),
        lambda: keras_dc3.Proposals(
            ("a", "b", "c"), np.zeros(3), distribution, clusters, names
        ),
    ]
    for door in doors:
        with pytest.raises(TypeError, match="must be a list"):
            door()


@pytest.mark.filterwarnings("ignore:There are no unlabeled images")
def test_channels_first(data):
    images, y = np.zeros((6, 3, 8, 8), "uint8"), np.arange(6) % 3
    built = model()
    built.build((None, 8, 8, 3))
    for door in (
        lambda: built.predict(images, verbose=0),
        lambda: built.evaluate(images, y, verbose=0),
        lambda: model(ssl="supervised").fit(images, y, verbose=0),
        lambda: keras_dc3.datasets.from_arrays(images, np.eye(3, dtype=int)[y]),
    ):
        with pytest.raises(ValueError, match="seem to stand first"):
            door()


class Ending(keras.layers.Layer):
    """A backbone that does not say what it ends in."""

    def call(self, images):
        return keras.ops.softmax(keras.ops.mean(images, axis=(1, 2)))


@pytest.mark.parametrize("kind", ["dense", "layer", "operation", "own"])
def test_a_softmax_top(kind, data):
    image = keras.Input((8, 8, 3))
    flat = keras.layers.Flatten()(image)
    dense = keras.layers.Dense(4)(flat)
    layers = {
        "dense": lambda: keras.Model(image, keras.layers.Dense(4, "softmax")(flat)),
        "layer": lambda: keras.Model(image, keras.layers.Softmax()(dense)),
        "operation": lambda: keras.Model(image, keras.ops.softmax(dense)),
        "own": Ending,
    }
    with pytest.raises(ValueError, match="ends in a softmax"):
        model(layers[kind]()).fit(data, verbose=0)


class Spread(keras_dc3.SSLStrategy):
    """One value for all images."""

    views = {"first": "student"}
    anchor = "first"
    spread = ""

    def unlabeled_loss(self, logits):
        return self._value(logits, "unlabeled_loss")

    def mask(self, logits):
        return self._value(logits, "mask")

    def _value(self, logits, name):
        values = logits["first"][:, 0] * 0.0
        if name != self.spread:
            return values
        return keras.ops.reshape(keras.ops.mean(values), (1,))


@pytest.mark.parametrize("name", ["unlabeled_loss", "mask"])
def test_one_value_is_not_spread_over_a_batch(name, data):
    strategy = Spread()
    strategy.spread = name
    with pytest.raises(ValueError, match=f"`Spread.{name}` must return one value per"):
        model(ssl=strategy).fit(data, verbose=0)


class Loader:
    """Collates samples as a loader of PyTorch does."""

    def __init__(self, samples):
        self.samples, self.collate_fn = samples, self._collate

    def _collate(self, samples):
        images, labels = zip(*samples, strict=True)
        return np.stack(images), np.array(labels)

    def __iter__(self):
        yield self.collate_fn(self.samples)


def test_labels_of_a_loader_are_checked():
    images = np.zeros((4, 8, 8, 3), "float32")
    good = Loader(list(zip(images, [0, 1, 2, 0], strict=True)))
    bad = Loader(list(zip(images, [0, 1, 2, 3], strict=True)))
    assert next(iter(adapters.Loader(good).checked(3, (8, 8, 3))))[1].tolist() == [
        0,
        1,
        2,
        0,
    ]
    with pytest.raises(ValueError, match=r"must lie in 0\.\.2"):
        next(iter(adapters.Loader(bad).checked(3, (8, 8, 3))))
    assert next(iter(bad))[1].tolist() == [0, 1, 2, 3]  # it stays as it is


@pytest.mark.parametrize(
    "given",
    [
        [keras.callbacks.EarlyStopping],
        keras.callbacks.EarlyStopping,
        [None],
        "early",
        ["early"],
        3,
    ],
    ids=str,
)
def test_what_is_no_callback(given):
    model = make_model(keras.layers.Flatten, "pi_model")
    x, y = arrays("pi_model")
    with pytest.raises(TypeError, match=r"`callbacks` must be a list .* Received: "):
        model.fit(x, y, callbacks=given)
    with pytest.raises(TypeError, match=r"`callbacks` must be a list .* Received: "):
        model.evaluate(x["labeled"], y, callbacks=given)


@pytest.mark.parametrize(
    "metric",
    [
        "sparse_categorical_accuracy",
        keras.metrics.SparseTopKCategoricalAccuracy(k=2),
        keras.metrics.sparse_categorical_crossentropy,
        keras.metrics.SparseCategoricalAccuracy,
    ],
    ids=["text", "object", "function", "class"],
)
@pytest.mark.parametrize("argument", ["metrics", "weighted_metrics"])
def test_metrics_of_class_numbers(metric, argument):
    model = make_model(keras.layers.Flatten, "pi_model")
    with pytest.raises(ValueError, match=r"categorical_accuracy.* Received: "):
        model.compile("sgd", **{argument: [metric]})
    model.compile("sgd", **{argument: ["categorical_accuracy"]})
