"""Features in files: .npy, .npz and Parquet, of whatever program wrote them."""

from __future__ import annotations

import os
import re
import warnings
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_dc3._array_files import IDS, load_npz, load_numpy, load_parquet, only_one
from keras_dc3._registration import suggest
from keras_dc3._text import number_of, some
from keras_dc3._validation import check_ordered

_FEATURES = ("features", "plain", "embeddings", "embedding")
_KINDS = "a .npy, .npz or .parquet file"
_WAYS_OUT = (
    "Name those of features as `feature_columns=[...]` of `from_embeddings`, leave the "
    "others out of the file, or pass the array itself."
)


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


def read_features(
    path: str | os.PathLike,
    id_column: str = "id",
    feature_columns: Sequence[str] | None = None,
) -> FeatureFile:
    """Reads features from a file, told by the end of its name.

    Args:
        path: `.npy` is memory-mapped; `.npz` holds "features" (or "plain" or
            "embeddings"), perhaps "ids", "weak" and "strong"; `.parquet` a column of
            names, and a column of lists or one column per feature.
        id_column: of a Parquet file, the column that names the images.
        feature_columns: of a Parquet file, the columns that are features, or the one of
            lists. None: that of lists, or all in floating point; which these are is
            told where their names are not numbered, and asked where some are.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: for Parquet without pyarrow.
        ValueError: if it is another file, damaged, or holds no features.
    """
    path = os.fspath(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path!r} to read features from.")
    end = os.path.splitext(path)[1].lower()
    readers = {".npy": _read_npy, ".npz": _read_npz}
    if end not in (*readers, ".parquet") or os.path.isdir(path):
        raise ValueError(
            f"Features are read from {_KINDS}. Received: {path!r}; of other files pass "
            "the array itself."
        )
    if end == ".parquet":
        return _read_parquet(path, id_column, feature_columns)
    if feature_columns is not None:
        raise ValueError(
            f"`feature_columns` are those of a .parquet file. Received: {path!r}"
        )
    return readers[end](path)


def _read_npy(path: str) -> FeatureFile:
    return FeatureFile(load_numpy(path, mmap_mode="r"))


def _read_npz(path: str) -> FeatureFile:
    arrays = load_npz(path)
    flat = [n for n, a in arrays.items() if a.ndim == 2 and a.dtype.kind == "f"]
    called = f"{', '.join(map(repr, _FEATURES[:2]))} or {_FEATURES[2]!r}"
    what = f"of features (n, d), called {called}"
    ids = next((arrays[name] for name in IDS if name in arrays), None)
    features = only_one(path, arrays, _FEATURES, flat, what)
    views = {name: arrays[name] for name in ("weak", "strong") if name in arrays}
    return FeatureFile(features, ids, views)


def _read_parquet(
    path: str, id_column: str, feature_columns: Sequence[str] | None
) -> FeatureFile:
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
    if feature_columns is not None:
        table = table.select(_chosen(path, table, id_column, feature_columns))
    return FeatureFile(
        _features_of(pa, path, table, id_column, feature_columns is not None), ids
    )


def _chosen(
    path: str, table: Any, id_column: str, names: Sequence[str]
) -> Sequence[str]:
    """Returns the names of columns that a user has given for those of features."""
    check_ordered("feature_columns", names)
    known = [name for name in table.column_names if name != id_column]
    for name in names:
        if name not in known:
            raise ValueError(
                f"{path!r} has no column of features {name!r}, as `feature_columns` "
                f"says.{suggest(str(name), known)} Its columns: "
                f"{some(map(repr, known), 8)}."
            )
    if not len(names) or len(set(names)) != len(names):
        raise ValueError(
            "`feature_columns` must name one column or more, each once. Received: "
            f"{some(map(repr, names), 8)}"
        )
    return list(names)


def _features_of(
    pa: Any, path: str, table: Any, id_column: str, are_chosen: bool
) -> np.ndarray:
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
            f"{path!r} has several columns of lists: {some(map(repr, lists))}. Name "
            "one as `feature_columns=[...]` of `from_embeddings`, or pass its array."
        )
    if lists and not (are_chosen and len(fields) > 1):
        return _of_lists(pa, path, table, (known or lists)[0])
    numbers = [
        field.name
        for field in fields
        if types.is_floating(field.type)
        or (are_chosen and types.is_integer(field.type))
    ]
    others = [field.name for field in fields if field.name not in numbers]
    if not numbers or others:
        raise ValueError(
            f"{path!r} must have a column of lists, or beside {id_column!r} columns of "
            f"floating-point features alone. Other columns: {some(map(repr, others))}. "
            f"{_WAYS_OUT}"
        )
    if not are_chosen:
        _check_names(path, numbers)
    table = table.select(numbers)
    for name in numbers:
        _complete(path, table.column(name), name)
    stacked = np.stack([table.column(name).to_numpy() for name in numbers], axis=1)
    return stacked.astype("float32") if stacked.dtype.kind in "iu" else stacked


def _check_names(path: str, names: Sequence[str]) -> None:
    """Asks or tells which columns are features where their names leave it open.

    Features are mostly numbered, such as "f0", "f1", ...; a confidence or a length of
    the animal beside them is none.

    Args:
        path: of the file.
        names: of all its columns in floating point.

    Raises:
        ValueError: if some are numbered alike and others not.
    """
    groups = defaultdict(list)
    for name in names:
        groups[re.sub(r"[0-9]+", "#", name)].append(name)
    numbered = [n for form, found in groups.items() for n in found if "#" in form]
    others = [name for name in names if name not in set(numbered)]
    if not others and len(groups) == 1:
        return
    if others and len(numbered) > 1:
        raise ValueError(
            f"{path!r} has {number_of(len(numbered), 'numbered column')}, such as "
            f"{numbered[0]!r}, and others beside them, {some(map(repr, others))}, that "
            f"may be features or not. {_WAYS_OUT}"
        )
    taken = f"all {len(names):,} columns of" if len(names) > 1 else "the only column of"
    warnings.warn(
        f"{path!r}: taken for features is what stands in {taken} floating-point "
        f"numbers, {some(map(repr, names), 8)}. If some are something else, name the "
        "right ones as `feature_columns=[...]` of `from_embeddings`.",
        stacklevel=6,
    )


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
