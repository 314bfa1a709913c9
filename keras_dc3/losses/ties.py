"""Classes of soft labels in a training step, where several may be chosen equally often.

The rule of `keras_dc3._ties` for tensors.
"""

from __future__ import annotations

from typing import Any

from keras import ops

_ALIKE = 1e-6  # relative, as in `keras_dc3._ties`


def most_chosen(targets: Any) -> Any:
    """Returns float32 (n, k): 1 for the classes with the largest share, 0 for others.

    Args:
        targets: class distributions, (n, k).
    """
    targets = ops.cast(targets, "float32")
    most = ops.max(targets, axis=-1, keepdims=True)
    return ops.cast(targets >= most * (1.0 - _ALIKE), "float32")


def majority_shares(targets: Any) -> Any:
    """Returns float32 (n, k): 1 / m for each of m classes that tie for the most."""
    chosen = most_chosen(targets)
    return chosen / ops.sum(chosen, axis=-1, keepdims=True)


def likeliest_classes(targets: Any, predicted: Any) -> Any:
    """Returns the class with the largest share of each image, int (n,).

    Where several tie, that of them which is predicted to be likeliest, so that no class
    is preferred by its place.

    Args:
        targets: class distributions, (n, k).
        predicted: class probabilities, (n, k), in [0, 1].
    """
    order = 1.0 + ops.cast(predicted, "float32")
    return ops.argmax(most_chosen(targets) * order, axis=-1)
