"""The files of a study: what it is, one record per cell, and its raw outputs.

    study.json           what the cells are made of
    cells/<name>.json    settings, scores, history and resources of a finished cell
    cells/<name>.failed.json   why a cell failed; it is tried again by the next run
    cells/<name>.log     what the training printed
    outputs/<name>.npz   predictions for the validation images, to compute more from

A cell's name is `<strategy>-<config>-<seed>`. Each file is whole or not there.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._writing import whole_file

_NAME = re.compile(r"[A-Za-z0-9_.+]+")


class Cell(NamedTuple):
    """One training of a study."""

    strategy: str
    config: str
    seed: int

    @property
    def name(self) -> str:
        """The name of its files."""
        return f"{self.strategy}-{self.config}-{self.seed}"


def check_cell_name(kind: str, name: Any) -> None:
    """Raises ValueError for a name that cannot be part of a file's name."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"The name of a {kind} must consist of letters, digits, '_', '.' and '+', "
            f"as it becomes part of a file's name. Received: {name!r}"
        )


def write_json(path: str | os.PathLike, content: Any) -> None:
    """Writes JSON with one line per entry of the outer levels."""
    with whole_file(path, encoding="utf-8") as file:
        json.dump(plain(content), file, indent=1, allow_nan=True)
        file.write("\n")


def read_json(path: str | os.PathLike, entries: tuple[str, ...] = ()) -> dict[str, Any]:
    """Returns the content of a JSON file, a dict.

    Args:
        path: the file.
        entries: what it must hold.

    Raises:
        ValueError: if it is not that; the message names the file.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        missing = [name for name in entries if name not in content]
        if missing or not isinstance(content, dict):
            raise ValueError(f"it lacks {missing}" if missing else "it is no dict")
    except (ValueError, TypeError) as error:
        raise _damaged(path, error) from error
    return content


def _damaged(path: str | os.PathLike, error: Exception) -> ValueError:
    return ValueError(
        f"{os.fspath(path)!r} is damaged ({error}); remove it, and run the study again."
    )


def plain(value: Any) -> Any:
    """Returns `value` of plain types, floats cut to 7 digits."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.7g}")
    return value


class StudyFolder:
    """The folder of a study; see the module.

    Args:
        path: of the folder; created when something is written.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    @property
    def manifest_path(self) -> Path:
        """The file that says what the cells are made of."""
        return self.path / "study.json"

    def record_path(self, cell: Cell) -> Path:
        """Returns the file of a finished cell."""
        return self.path / "cells" / f"{cell.name}.json"

    def failure_path(self, cell: Cell) -> Path:
        """Returns the file that says why a cell failed."""
        return self.path / "cells" / f"{cell.name}.failed.json"

    def log_path(self, cell: Cell) -> Path:
        """Returns the file of what the training of a cell printed."""
        return self.path / "cells" / f"{cell.name}.log"

    def outputs_path(self, cell: Cell) -> Path:
        """Returns the file of a cell's raw outputs."""
        return self.path / "outputs" / f"{cell.name}.npz"

    def manifest(self) -> dict[str, Any] | None:
        """Returns what the cells are made of, None for a new folder."""
        if not self.manifest_path.exists():
            return None
        entries = ("epochs", "steps_per_epoch", "strategies", "configs", "seeds")
        return read_json(self.manifest_path, entries)

    def records(self) -> dict[Cell, dict[str, Any]]:
        """Returns the records of all finished cells, in the order of their names."""
        paths = sorted((self.path / "cells").glob("*.json"))
        entries = ("cell", "scores", "settings", "seconds")
        records = [
            read_json(path, entries)
            for path in paths
            if not path.stem.endswith(".failed")
        ]
        return {Cell(**record["cell"]): record for record in records}

    def failures(self) -> dict[Cell, str]:
        """Returns why cells failed that were not finished since."""
        found = [
            read_json(path, ("cell", "error"))
            for path in sorted((self.path / "cells").glob("*.failed.json"))
        ]
        failed = {Cell(**record["cell"]): record["error"] for record in found}
        return {
            cell: error
            for cell, error in failed.items()
            if not self.record_path(cell).exists()
        }

    def outputs(self, cell: Cell) -> dict[str, np.ndarray] | None:
        """Returns a cell's raw outputs, None where they were not kept."""
        path = self.outputs_path(cell)
        if not path.exists():
            return None
        try:
            with np.load(path) as file:
                return dict(file)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise _damaged(path, error) from error

    def write_outputs(self, cell: Cell, outputs: dict[str, np.ndarray]) -> None:
        """Writes a cell's raw outputs, whole or not at all."""
        with whole_file(self.outputs_path(cell), "wb") as file:
            np.savez_compressed(file, **outputs)
