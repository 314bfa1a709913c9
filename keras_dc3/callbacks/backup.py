"""Backs up a training, so that one that was killed goes on as if it had not been."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_dc3 import _keras
from keras_dc3._validation import (
    check_choice,
    check_positive_int,
    check_writable_folder,
    tell_of_pictures,
)
from keras_dc3.callbacks.backup_files import BackupFolder, DamagedBackupError
from keras_dc3.callbacks.shared_backup import shared
from keras_dc3.callbacks.state import (
    assign_state,
    metric_variables,
    read_state,
    state_variables,
)

_SHOWN = 60  # longest value that an error shows


@dataclass(frozen=True)
class Run:
    """What `fit` knows of the training that is backed up.

    Args:
        initial_epoch: of the call of `fit`.
        marks: returns words -> what tells this model, data and schedule from others, as
            JSON can hold it. Asked when the model is built.
        learning_rate: returns that of a new model; None where it follows a schedule, or
            the model is not new.
        batches_before: from a number of epochs to the batches that they use up of data
            that goes on from epoch to epoch; 0 for data that each epoch begins anew.
    """

    initial_epoch: int
    marks: Callable[[], dict[str, Any]]
    learning_rate: Callable[[], float | None]
    batches_before: Callable[[int], int]


class Backup(keras.callbacks.Callback):
    """Backs up all of a training, and goes on from there when it is run again.

    Run the same script again after a crash, a kill or a power cut: `fit` goes on from
    the last backup. On a CPU, its result is bit-equal with that of a run that was never
    stopped: weights, their average, optimizer, random generators and step. That holds
    for data sets of this package, and for all data whose batches are the same each time
    the script is run; data that you have shuffled without a seed go on in a new order.

    Unlike `keras.callbacks.BackupAndRestore` it writes each state as one file that is
    whole or not there, and keeps the last two: a damaged one costs the steps since the
    one before. A backup within an epoch goes on with the next batch of that epoch, not
    with its first one. A backup of another model, other data, other weights of classes
    or images, or another schedule is refused. Of images, up to 16 of each kind are
    compared; streams of batches (generators, `tf.data.Dataset`, `PyDataset`) are told
    apart by their length alone. It removes no files but its own.

    Where several workers train together (`tf.distribute`) the first one alone writes
    and reads, so that its disk may be its own. Another number of workers or devices
    goes on from the same backup, with the same batches, equal up to rounding.

    Other callbacks begin anew: `EarlyStopping` counts its patience, and
    `ModelCheckpoint(save_best_only=True)` looks for the best epoch, from there on.

    Args:
        backup_dir: the folder of the backups, one for each training.
        save_freq: `"epoch"`: at the end of each epoch, after all other callbacks; or
            the number of batches between two backups.
        delete_checkpoint: whether the backups are removed when training has ended as
            planned.

    Raises:
        ValueError: if an argument is not as described. By `fit`, before training: if
            the backup is of another training, or both are damaged.
        OSError: by `fit`, if the folder cannot be written to, or a backup cannot.

    Example:

    >>> backup = keras_dc3.callbacks.Backup("backup")
    >>> model.fit(data, epochs=50, callbacks=[backup])  # doctest: +SKIP
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike,
        save_freq: str | int = "epoch",
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not isinstance(backup_dir, str | os.PathLike) or not os.fspath(backup_dir):
            raise ValueError(
                "`backup_dir` must be the path of a folder. Received: "
                f"backup_dir={backup_dir!r}"
            )
        if isinstance(save_freq, str):
            check_choice("save_freq", save_freq, ("epoch",))
        else:
            check_positive_int("save_freq", save_freq)
        check_choice("delete_checkpoint", delete_checkpoint, (True, False))
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.delete_checkpoint = delete_checkpoint
        # Without a backup within an epoch, nothing happens after a batch.
        self.async_safe = save_freq == "epoch"
        self._folder = BackupFolder(self.backup_dir)
        self._run: Run | None = None
        self._kept: Any = None

    def prepare(self, run: Run) -> None:
        """Takes what `fit` knows of the training that is about to begin."""
        self._run, self._kept = run, None

    def keep(self, part: Any) -> None:
        """Keeps what `part.state()` returns with each backup, for its `restore`."""
        self._kept = part

    def on_train_begin(self, logs: Any = None) -> None:
        if self._run is None:
            raise ValueError(
                "`keras_dc3.callbacks.Backup` is for `DC3Model.fit`; for other models "
                "use `keras.callbacks.BackupAndRestore`."
            )
        if self.model.collective.worker == 0:
            check_writable_folder(self.backup_dir)
            if not self._folder.numbers():
                tell_of_pictures("The backup", self.backup_dir)
        self._number = next(iter(self._folder.numbers()), 0)
        self._epoch = self._began = self._run.initial_epoch
        # By way of JSON, so that what was read compares with what was not written.
        self._marks = json.loads(json.dumps(self._run.marks()))
        self._learning_rate = self._run.learning_rate()
        # What is left to pass over: batches of an epoch, and of the stream before it.
        self._passed, self._stream = 0, 0
        self._since, self._metrics = 0, []
        found = shared(self.model.collective, self._found)
        if found is None:
            return
        header, arrays = found
        self._check(header)
        self._restore(header, arrays)
        if self._epoch >= self.params.get("epochs", self._epoch + 1):
            warnings.warn(
                f"The backup in {self.backup_dir!r} is of the end of this training, "
                f"after epoch {self._epoch}: the model has that state, and nothing is "
                "left to train. Raise `epochs` to train longer, or remove the folder "
                "to begin anew.",
                stacklevel=2,
            )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        _keras.begin_with(self.model, None)  # Keras would keep it for the next `fit`
        self._epoch = epoch
        if self._passed:
            self.model.build_metrics()
            variables = metric_variables(self.model)
            if [v.shape for v in variables] == [a.shape for a in self._metrics]:
                assign_state(self.model, variables, self._metrics)
            results = self.model.get_metrics_result().items()
            self._logs = {k: float(keras.ops.convert_to_numpy(v)) for k, v in results}

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        if self._stream or batch < self._passed:
            self._pass_over(trains=batch >= self._passed)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.save_freq == "epoch" or batch < self._passed:
            return
        self._since += self.model.steps_per_execution
        if self._since >= self.save_freq:
            self._save(self._epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self._passed = 0
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: Any = None) -> None:
        _keras.begin_with(self.model, None)
        self._run = None
        if self.delete_checkpoint and self.model.collective.worker == 0:
            self._folder.clear()

    def _save(self, epoch: int, batch: int) -> None:
        """Writes the state before a batch of an epoch."""
        if keras.backend.backend() == "jax":
            self.model.jax_state_sync()
        state = read_state(state_variables(self.model))
        metrics = read_state(metric_variables(self.model)) if batch else []
        header = {
            "epoch": epoch,
            "batch": batch,
            "began": self._began,
            "learning_rate": self._learning_rate,
            "marks": self._marks,
            "metrics": len(metrics),  # at the end of the arrays
            "kept": self._kept and self._kept.state(),
        }
        self._number += 1
        self._since = 0
        if self.model.collective.worker == 0:
            self._folder.write(self._number, header, [*state, *metrics])

    def _found(self) -> tuple[dict[str, Any], list[bytes]] | None:
        """Returns the latest backup, of this callback alone; None if there is none."""
        found = self._newest()
        if found is None and (other := self._folder.of_keras()) is not None:
            raise ValueError(
                f"{other!r} was written by `keras.callbacks.BackupAndRestore`, "
                "which `keras_dc3.callbacks.Backup` does not read. Name another "
                "folder, or remove it to begin anew."
            )
        return found

    def _newest(self) -> tuple[dict[str, Any], list[bytes]] | None:
        """Returns the latest backup that is whole, None if there is none at all."""
        damage: list[str] = []
        numbers = self._folder.numbers()
        for number in numbers:
            try:
                found = self._folder.read(number)
            except DamagedBackupError as error:
                damage.append(str(error))
                continue
            if damage:
                epoch, batch = found[0]["epoch"], found[0]["batch"]
                warnings.warn(
                    f"The backup {damage[0]}. Training goes on from the one before, "
                    f"with epoch {epoch + 1}, batch {batch + 1}.",
                    stacklevel=2,
                )
                for damaged in numbers[: len(damage)]:
                    self._folder.remove(damaged)
            return found
        if damage:
            raise ValueError(
                f"The backup {damage[0]}, and there is no other whole one in "
                f"{self.backup_dir!r}. Remove the folder to begin anew."
            )
        return None

    def _check(self, header: dict[str, Any]) -> None:
        """Raises ValueError if the backup is of another training."""
        then, now = dict(header["marks"]), dict(self._marks)
        rates = header["learning_rate"], self._learning_rate
        if None not in rates:
            then["learning rate"], now["learning rate"] = rates
        if header["epoch"] < self._run.initial_epoch:
            then["epoch to begin with"] = header["epoch"]
            now["epoch to begin with"] = self._run.initial_epoch
        different = [
            _difference(name, then.get(name), now.get(name))
            for name in {**now, **then}
            if then.get(name) != now.get(name)
        ]
        if different:
            raise ValueError(
                f"The backup in {self.backup_dir!r} is of another training: "
                f"{'; '.join(different)}. Go on with what it was made of, name another "
                "`backup_dir`, or remove the folder to begin anew."
            )

    def _restore(self, header: dict[str, Any], arrays: list[bytes]) -> None:
        values = [
            np.frombuffer(raw, _dtype(name)).reshape(shape)
            for raw, (shape, name) in zip(arrays, header["arrays"], strict=True)
        ]
        size = len(values) - header["metrics"]
        variables = state_variables(self.model)
        assign_state(self.model, variables, values[:size])
        self._metrics = values[size:]
        self._epoch, self._passed = header["epoch"], header["batch"]
        self._began = header["began"]
        if header["learning_rate"] is not None:
            self._learning_rate = header["learning_rate"]
        if self._kept is not None:
            self._kept.restore(header["kept"])
        self._stream = self._run.batches_before(self._epoch - self._began)
        # As Keras' own callback tells `fit`; there is no other way.
        _keras.begin_with(self.model, self._epoch)

    def _pass_over(self, trains: bool) -> None:
        """Makes the next training step pass over batches that were trained on.

        Args:
            trains: whether to train after those of the stream before this epoch; else
                a step's batches are passed over, too.
        """
        model, train, stream = self.model, self.model.train_function, self._stream
        self._stream = 0

        def passes_over(*arguments: Any) -> Any:
            model.train_function = train
            *state, batches = arguments
            if hasattr(batches, "__next__"):  # PyTorch's loop has taken them already
                for _ in range(stream if trains else stream + 1):
                    next(batches)
                for _ in range(0 if trains else model.steps_per_execution - 1):
                    next(batches, None)  # the last step of an epoch may have fewer
            if trains:
                return train(*arguments)
            return (self._logs, *state) if state else self._logs

        model.train_function = passes_over


def _dtype(name: str) -> np.dtype:
    try:
        return np.dtype(name)
    except TypeError:  # such as bfloat16, which NumPy does not know by itself
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))


def _difference(name: str, then: Any, now: Any) -> str:
    shown = [json.dumps(value) for value in (then, now)]
    if max(map(len, shown)) > _SHOWN:
        return f"another {name}"
    return f"its {name} is {shown[0]}, that of this one {shown[1]}"
