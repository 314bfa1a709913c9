"""Workers that train one model: equal versions, who logs, joint normalization."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from keras_dc3._keras import layers_in
from keras_dc3._version import __version__
from keras_dc3.collective import Collective

_WIDTH = 128  # characters of the versions of a worker
# Names of TensorFlow's errors where another process has gone.
_GONE = ("UnavailableError", "AbortedError", "CancelledError", "DeadlineExceededError")


def own_versions(collective: Collective) -> str:
    """Returns the versions that all workers must have, as text."""
    return f"{collective.engine}, keras {keras.__version__}, keras_dc3 {__version__}"


def check_same_versions(collective: Collective) -> None:
    """Compares the versions of all workers, which all call it.

    Raises:
        RuntimeError: in all of them, if they differ.
    """
    if collective.workers == 1:
        return
    text = own_versions(collective).ljust(_WIDTH)[:_WIDTH]
    row = np.frombuffer(text.encode("ascii"), "uint8")
    rows = collective.joined(row.astype("int32")[None])
    texts = [bytes(row.astype("uint8")).decode("ascii").strip() for row in rows]
    if len(set(texts)) > 1:
        told = "; ".join(f"worker {i}: {text}" for i, text in enumerate(texts))
        raise RuntimeError(
            "All workers must have the same versions of TensorFlow, Keras and "
            f"keras_dc3. Install the same everywhere. Found {told}."
        )


def of_worker(callbacks: list[Any], collective: Collective) -> list[Any]:
    """Returns the callbacks of a worker: those that write logs are the first one's."""
    if collective.worker == 0:
        return callbacks
    logs = keras.callbacks.CSVLogger, keras.callbacks.TensorBoard
    return [callback for callback in callbacks if not isinstance(callback, logs)]


@contextmanager
def synchronized(model: Any) -> Iterator[None]:
    """Normalizes by the global batch in training, where replicas share it.

    Keras' `BatchNormalization` does so only where it was made with `synchronized=True`,
    which other backends refuse: it is so in training alone, and saved as it was made.
    """
    kinds = keras.layers.BatchNormalization
    layers = [
        layer
        for layer in (layers_in(model) if model.collective.replicas > 1 else ())
        if isinstance(layer, kinds) and not layer.synchronized
    ]
    for layer in layers:
        layer.synchronized = True
    try:
        yield
    finally:
        for layer in layers:
            layer.synchronized = False


@contextmanager
def told_of_the_gone(collective: Collective) -> Iterator[None]:
    """An error because another worker has gone says so, and what to do."""
    try:
        yield
    except Exception as error:
        names = {cls.__name__ for cls in type(error).__mro__}
        if collective.workers == 1 or names.isdisjoint(_GONE):
            raise
        raise RuntimeError(
            f"Worker {collective.worker} of {collective.workers} cannot go on, as "
            "another one has stopped: look for the reason in what that one printed. "
            "Then start all of them again; with `keras_dc3.callbacks.Backup` they go "
            "on from the last backup."
        ) from error
