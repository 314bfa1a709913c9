"""Batches of odd sizes, and streams that do not fit together, train as any other."""

from itertools import product

import keras
import numpy as np
import pytest
from keras import ops

import keras_dc3
from tests.models.helpers import STRATEGIES, arrays, make_model, strategy
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")

CONFIGS = {
    "default": keras_dc3.DC3Config,
    "paper": keras_dc3.DC3Config.paper,  # with random partners
}


class Streams(keras.utils.PyDataset):
    """Batches of the sizes given, of labeled and of unlabeled images."""

    def __init__(self, ssl, sizes, dtype="uint8"):
        super().__init__()
        self.sizes = sizes
        self.x, self.y = arrays(ssl, n=16, dtype=dtype)

    def __len__(self):
        return len(self.sizes)

    def __getitem__(self, i):
        labeled, unlabeled = self.sizes[i]
        views = {v: part[:unlabeled] for v, part in self.x["unlabeled"].items()}
        labels = self.y[:labeled]
        return {"labeled": self.x["labeled"][:labeled], "unlabeled": views}, labels


def check(model, history, steps):
    """Raises unless all is finite but scores of no image, after so many steps."""
    for name, values in history.items():
        if not name.startswith("val_"):
            assert np.isfinite(values).all(), (name, values)
    assert all(np.isfinite(w).all() for w in model.get_weights())
    assert int(keras.ops.convert_to_numpy(model.step.value)) == steps


@pytest.mark.parametrize(
    ("ssl", "config"),
    few(
        list(product(STRATEGIES, CONFIGS)),
        ("mean_teacher", "paper"),
    ),
)
def test_batches_of_any_size(ssl, config, make_backbone):
    """Fewer unlabeled images than labeled ones, more, and a smaller last batch."""
    model = make_model(make_backbone, strategy(ssl), CONFIGS[config]())
    data = Streams(ssl, [(8, 3), (2, 13), (5, 1)])
    history = model.fit(data, epochs=2, verbose=0, shuffle=False).history
    check(model, history, steps=6)


@pytest.mark.parametrize(
    ("ssl", "batch_norm"),
    few(
        list(product(STRATEGIES, ["joint", "per_view"])),
        ("pi_model", "per_view"),
    ),
)
def test_batches_of_one_image(ssl, batch_norm, make_backbone):
    """Nothing has a rank, a partner or a deviation; no term is NaN for it."""
    model = make_model(make_backbone, strategy(ssl), batch_norm=batch_norm)
    history = model.fit(Streams(ssl, [(1, 1)] * 3), epochs=2, verbose=0).history
    check(model, history, steps=6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batch_size", "ratio", "steps"),
    few([(4, 7, 2), (4, 2.5, 3), (4, 0.3, 23), (1, 1, 23)], (4, 2.5, 3)),
)
def test_a_ratio_that_does_not_divide_the_data(batch_size, ratio, steps, make_backbone):
    """5 labeled and 23 unlabeled images; each of these is seen once per epoch."""
    x, y = arrays("mean_teacher", n=28)
    images = x["labeled"]
    data = keras_dc3.datasets.from_parts(
        images[:5],
        y[:5],
        images[5:],
        (images[20:26], y[20:26]),
        num_classes=3,
        batch_size=batch_size,
        unlabeled_ratio=ratio,
    )
    seen = []

    class Count(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(self.model.epoch_statistics.read()["classes"].sum())

    model = make_model(make_backbone, strategy("mean_teacher"))
    history = model.fit(data, epochs=3, verbose=0, callbacks=[Count()]).history
    check(model, history, 3 * steps)
    expected = 56 if ratio == 7 else 23  # the labeled ones fill a batch more
    assert seen == [expected] * 3


@pytest.mark.filterwarnings("ignore:The 'unlabeled' images are floats")
@pytest.mark.parametrize("ssl", few(["fixmatch", "pseudo_label"], "fixmatch"))
def test_a_batch_without_a_confident_image_among_others(ssl, make_backbone):
    """Of two batches one is certain, the other is not: the rate is by image."""
    model = make_model(
        lambda: keras.layers.GlobalAveragePooling2D(),
        strategy(ssl, threshold=0.9),
        optimizer=keras.optimizers.SGD(0.0),
    )
    model.network.class_head.set_weights([np.eye(3) * 50, np.array([1, 0, 0])])
    data = Streams(ssl, [(4, 6), (4, 2)], dtype="float32")
    for part in data.x["unlabeled"].values():
        part[:] = 0.0
        part[2:, ..., 1] = 1.0
    history = model.fit(data, verbose=0, shuffle=False).history
    check(model, history, steps=2)
    assert history["mask_rate"][0] == pytest.approx(0.5)


def test_views_and_labels_of_other_numbers(make_backbone):
    model = make_model(make_backbone)
    data = Streams("pi_model", [(8, 8), (8, 8)])
    data.x["unlabeled"]["second"] = data.x["unlabeled"]["second"][:1]
    with pytest.raises(ValueError, match=r"must show the same images.*'second': 1"):
        model.fit(data, verbose=0)
    data = Streams("pi_model", [(8, 8), (8, 8)])
    data.y = data.y[:7]
    with pytest.raises(ValueError, match="8 labeled images but 7 labels; give one"):
        model.fit(data, verbose=0)
    assert int(keras.ops.convert_to_numpy(model.step.value)) == 0


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("ssl", "batch_norm"),
    few(
        [
            ("fixmatch", "joint"),
            ("pi_model", "joint"),
            ("mean_teacher", "joint"),
            ("pseudo_label", "per_view"),
        ],
        ("mean_teacher", "joint"),
    ),
)
def test_a_replica_without_an_unlabeled_image(ssl, batch_norm, mirrored, make_backbone):
    """The last of 17 images goes to one of two replicas."""
    x, y = arrays("mean_teacher", n=41)
    images = x["labeled"]
    data = keras_dc3.datasets.from_parts(
        images[:24],
        y[:24],
        images[24:],
        num_classes=3,
        batch_size=8,
        unlabeled_ratio=1,
    )
    with mirrored.scope():
        options = {"batch_norm": batch_norm, "backbone": {"batch_norm": False}}
        model = make_model(make_backbone, ssl, **options)
    history = model.fit(data, epochs=2, verbose=0).history
    check(model, history, steps=6)
    assert model.epoch_statistics.read()["classes"].sum() == 17


class AddsLoss(keras.layers.Layer):
    """Adds 7 to the loss of each step."""

    def call(self, x):
        self.add_loss(ops.convert_to_tensor(7.0))
        return x


@pytest.mark.parametrize(
    ("ssl", "batch_norm"),
    few(
        list(product(["supervised", "mean_teacher"], ["joint", "per_view"])),
        ("mean_teacher", "per_view"),
    ),
)
def test_losses_that_layers_add_count_once(ssl, batch_norm):
    """However many passes a step takes; and regularizers beside them."""
    losses = []
    for layers in ([], [AddsLoss()]):
        backbone = keras.Sequential(
            [
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(4, kernel_regularizer="l2"),
                *layers,
            ]
        )
        model = make_model(lambda b=backbone: b, strategy(ssl), batch_norm=batch_norm)
        history = model.fit(Streams(ssl, [(8, 8)]), verbose=0).history
        losses.append(history["loss"][0])
    assert losses[1] - losses[0] == pytest.approx(7.0, abs=0.3)


def test_a_batch_larger_than_the_memory_of_the_clusters(make_backbone):
    model = make_model(make_backbone, strategy("pi_model"))
    rng = np.random.default_rng(0)
    few = rng.integers(0, 256, (4, 8, 8, 3)).astype("uint8")
    many = rng.integers(0, 256, (2100, 8, 8, 3)).astype("uint8")
    views = dict.fromkeys(model.ssl.views, many)
    batch = {"labeled": few, "unlabeled": views}, np.array([0, 1, 2, 0])
    assert np.isfinite(model.train_on_batch(*batch)).all()


@pytest.mark.parametrize("labels", [[0, 1, 2, 99], [0, 1, 2, -1]])
def test_labels_out_of_range_in_a_tensor(labels, make_backbone):
    x, _ = arrays("pi_model", n=4)
    with pytest.raises(ValueError, match="labels"):
        make_model(make_backbone).fit(x, ops.convert_to_tensor(labels), verbose=0)


def test_integer_and_floating_images_in_one_batch(make_backbone):
    x, y = arrays("pi_model", n=8)
    x["labeled"] = x["labeled"] / np.float32(255)
    with pytest.raises(ValueError, match=r"must be of one kind.*'labeled': 'float32'"):
        make_model(make_backbone).fit(x, y, verbose=0)
