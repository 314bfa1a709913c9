"""All columns of a CSV log, also where the first epoch does not validate."""

from __future__ import annotations

import csv
import os
import warnings
from collections.abc import Collection
from typing import Any

import keras


class CSVColumns(keras.callbacks.Callback):
    """Gives a `CSVLogger` its columns before it takes them from the first epoch.

    Stands before it in the list of callbacks. Keras fixes the columns by the first
    epoch, which with `validation_freq=2` has no figure of the validation data, and
    guesses those. Where the file is continued (`append=True`), its header holds.

    Args:
        logger: the `keras.callbacks.CSVLogger`.
        names: what training will log.
    """

    def __init__(self, logger: keras.callbacks.CSVLogger, names: Collection[str]):
        super().__init__()
        self._logger, self._names = logger, set(names)
        self._header: list[str] = []

    def on_train_begin(self, logs: Any = None) -> None:
        path = self._logger.filename
        self._header = []
        if self._logger.append and os.path.isfile(path):
            with open(path, encoding="utf-8", newline="") as file:
                self._header = next(csv.reader(file, delimiter=self._logger.sep), [])

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self._logger.keys is not None:
            return
        names = {*self._names, *(logs or {})}
        if self._header[:1] != ["epoch"]:
            self._logger.keys = sorted(names)
            return
        self._logger.keys = self._header[1:]
        missing = sorted(names - set(self._header))
        if missing:
            warnings.warn(
                f"{self._logger.filename!r} is continued, but has no column for "
                f"{missing}: they are not written. Name another file to have them.",
                stacklevel=2,
            )
