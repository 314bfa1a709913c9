"""A data set to train on: labeled, unlabeled and validation images."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import (
    check_positive_int,
    check_positive_number,
    check_seed,
)
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.batches import ordered_batches, training_batches
from keras_dc3.data.embedding import embedded
from keras_dc3.data.feature_batches import feature_batches
from keras_dc3.data.feature_set import VIEWS, joined
from keras_dc3.data.feature_views import get_feature_policy
from keras_dc3.data.moments import Moments, moments_of
from keras_dc3.data.parts import (
    check_drawn_classes,
    check_parts,
    checked_labels,
    common_class_names,
)
from keras_dc3.data.plan import BatchPlan, EpochClock, Recipe
from keras_dc3.data.policies import (
    Policy,
    get_policy,
    policies_of,
    policies_of_views,
)
from keras_dc3.data.relabeling import relabeled
from keras_dc3.data.split_files import write_split
from keras_dc3.data.splits import Split, split_images

_CHUNK = 4096  # images whose features are looked at together


class SemiSupervisedData:
    """Few labeled images, many unlabeled ones, and images to validate on.

    Args:
        labeled: at least one image, of two classes or more.
        labels: one per labeled image to train on: classes (n_l,), int in 0..k - 1, or
            soft labels (n_l, k), distributions over the classes.
        unlabeled: None for supervised training. Its `counts` are never trained on.
        validation: images whose `counts` hold an annotation each; None for none.
        batch_size: labeled images per training batch.
        unlabeled_ratio: unlabeled images per labeled one in a batch; None leaves it to
            whoever asks for the batches.
        augment: an augmentation (see `data.get_policy`) for all training images, or a
            mapping from view to augmentation. In it "labeled" is for the labeled
            images, "strong" for a view of that name, and "weak" for all that are not
            named. Default: strong for a view named "strong", weak for the rest. Of
            features: their stored views of these names, else hidden features (see
            `data.StoredViews` and `data.FeatureNoise`).
        seed: of order and augmentation, an integer of at least 0.
        name: of the data set, for reports.

    Attributes:
        augment: view -> augmentation, as far as given.
        test: images that are neither trained on nor validate; None for none.
        image_backbone: of features, what computed them from images, where `embed` did.
        unused: ids of the images in no part; None where they are not known.

    Raises:
        ValueError: if the parts do not fit together; the message says how to fix it.

    Example:

    >>> images = np.zeros((12, 8, 8, 3), "uint8")
    >>> labeled = keras_dc3.data.ImageSet(
    ...     images[:4], list("abcd"), class_names=["cod", "eel"]
    ... )
    >>> unlabeled = keras_dc3.data.ImageSet(images[4:], list("stuvwxyz"))
    >>> data = keras_dc3.data.SemiSupervisedData(labeled, [0, 1, 0, 1], unlabeled)
    >>> len(data.labeled), len(data.unlabeled)
    (4, 8)
    """

    def __init__(
        self,
        labeled: AnnotatedImages,
        labels: ArrayLike,
        unlabeled: AnnotatedImages | None = None,
        validation: AnnotatedImages | None = None,
        batch_size: int = 64,
        unlabeled_ratio: float | None = None,
        augment: Any = None,
        seed: int = 0,
        name: str | None = None,
    ):
        check_positive_int("batch_size", batch_size)
        check_seed(seed)
        if unlabeled_ratio is not None:
            check_positive_number("unlabeled_ratio", unlabeled_ratio)
        parts = {"labeled": labeled, "unlabeled": unlabeled, "validation": validation}
        parts = {name: part for name, part in parts.items() if part is not None}
        self.class_names = common_class_names(parts)
        self.labels = checked_labels(labels, labeled, self.class_names)
        check_parts(parts)
        self.labeled, self.unlabeled, self.validation = labeled, unlabeled, validation
        self.augment = policies_of(augment, self._policy_of)
        self.batch_size = int(batch_size)
        self.unlabeled_ratio = unlabeled_ratio
        self.seed = int(seed)
        self.name = name
        self.clock = EpochClock()
        self.test: AnnotatedImages | None = None
        self.image_backbone: Any = None
        self.unused: list[str] | None = None
        self._unanswered: list[str] | None = None  # where it is known of all images

    @classmethod
    def from_image_set(
        cls,
        images: AnnotatedImages,
        labeled: int | float | None = None,
        unlabeled: int | float | None = None,
        validation: int | float | None = None,
        seed: int = 0,
        *,
        split: Any = None,
        stratify: bool = False,
        groups: Any = None,
        **kwargs: Any,
    ) -> SemiSupervisedData:
        """Splits annotated images at random, and samples the labels.

        Each labeled image gets one hard label, drawn from its soft label. Images
        without any annotation join the unlabeled ones; but not those of a group that
        another part has.

        Args:
            images: a set with counts.
            labeled: int for a number, float for a fraction of the annotated images.
            unlabeled: likewise; None for none.
            validation: likewise.
            seed: of the split, the labels, and the batches.
            split: takes the place of the three numbers: a file that `save_split` has
                written; a mapping of "labeled", "unlabeled" and "validation" to lists
                of ids; or a `data.Split`. The images of no part are not used. Of a
                file, images that were answered since it was written join the labeled
                ones, which is told. `{"validation": ids}` alone trains on all others.
            stratify: whether each part is to have its share of each majority class, at
                least one image.
            groups: names or numbers, one per image, or a function from an id to its
                group, such as the animal. No group is in two parts, so that these have
                about the sizes asked for.
            **kwargs: further arguments of the class.
        """
        sizes = (labeled, unlabeled, validation)
        part = split_images(
            images, sizes, seed, given=split, stratify=stratify, groups=groups
        )
        labeled_set = images.subset(part.labeled)
        labels = labeled_set.sample_hard_labels(seed)
        check_drawn_classes(labels, images.class_names, int(images.annotated.sum()))
        data = cls(
            labeled_set,
            labels,
            images.subset(part.unlabeled) if part.unlabeled.size else None,
            images.subset(part.validation) if part.validation.size else None,
            seed=seed,
            **kwargs,
        )
        unused = np.setdiff1d(np.arange(len(images)), np.concatenate(part))
        data.unused = [images.ids[i] for i in unused]
        data._unanswered = [
            name
            for name, known in zip(images.ids, images.annotated, strict=True)
            if not known
        ]
        return data

    def __repr__(self) -> str:
        sizes = [
            f"{len(part)} {name}"
            for name in ("labeled", "unlabeled", "validation")
            if (part := getattr(self, name)) is not None
        ]
        return (
            f"<{type(self).__name__} {self.name or ''}: {', '.join(sizes)} images "
            f"{self.image_shape}, {self.num_classes} classes>"
        )

    @property
    def num_classes(self) -> int:
        """k."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(h, w, c); of features (d,)."""
        return self.labeled.image_shape

    @property
    def value_range(self) -> tuple[float, float] | None:
        """(low, high) of pixel values: of the labeled and the unlabeled images."""
        if self.labeled.holds_features:
            return None
        parts = self._trained_on()
        lows, highs = zip(*(part.value_range for part in parts), strict=True)
        return min(lows), max(highs)

    def with_labels(self, labels: Any, *, missing: str = "error") -> SemiSupervisedData:
        """Returns the data with what people have said since: more images are labeled.

        * Unlabeled images that have an answer move to the labeled part.
        * Labeled images that have one take the new label, the others keep theirs. So
          that all answers count, pass all: `first.merge(answers)`.
        * Validation images stay validation images, with the answers they had: no image
          that was trained on is ever validated on, and the scores of all rounds
          compare.

        The labeled part then has soft labels, (n_l, k) float32; a class number becomes
        a distribution with all on that class. A line is printed that tells what was
        done. These data stay as they are.

        Args:
            labels: what people said: `Annotations`, a review, or
                `agreement.CorrectedLabels`. Names of images match as in
                `Annotations.match`; images without a valid answer play no part.
            missing: what to do about answered images that the data do not have:
                "error", or "drop" to leave them out, which is told.

        Raises:
            TypeError: if `labels` are none of these.
            ValueError: if they have other classes, or no answer to any image of the
                data.

        Example:

        >>> answers = keras_dc3.review.read("review-anna.json", proposals=proposals)
        >>> data = data.with_labels(answers)
        60 answered images moved to the labeled part (12 -> 72; unlabeled 60 -> 0).
        """
        new = relabeled(self, labels, missing)
        data = type(self)(
            new.labeled,
            new.labels,
            new.unlabeled,
            self.validation,
            batch_size=self.batch_size,
            unlabeled_ratio=self.unlabeled_ratio,
            augment=self.augment,
            seed=self.seed,
            name=self.name,
        )
        data.test, data.unused = self.test, self.unused
        data.image_backbone = self.image_backbone
        if self._unanswered is not None:
            left = [name for name in self._unanswered if name not in new.answered]
            data._unanswered = left
        print(new.told)
        return data

    def embed(
        self,
        backbone: Any,
        weak: int = 4,
        strong: int = 4,
        folder: str | os.PathLike | None = None,
        *,
        batch_size: int = 64,
        verbose: Any = "auto",
    ) -> SemiSupervisedData:
        """Returns the same data with features in the place of images.

        The backbone, which nothing trains, runs once over each image and over some
        augmented views of it (`augment`, of which weak ones are for labeled images,
        too). Training then draws from these, and needs no pixels:
        `keras_dc3.backbones.feature_mlp` is a backbone for features. The images stay at
        hand to be looked at. A model that is trained on the result is exported together
        with the backbone, and takes images.

        A folder keeps the features, as float16, and tells of what they are: of which
        weights, augmentation, seed and images. What fits is read; what has changed is
        computed anew, which is told. A process that was killed goes on where it was.
        Images of files count as changed where a file was written anew. How a function
        of yours augments images cannot be compared: its features are computed each
        time.

        Args:
            backbone: a Keras model or layer from images to features, (n, d) or (n, h,
                w, d), or the name of a network with weights (see
                `keras_dc3.backbones.pretrained`). It gets images as from a `DC3Model`.
            weak: how many weakly augmented views of each image are kept.
            strong: how many strongly augmented ones; 0 where no strategy asks for them.
            folder: where to keep them, one folder for each backbone; made if missing.
                None keeps them in memory.
            batch_size: images per step.
            verbose: 0 says nothing, else the size and the progress are shown.

        Raises:
            ValueError: if the backbone cannot take the images, these are features
                already, or the folder holds something else.
            OSError: if the folder has no room for all features, cannot be written to,
                or another process computes into it.

        Example:

        >>> images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), "uint8")
        >>> pixels = keras_dc3.datasets.from_arrays(images, np.eye(2)[[0, 1] * 10])
        >>> backbone = keras_dc3.backbones.small_cnn((8, 8, 3))
        >>> features = pixels.embed(backbone, weak=2, strong=0, verbose=0)
        >>> features.image_shape, features.labeled.ids == pixels.labeled.ids
        ((96,), True)
        """
        counts = {"weak": weak, "strong": strong}
        features, frozen = embedded(self, backbone, counts, folder, batch_size, verbose)
        row_of = {name: row for row, name in enumerate(features.ids)}

        def of(part: AnnotatedImages | None) -> AnnotatedImages | None:
            if part is None:
                return None
            rows = features.subset([row_of[name] for name in part.ids])
            counts = part.counts if part.has_counts else None
            return joined([rows], counts, part.class_names)

        data = type(self)(
            of(self.labeled),
            self.labels,
            of(self.unlabeled),
            of(self.validation),
            batch_size=self.batch_size,
            unlabeled_ratio=self.unlabeled_ratio,
            seed=self.seed,
            name=self.name,
        )
        data.test, data.unused = of(self.test), self.unused
        data._unanswered = self._unanswered
        data.image_backbone = frozen
        return data

    def parts(self) -> dict[str, AnnotatedImages]:
        """Returns name -> images, of the parts that there are, `test` among them."""
        names = ("labeled", "unlabeled", "validation", "test")
        parts = {name: getattr(self, name) for name in names}
        return {name: part for name, part in parts.items() if part is not None}

    def save_split(self, path: str | os.PathLike) -> None:
        """Writes the ids of each part, so that others can repeat the split.

        They pass the file as `split`, and the same `seed` for the same labels. With
        more answers it keeps the validation images, and adds to the labeled ones.

        Args:
            path: a JSON file; it is complete or not there.
        """
        parts = {name: getattr(self, name) for name in Split._fields}
        ids = {
            name: [] if part is None else list(part.ids) for name, part in parts.items()
        }
        hidden = self.unlabeled
        if hidden is not None:
            known = hidden.has_counts
            hidden = float(hidden.annotations_per_image.sum()) if known else 0.0
        write_split(path, ids, self.unused, self._unanswered, hidden)

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
        )
        make = feature_batches if self.labeled.holds_features else training_batches
        return make(recipe)

    def validation_batches(self, batch_size: int | None = None) -> Any:
        """Returns `(images, labels)` in order; None without validation images.

        Labels are soft, (b, k) float32; or classes, (b,) int64, where no image got more
        than one answer.

        Args:
            batch_size: images per batch; default that of the labeled images.
        """
        batch_size = self.batch_size if batch_size is None else batch_size
        check_positive_int("batch_size", batch_size)
        if self.validation is None:
            return None
        return ordered_batches(self.validation, self.validation.targets, batch_size)

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
