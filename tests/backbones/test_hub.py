"""Image encoders of KerasHub, from small presets made here."""

import keras
import numpy as np
import pytest

from keras_dc3 import backbones
from keras_dc3.backbones import hub
from tests.backbones.helpers import images, numbers, relative

SCALE, OFFSET = [0.01, 0.02, 0.015], [-1.0, -2.0, -1.5]


def keras_hub():
    return pytest.importorskip("keras_hub")


def transformer(name, **kwargs):
    sizes = {"patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 16}
    return getattr(keras_hub().models, name)(image_shape=(32, 32, 3), **sizes, **kwargs)


def resnet():
    return keras_hub().models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[2, 2],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=(None, None, 3),
    )


def two_towers(name, **of_clip):
    models = keras_hub().models
    text = {"num_layers": 1, "num_heads": 2, "hidden_dim": 16, "intermediate_dim": 32}
    vision = transformer(f"{name}VisionEncoder", intermediate_dim=32)
    text = getattr(models, f"{name}TextEncoder")(
        vocabulary_size=20, embedding_dim=16, **text, **of_clip.pop("text", {})
    )
    return getattr(models, f"{name}Backbone")(vision, text, **of_clip)


# Each with what its authors take for the features of an image.
FAMILIES = {
    "DINOV2": (
        lambda: transformer(
            "DINOV2Backbone", intermediate_dim=32, position_embedding_shape=(32, 32, 3)
        ),
        lambda network, x: network({"images": x})[:, 0],
    ),
    "DINOV3": (
        lambda: transformer("DINOV3Backbone", intermediate_dim=32),
        lambda network, x: network({"pixel_values": x})[:, 0],
    ),
    "ViT": (
        lambda: transformer("ViTBackbone", mlp_dim=32),
        lambda network, x: network(x)[:, 0],
    ),
    "CLIP": (
        lambda: two_towers("CLIP", projection_dim=8),
        lambda network, x: network.get_vision_embeddings(x),
    ),
    "SigLIP": (
        lambda: two_towers("SigLIP"),
        lambda network, x: network.get_vision_embeddings(x),
    ),
    "ResNet": (resnet, lambda network, x: keras.ops.mean(network(x), axis=(1, 2))),
}


@pytest.fixture(params=FAMILIES)
def preset(request, tmp_path):
    """A folder as `fetch` writes it, its network, and what its features are."""
    make, features = FAMILIES[request.param]
    converters = keras_hub().layers
    converter = getattr(converters, f"{request.param}ImageConverter")(
        image_size=(32, 32), scale=SCALE, offset=OFFSET
    )
    network = make()
    network.save_to_preset(str(tmp_path / "preset"))
    converter.save_to_preset(str(tmp_path / "preset"))
    return str(tmp_path / "preset"), network, converter, features


@pytest.mark.slow
def test_features_are_those_of_their_own_preprocessing(preset, tmp_path):
    folder, network, converter, features = preset
    backbone = backbones.pretrained(folder)
    pixels = images()
    expected = numbers(features(network, converter(pixels.astype("float32"))))
    assert relative(numbers(backbone(pixels)), expected) < 1e-5
    larger = numbers(backbone(images(size=48, channels=1)))
    assert larger.shape == expected.shape
    blocks = [name for name, _ in backbones.blocks_of(backbone)]
    assert len(blocks) == (4 if "stack0_block0" in blocks else 2)
    backbones.set_trainable(backbone, 1)
    assert 0 < len(backbone.trainable_weights) < len(backbone.weights)
    backbone.save(tmp_path / "backbone.keras")
    loaded = keras.saving.load_model(tmp_path / "backbone.keras")
    np.testing.assert_allclose(
        numbers(loaded(pixels)), numbers(backbone(pixels)), atol=1e-6
    )
    assert len(loaded.trainable_weights) == len(backbone.trainable_weights)


@pytest.mark.slow
def test_sizes(tmp_path):
    vit, clip, dino = (FAMILIES[name][0]() for name in ("ViT", "CLIP", "DINOV2"))
    for network in (vit, clip):
        with pytest.raises(ValueError, match="of 32x32 alone, which others are"):
            hub._check_takes(network, (64, 64))
    folder = str(tmp_path)
    dino.save_to_preset(folder)
    keras_hub().layers.DINOV2ImageConverter(image_size=(32, 32)).save_to_preset(folder)
    larger = backbones.pretrained(folder, image_size=64)
    assert larger.image_size == (64, 64)
    assert numbers(larger(images())).shape == (2, 16)


@pytest.mark.slow
def test_folders_of_another_network(preset, tmp_path):
    folder, network, *_ = preset
    with pytest.raises(ValueError, match="holds another network than 'vgg_16_imagenet"):
        backbones.pretrained("vgg_16_imagenet", weights=folder)
    with pytest.raises(FileNotFoundError, match="is no folder of a preset"):
        backbones.pretrained("vgg_16_imagenet", weights=tmp_path)
    network.save_to_preset(str(tmp_path / "bare"))
    with pytest.raises(FileNotFoundError, match=r"lacks image_converter\.json"):
        backbones.pretrained(str(tmp_path / "bare"))


@pytest.mark.slow
def test_a_classifier_brings_its_preprocessing():
    models, layers = keras_hub().models, keras_hub().layers
    converter = layers.ResNetImageConverter(image_size=(32, 32), scale=SCALE)
    classifier = models.ResNetImageClassifier(
        backbone=resnet(),
        num_classes=5,
        preprocessor=models.ResNetImageClassifierPreprocessor(converter),
    )
    backbone = backbones.from_model(classifier)
    x = converter(images().astype("float32"))
    expected = numbers(keras.ops.mean(classifier.backbone(x), axis=(1, 2)))
    assert relative(numbers(backbone(images())), expected) < 1e-5


def test_without_the_package_or_a_network(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "keras_hub", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in ("dinov2_small", "hf://keras/dinov2_small", "hub:anything"):
        with pytest.raises(ImportError, match=r'pip install "keras_dc3\[hub\]"'):
            backbones.pretrained(name)


@pytest.mark.slow
def test_a_preset_that_cannot_be_fetched(monkeypatch):
    def from_preset(*_, **__):
        raise ConnectionError("no network")

    monkeypatch.setattr(keras_hub().models.Backbone, "from_preset", from_preset)
    with pytest.raises(OSError, match="cannot be fetched from here") as told:
        backbones.pretrained("dinov2_small")
    for part in ("fetch dinov2_small --to dinov2_small", 'weights="dinov2_small"'):
        assert part in str(told.value)
