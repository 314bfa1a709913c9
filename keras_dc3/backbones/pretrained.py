"""Backbones by name, and of your own networks."""

from __future__ import annotations

import difflib
import os
import warnings
from typing import Any

import keras

from keras_dc3.backbones import applications, cv, hub
from keras_dc3.backbones.backbone import Backbone
from keras_dc3.backbones.freezing import set_trainable
from keras_dc3.backbones.probe import has_rescaling, scales_by_itself
from keras_dc3.backbones.reduction import without_head
from keras_dc3.backbones.scaling import Scaling


def names() -> list[str]:
    """Returns the names that `pretrained` knows without the package `keras-hub`.

    Example:

    >>> "EfficientNetV2B0" in keras_dc3.backbones.names()
    True
    """
    return applications.names()


def pretrained(
    name: str,
    weights: str | os.PathLike | None = "imagenet",
    trainable: str | int = "none",
    image_size: int | tuple[int, int] | None = None,
) -> Backbone:
    """Returns a backbone with the weights that others have trained.

    It takes images of 0..255, gray or in color, of any size, and does to them what its
    authors did. See the page "Backbones" for sizes, features and licences.

    Args:
        name: of an image classifier of `keras.applications`, however it is written
            ("ResNet50", "resnet50", "efficientnetv2-b0"); or of a preset of KerasHub
            (extra `[hub]`), such as "dinov2_small", "kaggle://..." or "hf://...".
        weights: `"imagenet"`, or the name of what was trained by itself: fetched, and
            kept in the cache of Keras or of the hub. A path: for machines without a
            network, a file that `python -m keras_dc3.backbones fetch NAME --to PATH`
            has written elsewhere, or that Keras has fetched; for a preset of KerasHub
            its folder. None: random weights.
        trainable: what is trained: `"none"`, `"all"`, or a number of the last blocks;
            see `set_trainable`.
        image_size: what images are resized to inside, one number or (height, width).
            None: what the network was trained on; smaller is faster.

    Raises:
        ValueError: for an unknown name, with the nearest known ones; a size that the
            network does not take; weights of another network.
        ImportError: if a package is missing; the message names the extra.
        OSError: if weights cannot be fetched, or a file cannot be read; the message
            tells what to fetch, and where to put it.

    Example:

    >>> backbone = keras_dc3.backbones.pretrained(
    ...     "mobilenet-v3-small", weights=None, image_size=48
    ... )
    >>> tuple(backbone(np.zeros((1, 40, 40, 1), "uint8")).shape)
    (1, 576)
    """
    known = kind_of(name)
    if known is None:
        backbone = hub.make(name, weights, image_size)
    else:
        backbone = applications.make(known, weights, image_size)
    set_trainable(backbone, trainable)
    return backbone


def kind_of(name: str) -> str | None:
    """Returns how Keras writes the name of an application; None: KerasHub may know it.

    Raises:
        TypeError: unless it is a text. ValueError: if nobody knows it.
    """
    if not isinstance(name, str):
        raise TypeError(f"`name` must be a text. Received: name={name!r}")
    known = {_plain(known): known for known in applications.names()}
    if _plain(name) in known:
        return known[_plain(name)]
    if not hub.may_know(name):
        raise ValueError(_unknown(name, known))
    return None


def from_model(
    network: keras.layers.Layer,
    scaling: str | Scaling | None = None,
    trainable: str | int = "all",
    *,
    image_size: int | tuple[int, int] | None = None,
    output: str | None = None,
    tokens: str | None = None,
) -> Backbone:
    """Returns a backbone of any Keras model.

    A classification head that was left on is cut off, which a warning tells. A
    classifier of KerasHub is taken for its backbone, with its preprocessing.

    Args:
        network: a model or layer from images, scaled, to features (n, d), a map
            (n, h, w, d), tokens (n, t, d), or a dict of these.
        scaling: what the network was trained on: `"tf"` for -1..1, `"unit"` for 0..1,
            ...; see `get_scaling`. None: `"none"`, that it scales 0..255 itself, with
            a warning where nothing in it does; a backbone of KerasCV tells.
        trainable: as for `pretrained`.
        image_size: as for `Backbone`; None: the network's, where it takes one only.
        output: which entry of a dict; None: found by name.
        tokens: what to take of tokens, `"first"` or `"mean"`.

    Raises:
        ValueError: where it cannot be told what the features are.

    Example:

    >>> network = keras.applications.MobileNetV2(
    ...     weights=None, alpha=0.35, input_shape=(32, 32, 3), include_top=False
    ... )
    >>> backbone = keras_dc3.backbones.from_model(network, "tf")
    >>> tuple(backbone(np.zeros((2, 48, 48, 3), "uint8")).shape)
    (2, 1280)
    """
    if not isinstance(network, keras.layers.Layer):
        raise TypeError(
            "`network` must be a Keras model or layer; load a saved one with "
            f"`keras.saving.load_model`. Received: {network!r}"
        )
    if hub.is_classifier(network):
        backbone = hub.of_classifier(network)
    else:
        network = without_head(network)
        if scaling is None and cv.is_backbone(network):
            scaling = cv.scaling_of(network)
        elif scaling is None:
            scaling = "none"
            _tell_of_no_scaling(network)
        backbone = Backbone(
            network,
            scaling,
            _size_of(network) if image_size is None else image_size,
            output,
            tokens or hub.tokens_of(network),
        )
    set_trainable(backbone, trainable)
    return backbone


def _tell_of_no_scaling(network: keras.layers.Layer) -> None:
    """Warns of a network that gets 0..255 as they are, unless it scales them."""
    size, scales = _size_of(network) or (None, None), None
    if network.built:
        scales = scales_by_itself(network, (*size, 3), network.compute_dtype)
    if scales is None and has_rescaling(network):
        scales = True
    if scales:
        return
    begin = f"Nothing in the network {network.name!r} scales its images"
    if scales is None:
        begin = f"It cannot be told whether {network.name!r} scales its images"
    warnings.warn(
        f"{begin}, and no `scaling` was given: it gets numbers of 0 to 255 as they "
        'are. If it was trained on others, pass `scaling="tf"` for -1 to 1, "unit" for '
        '0 to 1, or "torch" for those standardized as for ImageNet; `scaling="none"` '
        "says that 0 to 255 is right.",
        stacklevel=3,
    )


def _size_of(network: Any) -> tuple[int, int] | None:
    """Returns the only (height, width) that a network takes; None: any, or unknown."""
    inputs = getattr(network, "inputs", None)
    if not inputs or len(inputs) != 1 or len(inputs[0].shape) != 4:
        return None
    height, width = inputs[0].shape[1:3]
    return None if None in (height, width) else (height, width)


def _plain(name: str) -> str:
    """Returns a name without what people write in different ways."""
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _unknown(name: str, known: dict[str, str]) -> str:
    near = difflib.get_close_matches(_plain(name), known, n=3, cutoff=0.5)
    nearest = ", ".join(repr(known[each]) for each in near)
    return (
        f"Unknown backbone {name!r}."
        + (f" The nearest known: {nearest}." if near else "")
        + " `keras_dc3.backbones.names()` lists those of `keras.applications`; presets "
        "of KerasHub have names such as 'dinov2_small', and any Keras model goes "
        "through `keras_dc3.backbones.from_model`."
    )
