"""The files of a backup: the last two states of a training, each whole or not there.

    backup-<number>.zip    header.json and the arrays, each with a check sum

A larger number is a later state. All of a state stands in one file, so that its parts
cannot be of different times.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from keras_dc3._writing import remove_abandoned, whole_file

_NAME = re.compile(r"backup-([0-9]{8,})\.zip")
_FORMAT, _VERSION = "keras_dc3 backup", 1
_HEADER = "header.json"
_KEPT = 2
# What `keras.callbacks.BackupAndRestore` writes.
_OF_KERAS = ("latest.weights.h5", "training_metadata.json")


class DamagedBackupError(ValueError):
    """A file that is no backup any more."""


class BackupFolder:
    """The backups of one training.

    Args:
        path: of the folder; created when something is written.
    """

    def __init__(self, path: str):
        self.path = path

    def numbers(self) -> list[int]:
        """Returns the numbers of the backups, the latest first.

        Raises:
            OSError: if the folder cannot be read.
        """
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return []
        found = map(_NAME.fullmatch, names)
        return sorted((int(match[1]) for match in found if match), reverse=True)

    def file(self, number: int) -> str:
        """Returns the path of a backup."""
        return os.path.join(self.path, f"backup-{number:08d}.zip")

    def of_keras(self) -> str | None:
        """Returns a file of Keras' own callback in the folder, None without one."""
        found = [os.path.join(self.path, name) for name in _OF_KERAS]
        return next(filter(os.path.exists, found), None)

    def write(
        self, number: int, header: dict[str, Any], arrays: Sequence[np.ndarray]
    ) -> None:
        """Writes a backup, then removes all but it and the one before.

        Raises:
            OSError: if it cannot be written.
        """
        kinds = [[list(a.shape), a.dtype.name] for a in arrays]
        header = {"format": _FORMAT, "version": _VERSION, **header, "arrays": kinds}
        with (
            whole_file(self.file(number), "wb") as file,
            zipfile.ZipFile(file, "w") as z,
        ):
            z.writestr(_HEADER, json.dumps(header))
            for i, array in enumerate(arrays):
                with z.open(str(i), "w", force_zip64=True) as part:
                    part.write(np.ascontiguousarray(array).tobytes())
        files = [n for n in self.numbers() if os.path.isfile(self.file(n))]
        for old in files[_KEPT:]:
            self.remove(old)

    def read(self, number: int) -> tuple[dict[str, Any], list[bytes]]:
        """Returns the header of a backup, and the bytes of its arrays.

        Raises:
            DamagedBackupError: if it is not what `write` has written.
            OSError: if it cannot be read.
        """
        path = self.file(number)
        if os.path.isdir(path):
            raise DamagedBackupError(f"{path!r} is a folder instead of a file")
        try:
            with zipfile.ZipFile(path) as file:
                header = json.loads(file.read(_HEADER))
                if header["format"] != _FORMAT:
                    raise ValueError("it is of another program")
                known = header["version"] == _VERSION
                count = len(header["arrays"]) if known else 0
                arrays = [file.read(str(i)) for i in range(count)]
        except Exception as error:  # for wrong bytes `zipfile` raises nearly anything
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise DamagedBackupError(f"{path!r} is damaged ({error})") from error
        if not known:
            raise ValueError(
                f"{path!r} is of version {header['version']!r}, but this release of "
                f"keras_dc3 reads version {_VERSION}. Go on with the release that "
                "wrote it, or name another folder."
            )
        return header, arrays

    def remove(self, number: int) -> None:
        """Removes a backup, if it is there; a folder of its name is not ours."""
        path = self.file(number)
        if os.path.isdir(path):
            return
        with suppress(FileNotFoundError):
            os.remove(path)

    def clear(self) -> None:
        """Removes all backups, and the folder if nothing else is in it.

        Also what killed writers of backups have left.
        """
        for number in self.numbers():
            self.remove(number)
        remove_abandoned(self.file(0))
        with suppress(OSError):
            os.rmdir(self.path)
