"""Training under `tf.distribute` equals training on one device."""

from contextlib import nullcontext
from itertools import product

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import collective
from keras_dc3._keras import adapt_to_replicas
from tests.models.helpers import (
    STRATEGIES,
    WITH_THRESHOLD,
    arrays,
    difference,
    make_model,
    strategy,
)
from tests.slow import few

pytestmark = pytest.mark.tensorflow


def _backbone():
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Conv2D(8, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
        ]
    )


def _dataset(ssl, n):
    import tensorflow as tf

    x, y = arrays(ssl, n=n)
    if ssl == "flexmatch":
        x["positions"] = np.arange(n, dtype="int32")[::-1]
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(12), (x["labeled"], y)


@pytest.mark.parametrize(
    ("ssl", "policy"),
    few(
        list(product(STRATEGIES, ["joint", "per_view"])),
        ("mean_teacher", "joint"),
    ),
)
def test_eight_steps_equal_one_device(ssl, policy, mirrored):
    """Also with a last batch of 5 + 6 images, and with global ranks and partners."""
    changes = {"threshold": 0.35} if ssl in WITH_THRESHOLD else {}
    if ssl == "flexmatch":
        changes["num_unlabeled"] = 8 * 12 - 1
    preset = keras_dc3.DC3Config if policy == "joint" else keras_dc3.DC3Config.paper
    config = preset(partner="mean")
    models, logs = [], []
    for scope in (nullcontext, mirrored.scope):
        with scope():
            keras.utils.set_random_seed(1)  # of the strategy, too
            model = make_model(
                _backbone,
                strategy(ssl, **changes),
                config,
                ema_decay=0.9,
                batch_norm=policy,
            )

        dataset, validation = _dataset(ssl, 8 * 12 - 1)
        history = model.fit(dataset, verbose=0, validation_data=validation).history
        models.append(model)
        logs.append({name: values[-1] for name, values in history.items()})
    assert difference(*models) < 1e-5
    assert int(models[1].step.numpy()) == 8
    for name in ("supervised_loss", "inverse_loss", "ambiguity_loss", "accuracy"):
        assert logs[1][name] == pytest.approx(logs[0][name], rel=1e-4), name
    for name in ("val_f1", "val_ambiguous", "val_accuracy"):
        assert logs[1][name] == pytest.approx(logs[0][name], rel=1e-5, nan_ok=True), (
            name
        )


@pytest.mark.slow
def test_proposals_and_data_sets_under_a_strategy(mirrored):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 8, 8, 3)).astype("uint8")
    counts = rng.multinomial(5, [0.5, 0.3, 0.2], size=60)
    data = keras_dc3.datasets.from_arrays(
        images, counts, labeled=16, unlabeled=32, validation=12, batch_size=8
    )
    with mirrored.scope():
        model = make_model(_backbone, strategy("mean_teacher"))
    model.fit(data, epochs=2, verbose=0)
    assert int(model.step.numpy()) == 8
    proposals = model.propose(data.unlabeled, batch_size=10, verbose=0)
    assert list(proposals.ids) == list(data.unlabeled.ids)


def test_several_steps_per_execution_are_refused(mirrored):
    with mirrored.scope():
        model = make_model(_backbone)
        with pytest.raises(ValueError, match="`steps_per_execution` must be 1 under"):
            model.compile(steps_per_execution=4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jit_compile": True}, "`jit_compile=True` cannot be used under a distr"),
        (
            {"optimizer": keras.optimizers.SGD(gradient_accumulation_steps=2)},
            "`gradient_accumulation_steps` cannot be used under a distribution",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_keras_gets_wrong_is_refused(changes, message, mirrored):
    with mirrored.scope():
        model = make_model(_backbone)
        with pytest.raises(ValueError, match=message):
            model.compile(**changes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "limit",
    [{"global_clipnorm": 0.05}, {"clipnorm": 0.05}, {"clipvalue": 0.01}],
    ids=str,
)
def test_gradients_are_clipped_once_they_are_added_up(limit, mirrored):
    models = []
    for scope in (nullcontext, mirrored.scope):
        with scope():
            optimizer = keras.optimizers.SGD(0.5, momentum=0.9, **limit)
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            model = make_model(
                _backbone,
                strategy("mean_teacher"),
                optimizer=optimizer,
            )
        model.fit(_dataset("mean_teacher", 35)[0], verbose=0)
        models.append(model)
    assert difference(*models) < 1e-5


@pytest.mark.parametrize("last", [1.0, float("inf")])
def test_a_step_is_left_out_if_any_replica_is_not_finite(last, mirrored):
    import tensorflow as tf

    with mirrored.scope():
        optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1.0))
        weight = keras.Variable([3.0])
        optimizer.build([weight])
        adapt_to_replicas(optimizer, collective.current())

    @tf.function
    def step():
        def of_replica():
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            gradient = tf.where(replica == 0, 1.0, last)[None] * optimizer.dynamic_scale
            optimizer.apply([gradient], [weight])

        mirrored.run(of_replica)

    step()
    scale = 2.0**15 if last == 1.0 else 2.0**14
    assert float(optimizer.dynamic_scale.numpy()) == scale
    assert float(weight.numpy()[0]) == (1.0 if last == 1.0 else 3.0)


@pytest.mark.slow
def test_a_built_model_is_compiled_again(make_backbone, mirrored):
    x, y = arrays("supervised")
    soft = np.eye(3, dtype="float32")[y]
    with mirrored.scope():
        model = make_model(make_backbone, "supervised")
        model.compile(optimizer=keras.optimizers.SGD(0.01))
        model.compile(optimizer=keras.optimizers.SGD(0.02))
    values = model.evaluate(x["labeled"], soft, verbose=0)
    logs = model.evaluate(x["labeled"], soft, verbose=0, return_dict=True)
    assert values == [logs["loss"], logs["accuracy"]]
