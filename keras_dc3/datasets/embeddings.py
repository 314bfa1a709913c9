"""Data sets of features that any network has computed."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._names import composed
from keras_dc3._registration import suggest
from keras_dc3._text import some
from keras_dc3._validation import check_choice, check_features, check_ordered
from keras_dc3.annotations import Annotations
from keras_dc3.annotations.selecting import IDS
from keras_dc3.data.feature_files import FeatureFile, read_features
from keras_dc3.data.feature_set import VIEWS, FeatureSet, check_order_of_views
from keras_dc3.data.images_by_id import without_picture
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.datasets.answers import counts_of
from keras_dc3.datasets.arrays import as_counts, checked_class_names, split_annotated


def from_embeddings(
    features: ArrayLike | str | os.PathLike,
    annotations: ArrayLike | Annotations | str | os.PathLike,
    *,
    ids: Sequence[str] | None = None,
    views: Mapping[str, Any] | None = None,
    images: Any = None,
    id_column: str = "id",
    feature_columns: Sequence[str] | None = None,
    missing: str = "error",
    class_names: Sequence[str] | None = None,
    num_classes: int | None = None,
    seed: int = 0,
    labeled: int | float | None = None,
    unlabeled: int | float | None = None,
    validation: int | float | None = 0.2,
    batch_size: int = 64,
    **kwargs: Any,
) -> SemiSupervisedData:
    """Splits images, of which features are known, into the parts of a data set.

    The features may be of any network: DINOv2 or BioCLIP in PyTorch, an API, a table.
    Train on them with `keras_dc3.backbones.feature_mlp(data.image_shape)` as backbone;
    the model standardizes them. Labels, sizes that are not given, and images without
    annotation are as `from_arrays` says.

    Args:
        features: (n, d), one vector per image, or a file of them. `.npy` is
            memory-mapped; `.npz` holds "features" (or "plain" or "embeddings"), and
            perhaps "ids", "weak" and "strong"; `.parquet` a column of names, and a
            column of lists or one column per feature.
        annotations: as for `from_arrays`, in the order of the features; or
            `Annotations`, or a CSV file with the columns `image`, `annotator` and
            `label`, which name images by id.
        ids: n different names, in the order of the features. Default: those of the
            file, else the position, "0", "1", ...
        views: "weak" and "strong" -> (v, n, d), an array or a `.npy` file: features of
            v augmented views of each image, of which training draws one at random.
            Without them features are hidden at random (see `data.FeatureNoise`).
        images: the images, for people to look at: a folder to which the ids are
            relative, id -> image, a set with ids, or an array (n, h, w, c). Without
            them proposals have no pictures; ids that have none are told.
        class_names: k names. Integer classes need them or `num_classes`.
        num_classes: k.
        id_column: of a Parquet file, the column that names the images.
        feature_columns: of a Parquet file, the columns that are features, or the one of
            lists. None: the only one of lists, or all in floating point; it is told
            which these are where their names are not numbered alike, and an error where
            some are numbered and others not.
        missing: what to do about annotated images that have no features: "error", or
            "drop" to leave them out, with a warning.
        labeled, unlabeled, validation, seed, batch_size: as for `from_directory`.
        **kwargs: as for `from_arrays`.

    Raises:
        FileNotFoundError: if there is no such file, or folder of images.
        ImportError: for Parquet without pyarrow.
        ValueError, TypeError: if something does not fit.

    Example:

    >>> rng = np.random.default_rng(0)
    >>> features = rng.normal(size=(40, 16)).astype("float32")
    >>> answers = rng.integers(0, 4, (40, 3))  # how many people chose which class
    >>> data = keras_dc3.datasets.from_embeddings(features, answers, labeled=16)
    >>> model = keras_dc3.DC3Model(
    ...     keras_dc3.backbones.feature_mlp(data.image_shape), ssl="supervised"
    ... )
    """
    check_choice("missing", missing, ("error", "drop"))
    file = FeatureFile(features)
    if isinstance(features, str | os.PathLike):
        file = read_features(features, id_column, feature_columns)
    elif feature_columns is not None:
        raise ValueError(
            "`feature_columns` are those of a .parquet file, but `features` is none: "
            "leave columns out of the array instead."
        )
    views = _given_views(file, views)
    features = check_features("features", file.features)
    given, ids = ids, _ids(file, ids, len(features))
    names = checked_class_names(class_names, num_classes)
    if isinstance(annotations, str | os.PathLike):
        annotations = Annotations.from_csv(annotations, class_names=class_names)
    if isinstance(annotations, Annotations):
        if file.ids is None and given is None:
            _tell_positions(annotations)
        counts, names = counts_of(annotations, ids, names, missing, IDS)
    else:
        counts = as_counts("annotations", annotations, names and len(names))
        if len(counts) != len(features):
            raise ValueError(
                f"`annotations` must hold one row per image, in the order of "
                f"`features`. Received: {len(counts):,} rows for {len(features):,} "
                "images; "
                + (
                    "the features seem to be transposed: pass `features.T`."
                    if len(counts) == features.shape[1]
                    else "`keras_dc3.Annotations` are joined by id instead."
                )
            )
    part = FeatureSet(features, ids, counts, names, images=images, **views)
    _tell_without_picture(part)
    for name, stored in part.views.items():
        check_order_of_views(name, stored[0], part.features)
    return split_annotated(
        part,
        labeled,
        unlabeled,
        validation,
        seed=seed,
        batch_size=batch_size,
        **kwargs,
    )


def _tell_positions(annotations: Annotations) -> None:
    """Warns where names may be numbers that count images from 1, not from 0."""
    names = annotations.ids
    if not names or "0" in names or not all(map(str.isdecimal, names)):
        return
    first = min(names, key=int)
    warnings.warn(
        "The features have no `ids`, so that the names in `annotations` are taken for "
        f"positions, which begin at 0; the first one there is {first!r}. If they begin "
        "at 1, or are no positions, pass the name of each image as `ids`.",
        stacklevel=3,
    )


def _tell_without_picture(part: FeatureSet) -> None:
    """Warns where images have no picture that people could look at."""
    if part.pictures is None:
        return
    lost = [f"{name!r} {why}" for name, why in without_picture(part.pictures, part.ids)]
    if not lost:
        return
    number = f"{len(lost):,} of the {len(part):,} ids have no picture"
    if len(lost) == len(part):
        number = f"None of the {len(part):,} ids has a picture"
    warnings.warn(
        f"{number} among `images`: {some(lost, 3)}. Training needs none, but plots and "
        "review pages lack these. Name the folder to which the ids are relative, or "
        "pass id -> image.",
        stacklevel=3,
    )


def _given_views(file: FeatureFile, views: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns "weak" and "strong" -> array, as far as there are any."""
    if views is None:
        return dict(file.views)
    if not isinstance(views, Mapping):
        raise TypeError(
            '`views` must be a dict such as {"weak": (v, n, d), "strong": (v, n, d)}. '
            f"Received: {type(views).__name__}"
        )
    found = {}
    for name, stored in views.items():
        if name not in VIEWS:
            raise ValueError(
                f"`views` names {name!r}.{suggest(name, list(VIEWS))} Stored views "
                f"are {' and '.join(map(repr, VIEWS))}."
            )
        is_path = isinstance(stored, str | os.PathLike)
        found[name] = read_features(stored).features if is_path else stored
    return found


def _ids(file: FeatureFile, given: Sequence[str] | None, number: int) -> list[str]:
    """Returns the names of the images, those of the file if it has any."""
    if given is not None:
        check_ordered("ids", given)
        given = [_text("ids", name) for name in given]
    if file.ids is None:
        return [str(i) for i in range(number)] if given is None else given
    own = [_text("the ids of the file", name) for name in np.asarray(file.ids).tolist()]
    if given is not None and list(map(composed, given)) != list(map(composed, own)):
        pairs = enumerate(zip(given, own, strict=False))
        at = [i for i, (name, other) in pairs if name != other]
        told = f"{len(given):,} `ids` for {len(own):,} of the file"
        if at:
            told = f"{given[at[0]]!r} and {own[at[0]]!r} at position {at[0]}"
        raise ValueError(
            "`ids` differ from those that the file of features has, in their names or "
            f"their order: {told}. Leave `ids` out, or put both into one order."
        )
    return own


def _text(name: str, value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, bool) or not isinstance(value, str | int | np.integer):
        raise TypeError(
            f"`{name}` must be texts or whole numbers. Received: {some([repr(value)])}"
        )
    return str(value)
