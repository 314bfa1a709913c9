"""Images given to a trained model: refused by a sentence, as for their scale, or not.

What a graph finds out later, it can only answer with NaN; what is at hand is looked at
before.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3.models.batch_checks import check_image_shapes, check_images
from keras_dc3.models.given_features import check_given_features, is_feature_shape
from keras_dc3.models.image_values import (
    BYTES,
    SYMMETRIC,
    UNIT,
    ImageValues,
    doubt_about,
    meant_range,
)

_FORM = "(n, height, width, channels)"
_TABLES = ("pandas", "polars", "pyarrow")
_CHUNK = 256  # images looked at together, so that no check doubles the memory


def check_form(images: Any, expected: tuple | None) -> None:
    """Raises ValueError unless `images` are an array or tensor (n, h, w, c).

    Args:
        images: anything.
        expected: (h, w, c) of the images a built model takes, None for any.
    """
    kind, is_of_images = type(images).__name__, not is_feature_shape(expected)
    what = f"Images must be an array or tensor of shape {_FORM}"
    if not is_of_images:
        what = f"Features must be an array or tensor of shape (n, {expected[0]})"
    is_table = type(images).__module__.split(".")[0] in _TABLES
    if is_table and not is_of_images:
        raise ValueError(
            f"{what}. Received: a {kind}; pass its columns of features as an array, "
            "such as `frame[columns].to_numpy()`."
        )
    if is_table:
        raise ValueError(
            f"Images must be an array of shape {_FORM}. Received: a {kind}, whose "
            "rows are no images. Read the images that it names, for example by "
            "`keras_dc3.datasets.from_directory`."
        )
    if not hasattr(images, "shape"):
        received = "None" if images is None else f"a {kind}; `np.stack` makes an array"
        raise ValueError(f"{what}. Received: {received}.")
    dtype = str(getattr(images, "dtype", ""))
    if dtype == "object":
        raise ValueError(
            f"Images must be one array of numbers of shape {_FORM}. Received: an array "
            f"of {len(images) if images.shape else 1} Python objects, such as images "
            "of several sizes. Resize them to one size and join them by `np.stack`."
        )
    if dtype.startswith(("<U", "|S", ">U", "string", "<class 'string")):
        raise ValueError(
            f"Images must be an array of numbers of shape {_FORM}. Received: text, "
            "such as file names. Read the images first, for example by "
            "`keras_dc3.datasets.from_directory`."
        )
    if images.shape is not None and len(images.shape) == 3 and is_of_images:
        raise ValueError(
            f"The 'images' images must have shape {_FORM}. Received: "
            f"{tuple(images.shape)}. For a single image pass `image[None]`."
        )
    check_image_shapes(images, expected)


def as_array(images: Any) -> np.ndarray | None:
    """Returns images whose numbers are at hand as an array, None for others."""
    if isinstance(images, np.ndarray):
        return images
    if isinstance(images, keras.KerasTensor):
        return None
    try:
        return np.asarray(
            ops.convert_to_numpy(images) if ops.is_tensor(images) else images
        )
    except Exception:  # a tensor of a graph; each backend has its own error
        return None


def check_given(
    images: Any, model: Any, told: set[str] | None = None, values: bool = True
) -> Any:
    """Returns images as a model can take them, checked.

    Args:
        images: anything.
        model: the `DC3Model`; it is built for them, where it can be.
        told: the doubts that were told of batches before, which are not told again;
            those of these images are taken up.
        values: whether their values are looked at, where they are at hand.

    Raises:
        ValueError: for what is no array of images, of another shape or dtype, holds NaN
            or infinity, or is scaled in another way than the images in training.
    """
    check_form(images, model.image_shape)
    is_features = len(images.shape) == 2
    if not model.built and model.num_classes is not None:
        model.build((None, *images.shape[1:]))  # here, where numbers can be read
    array = as_array(images) if values else None
    if array is None:
        return images
    if is_features:
        known = model.network.standardization if model.built else None
        return check_given_features(array, known, told)
    if array.dtype.name == "bfloat16":
        array = images = array.astype("float32")
    elif array.dtype.kind == "f" and array.dtype.itemsize > 4:
        array = images = _in_float32(array)
    check_images("given", array)
    if array.dtype.kind != "f":
        if model.built:
            model.network.scaling.range_of_bytes(
                is_integer=True
            )  # refuses what is not known
        _tell_dark_integers(array, model.image_values, told)
    elif model.image_values is not None and array.size:
        check_scale(array, model.image_values, told)
    return images


def check_answers(answers: np.ndarray, values: ImageValues | None) -> None:
    """Warns of images, of a model trained on such values, whose answer is NaN."""
    bad = ~np.isfinite(answers).all(axis=1)
    if bad.any():
        tell_no_answer(
            f"The answer is NaN for {int(bad.sum())} of {len(bad)} images, first "
            f"at position {int(np.argmax(bad))}",
            values,
        )


def tell_no_answer(what: str, values: ImageValues | None) -> None:
    """Warns of what is NaN, and says why it may be."""
    warnings.warn(
        f"{what}: either the weights are not finite, or images hold NaN, infinity "
        "or values of another scale than in training, where the model saw "
        f"{values or 'images of an unknown scale'}. Scale all images as "
        "in training, or pass uint8.",
        stacklevel=3,
    )


def _in_float32(images: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        smaller = images.astype("float32")
    if not np.isfinite(smaller).all() and np.isfinite(images).all():
        raise ValueError(
            "The given images hold numbers that are too large for float32, up to "
            f"{np.abs(images).max():.3g} ({images.dtype}). Scale them as in training."
        )
    return smaller


def check_scale(
    images: np.ndarray, values: ImageValues, told: set[str] | None = None
) -> None:
    """Raises ValueError if images are scaled in another way than those in training.

    Warns where all of them may be, but single ones are possible.

    Args:
        images: (n, h, w, c), floating-point and finite, at least one.
        values: what the model was trained on.
        told: as for `check_given`.
    """
    lows, highs, fractions = _of_each(images)
    good = values.fits(lows, highs, fractions)
    if not good.all():
        at, odd = int(np.argmin(good)), int((~good).sum())
        raise ValueError(
            f"The model was trained on {values}, but the given images are scaled in "
            f"another way: the one at position {at} holds floats of {lows[at]:.4g} to "
            f"{highs[at]:.4g} ({odd} of {len(images)} do not fit). Pass "
            f"{_how_to_pass(values)}."
        )
    low, high = float(lows.min()), float(highs.max())
    _tell_doubts(low, high, values, "given", len(images) > 1, told)


def _is_new(doubt: str, told: set[str] | None) -> bool:
    """Whether a doubt was not told before; takes it up."""
    if told is None:
        return True
    is_new = doubt not in told
    told.add(doubt)
    return is_new


def _tell_dark_integers(
    images: np.ndarray, values: ImageValues | None, told: set[str] | None
) -> None:
    """Warns of integers of 0 and 1 where the numbers in training were such, too."""
    if values is None or values.range not in (UNIT, SYMMETRIC) or not images.size:
        return
    if images.max() == 1 and _is_new("are dark integers", told):
        warnings.warn(
            f"The model was trained on {values}, but the given images are integers of "
            "0 to 1: as integers hold 0 to 255, they are black. If they were meant to "
            f"be as in training, their answers are wrong: pass floats of "
            f"{values.low:g} to {values.high:g}, or white as 255.",
            stacklevel=2,
        )


def _tell_doubts(
    low: float,
    high: float,
    values: ImageValues,
    name: str,
    several: bool,
    told: set[str] | None = None,
) -> None:
    """Warns where images fit, but more likely are scaled in another way."""
    doubt = doubt_about(values, low, high, several)
    if doubt is None or not _is_new(doubt, told):
        return
    warnings.warn(
        f"The model was trained on {values}, but the {name} images hold floats of "
        f"{low:.4g} to {high:.4g}: they {doubt}. If they were scaled in another "
        f"way, their answers are wrong: pass {_how_to_pass(values)}.",
        stacklevel=2,
    )


def _how_to_pass(values: ImageValues) -> str:
    if values.range == BYTES:
        return "them as uint8, or as floats of 0 to 255"
    if values.takes_bytes:
        return f"them as uint8, or as {values}"
    return f"them scaled as in training, as {values}"


def _of_each(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns each image's smallest and largest value, and whether it has fractions."""
    lows, highs, fractions = [], [], []
    for start in range(0, len(images), _CHUNK):
        part = images[start : start + _CHUNK]
        part = part.reshape(len(part), -1)
        lows.append(part.min(axis=1))
        highs.append(part.max(axis=1))
        fractions.append((part != np.rint(part)).any(axis=1))
    return tuple(map(np.concatenate, (lows, highs, fractions)))


def measured(images: np.ndarray) -> ImageValues:
    """Returns the kind and range of an array of training images, finite."""
    if images.dtype.kind != "f":
        return ImageValues("integers")
    if not images.size:
        return ImageValues("floats", 0.0, 1.0)
    lows, highs, fractions = _of_each(images)
    low, high = float(lows.min()), float(highs.max())
    return ImageValues("floats", *meant_range(low, high, bool(fractions.any())))


def together(parts: Iterable[ImageValues]) -> ImageValues:
    """Returns the kind and range of several parts of a training set."""
    floats = [part for part in parts if part.kind == "floats"]
    if not floats:
        return ImageValues("integers")
    low, high = min(p.low for p in floats), max(p.high for p in floats)
    return ImageValues("floats", low, high)


def check_one_scale(parts: dict[str, ImageValues]) -> None:
    """Raises ValueError if parts of a training set are scaled in different ways.

    Args:
        parts: name -> its kind and range.
    """
    floats = [(name, part) for name, part in parts.items() if part.kind == "floats"]
    floats.sort(key=lambda item: item[1].low - item[1].high)  # the widest first
    for (name, part), (other_name, other) in itertools.permutations(floats, 2):
        low, high = np.asarray(other.low), np.asarray(other.high)
        if low < high and not part.fits(low, high, np.asarray(True)):
            raise ValueError(
                f"The {name!r} images are {part}, but the {other_name!r} images "
                f"{other}: scale all images of a training set alike."
            )


def check_same_scale(seen: ImageValues, values: ImageValues) -> None:
    """Raises ValueError if training goes on with images of another scale.

    Args:
        seen: what the new training images hold.
        values: what the model was trained on.
    """
    if seen.kind == "integers":
        return  # what they become is known, or the network refuses them
    low, high = np.asarray(seen.low), np.asarray(seen.high)
    if not values.fits(low, high, np.asarray(True)):
        raise ValueError(
            f"The model was trained on {values}, but these training images are {seen}. "
            f"Pass {_how_to_pass(values)}; or say `model.image_values = None` before "
            "`fit`, if it is to learn the new ones instead."
        )
    _tell_doubts(seen.low, seen.high, values, "training", several=True)
