"""Batches that cannot be divided by the number of JAX devices."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import tree


@contextmanager
def batches_of_any_size() -> Iterator[None]:
    """Lets JAX take batches that cannot be divided by the number of devices.

    Under `keras.distribution` each device takes an equal share of each batch, and Keras
    fails where there is none. Here all devices compute the whole of such a batch, most
    often the last one. Not with several processes.
    """
    if keras.backend.backend() != "jax" or keras.distribution.distribution() is None:
        yield
        return
    import jax
    from keras.src.backend.jax import trainer

    share = trainer._distribute_data

    def share_or_repeat(data: Any, layouts: Any = None) -> Any:
        distribution = keras.distribution.distribution()
        if distribution is None or jax.process_count() > 1:
            return share(data, layouts)
        mesh = distribution.device_mesh
        devices = mesh.shape[mesh.axis_names.index(distribution.batch_dim_name)]
        parts = [part for part in tree.flatten(data) if part is not None]
        is_shared = all(len(part) % devices == 0 for part in parts)

        def of_part(part: Any) -> Any:
            if part is None:
                return None
            if is_shared:
                return share(part, distribution.get_data_layout(part.shape))
            whole = keras.distribution.TensorLayout([None] * len(part.shape), mesh)
            return share(part, whole)

        return tree.map_structure(of_part, data)

    trainer._distribute_data = share_or_repeat
    try:
        yield
    finally:
        trainer._distribute_data = share


def of_any_size(method: Any) -> Any:
    """Lets a method of a model take such batches."""

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        with batches_of_any_size():
            return method(*args, **kwargs)

    return call
