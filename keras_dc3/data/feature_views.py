"""How each view of a batch shows features. NumPy only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._registration import suggest
from keras_dc3._validation import check_not_negative, check_probability
from keras_dc3.data.feature_set import VIEWS
from keras_dc3.data.moments import Moments
from keras_dc3.data.policies import NoAugmentation

NAMES = ("none", *VIEWS)
_AS_IT_IS = 0.5  # share of the weak views


@dataclass(frozen=True)
class StoredViews:
    """Shows of each image one of its stored views, drawn at random in each batch.

    One weak view in two is the image as it is. That is what a trained model is asked
    about, and features of a frozen network, unlike pixels, may move far by an
    augmentation that its own training has not seen.

    Args:
        name: of the stored views, "weak" or "strong".

    Example:

    >>> policy = keras_dc3.data.StoredViews("weak")
    """

    name: str = "weak"

    def show(self, part: Any, at: np.ndarray, moments: Moments, seed: Any):
        """Returns (m, d) float32, the view of the images at (m,) positions."""
        rng = np.random.default_rng(seed)
        shown = part.read_views(self.name, at, rng)
        if self.name != "weak":
            return shown
        return np.where(rng.random((len(shown), 1)) < _AS_IT_IS, part.read(at), shown)


@dataclass(frozen=True)
class FeatureNoise:
    """Changes features at random, where there are no stored views.

    Of an image's features x, with the mean m and the deviation s of all training
    images, and another image x' of the same batch, it shows

        x + r (x' - x) + noise s e,    r ~ U(0, interpolation), e ~ N(0, 1),

    of which each number is m with probability `dropout`.

    Args:
        noise: in deviations of each feature, at least 0.
        dropout: the share of features that are hidden, in [0, 1].
        interpolation: how far to go towards another image at most, in [0, 1].

    Example:

    >>> policy = keras_dc3.data.FeatureNoise(noise=0.3, dropout=0.1)
    """

    noise: float = 0.0
    dropout: float = 0.0
    interpolation: float = 0.0

    def __post_init__(self) -> None:
        check_not_negative("noise", self.noise)
        check_probability("dropout", self.dropout)
        check_probability("interpolation", self.interpolation)

    def show(self, part: Any, at: np.ndarray, moments: Moments, seed: Any):
        """Returns (m, d) float32, the view of the images at (m,) positions."""
        x, rng = part.read(at), np.random.default_rng(seed)
        if self.interpolation:
            reach = rng.random((len(x), 1), "float32") * np.float32(self.interpolation)
            x = x + reach * (x[rng.permutation(len(x))] - x)
        if self.noise:
            scale = np.float32(self.noise) * moments.deviation
            x = x + scale * rng.standard_normal(x.shape, "float32")
        if self.dropout:
            x = np.where(rng.random(x.shape, "float32") < self.dropout, moments.mean, x)
        return x


# What stands in for views that are not stored, by benchmarks/feature_views.py: hidden
# features are worth as much as real views there, noise costs accuracy.
STAND_INS = {"weak": FeatureNoise(dropout=0.3), "strong": FeatureNoise(dropout=0.5)}
FeaturePolicy = NoAugmentation | StoredViews | FeatureNoise


def get_feature_policy(identifier: Any, stored: Collection[str] = ()) -> FeaturePolicy:
    """Returns how features are shown, by a name or a policy.

    Args:
        identifier: "none" or None for the features as they are; "weak" and "strong":
            the stored views of that name, else what stands in for them; or a policy.
        stored: names of the views that are stored.

    Raises:
        ValueError: for an unknown name, or views that are not stored. TypeError: for
            anything else.
    """
    if identifier is None or identifier == "none":
        return NoAugmentation()
    if isinstance(identifier, str):
        if identifier not in NAMES:
            raise ValueError(
                f"Unknown augmentation {identifier!r} of features."
                f"{suggest(identifier, list(NAMES))} Known names: {', '.join(NAMES)}."
            )
        is_stored = identifier in stored
        return StoredViews(identifier) if is_stored else STAND_INS[identifier]
    if isinstance(identifier, StoredViews) and identifier.name not in stored:
        raise ValueError(
            f"There are no stored views {identifier.name!r}; stored are "
            f"{list(stored) or 'none'}. Pass them where the data are made, or leave "
            "the augmentation out: hidden features stand in."
        )
    if isinstance(identifier, FeaturePolicy):
        return identifier
    raise TypeError(
        f"An augmentation of features must be one of the names {list(NAMES)}, or "
        "`data.StoredViews` or `data.FeatureNoise`: features are no pixels. Received: "
        f"{identifier!r}"
    )


def shown(
    policy: FeaturePolicy, part: Any, at: np.ndarray, moments: Moments, seed: Any
) -> np.ndarray:
    """Returns (m, d) float32, how a policy shows the images at (m,) positions.

    Args:
        policy: the policy.
        part: a set of features.
        at: positions, which may repeat.
        moments: of the training features.
        seed: integers of at least 0; the same seed gives the same result.
    """
    if isinstance(policy, NoAugmentation):
        return part.read(at)
    return policy.show(part, at, moments, seed)
