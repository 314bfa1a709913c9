"""Arrays and tables in files of other programs: .npy, .npz and Parquet."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np

from keras_dc3._extras import optional

_OF_NUMPY = (ValueError, EOFError, OSError, zipfile.BadZipFile)


def load_numpy(path: str, **options: Any) -> Any:
    """Returns what `numpy.load` does, never Python objects.

    Args:
        path: a .npy or .npz file.
        **options: as for `numpy.load`.

    Raises:
        ValueError: if it cannot be read; it names the file.
    """
    try:
        return np.load(path, allow_pickle=False, **options)
    except _OF_NUMPY as error:
        reason = str(error).strip().splitlines()
        if any("allow_pickle" in r or "Python objects" in r for r in reason):
            reason = ["it holds Python objects instead of numbers"]
        raise ValueError(
            f"{path!r} cannot be read as NumPy's ({reason[0] if reason else 'empty'}). "
            "Is it cut off? Write it anew by `np.save` or `np.savez`."
        ) from error


def load_npz(path: str) -> dict[str, np.ndarray]:
    """Returns the arrays of a .npz file by name; raises as `load_numpy`."""
    with load_numpy(path) as file:
        try:
            return {name: file[name] for name in file.files}
        except Exception as error:  # a damaged file raises nearly anything
            raise ValueError(
                f"{path!r} is damaged or holds Python objects ({error}). Write it anew "
                "by `np.savez`, with texts as `np.array(ids, str)`."
            ) from error


def load_parquet(path: str) -> tuple[Any, Any]:
    """Returns pyarrow and the table of a Parquet file.

    Raises:
        ImportError: without pyarrow.
        ValueError: if it cannot be read; it names the file.
    """
    needs = "Parquet files need pyarrow"
    pa = optional("pyarrow", needs, "parquet")
    pq = optional("pyarrow.parquet", needs, "parquet")
    try:
        with open(path, "rb") as file:
            return pa, pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(
            f"{path!r} is no complete Parquet file ({error}). Is it cut off?"
        ) from error
