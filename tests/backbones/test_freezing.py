"""What is trained of a backbone, and that the rest stays as it is."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import backbones
from tests.backbones.helpers import images, numbers, tiny

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


def make(trainable="none", **kwargs):
    backbone = backbones.from_model(tiny(**kwargs), "tf")
    backbone.blocks = r"block\d+"
    backbones.set_trainable(backbone, trainable)
    return backbone


def trained(backbone):
    return sorted({weight.path.split("/")[-2] for weight in backbone.trainable_weights})


def test_the_last_blocks_are_trained():
    backbone = make()
    assert trained(backbone) == []
    backbones.set_trainable(backbone, 2)
    expected = ["block2_bn", "block2_conv", "block3_bn", "block3_conv"]
    assert trained(backbone) == expected
    backbones.set_trainable(backbone, 1)
    assert trained(backbone) == expected[2:]
    backbones.set_trainable(backbone, "all")
    assert len(trained(backbone)) == 7


@pytest.mark.parametrize("trainable", ["last", 0, -1, 1.5, None, True])
def test_what_says_no_part(trainable):
    with pytest.raises(ValueError, match="`trainable` must be"):
        backbones.set_trainable(make(), trainable)


def test_more_blocks_than_there_are():
    with pytest.raises(ValueError, match="has 3 blocks: pass fewer"):
        make(4)


def test_blocks_without_names_are_layers_and_those_of_a_transformer():
    @keras.saving.register_keras_serializable("tests")
    class Block(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(4)

        def call(self, x):
            return x + self.dense(x)

    class Encoder(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.blocks_inside = [Block(name=f"b{i}") for i in range(3)]

        def call(self, x):
            for block in self.blocks_inside:
                x = block(x)
            return x

    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 4, strides=4, name="patches")(inputs)
    network = keras.Model(inputs, Encoder()(keras.layers.Reshape((4, 4))(x)))
    backbone = backbones.from_model(network, "tf", 2, tokens="mean")
    names = [name for name, _ in backbones.blocks_of(backbone)]
    assert names == ["patches", "b0", "b1", "b2"]
    assert len(backbone.trainable_weights) == 4


@pytest.fixture(scope="module")
def stages():
    """A model trained in two stages: what was there before, between and after."""
    keras.utils.set_random_seed(0)
    model = keras_dc3.DC3Model(
        make(dropout=0.5),
        ssl="mean_teacher",
        num_classes=2,
        training_steps=20,
        batch_norm="per_view",
    )
    x = {
        "labeled": images(8, 20),
        "unlabeled": {
            "first": images(8, 20, seed=1),
            "second": images(8, 20, seed=2),
        },
    }
    y = np.arange(8) % 2
    model.build((None, 20, 20, 3))
    states = [state(model)]
    model.compile("sgd", jit_compile=False, run_eagerly=ON_TENSORFLOW)
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    states.append(state(model))
    backbones.set_trainable(model.backbone, 1)
    model.compile(
        keras.optimizers.SGD(1e-3), jit_compile=False, run_eagerly=ON_TENSORFLOW
    )
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    states.append(state(model))
    return model, states


def state(model):
    return {weight.path: np.array(numbers(weight)) for weight in model.network.weights}


def changed(before, after):
    return {path for path in before if (before[path] != after[path]).any()}


def test_a_frozen_backbone_stays_and_the_heads_learn(stages):
    _, (start, heads, _) = stages
    moved = changed(start, heads)
    assert any("class_head" in path for path in moved)
    assert not any(
        "tiny" in path or "block" in path or "stem" in path for path in moved
    )


def test_a_second_stage_trains_the_last_block_and_moves_its_statistics_alone(stages):
    _, (_, heads, last) = stages
    moved = {path for path in changed(heads, last) if "block" in path or "stem" in path}
    assert moved and all("block3" in path for path in moved)
    assert any("moving_mean" in path for path in moved)


def test_frozen_networks_are_not_random():
    """Dropout and BatchNormalization are those of inference."""
    pixels = images(8, 16)
    frozen = make(dropout=0.5)
    twice = [numbers(frozen(pixels, training=True)) for _ in range(2)]
    np.testing.assert_array_equal(*twice)
    np.testing.assert_array_equal(twice[0], numbers(frozen(pixels)))
    free = make("all", dropout=0.5)
    assert (numbers(free(pixels, training=True)) != numbers(free(pixels))).any()


def test_what_is_frozen_is_saved(stages, tmp_path):
    model, _ = stages
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (
        trained(loaded.backbone)
        == trained(model.backbone)
        == [
            "block3_bn",
            "block3_conv",
        ]
    )
    pixels = images(4, 20)
    np.testing.assert_allclose(
        loaded.predict(pixels, verbose=0)["classes"],
        model.predict(pixels, verbose=0)["classes"],
        atol=1e-6,
    )
