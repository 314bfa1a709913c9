"""Batches of features: the same arrays, made by NumPy, on every backend."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from keras_dc3.data.batches import TrainingBatches
from keras_dc3.data.feature_views import shown
from keras_dc3.data.plan import Recipe, stream_number


def feature_batches(recipe: Recipe) -> Any:
    """Returns the training batches of an epoch, iterable anew for each.

    A `tf.data.Dataset` on the TensorFlow backend, else a `keras.utils.PyDataset`.
    """
    batches = FeatureBatches(recipe)
    if keras.backend.backend() != "tensorflow":
        return batches
    from keras_dc3.data.pipeline import dataset_of_features

    return dataset_of_features(batches)


class FeatureBatches(TrainingBatches):
    """One epoch's training batches of features (see `Recipe`)."""

    def __getitem__(self, index: int) -> tuple:
        recipe, (labeled_at, unlabeled_at, seed) = self.recipe, self.step(index)

        def view(part: Any, at: np.ndarray, policy: Any, name: str) -> np.ndarray:
            words = [seed, stream_number(name)]
            return shown(policy, part, at, recipe.moments, words)

        labeled = view(recipe.labeled, labeled_at, recipe.policy, "labeled")
        y = recipe.labels[labeled_at]
        if not recipe.views:
            return labeled, y
        views = {
            name: view(recipe.unlabeled, unlabeled_at, policy, name)
            for name, policy in recipe.views.items()
        }
        return recipe.inputs(labeled, views, unlabeled_at.astype("int32")), y
