"""A training step as a strategy sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

# Beside the views: in the logits of a batch, in its inputs, and in its outputs.
LABELED, POSITIONS, MIXING = "labeled", "positions", "mixing"


class Batch(NamedTuple):
    """What a strategy sees of a training step.

    Attributes:
        logits: view name -> class logits, float32 (n, k), without gradient where the
            view's role says so; `"labeled"` -> those of the labeled images, (m, k); and
            those of the views that are mixed.
        targets: `"labeled"` -> class distributions, float32 (m, k); and mixed view ->
            those that `SSLStrategy.mix` has mixed.
        step: number of training steps taken so far, integer scalar.
        positions: which unlabeled images they are, int32 (n,), for a strategy that
            needs it; None where the data do not tell.

    Example:

    >>> from keras import ops
    >>> logits = {"labeled": ops.zeros((3, 2)), "only": ops.zeros((5, 2))}
    >>> batch = keras_dc3.strategies.Batch(
    ...     logits, {"labeled": ops.ones((3, 2)) / 2}, step=0
    ... )
    >>> losses = keras_dc3.strategies.PseudoLabel().losses(batch)
    >>> [tuple(values.shape) for values in losses]
    [(3,), (5,), (5,)]
    """

    logits: Mapping[str, Any]
    targets: Mapping[str, Any]
    step: Any
    positions: Any = None
