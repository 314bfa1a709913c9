"""BatchNormalization that TensorFlow computes in one operation while training."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from keras_dc3._keras.parts import layers_in

_IMAGES = 4  # dimensions of what a convolution returns


@contextmanager
def fused_normalization(model: keras.Model) -> Iterator[None]:
    """Lets TensorFlow train each `BatchNormalization` of a model by one operation.

    Keras computes mean, variance and the normalization one after the other, each of
    which reads and writes all images once more. TensorFlow has one operation for them,
    with a gradient of its own. Answers, gradients and moving statistics are the same
    up to rounding, and what a layer is saved as does not change.

    Only for batches (n, height, width, channels) in `channels_last`, without mask and
    renormalization, and where replicas do not share their statistics; never on other
    backends, nor of layers with a `call` of their own.
    """
    kind = keras.layers.BatchNormalization
    is_tensorflow = keras.backend.backend() == "tensorflow"
    layers = [
        layer
        for layer in (layers_in(model) if is_tensorflow else ())
        if isinstance(layer, kind)
        and type(layer).call is kind.call
        # Replicas are traced by turns: what they share must stay as it is.
        and not layer.synchronized
    ]
    for layer in layers:
        layer.call = _fused(layer, layer.call)
    try:
        yield
    finally:
        for layer in layers:
            del layer.call


def _fused(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    """Returns what takes the place of the `call` of a layer."""

    def fused_call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        is_learning = training and layer.trainable
        if not is_learning or mask is not None or not _can_be_fused(layer, inputs):
            return call(inputs, training=training, mask=mask)
        return _normalized(layer, inputs)

    return fused_call


def _can_be_fused(layer: Any, inputs: Any) -> bool:
    return (
        len(inputs.shape) == _IMAGES
        and layer.axis in (-1, _IMAGES - 1)
        and inputs.shape[-1] is not None
        and inputs.dtype.name in ("float32", "bfloat16", "float16")
        and not getattr(layer, "renorm", False)
    )


def _normalized(layer: Any, inputs: Any) -> Any:
    """Returns what a layer makes of a batch of images, and moves its statistics."""
    import tensorflow as tf

    channels = inputs.shape[-1]
    scale = ops.cast(layer.gamma, "float32") if layer.scale else tf.ones(channels)
    offset = ops.cast(layer.beta, "float32") if layer.center else tf.zeros(channels)
    nothing = tf.zeros(0)  # the statistics are those of the batch
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=scale,
        offset=offset,
        mean=nothing,
        variance=nothing,
        epsilon=layer.epsilon,
        is_training=True,
    )
    # It returns the variance over n - 1; Keras keeps the one over n.
    number = tf.cast(tf.size(inputs) / channels, "float32")
    variance *= (number - 1) / number
    for moving, new in (
        (layer.moving_mean, mean),
        (layer.moving_variance, variance),
    ):
        kept = ops.cast(moving, "float32") * layer.momentum
        moving.assign(kept + new * (1.0 - layer.momentum))
    return ops.cast(outputs, layer.compute_dtype)
