"""Data that do not say how many batches they have, and may never end."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

# Of an evaluation whose number of batches nobody knows.
_MANY_BATCHES, _MOST_BATCHES = 10_000, 100_000


def _is_of_unknown_length(data: Any) -> bool:
    """Whether `data` is a `tf.data.Dataset` that does not know its length."""
    cardinality = getattr(data, "cardinality", None)
    return callable(cardinality) and int(cardinality()) == -2


def end_watch(data: Any, steps: int | None) -> list[Any]:
    """Returns an `EndWatch` if it is unknown how many batches there are, else nothing.

    Args:
        data: what is evaluated.
        steps: batches to evaluate, None for all.
    """
    if steps is not None:
        return []
    unknown = _is_of_unknown_length(data) or hasattr(data, "__next__")
    return [EndWatch()] if unknown else []


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


@contextmanager
def quiet_end(datasets: Iterable[Any], steps: Iterable[int | None]) -> Iterator[None]:
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
        if any(map(_is_of_unknown_length, asked)):
            warnings.filterwarnings("ignore", message="Your input ran out of data")
        yield
