"""What is told and not told while Keras runs: warnings, errors, data without end."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from keras_dc3.data import ImageFileError
from keras_dc3.models.data_adapters.data import Data

# Of an evaluation whose number of batches nobody knows.
_MANY_BATCHES, _MOST_BATCHES = 10_000, 100_000
# What TensorFlow makes of an exception of Python: its name and text, and a trace.
_FILE_ERROR = re.compile(rf"{ImageFileError.__name__}: (.*)")


@contextmanager
def quiet_heads() -> Iterator[None]:
    """Lets plain images train the classes alone without a warning.

    Keras takes heads that have no gradient for a loss that was forgotten. A layer of
    the user's that has none is told still.
    """
    head = r"'[^']*/(cluster|ambiguity|order)_head/[^']*'"
    message = rf"Gradients do not exist for variables \[{head}(, {head})*\] when"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=message)
        yield


@contextmanager
def quiet_end(datasets: Iterable[Data], steps: Iterable[int | None]) -> Iterator[None]:
    """Lets a `tf.data.Dataset` of unknown length end without a warning.

    Keras takes the end of each of its epochs for data that ran out.

    Args:
        datasets: of any kind.
        steps: of each, the batches that are asked for; None for all.
    """
    asked = [
        data for data, number in zip(datasets, steps, strict=True) if number is None
    ]
    with warnings.catch_warnings():
        if any(data.has_unknown_end for data in asked):
            warnings.filterwarnings("ignore", message="Your input ran out of data")
        yield


class EndWatch(keras.callbacks.Callback):
    """Warns after 10,000 batches of an evaluation, and stops it after 100,000.

    For data that do not say how many batches they have: they may never end.
    """

    def on_test_begin(self, logs: Any = None) -> None:
        self.warned = False

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        steps = (
            "pass `steps` (in `fit`: `validation_steps`), or remove a `.repeat()` if "
            "the data repeat without end"
        )
        if batch >= _MOST_BATCHES:
            raise ValueError(
                f"The evaluation was stopped after {batch:,} batches: the data do not "
                f"say how many they have, and have not ended; {steps}."
            )
        if batch >= _MANY_BATCHES and not self.warned:
            self.warned = True
            warnings.warn(
                f"The evaluation has taken {batch:,} batches, and stops with an error "
                f"at {_MOST_BATCHES:,}: the data do not say how many they have; "
                f"{steps}.",
                stacklevel=2,
            )


def end_watch(data: Data, steps: int | None) -> list[EndWatch]:
    """Returns the callbacks that an evaluation needs on so many steps of data."""
    return [EndWatch()] if steps is None and data.may_not_end else []


@contextmanager
def plain_file_errors() -> Iterator[None]:
    """An image that cannot be read inside is one `ImageFileError` with its path."""
    try:
        yield
    except ImageFileError:
        raise
    except Exception as error:
        found = _FILE_ERROR.search(str(error))
        if found is None:
            raise
        raise ImageFileError(found[1]) from None
