"""Which adapter data get.

That of a data set, of arrays or a dict of arrays, of a `tf.data.Dataset`, a
`PyDataset`, a PyTorch `DataLoader`, or of generators and other streams.
"""

from __future__ import annotations

from typing import Any

from keras_dc3.models.data_adapters.arrays import Arrays
from keras_dc3.models.data_adapters.batches import adapt_batches
from keras_dc3.models.data_adapters.data import Data
from keras_dc3.models.data_adapters.data_set import DataSet, is_data_set


def adapt(x: Any, y: Any = None) -> Data:
    """Returns the adapter of a user's data.

    Args:
        x: as for `fit` or `evaluate`.
        y: labels, where `x` is an array or a dict of arrays.
    """
    if is_data_set(x):
        return DataSet(x, y)
    return adapt_batches(x) if y is None else Arrays(x, y)


def adapt_validation(data: Any) -> Data:
    """Returns the adapter of `validation_data`: batches, or (images, labels)."""
    if not isinstance(data, tuple | list):
        return adapt(data)
    images, *labels = data
    return adapt(images, labels[0] if labels else None)
