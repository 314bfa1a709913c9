"""What a training step really does: average, teacher, normalization, vanilla."""

from itertools import product

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.models.dc3_model import DC3Model
from tests.models.helpers import arrays, make_model, strategy
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")


def to_numpy(variables):
    return [keras.ops.convert_to_numpy(v) for v in variables]


class Recorder(keras.callbacks.Callback):
    """Keeps the student's weights after every batch."""

    def on_train_begin(self, logs=None):
        self.history = [self.weights()]

    def on_train_batch_end(self, batch, logs=None):
        self.history.append(self.weights())

    def weights(self):
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        return [np.array(v) for v in to_numpy(self.model.network.trainable_variables)]


def test_average_is_the_recursion_over_the_students_weights(make_backbone):
    x, y = arrays("pi_model", n=40)
    model = make_model(make_backbone, ema_decay=0.3, optimizer="sgd")
    recorder = Recorder()
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[recorder])
    assert len(recorder.history) == 11
    expected = recorder.history[0]
    for t, weights in enumerate(recorder.history[1:]):
        d = min(0.3, (1 + t) / (10 + t))  # 0.1, 0.18, 0.25, 0.3, 0.3, ...
        expected = [d * e + (1 - d) * w for e, w in zip(expected, weights, strict=True)]
    average = to_numpy(model.average.values(model.network))
    for a, e in zip(average, expected, strict=True):
        np.testing.assert_allclose(a, e, atol=1e-6)


def test_weights_loaded_after_building_start_the_average(make_backbone):
    x, y = arrays("pi_model", n=8)
    model = make_model(make_backbone, ema_decay=0.0, optimizer="sgd")
    model.backbone.set_weights([w + 1 for w in model.backbone.get_weights()])
    recorder = Recorder()

    class Stop(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            average = to_numpy(self.model.average.values(self.model.network))
            for a, w in zip(average, recorder.weights(), strict=True):
                np.testing.assert_array_equal(a, w)

    model.fit(x, y, batch_size=8, verbose=0, callbacks=[recorder, Stop()])


def _with_average(model, images):
    """Outputs under the averaged weights, by really putting them into the network."""
    raw = [np.array(w) for w in to_numpy(model.network.trainable_variables)]
    for v, a in zip(
        model.network.trainable_variables,
        to_numpy(model.average.values(model.network)),
        strict=True,
    ):
        v.assign(a)
    outputs = model.network(images, training=False)
    outputs = {name: keras.ops.convert_to_numpy(v) for name, v in outputs.items()}
    for v, w in zip(model.network.trainable_variables, raw, strict=True):
        v.assign(w)
    return outputs


def test_predictions_come_from_the_average_unless_told_otherwise(make_backbone):
    x, y = arrays("mean_teacher")
    model = make_model(
        make_backbone, strategy("mean_teacher"), ema_decay=0.9, optimizer="sgd"
    )
    model.fit(x, y, batch_size=8, epochs=2, verbose=0)
    images = x["labeled"]
    averaged = _with_average(model, images)
    probabilities = keras.ops.convert_to_numpy(
        keras.ops.softmax(averaged["class_logits"])
    )
    ids = [f"image {i}" for i in range(len(images))]
    np.testing.assert_allclose(
        model.predict(images, verbose=0)["classes"], probabilities, atol=1e-6
    )
    proposals = model.propose(images, ids=ids, verbose=0)
    np.testing.assert_allclose(
        proposals.class_probability, probabilities.max(axis=1), atol=1e-6
    )
    model.evaluate_with = "raw"
    raw = keras.ops.softmax(model.network(images)["class_logits"])
    np.testing.assert_allclose(
        model.predict(images, verbose=0)["classes"],
        keras.ops.convert_to_numpy(raw),
        atol=1e-6,
    )
    assert np.abs(keras.ops.convert_to_numpy(raw) - probabilities).max() > 1e-4


def test_the_teacher_looks_with_the_average_in_batch_mode(make_backbone):
    x, y = arrays("mean_teacher", n=8)
    model = make_model(
        make_backbone, strategy("mean_teacher"), ema_decay=0.5, optimizer="sgd"
    )
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    outputs = model(x, training=True)
    for v, a in zip(
        model.network.trainable_variables,
        to_numpy(model.average.values(model.network)),
        strict=True,
    ):
        v.assign(a)
    expected = model.network(x["unlabeled"]["first"], training=True)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(outputs["first"]["class_logits"]),
        keras.ops.convert_to_numpy(expected["class_logits"]),
        atol=1e-5,
    )


@pytest.mark.parametrize("policy", ["joint", "per_view"])
@pytest.mark.parametrize("ssl", ["pi_model", "mean_teacher", "fixmatch"])
def test_batch_normalization_policy(ssl, policy):
    """The moving mean of a first layer is the mean over the images it has seen."""
    keras.utils.set_random_seed(0)
    norm = keras.layers.BatchNormalization(momentum=0.0)
    backbone = keras.Sequential([norm, keras.layers.GlobalAveragePooling2D()])
    model = DC3Model(backbone, ssl=ssl, num_classes=3, batch_norm=policy)
    x, _ = arrays(ssl, n=8, dtype="float32")
    outputs = model(x, training=True)
    seen = [x["labeled"]]
    if policy == "joint":
        roles = model.ssl.views
        seen += [v for n, v in x["unlabeled"].items() if roles[n] == "student"]
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(norm.moving_mean),
        np.concatenate(seen).mean(axis=(0, 1, 2)),
        atol=1e-5,
    )
    if policy == "per_view":  # the view's own statistics make its mean zero
        view = x["unlabeled"][model.ssl.anchor]
        normalized = (view - view.mean((0, 1, 2))) / np.sqrt(view.var((0, 1, 2)) + 1e-3)
        features = normalized.mean(axis=(1, 2))
        kernel, bias = model.network.class_head.get_weights()
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(outputs[model.ssl.anchor]["class_logits"]),
            features @ kernel + bias,
            atol=1e-4,
        )


def _losses_by_hand(ssl, labels, logits):
    """Each strategy's own losses, written down anew: (labeled, unlabeled)."""
    ops = keras.ops
    p = {view: ops.softmax(v) for view, v in logits.items()}
    rows = ops.arange(len(labels))
    supervised = -ops.mean(
        ops.sum(ops.one_hot(labels, 3) * ops.log_softmax(logits["labeled"]), axis=1)
    )
    if ssl == "supervised":
        return supervised
    if ssl in ("pi_model", "mean_teacher"):
        target = ops.stop_gradient(p["first"])
        weight = 10.0 if ssl == "pi_model" else 50.0
        return supervised + weight * ops.mean((p["second"] - target) ** 2)
    source, target = ("only", "only") if ssl == "pseudo_label" else ("weak", "strong")
    hard = ops.argmax(ops.stop_gradient(p[source]), axis=1)
    keep = ops.cast(ops.max(ops.stop_gradient(p[source]), axis=1) >= 0.5, "float32")
    hard = ops.one_hot(hard, 3)
    losses = -ops.sum(hard * ops.log_softmax(logits[target]), axis=1)
    assert rows.shape[0] == losses.shape[0]
    return supervised + ops.mean(keep * losses)


@pytest.mark.tensorflow
@pytest.mark.parametrize("policy", ["joint", "per_view"])
@pytest.mark.parametrize(
    "ssl", ["supervised", "pi_model", "mean_teacher", "pseudo_label", "fixmatch"]
)
def test_vanilla_is_exactly_the_strategy(ssl, policy, make_backbone):
    """Loss and gradients equal those of the strategy computed by hand."""
    import tensorflow as tf

    changes = {"threshold": 0.5} if ssl in ("pseudo_label", "fixmatch") else {}
    config = keras_dc3.DC3Config.vanilla()
    model = make_model(
        make_backbone, strategy(ssl, **changes), config, batch_norm=policy
    )
    x, y = arrays(ssl, n=8, dtype="float32")
    x = tf.nest.map_structure(lambda v: tf.constant(v, tf.float32), x)
    # The average must differ from the weights, for a teacher to be seen.
    for v in model.network.trainable_variables:
        v.assign(v + 0.05 * keras.random.normal(v.shape, seed=1))
    variables = [v.value for v in model.network.trainable_variables]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, tf.constant(y), model(x, training=True))
    gradients = tape.gradient(loss, variables)

    roles = {"labeled": "student", **model.ssl.views}
    images = {"labeled": x["labeled"], **x["unlabeled"]}
    student = [view for view, role in roles.items() if role == "student"]
    if policy == "per_view":
        passes = [[view] for view in roles]
    else:
        passes = [student] + [[view] for view in roles if view not in student]
    with tf.GradientTape() as tape:
        logits = {}
        for views in passes:
            batch = tf.concat([images[view] for view in views], axis=0)
            if roles[views[0]] == "teacher":
                raw = [tf.identity(v) for v in variables]
                averages = model.average.values(model.network)
                for v, a in zip(variables, averages, strict=True):
                    v.assign(a)
                out = tf.stop_gradient(
                    model.network(batch, training=True)["class_logits"]
                )
                for v, r in zip(variables, raw, strict=True):
                    v.assign(r)
            else:
                out = model.network(batch, training=True)["class_logits"]
            parts = tf.split(out, [images[view].shape[0] for view in views])
            logits.update(zip(views, parts, strict=True))
        by_hand = _losses_by_hand(ssl, y, logits)
    expected = tape.gradient(by_hand, variables)
    np.testing.assert_allclose(loss, by_hand, rtol=1e-6)
    for variable, g, e in zip(variables, gradients, expected, strict=True):
        assert g is not None, f"no gradient for {variable.path}"
        e = np.zeros(g.shape) if e is None else e
        np.testing.assert_allclose(g, e, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("config", "dtype"),
    few(
        list(product(["paper", "reference", "default"], ["float32", "mixed_float16"])),
        ("default", "mixed_float16"),
    ),
)
def test_gradients_of_the_whole_objective_are_finite(config, dtype, make_backbone):
    """One plain SGD step moves every weight by its gradient; even from wild heads."""
    config = {
        "paper": keras_dc3.DC3Config.paper,
        "reference": keras_dc3.DC3Config.reference,
        "default": keras_dc3.DC3Config,
    }[config]()
    x, y = arrays("fixmatch", n=8)
    for scale in (1.0, 300.0):
        model = make_model(
            make_backbone,
            strategy("fixmatch", threshold=0.0),
            config,
            dtype=dtype,
            optimizer=keras.optimizers.SGD(1e-3),
        )
        for head in (model.network.cluster_head, model.network.ambiguity_head):
            head.set_weights([w * scale for w in head.get_weights()])
        model.fit(x, y, batch_size=8, verbose=0)
        assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.slow
def test_poisoned_labels_of_unlabeled_images_change_nothing(make_backbone):
    """Training sees nothing of the unlabeled images' annotations."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 8, 8, 3)).astype("uint8")
    counts = rng.multinomial(5, [0.5, 0.3, 0.2], size=60)
    sizes = {"labeled": 16, "unlabeled": 32, "validation": 12}
    weights = []
    for poison in (False, True):
        data = keras_dc3.datasets.from_arrays(images, counts, batch_size=8, **sizes)
        if poison:
            data.unlabeled.counts[:] = data.unlabeled.counts[:, ::-1] * 7
        model = make_model(make_backbone, strategy("mean_teacher"))
        model.fit(data, epochs=2, verbose=0)
        weights.append(model.get_weights())
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)
