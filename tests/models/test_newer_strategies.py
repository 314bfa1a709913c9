"""Models with the strategies that keep state, count by image, or mix images."""

import warnings

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.data.plan import BatchPlan
from keras_dc3.strategies import FlexMatch, MixMatch
from tests.models.helpers import Batches, arrays, difference, make_model, strategy

pytestmark = pytest.mark.usefixtures("without_graphs")

NEWER = ("uda", "flexmatch", "freematch", "softmatch", "mixmatch")


def numpy(value):
    return keras.ops.convert_to_numpy(value)


def softmax(logits):
    exponents = np.exp(np.float64(logits) - logits.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def make_data(n_unlabeled=23, batch_size=4, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n_unlabeled + 12, 8, 8, 3)).astype("uint8")
    return keras_dc3.datasets.from_parts(
        images[:12],
        np.arange(12) % 3,
        images[12:],
        num_classes=3,
        batch_size=batch_size,
        unlabeled_ratio=2,
        augment="weak",
    )


def losses_by_hand(ssl, outputs, labels):
    """The losses of the first step: (labeled, unlabeled), from the model's outputs."""
    logits = {
        view: numpy(part["class_logits"])
        for view, part in outputs.items()
        if view != "mixing"
    }
    p = {view: softmax(part) for view, part in logits.items()}
    one_hot = np.eye(3)[labels]
    labeled = -(one_hot * np.log(p["labeled"])).sum(axis=-1).mean()
    if ssl == "mixmatch":
        q = ((p["first"] + p["second"]) / 2) ** 2
        q /= q.sum(axis=-1, keepdims=True)
        pool = np.concatenate([one_hot, q, q])
        share = numpy(outputs["mixing"]["share"])[:, None]
        pool = share * pool + (1 - share) * pool[numpy(outputs["mixing"]["partner"])]
        told = np.split(pool, [len(labels), len(labels) + len(q)])
        labeled = -(told[0] * np.log(p["mixed"])).sum(axis=-1).mean()
        found = np.concatenate([p["mixed_first"], p["mixed_second"]])
        return labeled, 75 * ((found - np.concatenate(told[1:])) ** 2).mean()
    weak, strong = p["weak"], p["strong"]
    confidence = weak.max(axis=-1)
    losses = -np.log(strong[np.arange(len(strong)), weak.argmax(axis=-1)])
    if ssl == "uda":
        target = softmax(logits["weak"] / 0.4)
        losses = (target * np.log(target / strong)).sum(axis=-1)
        losses *= confidence >= 0.8
    if ssl == "softmatch":
        q = weak * (1 / 3 + 1e-6) / (weak.mean(axis=0) + 1e-6)
        q = (q / q.sum(axis=-1, keepdims=True)).max(axis=-1)
        mean = 0.999 / 3 + 0.001 * q.mean()
        variance = 0.999 + 0.001 * q.var(ddof=1)
        losses *= np.exp(-2 * np.minimum(q - mean, 0) ** 2 / variance)
    if ssl == "freematch":  # in the first step every image passes
        p_mean = 0.999 / 3 + 0.001 * weak.mean(axis=0)
        counts = np.bincount(weak.argmax(axis=-1), minlength=3) / len(weak)
        a = p_mean / (0.999 / 3 + 0.001 * counts)
        counts = np.bincount(strong.argmax(axis=-1), minlength=3) / len(strong)
        b = np.divide(strong.mean(axis=0), counts, where=counts > 0, out=np.zeros(3))
        fairness = (a / a.sum() * np.log(b / b.sum() + 1e-12)).sum()
        return labeled, losses.mean() + 0.01 * fairness
    return labeled, losses.mean()  # flexmatch: all thresholds are 0 in the first step


@pytest.mark.parametrize("ssl", NEWER)
def test_vanilla_is_the_strategy(ssl, make_backbone):
    """And `supervised_loss` and `ssl_loss` are what the model trains on."""
    config = keras_dc3.DC3Config.vanilla()
    model = make_model(make_backbone, strategy(ssl), config)
    head = model.network.class_head  # so that some images are confident
    head.set_weights([w * 12 for w in head.get_weights()])
    x, y = arrays(ssl, n=10)
    if ssl == "flexmatch":
        x["positions"] = np.arange(10)
        model.ssl.prepare(3, 10)
    outputs = model(x, training=True)
    loss = numpy(model.compute_loss(x, keras.ops.convert_to_tensor(y), outputs))
    labeled, unlabeled = losses_by_hand(ssl, outputs, y)
    assert unlabeled != 0
    np.testing.assert_allclose(loss, labeled + unlabeled, rtol=1e-4)


def test_mixed_images_are_what_the_network_sees():
    backbone = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(6)])
    model = make_model(lambda: backbone, MixMatch(), image_shape=(4, 4, 3))
    x, _ = arrays("mixmatch", n=6, size=4)
    x["unlabeled"] = {v: part[:5] for v, part in x["unlabeled"].items()}
    outputs = model(x, training=True)
    images = [x["labeled"], x["unlabeled"]["first"], x["unlabeled"]["second"]]
    pool = np.concatenate(images).astype("float32") / 127.5 - 1
    share = numpy(outputs["mixing"]["share"]).reshape(-1, 1, 1, 1)
    pool = share * pool + (1 - share) * pool[numpy(outputs["mixing"]["partner"])]
    expected = model.network(pool, training=True, prepared=True)["class_logits"]
    views = ("mixed", "mixed_first", "mixed_second")
    found = np.concatenate([numpy(outputs[view]["class_logits"]) for view in views])
    np.testing.assert_allclose(found, numpy(expected), atol=1e-5)
    assert [len(outputs[view]["class_logits"]) for view in views] == [6, 5, 5]


def train_with(data, ssl, make_backbone, **kwargs):
    model = make_model(make_backbone, ssl)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(data, verbose=0, **kwargs)
    told = [
        str(w.message) for w in caught if "which unlabeled images" in str(w.message)
    ]
    return model, told


def counted(model):
    """Which unlabeled images have a prediction."""
    return np.flatnonzero(numpy(model.ssl.predicted)[:-1] < 3).tolist()


def test_flexmatch_knows_the_images_of_a_data_set(make_backbone):
    data, steps = make_data(), {"steps_per_epoch": 2}
    model, told = train_with(data, FlexMatch(threshold=0.0), make_backbone, **steps)
    order = BatchPlan(12, 23, 4, 2, 0, 2).epoch(0).unlabeled
    assert not told and counted(model) == sorted(np.concatenate(order))
    assert len(counted(model)) == 16


def test_flexmatch_knows_the_rows_of_arrays(make_backbone):
    x, y = arrays("flexmatch", n=20)
    ssl = FlexMatch(threshold=0.0)
    model = make_model(make_backbone, ssl)
    model.fit(x, y, batch_size=8, steps_per_epoch=2, shuffle=False, verbose=0)
    assert counted(model) == list(range(16)) and model.ssl.predicted.shape == (21,)
    x["positions"] = np.arange(20) + 30  # of a larger set
    model = make_model(make_backbone, FlexMatch(threshold=0.0))
    model.fit(x, y, batch_size=8, verbose=0)
    assert counted(model) == list(range(30, 50))


class WithPositions(Batches):
    """Batches of a user's own that tell which unlabeled images they show."""

    def __getitem__(self, i):
        x, y = super().__getitem__(i)
        at = np.arange(i * self.batch_size, i * self.batch_size + len(y))
        return {**x, "positions": 2 * at}, y


def streams(kind):
    """Batches of a kind, with or without positions."""
    x, y = arrays("flexmatch", n=16)
    made = {False: Batches(x, y), True: WithPositions(x, y)}
    if kind == "PyDataset":
        return made
    if kind == "generator":
        return {k: (b[i] for _ in range(9) for i in (0, 1)) for k, b in made.items()}
    if kind == "tf.data":
        import tensorflow as tf

        parts = {False: x, True: {**x, "positions": 2 * np.arange(16)}}
        return {
            k: tf.data.Dataset.from_tensor_slices((part, y)).batch(8)
            for k, part in parts.items()
        }
    torch = pytest.importorskip("torch")
    rows = [
        [
            (
                {
                    "labeled": x["labeled"][i],
                    "unlabeled": {v: part[i] for v, part in x["unlabeled"].items()},
                    **({"positions": 2 * i} if told else {}),
                },
                y[i],
            )
            for i in range(16)
        ]
        for told in (False, True)
    ]
    return {
        bool(told): torch.utils.data.DataLoader(rows[told], batch_size=8)
        for told in (0, 1)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "PyDataset",
        pytest.param("generator", marks=pytest.mark.slow),
        pytest.param("tf.data", marks=[pytest.mark.slow, pytest.mark.tensorflow]),
        pytest.param("DataLoader", marks=pytest.mark.slow),
    ],
)
def test_flexmatch_and_batches_of_ones_own(kind, make_backbone):
    """Those with positions count by image, the others are told to be estimated."""
    data, steps = streams(kind), {"steps_per_epoch": 2} if kind == "generator" else {}
    ssl = FlexMatch(threshold=0.0, num_unlabeled=31)
    model, told = train_with(data[True], ssl, make_backbone, **steps)
    assert not told and counted(model) == list(range(0, 31, 2))
    data = streams(kind)
    model, told = train_with(data[False], "flexmatch", make_backbone, **steps)
    assert len(told) == 1 and "estimates from the latest" in told[0]
    assert counted(model) == []
    if kind == "generator":
        return  # nobody looks into it
    model = make_model(make_backbone, "flexmatch")
    with pytest.raises(ValueError, match="not known of how many: pass `num_unlabeled`"):
        model.fit(data[True], verbose=0)
    model = make_model(make_backbone, FlexMatch(num_unlabeled=31))
    with pytest.raises(ValueError, match=r"Match\(num_unlabeled=31\)` counts .*none"):
        model.fit(data[False], verbose=0)


def test_positions_that_cannot_be(make_backbone):
    x, y = arrays("flexmatch", n=16)
    for positions, message in (
        (np.arange(16) - 1, r"integers at least 0, .*Received: -1 to 14"),
        (np.arange(16) / 2, "must be integers"),
        (np.arange(8), "must show the same images"),
    ):
        with pytest.raises(ValueError, match=message):
            make_model(make_backbone, "flexmatch").fit(
                {**x, "positions": positions}, y, verbose=0
            )
    with pytest.raises(ValueError, match=r"integers of 0 to 9, .*Received: 0 to 14"):
        model = make_model(make_backbone, FlexMatch(num_unlabeled=10))
        model.fit(WithPositions(x, y), verbose=0)


@pytest.mark.slow
def test_flexmatch_forgets_images_that_are_gone(make_backbone):
    model, _ = train_with(make_data(23), FlexMatch(threshold=0.0), make_backbone)
    with pytest.warns(UserWarning, match="knew other unlabeled images, by their pos"):
        model.fit(make_data(20), verbose=0, steps_per_epoch=1)
    assert len(counted(model)) == 8
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for words in ("Epoch", "This training", "The model has", "Even though"):
            warnings.filterwarnings("ignore", message=words)
        model.fit(make_data(20), verbose=0, steps_per_epoch=1)  # the same ones again


@pytest.mark.slow
@pytest.mark.parametrize("ssl", NEWER)
def test_saved_and_continued_is_not_stopped(ssl, make_backbone, tmp_path):
    data = make_data()
    changes = {"threshold": 0.4} if ssl in ("uda", "flexmatch") else {}
    settings = {"optimizer": "adam", "backbone": {"dropout": 0.1}}
    keras.utils.set_random_seed(1)
    whole = make_model(make_backbone, strategy(ssl, **changes), **settings)
    whole.fit(data, epochs=2, verbose=0)
    keras.utils.set_random_seed(1)
    half = make_model(make_backbone, strategy(ssl, **changes), **settings)
    half.fit(data, epochs=1, verbose=0)
    half.save(tmp_path / "half.keras")
    half.save_weights(tmp_path / "half.weights.h5")
    loaded = keras.saving.load_model(tmp_path / "half.keras")
    other = make_model(make_backbone, strategy(ssl, **changes), seed=9, **settings)
    other.load_weights(tmp_path / "half.weights.h5")
    for model in (loaded, other):
        pairs = zip(half.ssl.variables, model.ssl.variables, strict=True)
        for a, b in pairs:
            np.testing.assert_array_equal(numpy(a), numpy(b))
    loaded.fit(data, initial_epoch=1, epochs=2, verbose=0)
    assert difference(whole, loaded) == 0
    for a, b in zip(whole.ssl.variables, loaded.ssl.variables, strict=True):
        np.testing.assert_array_equal(numpy(a), numpy(b))


class Stop(keras.callbacks.Callback):
    """Stops training as Ctrl-C does, before an epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("ssl", ["flexmatch", "freematch", "mixmatch"])
def test_stopped_and_begun_again_is_not_stopped(ssl, make_backbone, tmp_path):
    changes = {"threshold": 0.4} if ssl == "flexmatch" else {}
    models = []
    for callbacks in ([], ["backup", Stop()], ["backup"]):
        keras.utils.set_random_seed(1)
        model = make_model(make_backbone, strategy(ssl, **changes))
        if callbacks:
            callbacks[0] = keras_dc3.callbacks.Backup(tmp_path / "backup")
        try:
            model.fit(make_data(), epochs=2, verbose=0, callbacks=callbacks)
        except KeyboardInterrupt:
            continue
        models.append(model)
    assert difference(*models) == 0


@pytest.mark.slow
def test_adaptive_masks_that_all_images_pass_tell_nothing(make_backbone):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = make_model(make_backbone, "flexmatch")
        history = model.fit(make_data(), epochs=1, verbose=0).history
    assert history["mask_rate"] == [1.0]
    assert not [w for w in caught if "every pseudo-label" in str(w.message)]
