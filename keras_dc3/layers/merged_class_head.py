"""The class output of a network some of whose classes are several former ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3._registration import register
from keras_dc3._validation import check_rank

_NONE = -1e30  # adds nothing to a sum of exponentials in float32


@register
class MergedClassHead(keras.layers.Dense):
    """Logits of k classes, each of them with one row of weights or several.

        z_c = ln sum_{r of c} exp(features w_r + b_r)

    so that softmax(z) gives a class exactly the sum of the probabilities that its rows
    have among all rows. No single row can do that: the logit of a sum is no linear
    function of the features, and is far from each where the former classes were well
    told apart. The rows are trained like any others. A class of one row has its logit.

    It computes in float32 whatever the dtype policy.

    Args:
        class_of_row: of each row its class, r integers; each of 0..k - 1 has one.
        **kwargs: as for `keras.layers.Dense`, without `units`.

    Call arguments:
        features: float (n, d).

    Returns:
        Logits, float32 (n, k).

    Raises:
        ValueError: if a class has no row.

    Example:

    >>> head = keras_dc3.layers.MergedClassHead([0, 1, 1], use_bias=False)
    >>> head.build((None, 3))
    >>> head.set_weights([np.eye(3)])
    >>> logits = head(np.log([[0.5, 0.3, 0.2]]))
    >>> keras.ops.convert_to_numpy(keras.ops.softmax(logits)).round(2)
    array([[0.5, 0.5]], dtype=float32)
    """

    def __init__(self, class_of_row: Sequence[int], **kwargs: Any):
        rows = tuple(map(int, class_of_row))
        super().__init__(len(rows), **{"dtype": "float32", **kwargs})
        self.class_of_row = rows
        self.num_classes = len(set(rows))
        if set(rows) != set(range(self.num_classes)):
            raise ValueError(
                "`class_of_row` must name each class of 0..k - 1 at least once. "
                f"Received: class_of_row={list(rows)}"
            )
        of_class = [np.flatnonzero(np.equal(rows, c)) for c in range(self.num_classes)]
        most = max(map(len, of_class))
        # Rows of each class; where there are fewer than `most`, the last one again.
        self._rows = np.stack([np.pad(r, (0, most - len(r)), "edge") for r in of_class])
        self._is_pad = np.stack([np.arange(most) >= len(r) for r in of_class])

    def call(self, features: Any) -> Any:
        check_rank("features", features, 2, "(images, features)")
        logits = super().call(features)
        parts = ops.take(logits, self._rows, axis=1)
        return ops.logsumexp(ops.where(self._is_pad, _NONE, parts), axis=-1)

    def compute_output_shape(self, features_shape: tuple) -> tuple:
        return (features_shape[0], self.num_classes)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "class_of_row": list(self.class_of_row)}
        del config["units"]
        return config
