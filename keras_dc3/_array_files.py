"""Arrays and tables in files of other programs: .npy, .npz and Parquet."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_dc3._extras import optional
from keras_dc3._text import some
from keras_dc3._unpacking import UnpackingError, check_unpacked

IDS = ("ids", "id", "names", "files")  # how arrays of ids are called

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
        raise _unreadable(path, error) from error


def open_npz(path: str | os.PathLike) -> Any:
    """Returns a .npz file that is open, and unfolds within bounds.

    Raises:
        UnpackingError: if it would unfold to far more than it is; it names the file.
        ValueError: if it holds one array alone.
        Anything else: what NumPy raises for a damaged file.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            needed = sum(member.file_size for member in archive.infolist())
        way_out = "read it with `numpy.load`, and write it with `numpy.savez`."
        check_unpacked(str(path), os.path.getsize(path), needed, way_out)
    file = np.load(path, allow_pickle=False)
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise ValueError("it holds one array alone, as `.npy` files do")
    return file


def load_npz(path: str) -> dict[str, np.ndarray]:
    """Returns the arrays of a .npz file by name.

    Raises:
        ValueError: if it cannot be read, or would unfold to far more than it is; it
            names the file.
    """
    try:
        opened = open_npz(path)
    except UnpackingError:
        raise
    except _OF_NUMPY as error:
        raise _unreadable(path, error) from error
    with opened as file:
        try:
            return {name: file[name] for name in file.files}
        except Exception as error:  # a damaged file raises nearly anything
            raise ValueError(
                f"{path!r} is damaged or holds Python objects ({error}). Write it anew "
                "by `np.savez`, with texts as `np.array(ids, str)`."
            ) from error


def only_one(
    path: str,
    arrays: Mapping[str, np.ndarray],
    names: Sequence[str],
    others: Sequence[str],
    what: str,
) -> np.ndarray:
    """Returns the array of a .npz file that is meant.

    Args:
        path: of the file, for the message.
        arrays: all that it holds.
        names: that the array may have.
        others: names of those that could be meant where none is called so.
        what: the array is, and how it should be called.

    Raises:
        ValueError: if none or several could be meant.
    """
    chosen = [name for name in names if name in arrays] or others
    if len(chosen) != 1:
        found = some((f"{n} {a.shape} {a.dtype}" for n, a in arrays.items()), 8)
        raise ValueError(
            f"{path!r} must hold one array {what}. It holds: {found}. Pass the array "
            "itself."
        )
    return arrays[chosen[0]]


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


def _unreadable(path: str, error: Exception) -> ValueError:
    reason = str(error).strip().splitlines()
    if any("allow_pickle" in r or "Python objects" in r for r in reason):
        reason = ["it holds Python objects instead of numbers"]
    return ValueError(
        f"{path!r} cannot be read as NumPy's ({reason[0] if reason else 'empty'}). Is "
        "it cut off? Write it anew by `np.save` or `np.savez`."
    )
