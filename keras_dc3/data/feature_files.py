"""Features in files: .npy, .npz and Parquet, of whatever program wrote them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_dc3._array_files import IDS, load_npz, load_numpy, load_parquet, only_one
from keras_dc3._text import some

_FEATURES = ("features", "plain", "embeddings", "embedding")
_KINDS = "a .npy, .npz or .parquet file"


@dataclass(frozen=True)
class FeatureFile:
    """What a file of features holds.

    Args:
        features: (n, d).
        ids: (n,) texts or whole numbers; None where the file has none.
        views: "weak" and "strong" -> (v, n, d), as far as the file has them.
    """

    features: Any
    ids: Any = None
    views: Mapping[str, Any] = field(default_factory=dict)


def read_features(path: str | os.PathLike, id_column: str = "id") -> FeatureFile:
    """Reads features from a file, told by the end of its name.

    Args:
        path: `.npy` is memory-mapped; `.npz` holds "features" (or "plain" or
            "embeddings"), perhaps "ids", "weak" and "strong"; `.parquet` a column of
            names, and a column of lists or one column per feature.
        id_column: of a Parquet file, the column that names the images.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: for Parquet without pyarrow.
        ValueError: if it is another file, damaged, or holds no features.
    """
    path = os.fspath(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path!r} to read features from.")
    end = os.path.splitext(path)[1].lower()
    readers = {".npy": _read_npy, ".npz": _read_npz, ".parquet": _read_parquet}
    if end not in readers or os.path.isdir(path):
        raise ValueError(
            f"Features are read from {_KINDS}. Received: {path!r}; of other files pass "
            "the array itself."
        )
    return readers[end](path, id_column)


def _read_npy(path: str, id_column: str) -> FeatureFile:
    return FeatureFile(load_numpy(path, mmap_mode="r"))


def _read_npz(path: str, id_column: str) -> FeatureFile:
    arrays = load_npz(path)
    flat = [n for n, a in arrays.items() if a.ndim == 2 and a.dtype.kind == "f"]
    called = f"{', '.join(map(repr, _FEATURES[:2]))} or {_FEATURES[2]!r}"
    what = f"of features (n, d), called {called}"
    ids = next((arrays[name] for name in IDS if name in arrays), None)
    features = only_one(path, arrays, _FEATURES, flat, what)
    views = {name: arrays[name] for name in ("weak", "strong") if name in arrays}
    return FeatureFile(features, ids, views)


def _read_parquet(path: str, id_column: str) -> FeatureFile:
    pa, table = load_parquet(path)
    columns = table.column_names
    if id_column not in columns:
        raise ValueError(
            f"{path!r} has no column {id_column!r} that names the images: pass its "
            f"name as `id_column`. Its columns: {some(map(repr, columns), 8)}."
        )
    ids = table.column(id_column).to_pylist()
    if None in ids:
        raise ValueError(
            f"{path!r}: `{id_column}` is missing in row {ids.index(None)}; complete "
            "the row."
        )
    return FeatureFile(_features_of(pa, path, table, id_column), ids)


def _features_of(pa: Any, path: str, table: Any, id_column: str) -> np.ndarray:
    types = pa.types
    fields = [field for field in table.schema if field.name != id_column]
    lists = [
        field.name
        for field in fields
        if types.is_list(field.type)
        or types.is_large_list(field.type)
        or types.is_fixed_size_list(field.type)
    ]
    known = [name for name in _FEATURES if name in lists]
    if len(known or lists) > 1:
        raise ValueError(
            f"{path!r} has several columns of lists: {some(map(repr, lists))}. Pass "
            "the array of one of them."
        )
    if lists:
        return _of_lists(pa, path, table, (known or lists)[0])
    numbers = [field.name for field in fields if types.is_floating(field.type)]
    others = [field.name for field in fields if field.name not in numbers]
    if not numbers or others:
        raise ValueError(
            f"{path!r} must have a column of lists, or beside {id_column!r} columns of "
            f"floating-point features alone. Other columns: {some(map(repr, others))}. "
            "Leave them out, or pass the array itself."
        )
    table = table.select(numbers)
    for name in numbers:
        _complete(path, table.column(name), name)
    return np.stack([table.column(name).to_numpy() for name in numbers], axis=1)


def _of_lists(pa: Any, path: str, table: Any, name: str) -> np.ndarray:
    column = table.column(name)
    _complete(path, column, name)
    inside = column.type.value_type
    if not pa.types.is_floating(inside):
        raise ValueError(
            f"{path!r}: `{name}` must be lists of floating-point features. Found: "
            f"{column.type}."
        )
    lists = column.cast(pa.list_(inside)).combine_chunks()
    lengths = np.diff(lists.offsets.to_numpy())
    odd = np.flatnonzero(lengths != lengths[0]) if len(lengths) else []
    if len(odd):
        raise ValueError(
            f"{path!r}, row {odd[0]}: `{name}` has {lengths[odd[0]]} numbers, but "
            f"{lengths[0]} in row 0. All images have equally many features."
        )
    flat = lists.flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(lengths), -1)


def _complete(path: str, column: Any, name: str) -> None:
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise ValueError(f"{path!r}, row {row}: `{name}` is missing; complete the row.")
