"""Features as a probe takes them, and images divided so that each is held out once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keras_dc3._validation import check_positive_int, check_seed
from keras_dc3.metrics.k_means import check_points


class Standardization(NamedTuple):
    """mean and deviation: (d,); a feature that is always the same has deviation 1."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Standardization:
        """Returns that of features (n, d)."""
        deviation = features.std(axis=0)
        flat = deviation <= 1e-9 * np.abs(features).max(axis=0, initial=0.0)
        return cls(features.mean(axis=0), np.where(flat, 1.0, deviation))

    def apply(self, features: Any) -> np.ndarray:
        """Returns features of the same network with mean 0 and deviation 1, (n, d).

        Raises:
            ValueError: unless they are finite numbers, as many of each image as before.
        """
        features = check_points("features", features, "images, features")
        if features.shape[1] != len(self.mean):
            raise ValueError(
                f"The probe was fitted to {len(self.mean)} features of each image. "
                f"Received: {features.shape[1]}; are they of another network?"
            )
        return (features - self.mean) / self.deviation


def folds_of(images: int, folds: int, seed: int) -> np.ndarray:
    """Returns the fold of each image, (n,), of sizes that differ by one at most.

    Raises:
        ValueError: if there are fewer images than folds, or fewer than two folds.
    """
    check_positive_int("folds", folds, least=2)
    check_seed(seed)
    if images < folds:
        raise ValueError(
            f"A probe holds out each image once, in {folds} folds. Received: {images} "
            "images with answers; label more, or pass fewer `folds`."
        )
    return np.random.default_rng(seed).permutation(images) % folds
