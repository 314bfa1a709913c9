"""Which part of a backbone is trained: nothing, its last blocks, or all of it."""

from __future__ import annotations

import itertools
import re

import keras

from keras_dc3 import _keras
from keras_dc3._validation import is_number


def set_trainable(backbone: keras.layers.Layer, trainable: str | int) -> None:
    """Freezes a backbone, but for its last blocks.

    Frozen `BatchNormalization` normalizes as in inference, and its moving statistics
    stay as they are. After it, `compile` the model anew, as Keras always asks for.

    Args:
        backbone: such as `model.backbone`.
        trainable: `"none"`; `"all"`; or how many of the last blocks, as
            `blocks_of` lists them. What comes after the last block goes with it.

    Raises:
        ValueError: for anything else, or more blocks than there are.

    Example:

    >>> backbone = keras_dc3.backbones.pretrained(
    ...     "MobileNetV3Small", weights=None, image_size=32
    ... )
    >>> keras_dc3.backbones.set_trainable(backbone, 2)
    >>> len(backbone.trainable_weights), len(backbone.non_trainable_weights)
    (29, 177)
    """
    if trainable in ("none", "all"):
        for layer in _keras.layers_in(backbone):
            layer.trainable = trainable == "all"
        return
    if not is_number(trainable) or trainable != int(trainable) or trainable < 1:
        raise ValueError(
            '`trainable` must be "none", "all", or a number of blocks of at least 1. '
            f"Received: trainable={trainable!r}"
        )
    blocks = blocks_of(backbone)
    if trainable > len(blocks):
        raise ValueError(
            f"The backbone {backbone.name!r} has {len(blocks)} blocks: pass fewer, or "
            f'"all". Received: trainable={trainable}'
        )
    set_trainable(backbone, "all")
    keep = {id(layer) for _, layers in blocks[-int(trainable) :] for layer in layers}
    for layer in parts_of(backbone):
        layer.trainable = id(layer) in keep


def blocks_of(
    backbone: keras.layers.Layer,
) -> list[tuple[str, list[keras.layers.Layer]]]:
    """Returns the blocks of a backbone in their order, (name, layers).

    They are those that the names of its layers tell, where it knows how (`Backbone`'s
    `blocks`, as all that `pretrained` makes); else each layer with weights is one, and
    so is each of the equal layers that a transformer is made of. Layers before the
    first block belong to none, those between blocks or after the last to the one before
    them.

    Example:

    >>> backbone = keras_dc3.backbones.small_cnn((32, 32, 3))
    >>> len(keras_dc3.backbones.blocks_of(backbone))
    12
    """
    parts, pattern = parts_of(backbone), getattr(backbone, "blocks", None)
    if pattern is None:
        starts = [layer.name if layer.weights else None for layer in parts]
    elif "(?P<end>" in pattern:
        ends = [re.search(pattern, layer.name) for layer in parts]
        # Each begins behind the end of the one before.
        names = [layer.name for layer, end in zip(parts, ends, strict=True) if end]
        waiting, starts = iter(names), []
        for place in range(len(parts)):
            begins = place == 0 or ends[place - 1] is not None
            starts.append(next(waiting, None) if begins else None)
    else:
        found = [re.search(pattern, layer.name) for layer in parts]
        starts = [match and match.group() for match in found]
    blocks: list[tuple[str, list[keras.layers.Layer]]] = []
    for layer, start in zip(parts, starts, strict=True):
        if start is not None and (not blocks or blocks[-1][0] != start):
            blocks.append((start, []))
        if blocks:
            blocks[-1][1].append(layer)
    return blocks


def parts_of(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Returns the layers that a backbone is made of, in their order.

    Models are taken apart, and so are layers that are a chain of equal ones.
    """
    layers = _keras.own_layers(layer)
    is_chain = any(
        type(a) is type(b) and _keras.has_layers(a)
        for a, b in itertools.pairwise(layers)
    )
    if not layers or not (isinstance(layer, keras.Model) or is_chain):
        return [layer]
    return [part for inner in layers for part in parts_of(inner)]


def frozen_layers(backbone: keras.layers.Layer) -> list[int]:
    """Returns which layers of a backbone are frozen, by their place among all."""
    layers = _keras.layers_in(backbone)
    return [place for place, layer in enumerate(layers) if not layer.trainable]


def restore_frozen(backbone: keras.layers.Layer, frozen: list[int]) -> None:
    """Freezes the layers that `frozen_layers` has told of an equal backbone."""
    if 0 in frozen:  # the backbone itself, and thus all of it
        backbone.trainable = False
        return
    # A layer hands its choice on to those inside it, which come after it.
    for place, layer in enumerate(_keras.layers_in(backbone)):
        layer.trainable = place not in frozen
