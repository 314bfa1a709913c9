"""Gradients of a function, whatever the backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops, tree


def gradients(function: Callable[[Any], Any], inputs: Any) -> Any:
    """Computes the gradients of a scalar function, on any backend.

    Args:
        function: from a structure of tensors (array, dict, list) to a scalar tensor.
        inputs: structure of arrays at which to take the gradients; float32 is made of
            them.

    Returns:
        NumPy arrays in the structure of `inputs`; 0 where the function does not depend
        on an array, or no gradient flows.

    Example:

    >>> keras_dc3.testing.gradients(lambda x: keras.ops.sum(x**2), np.array([1.0, 3.0]))
    array([2., 6.], dtype=float32)
    """
    inputs = tree.map_structure(lambda value: np.asarray(value, "float32"), inputs)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        tensors = tree.map_structure(tf.constant, inputs)
        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(tensors)
        found = tape.gradient(
            value, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO
        )
    elif backend == "jax":
        import jax

        def stateless(tensors: Any) -> Any:
            with keras.StatelessScope():  # what it assigns must not outlive the trace
                return function(tensors)

        found = jax.grad(stateless)(tree.map_structure(ops.convert_to_tensor, inputs))
    elif backend == "torch":
        import torch

        leaves = [ops.convert_to_tensor(value) for value in tree.flatten(inputs)]
        leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]
        value = function(tree.pack_sequence_as(inputs, leaves))
        found = [None] * len(leaves)
        if value.requires_grad:
            found = torch.autograd.grad(value, leaves, allow_unused=True)
        found = [
            torch.zeros_like(leaf) if gradient is None else gradient
            for leaf, gradient in zip(leaves, found, strict=True)
        ]
        found = tree.pack_sequence_as(inputs, found)
    else:
        raise NotImplementedError(f"No gradients for the backend {backend!r}.")
    return tree.map_structure(ops.convert_to_numpy, found)
