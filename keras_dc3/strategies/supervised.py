"""Supervised training; DC3's terms still use the unlabeled images."""

from __future__ import annotations

from typing import Any

from keras import ops

from keras_dc3._registration import register
from keras_dc3.strategies.strategy import SSLStrategy


@register
class Supervised(SSLStrategy):
    """No unlabeled loss ("CE" in the paper's tables).

    With `DC3Config.vanilla()` this is plain cross-entropy training, on the same batches
    as the other strategies. It may also be trained on `(images, labels)` alone.

    Example:

    >>> keras_dc3.strategies.Supervised().needs_unlabeled
    False
    """

    views = {"first": "detached", "second": "student"}
    anchor, partner = "second", "first"
    needs_unlabeled = False

    def unlabeled_loss(self, logits: dict[str, Any]) -> Any:
        return ops.zeros_like(logits["second"][:, 0])
