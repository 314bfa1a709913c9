"""Features in the place of images: learned from, and looked at where they are given."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3._validation import as_floats, check_finite
from keras_dc3.data.moments import Moments, moments_of
from keras_dc3.layers import FeatureStandardization

# Mean of the deviations of an image's features, up or down, above which it is of
# another scale; it is below 1 on the average of the training images. A feature that
# hardly any of these has can lie any number of deviations off: it counts as `_MOST`.
FARTHEST, _MOST = 8.0, 300.0
_LEAST_IMAGES = 16  # whose mean and deviation say something
# Of 16 images or more of one class, on three sets, the mean lay up to 0.8 deviations
# off, features varied by half a deviation or more in the median, each by another part
# of it, and at most 2% of them by more than 1.6.
_MOVED, _NARROW, _SCALED, _WIDER, _WIDER_SHARE = 1.0, 0.4, 1.4, 1.6, 0.05
_DOUBT = "odd features"
_CHUNK = 4096


def is_feature_shape(image_shape: tuple | None) -> bool:
    """Whether a model with such images, (h, w, c) or (d,), takes features."""
    return image_shape is not None and len(image_shape) == 1


def in_scale(deviations: Any) -> Any:
    """Returns whether features can be as in training, (n,) bool.

    Args:
        deviations: (n, d), by how many deviations they lie off the mean.
    """
    far = ops.minimum(ops.abs(deviations), _MOST)
    return ops.mean(far, axis=-1) <= FARTHEST


def learn(standardization: FeatureStandardization, parts: Mapping[str, Any]) -> None:
    """Learns mean and deviation of training features, or compares them with before.

    Args:
        standardization: of the model.
        parts: name -> array of features, or part of a data set; empty where they come
            in a stream, which cannot be looked into.

    Raises:
        ValueError: if the model was trained on features of quite another scale.
    """
    known = standardization.images
    if not parts:
        if not known:
            warnings.warn(
                "These features come in batches of their own and cannot be looked at "
                "before training, so they are not standardized: let each have mean 0 "
                "and deviation 1, or pass a data set of "
                "`keras_dc3.datasets.from_embeddings`.",
                stacklevel=4,
            )
        return
    if not known:
        found = moments_of(batch for part in parts.values() for batch in _batches(part))
        standardization.learn(found.mean, found.deviation, found.number)
        return
    for name, part in parts.items():
        check_scale(next(_batches(part)), standardization, f"{name} ")


def _batches(part: Any) -> Iterator[np.ndarray]:
    if hasattr(part, "image_batches"):
        yield from part.image_batches(_CHUNK)
        return
    for start in range(0, len(part), _CHUNK):
        yield np.asarray(part[start : start + _CHUNK])


def check_given_features(
    features: np.ndarray,
    standardization: FeatureStandardization | None,
    told: set[str] | None = None,
) -> np.ndarray:
    """Returns features (n, d) as float32, or raises ValueError for impossible ones.

    Args:
        features: of the right shape.
        standardization: of the model; None where it is not built yet.
        told: the doubts that were told of batches before, which are not told again.

    Raises:
        TypeError: if they are no numbers in floating point.
        ValueError: if they hold NaN or infinity, or are of another scale than those
            in training.
    """
    features = as_floats("features", features).astype("float32")
    check_finite("features", features)
    if standardization is not None and len(features):
        check_scale(features, standardization, told=told)
    return features


def check_scale(
    features: np.ndarray,
    standardization: FeatureStandardization,
    which: str = "",
    told: set[str] | None = None,
) -> None:
    """Raises ValueError if features are certainly of another scale than in training.

    Warns where many images together are quite unlike those in training.

    Args:
        features: (n, d), finite, at least one.
        standardization: of the model.
        which: features these are, for the message, such as "labeled ".
        told: as for `check_given_features`.
    """
    if not standardization.images:
        return
    seen = _moments(standardization)
    z = (features.astype("float64") - seen.mean) / seen.deviation
    distance = np.abs(z).clip(max=_MOST).mean(axis=1)
    far = distance > FARTHEST
    if far.any():
        raise ValueError(
            f"The {which}features are of another scale than the {seen.number:,} that "
            f"the model was trained on: those of {int(far.sum()):,} of {len(far):,} "
            f"images lie up to {distance.max():,.0f} deviations off their mean, on the "
            f"average over all features, first at position {int(np.argmax(far))}. "
            "Compute them by the same network and scale them as in training, or train "
            "a new model on these."
        )
    found = _unlike(features, z, seen)
    if found is None or (told is not None and _DOUBT in told):
        return
    if told is not None:
        told.add(_DOUBT)
    warnings.warn(
        f"The {which}features are unlike the {seen.number:,} that the model was "
        f"trained on: {found}. If another network computed them, or they are scaled in "
        "another way (standardized, brought to length 1, times a number), the answers "
        "are wrong; images of quite another kind look like this, too.",
        stacklevel=4,
    )


def _unlike(features: np.ndarray, z: np.ndarray, seen: Moments) -> str | None:
    """Returns in what many images are unlike those in training; None: in nothing.

    Of some of the training images, such as those of one class, the features have other
    means and vary less, each in its way; hardly any of them varies far more.
    """
    if len(z) < _LEAST_IMAGES:
        return None
    moved = float(np.sqrt((z.mean(axis=0) ** 2).mean()))
    spread = z.std(axis=0)
    low, middle, high = np.quantile(spread, [0.05, 0.5, 0.95])
    is_scaled = high < 2 * low and (middle > _SCALED or middle < 1 / _SCALED)
    wider = int((spread > _WIDER).sum())
    many = len(z) >= 50 and wider > max(2, _WIDER_SHARE * len(spread))
    lengths = np.linalg.norm(features.astype("float64"), axis=1)
    usual = np.sqrt((seen.mean**2 + seen.deviation**2).sum())
    same = np.ptp(lengths) < 1e-2 * usual and abs(lengths[0] - usual) > 0.05 * usual
    if moved <= _MOVED and middle >= _NARROW and not (is_scaled or many or same):
        return None
    told = (
        f"their mean lies {moved:.1f} deviations from the mean there, and they vary by "
        f"{middle:.2g} of the deviation"
    )
    if same:
        return f"{told}, each image's being a vector of length {lengths[0]:.3g}"
    if is_scaled:
        return f"{told}, all of them about alike"
    return (
        f"{told}, {wider:,} of {len(spread):,} by more than {_WIDER}" if many else told
    )


def _moments(standardization: FeatureStandardization) -> Moments:
    mean, deviation = (
        ops.convert_to_numpy(weight).astype("float64")
        for weight in (standardization.mean, standardization.deviation)
    )
    return Moments(standardization.images, mean, deviation)


def check_shape(name: str, shape: tuple, expected: tuple) -> None:
    """Raises ValueError unless a batch of such a shape goes into a model of features.

    Args:
        name: of the features.
        shape: of the batch.
        expected: (d,).
    """
    (d,), shape = expected, tuple(shape)
    if len(shape) == 2 and shape[1] in (d, None):
        return
    if len(shape) == 4:
        raise ValueError(
            f"The model was trained on features of {d} numbers, not on images. "
            f"Received: {name} images of shape {shape[1:]}; compute their features by "
            "the same network first."
        )
    hint = "they are of another network than those in training"
    if len(shape) == 2 and shape[0] == d:
        hint = "they seem to be transposed: pass `features.T`"
    if len(shape) != 2:
        hint = "there is one vector per image"
        if shape == (d,):
            hint += "; for a single image pass `features[None]`"
    which = "" if name == "images" else f"{name} "
    raise ValueError(
        f"The {which}features must have shape (n, {d}), as in training. Received: "
        f"{shape}; {hint}."
    )


def check_float(dtype: Any) -> None:
    """Raises ValueError for features that are whole numbers."""
    dtype = keras.backend.standardize_dtype(dtype)
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(
            "Features must be in floating point, float16 or float32. Received dtype "
            f"{dtype}."
        )


def check_source(source: str | None, given: Any) -> None:
    """Raises ValueError for features that another network computed than in training.

    Args:
        source: what tells the network in training from others; None: not known.
        given: what a user has given; a set of features may know its source.
    """
    other = getattr(given, "source", None)
    if source is not None and other is not None and other != source:
        raise ValueError(
            "These features were computed by another network, or of images scaled in "
            "another way, than those that the model was trained on: the weights "
            "differ. Embed the images by the same backbone, or train a new model."
        )


def in_words(standardization: FeatureStandardization, d: int) -> str:
    """Returns what the features are that a model takes, for people."""
    number = standardization.images
    scaled = "as they are (no training known)"
    if number:
        scaled = f"standardized by mean and deviation of {number:,} images"
    return f"{d:,} features of each image, {scaled}"


def check_kind(name: str, takes: tuple, given: tuple) -> None:
    """Raises ValueError where a backbone takes images, and features are given.

    Or the other way round.

    Args:
        name: of the backbone.
        takes: the shape of one of its inputs, without the number of images.
        given: (h, w, c) of images or (d,) of features.
    """
    if len(takes) == 3 and len(given) == 1:
        raise ValueError(
            f"The backbone {name!r} takes images of shape {takes}, but these are "
            f"features of {given[0]} numbers. Pass a backbone of features, such as "
            f"`keras_dc3.backbones.feature_mlp({given[0]})`."
        )
    if len(takes) == 1 and len(given) == 3:
        raise ValueError(
            f"The backbone {name!r} takes features of {takes[0]} numbers, but these "
            f"are images of shape {given}. Pass a backbone of images."
        )
