"""Embeddings that belong to predictions, in their order. NumPy only."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_dc3._names import KnownNames, match_all, tell_lacking
from keras_dc3._text import number_of, some, tell
from keras_dc3._validation import check_features, check_ids
from keras_dc3.annotations.reading.files import as_text


def embeddings_for(given: Any, ids: Sequence[str], id_column: str | None) -> np.ndarray:
    """Returns embeddings (n, d) in the order of `ids`.

    Args:
        given: (n, d) in that order; or the path of a file of features, id -> (d,), or a
            set with `ids` and `features`, which are joined by id.
        ids: n names of images.
        id_column: of a Parquet file.

    Raises:
        TypeError, ValueError: if they are no features, or some images have none.
    """
    names, what = None, "`embeddings`"
    if isinstance(given, str | os.PathLike):
        from keras_dc3.data.feature_files import read_features

        file = read_features(given, id_column or "id")
        given, names, what = file.features, file.ids, repr(os.fspath(given))
    elif isinstance(given, Mapping):
        given, names = _stacked(given)
    elif hasattr(given, "features") and hasattr(given, "ids"):
        given, names = given.features, given.ids
    elif hasattr(given, "columns"):
        raise TypeError(
            "`embeddings` must not be a data frame, whose rows may have another order. "
            "Pass `dict(zip(frame.index, frame.to_numpy()))` if its index names the "
            "images, or `frame.to_numpy()` if they are in the order of the predictions."
        )
    if hasattr(given, "detach"):  # a tensor of PyTorch
        given = given.detach().cpu()
    values = check_features("embeddings", given)
    if names is None:
        if len(values) != len(ids):
            raise ValueError(
                f"{what} must hold one row per image, in the order of the predictions. "
                f"Received: {number_of(len(values), 'row')} for "
                f"{number_of(len(ids), 'image')}. With ids (`embeddings={{id: vector}}`"
                ", or a file that has some) they are joined by these."
            )
        if what != "`embeddings`":
            warnings.warn(
                f"{what} names no images: its rows are taken to be in the order of the "
                "predictions.",
                stacklevel=4,
            )
        return values
    names = check_ids("ids of the embeddings", [as_text(n) or "" for n in names])
    if len(names) != len(values):
        raise ValueError(
            f"{what} must have one id per row. Received: {len(names):,} ids for "
            f"{number_of(len(values), 'row')}."
        )
    return values[_rows(what, ids, names)]


def _rows(what: str, ids: Sequence[str], names: Sequence[str]) -> list[int]:
    """Returns the position in `names` of each of `ids`."""
    matches = match_all(ids, KnownNames(names), what="embeddings")
    if matches.lost:
        lost = [repr(ids[i]) for i in matches.lost]
        raise ValueError(
            f"{what} lacks {len(lost):,} of {number_of(len(ids), 'image')} that have a "
            f"prediction: {some(lost, 3)}. Its own ids look like this: "
            f"{', '.join(map(repr, names[:3]))}. Make the names agree, or embed all "
            "images."
        )
    told = tell_lacking(matches.lacking, "embedding")
    if len(names) > len(ids):
        told.append(
            f"{number_of(len(names) - len(ids), 'image has', 'images have')} no "
            "prediction."
        )
    tell(f"Embeddings of {what}:", told, stacklevel=5)
    place = {name: row for row, name in enumerate(names)}
    return [place[matches.found[name]] for name in ids]


def _stacked(given: Mapping[str, Any]) -> tuple[np.ndarray, list[Any]]:
    vectors = [np.asarray(vector) for vector in given.values()]
    shapes = {vector.shape for vector in vectors}
    if len(shapes) != 1:
        raise ValueError(
            "`embeddings` must have one vector per image, all of one length. Received: "
            f"shapes {some(sorted(shapes), 4)}."
        )
    return np.stack(vectors), list(given)
