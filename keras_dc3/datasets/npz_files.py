"""Where data sets lie, and their files of arrays."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from keras_dc3._array_files import open_npz
from keras_dc3._unpacking import UnpackingError


def data_folder(data_dir: str | os.PathLike | None) -> Path:
    """Returns `data_dir`, by default the variable KERAS_DC3_DATA, else "data"."""
    return Path(data_dir or os.environ.get("KERAS_DC3_DATA") or "data")


def npz_arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of an `.npz` file.

    Raises:
        ValueError: if it cannot be read, or would unfold to far more than it is; the
            message names it.
    """
    try:
        with open_npz(path) as file:
            return {key: file[key] for key in file}
    except UnpackingError:
        raise
    except Exception as error:  # a damaged file raises nearly anything
        raise _damaged(path, error, ".npz") from error


def npy_array(path: Path, mmap_mode: str | None = None) -> np.ndarray:
    """Returns the array of an `.npy` file; raises as `npz_arrays`."""
    try:
        array = np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("it holds several arrays, as `.npz` files do")
    except Exception as error:
        raise _damaged(path, error, ".npy") from error
    return array


def _damaged(path: Path, error: Exception, kind: str) -> ValueError:
    reason = str(error) or type(error).__name__
    if "pickle" in reason:
        reason = "it holds Python objects, or is no file of arrays"
    return ValueError(
        f"{path} is damaged or no `{kind}` file ({reason}); copy or download it again."
    )
