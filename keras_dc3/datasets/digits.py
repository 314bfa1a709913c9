"""Digits that people could disagree on: a demonstration, with the truth known.

Made from the 1,797 real handwritten digits of scikit-learn, which is imported when
called. What people would say about them is simulated: use it to learn and to test,
not to compare methods.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from keras_dc3._extras import optional
from keras_dc3._validation import check_positive_int, check_seed
from keras_dc3.data.image_set import ImageSet
from keras_dc3.data.policies import Strong, Weak
from keras_dc3.data.semi_supervised import SemiSupervisedData
from keras_dc3.data.splits import split
from keras_dc3.data.training_labels import training_labels


def upscale(images: np.ndarray) -> np.ndarray:
    """Returns (n, 2 h, 2 w), bilinear, of (n, h, w)."""
    for axis in (1, 2):
        size = images.shape[axis]
        at = (np.arange(2 * size) + 0.5) / 2 - 0.5
        low = np.floor(at).astype("int64")
        share = (at - low).reshape((1, -1, 1) if axis == 1 else (1, 1, -1))
        left = images.take(np.clip(low, 0, size - 1), axis)
        right = images.take(np.clip(low + 1, 0, size - 1), axis)
        images = left + share * (right - left)
    return images


def blur(image: np.ndarray, strength: float) -> np.ndarray:
    """Returns (h, w) smoothed by a Gaussian of up to 2.5 pixels."""
    sigma = 2.5 * strength
    reach = np.arange(-6, 7)
    weights = np.exp(-(reach**2) / (2 * sigma**2))
    weights /= weights.sum()
    for axis in (0, 1):
        image = np.apply_along_axis(np.convolve, axis, image, weights, "same")
    return image


def occlude(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Returns (h, w) with a bar over up to 60% of the image, across or upright."""
    image = image.copy()
    view = image.T if rng.random() < 0.5 else image
    thick = round(0.6 * strength * len(view))
    top = rng.integers(0, len(view) - thick + 1)
    view[top : top + thick] = 0.5
    return image


def add_noise(
    image: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Returns (h, w) with Gaussian noise of up to 0.5, cut off to 0..1."""
    return np.clip(image + rng.normal(0, 0.5 * strength, image.shape), 0, 1)


def degrade(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Returns (h, w) blurred, occluded or noisy, drawn evenly.

    Args:
        image: (h, w) in 0..1.
        strength: in (0, 1].
        rng: draws what is done, and where.
    """
    kind = rng.integers(3)
    if kind == 0:
        return blur(image, strength)
    return (occlude if kind == 1 else add_noise)(image, strength, rng)


KINDS = ("clean", "blend", "degraded")
STEEPNESS = 3.0  # of the psychometric curve of blends
CLASS_NAMES = tuple(map(str, range(10)))

# Which digits a badly visible digit is taken for, equally often.
CONFUSED_WITH = (
    (6, 8, 9),
    (4, 7, 8),
    (1, 3, 7),
    (5, 8, 9),
    (1, 7, 9),
    (3, 6, 9),
    (0, 5, 8),
    (1, 2, 9),
    (1, 3, 9),
    (3, 4, 7),
)


class DigitsData(SemiSupervisedData):
    """The digits, with `true_soft_labels`: part -> (n, 10) float32.

    Parts are "labeled", "unlabeled" and "validation"; rows as in their images. The
    truth is what the simulated annotators draw their answers from.
    """

    true_soft_labels: dict[str, np.ndarray]


def load_digits(
    data_dir: str | os.PathLike | None = None,
    *,
    num_images: int = 3000,
    num_annotators: int = 10,
    labeled: float = 0.16,
    unlabeled: float = 0.64,
    validation: float = 0.2,
    seed: int = 0,
    augment: Any = None,
    labels: str | None = "sampled",
    **kwargs: Any,
) -> DigitsData:
    """Makes the digits: a third clean, a third blended, a third degraded.

    - clean: everybody sees the digit.
    - blend: a of one digit and 1 - a of another class, a uniform in (0.5, 1); people
      see the first with probability a^3 / (a^3 + (1 - a)^3), else the second.
    - degraded: blurred, half hidden or noisy, of strength s uniform in (0.3, 1);
      people see the digit with probability 1 - 0.8 s^2, else one of the three it is
      confused with.

    The scanned digits are divided among the parts before anything is made of them, so
    that no digit is in two parts. Digits are never mirrored.

    Args:
        data_dir: not used.
        num_images: 60 to 5,000.
        num_annotators: simulated answers per image.
        labeled, unlabeled, validation: fractions of the images, in (0, 1).
        seed: of images, answers, labels and batches.
        augment: default: weak and strong augmentation without flips and colors.
        labels: as for `SemiSupervisedData.from_image_set`; by default one class is
            drawn, as in the paper.
        **kwargs: further arguments of `SemiSupervisedData`.

    Raises:
        ImportError: without scikit-learn.
    """
    del data_dir
    check_positive_int("num_images", num_images, least=60)
    check_positive_int("num_annotators", num_annotators)
    check_seed(seed)
    scans, classes = _scans()
    if num_images > 5000:
        raise ValueError(
            "`num_images` must be at most 5000, as there are 1,797 scanned digits. "
            f"Received: num_images={num_images}"
        )
    rng = np.random.default_rng([seed, 0])
    sources = split(len(scans), labeled, unlabeled, validation, seed)
    sizes = split(num_images, labeled, unlabeled, validation, seed)
    parts, truth = {}, {}
    for name, members in sources._asdict().items():
        number = len(getattr(sizes, name))
        images, ids, soft = make_digits(scans, classes, members, number, rng)
        counts = rng.multinomial(num_annotators, soft)
        parts[name] = ImageSet(images, ids, counts, CLASS_NAMES)
        truth[name] = soft.astype("float32")
    data = DigitsData(
        parts["labeled"],
        training_labels(parts["labeled"], labels, seed, len(parts["labeled"])),
        parts["unlabeled"],
        parts["validation"],
        augment=default_augment() if augment is None else augment,
        seed=seed,
        name="digits",
        **kwargs,
    )
    data.true_soft_labels = truth
    return data


def default_augment() -> dict[str, Any]:
    """Returns augmentations that leave a digit the digit it is."""
    weak = Weak(flip=False)
    keep = ("identity", "brightness", "contrast", "sharpness", "rotate")
    keep += ("shear_x", "shear_y", "translate_x", "translate_y")
    return {"weak": weak, "strong": Strong(weak, operations=keep, fill=0.0)}


def make_digits(
    scans: np.ndarray,
    classes: np.ndarray,
    members: np.ndarray,
    number: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Makes images from some of the scanned digits.

    Args:
        scans: (m, 8, 8) float in 0..1.
        classes: (m,) int.
        members: positions of the scans to use.
        number: of images; each scan is the first source of an image of a kind once at
            most.
        rng: draws everything.

    Returns:
        Images (n, 16, 16, 1) uint8, their ids, such as "digit_0042_blend", and soft
        labels (n, 10) float64, the truth.
    """
    kinds = np.arange(number) % len(KINDS)
    first = np.empty(number, "int64")
    for kind in range(len(KINDS)):
        rows = np.flatnonzero(kinds == kind)
        if len(rows) > len(members):
            raise ValueError(
                f"{number} images need {len(rows)} scanned digits per kind, but this "
                f"part has {len(members)}. Ask for fewer images."
            )
        first[rows] = rng.permutation(members)[: len(rows)]
    soft = np.eye(10)[classes[first]]
    images = upscale(scans[first])
    for i in np.flatnonzero(kinds == KINDS.index("blend")):
        others = members[classes[members] != classes[first[i]]]
        second = rng.choice(others)
        share = rng.uniform(0.5, 1.0)
        images[i] = share * images[i] + (1 - share) * upscale(scans[second][None])[0]
        soft[i] = blend_soft_label(classes[first[i]], classes[second], share)
    for i in np.flatnonzero(kinds == KINDS.index("degraded")):
        strength = rng.uniform(0.3, 1.0)
        images[i] = degrade(images[i], strength, rng)
        soft[i] = degraded_soft_label(classes[first[i]], strength)
    pixels = np.clip(np.round(images * 255), 0, 255).astype("uint8")
    ids = [
        f"digit_{source:04d}_{KINDS[kind]}"
        for source, kind in zip(first, kinds, strict=True)
    ]
    return pixels[..., None], ids, soft


def blend_soft_label(first: int, second: int, share: float) -> np.ndarray:
    """Returns (10,): what people see in `share` of one digit and the rest another."""
    soft = np.zeros(10)
    powers = share**STEEPNESS, (1 - share) ** STEEPNESS
    soft[first], soft[second] = np.array(powers) / sum(powers)
    return soft


def degraded_soft_label(digit: int, strength: float) -> np.ndarray:
    """Returns (10,): what people see in a digit degraded by `strength` in 0..1."""
    soft = np.zeros(10)
    soft[list(CONFUSED_WITH[digit])] = 0.8 * strength**2 / 3
    soft[digit] = 1 - 0.8 * strength**2
    return soft


def _scans() -> tuple[np.ndarray, np.ndarray]:
    wanted = "The digits come with scikit-learn"
    digits = optional("sklearn.datasets", wanted, "demo").load_digits()
    return digits.images.astype("float64") / 16, digits.target.astype("int64")
