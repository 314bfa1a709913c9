"""The image classifiers of `keras.applications`, with the weights of ImageNet."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import keras

from keras_dc3.backbones.backbone import Backbone, check_size
from keras_dc3.backbones.weights import load_weights, no_network, shapes_in


@dataclass(frozen=True)
class Family:
    """What the networks of one module of `keras.applications` have in common.

    Args:
        scaling: what they want 0..255 to be.
        blocks: what the names of a block's layers have in common, or (`end`) how its
            last layer is called; see `set_trainable`.
        least: the smallest height and width that they take.
    """

    scaling: str
    blocks: str
    least: int = 32


_FAMILIES = {
    "convnext": Family("none", r"stage_\d+_block_\d+"),
    "densenet": Family("torch", r"conv\d+_block\d+"),
    "efficientnet": Family("none", r"block\d+[a-z]"),
    "efficientnet_v2": Family("none", r"block\d+[a-z]"),
    "inception_resnet_v2": Family(
        "tf", r"(?P<end>^mixed_\w+$|^block\d+_\d+_ac$|^conv_7b_ac$)", least=75
    ),
    "inception_v3": Family("tf", r"(?P<end>^mixed\d+$)", least=75),
    "mobilenet": Family("tf", r"(?<=conv_dw_|conv_pw_)\d+"),
    "mobilenet_v2": Family("tf", r"block_\d+|expanded_conv"),
    "mobilenet_v3": Family("none", r"expanded_conv(_\d+)?(?=_|$)"),
    "nasnet": Family("tf", r"(?P<end>^(normal|reduction)_concat_)"),
    "resnet": Family("caffe", r"conv\d+_block\d+"),
    "resnet_v2": Family("tf", r"conv\d+_block\d+"),
    "vgg16": Family("caffe", r"block\d+"),
    "vgg19": Family("caffe", r"block\d+"),
    "xception": Family("tf", r"block\d+", least=71),
}
# The height and width of the images that they were trained on, where not 224.
_SIZES = {
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
    "InceptionResNetV2": 299,
    "InceptionV3": 299,
    "NASNetLarge": 331,
    "Xception": 299,
}


def names() -> list[str]:
    """Returns the names of the networks, as Keras writes them."""
    members = vars(keras.applications).items()
    return sorted(name for name, value in members if _module_of(value) in _FAMILIES)


def make(name: str, weights: str | None, image_size: Any = None) -> Backbone:
    """Returns a backbone of `keras.applications`.

    Its features are the last map of the network, averaged over height and width, and
    normalized where its authors do so before they classify.

    Args:
        name: one of `names()`.
        weights: `"imagenet"`, the path of a file of weights, or None for random ones.
        image_size: one number or (height, width); None: what it was trained on.

    Raises:
        ValueError: for a size that is too small; weights of another network.
        OSError: if weights cannot be fetched, or a file cannot be read.
    """
    family = _FAMILIES[_module_of(getattr(keras.applications, name))]
    size = check_size(_SIZES.get(name, 224) if image_size is None else image_size)
    if min(size) < family.least:
        raise ValueError(
            f"{name} takes no images below {family.least}x{family.least} pixels; pass "
            f"`image_size={family.least}` or more, to which smaller images are "
            f"enlarged. Received: image_size={image_size!r}"
        )
    if weights == "imagenet":
        with no_network(name):
            network = _imagenet(name, size)
    else:
        if weights is not None:
            shapes_in(weights)  # before the network is made: there may be no such file
        network = _network(name, size)
        if weights is not None:
            if _module_of(getattr(keras.applications, name)) == "efficientnet":
                network = _scaled_as_in_imagenet(network)
            load_weights(network, weights, name)
    return Backbone(
        network, family.scaling, size, blocks=family.blocks, name=network.name
    )


def _network(
    name: str, size: tuple[int, int], weights: str | None = None
) -> keras.Model:
    with warnings.catch_warnings():
        # MobileNet says that its weights were trained on other sizes.
        warnings.filterwarnings("ignore", "`input_shape` is undefined or non-square")
        return getattr(keras.applications, name)(
            include_top=False,
            weights=weights,
            input_shape=(*size, 3),
            pooling="avg",
        )


def _imagenet(name: str, size: tuple[int, int]) -> keras.Model:
    if not name.startswith("NASNet"):
        return _network(name, size, "imagenet")
    # Keras gives these the weights of ImageNet at their own size alone.
    own = _SIZES.get(name, 224)
    trained = _network(name, (own, own), "imagenet")
    if size == (own, own):
        return trained
    network = _network(name, size)
    network.set_weights(trained.get_weights())
    return network


def _scaled_as_in_imagenet(network: keras.Model) -> keras.Model:
    """Returns an EfficientNet as Keras makes it for the weights of ImageNet.

    What their files hold as the variance of the images is the deviation, so Keras
    divides by its root once more; but only where it fetches the weights itself.
    """
    deviations = (0.229, 0.224, 0.225)
    scale = [1.0 / math.sqrt(deviation) for deviation in deviations]

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        images = layer(*args, **kwargs)
        if isinstance(layer, keras.layers.Normalization):
            return keras.layers.Rescaling(scale)(images)
        return images

    return keras.models.clone_model(network, call_function=call)


def _module_of(value: Any) -> str | None:
    """Returns which module of `keras.applications` a network stands in, else None."""
    module, _, name = getattr(value, "__module__", "").rpartition(".")
    is_network = callable(value) and module.endswith("applications")
    return name if is_network else None
