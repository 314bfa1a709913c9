"""From what a network answers to one row of features for each image."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_dc3 import _keras

TOKENS = ("first", "mean")
# What authors call the features of a whole image; then, its tokens.
_POOLED = ("pooled_output", "pooler_output", "image_embeds", "image_embeddings")
_SEQUENCES = ("sequence_output", "last_hidden_state")


def reduced(outputs: Any, output: str | None, tokens: str | None, name: str) -> Any:
    """Returns features (n, d) of what a network returns.

    Args:
        outputs: features (n, d); a map (n, h, w, d), which is averaged over h and w;
            tokens (n, t, d); or a dict of these.
        output: which entry of a dict; None: the one of a name that authors use for the
            features of the whole image, else for its tokens, or the only one.
        tokens: `"first"`: the class token stands first, and is taken; `"mean"`: they
            are averaged.
        name: of the network, for messages.

    Raises:
        ValueError: where this does not tell which numbers are the features.
    """
    if isinstance(outputs, Mapping):
        outputs = outputs[output or _entry(outputs, name)]
    elif output is not None:
        raise ValueError(
            f"The network {name!r} does not return a dict; leave `output` out. "
            f"Received: output={output!r}"
        )
    rank = len(getattr(outputs, "shape", ()))
    if rank == 2:
        return outputs
    if rank == 4:
        return ops.mean(outputs, axis=(1, 2))
    if rank == 3:
        if tokens == "first":
            return outputs[:, 0]
        if tokens == "mean":
            return ops.mean(outputs, axis=1)
        raise ValueError(
            f"The network {name!r} returns tokens, {tuple(outputs.shape)}: pass "
            '`tokens="first"` where the first is the class token, else '
            '`tokens="mean"`.'
        )
    raise ValueError(
        f"The network {name!r} must return features (n, d), a map (n, h, w, d), tokens "
        "(n, t, d), or a dict of these. Received: "
        f"{getattr(outputs, 'shape', type(outputs).__name__)}"
    )


def _entry(outputs: Mapping[str, Any], name: str) -> str:
    for known in (*_POOLED, *_SEQUENCES):
        if known in outputs:
            return known
    if len(outputs) == 1:
        return next(iter(outputs))
    raise ValueError(
        f"The network {name!r} returns {sorted(outputs)}: say by `output=` which of "
        "them are the features of an image."
    )


def without_head(network: keras.layers.Layer) -> keras.layers.Layer:
    """Returns a network without the layers that make class probabilities of features.

    Only a functional model says what it ends in: a dense layer with a softmax, or
    followed by one, or one that is called "predictions". A warning tells what was cut.

    Raises:
        ValueError: where it ends in a softmax, and what comes before it cannot be told.
    """
    outputs = getattr(network, "outputs", None)
    if not outputs or len(outputs) != 1:
        return network
    last = _keras.operation_of(outputs[0])
    head = last
    if _is_softmax(last) and not isinstance(last, keras.layers.Dense):
        head = _keras.operation_of(last.input)
    is_head = isinstance(head, keras.layers.Dense)
    if not is_head and _is_softmax(last):
        raise ValueError(
            f"The network {network.name!r} ends in a softmax that follows no dense "
            "layer: pass a model that ends in its features."
        )
    if not (is_head and (_is_softmax(last) or head.name == "predictions")):
        return network
    warnings.warn(
        f"The network {network.name!r} ends in a classification head, the layer "
        f"{head.name!r} with {head.units} classes: it is left out, and what it is fed "
        "are the features.",
        stacklevel=4,
    )
    return keras.Model(network.inputs, head.input, name=network.name)


def _is_softmax(operation: Any) -> bool:
    activation = getattr(operation, "activation", None)
    is_layer = isinstance(operation, keras.layers.Softmax)
    return is_layer or activation is keras.activations.softmax
