"""The batches of a data set, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from keras_dc3._validation import check_positive_int
from keras_dc3.collective import Share
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.batches import ordered_batches, training_batches
from keras_dc3.data.feature_batches import feature_batches
from keras_dc3.data.feature_set import VIEWS
from keras_dc3.data.feature_views import get_feature_policy
from keras_dc3.data.moments import Moments, moments_of
from keras_dc3.data.plan import BatchPlan, EpochClock, Recipe
from keras_dc3.data.policies import Policy, get_policy, policies_of_views

_CHUNK = 4096  # images whose features are looked at together


class BatchSource:
    """Makes batches of labeled, unlabeled and validation images.

    A subclass sets what they are made of: these attributes are its own.
    """

    labeled: AnnotatedImages
    labels: np.ndarray
    unlabeled: AnnotatedImages | None
    validation: AnnotatedImages | None
    augment: Mapping[str, Any]
    batch_size: int
    unlabeled_ratio: float | None
    seed: int
    clock: EpochClock

    @property
    def value_range(self) -> tuple[float, float] | None:
        """(low, high) of pixel values: of the labeled and the unlabeled images."""
        if self.labeled.holds_features:
            return None
        parts = self._trained_on()
        lows, highs = zip(*(part.value_range for part in parts), strict=True)
        return min(lows), max(highs)

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch, from 0, that the next training iterator makes."""
        self.clock.epoch = epoch

    def steps(self, unlabeled_ratio: float = 1) -> int:
        """Returns the batches of an epoch that shows all images."""
        return self._plan(True, unlabeled_ratio, None).steps

    def policies(self, views: Mapping[str, str] | Iterable[str]) -> dict[str, Policy]:
        """Returns the augmentation of "labeled", the labeled images, and of each view.

        Args:
            views: as for `training_batches`.

        Raises:
            ValueError: if a name occurs twice or is reserved, or `augment` names
                something else.
        """
        return policies_of_views(
            self.augment, views, self.unlabeled is not None, self._policy_of
        )

    def _policy_of(self, identifier: Any) -> Any:
        """Returns the augmentation that is meant, of images or of features."""
        if not self.labeled.holds_features:
            return get_policy(identifier)
        parts = self._trained_on()
        stored = [n for n in VIEWS if all(n in part.views for part in parts)]
        return get_feature_policy(identifier, stored)

    def _trained_on(self) -> list[AnnotatedImages]:
        return [p for p in (self.labeled, self.unlabeled) if p is not None]

    @cached_property
    def moments(self) -> Moments | None:
        """Mean and deviation of the labeled and unlabeled features; None for images."""
        if not self.labeled.holds_features:
            return None
        parts = self._trained_on()
        return moments_of(b for part in parts for b in part.image_batches(_CHUNK))

    def training_batches(
        self,
        views: Mapping[str, str] | Iterable[str],
        *,
        unlabeled_ratio: float = 1,
        steps_per_epoch: int | None = None,
        positions: bool = False,
        share: Share | None = None,
    ) -> Any:
        """Returns the batches of the epoch last set, iterable anew for each epoch.

        A `tf.data.Dataset` on the TensorFlow backend, else a `keras.utils.PyDataset`;
        both hold the same images in the same order. A batch is `({"labeled": (b, h, w,
        c), "unlabeled": {view: (m, h, w, c)}}, labels)`, or `(images, labels)` without
        views; labels are (b,) int32, or soft, (b, k) float32. Order and augmentation
        follow from seed and epoch alone.

        Args:
            views: the views' names, or a mapping whose keys they are; empty for
                labeled images alone. Without unlabeled images there are no views.
            unlabeled_ratio: used if the constructor was given none.
            steps_per_epoch: None for an epoch that shows every image (see
                `BatchPlan`).
            positions: whether a batch also tells which unlabeled images it shows:
                `"positions"`, (m,) int32, their places in `unlabeled.ids`.
            share: the parts of each batch that are made, one after the other, where
                several processes train (TensorFlow only); None for whole batches. No
                other image is read. They are those of the whole batch, but for what a
                function of yours draws at random (see `Custom`).
        """
        policies = self.policies(views)
        labeled_policy = policies.pop("labeled")
        semi = bool(policies)
        recipe = Recipe(
            plan=self._plan(semi, unlabeled_ratio, steps_per_epoch),
            clock=self.clock,
            labeled=self.labeled,
            labels=self.labels,
            unlabeled=self.unlabeled if semi else None,
            policy=labeled_policy,
            views=policies,
            value_range=self.value_range if semi else self.labeled.value_range,
            positions=positions,
            moments=self.moments,
            share=share,
        )
        make = feature_batches if self.labeled.holds_features else training_batches
        return make(recipe)

    def validation_batches(
        self, batch_size: int | None = None, share: Share | None = None
    ) -> Any:
        """Returns `(images, labels)` in order; None without validation images.

        Labels are soft, (b, k) float32; or classes, (b,) int64, where no image got more
        than one answer.

        Args:
            batch_size: images per batch; default that of the labeled images.
            share: the parts of all images that are read, where several processes
                evaluate (TensorFlow only): a part of each batch after the other.
        """
        batch_size = self.batch_size if batch_size is None else batch_size
        check_positive_int("batch_size", batch_size)
        if self.validation is None:
            return None
        targets = self.validation.targets
        return ordered_batches(self.validation, targets, batch_size, share)

    def _plan(self, semi: bool, ratio: float, steps: int | None) -> BatchPlan:
        semi = semi and self.unlabeled is not None
        return BatchPlan(
            len(self.labeled),
            len(self.unlabeled) if semi else 0,
            self.batch_size,
            ratio if self.unlabeled_ratio is None else self.unlabeled_ratio,
            self.seed,
            steps,
        )
