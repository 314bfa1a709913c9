"""A data set to train on: labeled, unlabeled and validation images."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import (
    check_positive_int,
    check_positive_number,
    check_seed,
)
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.batch_source import BatchSource
from keras_dc3.data.embedding import embedded, in_place_of
from keras_dc3.data.membership import added, withdrawn
from keras_dc3.data.parts import check_parts, checked_labels, common_class_names
from keras_dc3.data.plan import EpochClock
from keras_dc3.data.policies import policies_of
from keras_dc3.data.reclassing import reclassed
from keras_dc3.data.relabeling import relabeled
from keras_dc3.data.split_files import withdrawn_in, write_split
from keras_dc3.data.splits import Split, split_images
from keras_dc3.data.training_labels import kind_in_words, training_labels


class SemiSupervisedData(BatchSource):
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
        withdrawn: ids of the images that `without` took out, a tuple.
        rounds: how many rounds of asking have chosen among the unlabeled images since
            the validation images were drawn; `fit` hands it to `Verdict.rounds`. None
            where nobody has said.

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
        *,
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
        self.withdrawn: tuple[str, ...] = ()
        self.rounds: int | None = None
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
        labels: str | None = None,
        **kwargs: Any,
    ) -> SemiSupervisedData:
        """Splits annotated images at random, and makes labels of their answers.

        Images without any annotation join the unlabeled ones; but not those of a group
        that another part has.

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
                ones, and images that it does not know the unlabeled ones, which is
                told; those that were withdrawn stay out. `{"validation": ids}` alone
                trains on all others.
            stratify: whether each part is to have its share of each majority class, at
                least one image.
            groups: names or numbers, one per image, or a function from an id to its
                group, such as the animal. No group is in two parts, so that these have
                about the sizes asked for.
            labels: what a labeled image is trained on. "soft": the share of each class
                among its answers, as they are: 3 of 10 answers are .3, as of 1,000, and
                the image weighs no more for having many. "sampled": one class, drawn
                from these shares, as in the paper. Default: "soft" if a labeled image
                has at least two answers, or shares of two classes where nobody knows of
                how many answers; else its one answer.
            **kwargs: further arguments of the class.
        """
        sizes = (labeled, unlabeled, validation)
        part = split_images(
            images, sizes, seed, given=split, stratify=stratify, groups=groups
        )
        labeled_set = images.subset(part.labeled)
        annotated = int(images.annotated.sum())
        labels = training_labels(labeled_set, labels, seed, annotated)
        data = cls(
            labeled_set,
            labels,
            images.subset(part.unlabeled) if part.unlabeled.size else None,
            images.subset(part.validation) if part.validation.size else None,
            seed=seed,
            **kwargs,
        )
        unused = np.setdiff1d(np.arange(len(images)), np.concatenate(part))
        if isinstance(split, str | os.PathLike):
            data.withdrawn = withdrawn_in(split, images.ids)
        data.unused = [
            name
            for name in (images.ids[i] for i in unused)
            if name not in data.withdrawn
        ]
        data._unanswered = [
            name
            for name, known in zip(images.ids, images.annotated, strict=True)
            if not known
        ]
        return data

    def __repr__(self) -> str:
        kind = kind_in_words(self.labels, self.labeled)
        told = {"labeled": f" ({kind})" if kind else ""}
        sizes = [
            f"{len(part)} {name}{told.get(name, '')}"
            for name in ("labeled", "unlabeled", "validation")
            if (part := getattr(self, name)) is not None
        ]
        out = f", {len(self.withdrawn)} withdrawn" if self.withdrawn else ""
        return (
            f"<{type(self).__name__} {self.name or ''}: {', '.join(sizes)} images "
            f"{self.image_shape}, {self.num_classes} classes{out}>"
        )

    @property
    def num_classes(self) -> int:
        """k."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(h, w, c); of features (d,)."""
        return self.labeled.image_shape

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
        data = self._remade(
            new.labeled,
            new.labels,
            new.unlabeled,
            self.validation,
            augment=self.augment,
        )
        if self._unanswered is not None:
            left = [name for name in self._unanswered if name not in new.answered]
            data._unanswered = left
        print(new.told)
        return data

    def without(self, ids: Sequence[str]) -> SemiSupervisedData:
        """Returns the data without some images, such as bad ones.

        They leave whatever part they are in, and stay out: of a split that is saved
        from here on, and where somebody answers them. A line is printed that tells what
        was done. These data stay as they are. Proposals have a `without`, too.

        Args:
            ids: of images to withdraw; names match as for `Annotations.match`.

        Raises:
            ValueError: if one is not in the data, or no labeled image would be left.

        Example:

        >>> data.without(["l3", "img_7.png"])
        2 images withdrawn: 1 labeled, so that 11 are left; 1 unlabeled, so that 59 ...
        <SemiSupervisedData : 11 labeled, 59 unlabeled images ..., 2 withdrawn>
        """
        new = withdrawn(self, ids)
        data = self._of_parts(new.parts, new.labels)
        data.withdrawn = (*self.withdrawn, *new.ids)
        if self.unused is not None:
            data.unused = [name for name in self.unused if name not in new.ids]
        if self._unanswered is not None:
            left = [name for name in self._unanswered if name not in new.ids]
            data._unanswered = left
        print(new.told)
        return data

    def with_images(self, images: AnnotatedImages) -> SemiSupervisedData:
        """Returns the data with images that came later: they are unlabeled.

        All others stay in their parts. Images that the data have, by their ids, or that
        were withdrawn, are passed over. A line is printed that tells what was done.
        `from_directory(..., split="split.json")` does the same for a folder to which
        files were added since the split was saved.

        Args:
            images: a set of images, of the shape and dtype of these.

        Raises:
            TypeError: if it is no set of images.
            ValueError: if shape, dtype or classes differ.

        Example:

        >>> images = np.zeros((2, 12, 12, 3), "uint8")
        >>> new = keras_dc3.data.ImageSet(images, ["new", "l0"])
        >>> data = data.with_images(new)
        1 new image unlabeled now (60 -> 61); the data had 1 of 2 before.
        """
        new = added(self, images)
        data = self._of_parts({**self.parts(), "unlabeled": new.unlabeled}, self.labels)
        if self._unanswered is not None:
            data._unanswered = [*self._unanswered, *new.ids]
        print(new.told)
        return data

    def with_classes(
        self,
        class_names: Sequence[str],
        renamed: Mapping[str, str | None] | None = None,
    ) -> SemiSupervisedData:
        """Returns the data with other classes, in the order of `class_names`.

        Images, parts and split stay: answers and labels are carried, those of merged
        classes added up. A new class has no answer until `with_labels` brings some. A
        line is printed that tells what changes. These data stay as they are.

        Args:
            class_names: all classes from now on.
            renamed: old name -> new name, as for `Annotations.with_classes`. None
                leaves a class out that nobody has answered.

        Raises:
            ValueError: as for `Annotations.with_classes`; also if a class is left out
                that has answers.
            TypeError: if a name is no text, or `renamed` no dict.

        Example:

        >>> data.class_names
        ('cat', 'dog', 'red deer')
        >>> after = data.with_classes(
        ...     ["pet", "red deer", "fox"], {"cat": "pet", "dog": "pet"}
        ... )
        Classes: 'cat', 'dog' are 'pet' now; 'fox' is new.
        """
        change = ClassChange.of(self.class_names, class_names, renamed)
        new = reclassed(self, change)
        data = self._of_parts(new.parts, new.labels)
        print(change)
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
        ((64,), True)
        """
        counts = {"weak": weak, "strong": strong}
        features, frozen = embedded(self, backbone, counts, folder, batch_size, verbose)
        parts = {
            name: in_place_of(part, features) for name, part in self.parts().items()
        }
        data = self._remade(
            parts["labeled"],
            self.labels,
            parts.get("unlabeled"),
            parts.get("validation"),
            augment=None,
        )
        data.test, data.image_backbone = parts.get("test"), frozen
        return data

    def _of_parts(
        self, parts: Mapping[str, AnnotatedImages | None], labels: np.ndarray
    ) -> SemiSupervisedData:
        """Returns data of other parts, as of `parts()`, with the settings of these."""
        data = self._remade(
            parts["labeled"],
            labels,
            parts.get("unlabeled"),
            parts.get("validation"),
            augment=self.augment,
        )
        data.test = parts.get("test")
        return data

    def _remade(self, *parts: Any, augment: Any) -> SemiSupervisedData:
        """Returns data with the settings of these.

        Args:
            *parts: labeled images, labels, unlabeled and validation images.
            augment: as for the class.
        """
        data = type(self)(
            *parts,
            batch_size=self.batch_size,
            unlabeled_ratio=self.unlabeled_ratio,
            augment=augment,
            seed=self.seed,
            name=self.name,
        )
        data.test, data.unused = self.test, self.unused
        data.withdrawn = self.withdrawn
        data._unanswered = self._unanswered
        data.image_backbone = self.image_backbone
        return data

    def parts(self) -> dict[str, AnnotatedImages]:
        """Returns name -> images, of the parts that there are, `test` among them."""
        names = ("labeled", "unlabeled", "validation", "test")
        parts = {name: getattr(self, name) for name in names}
        return {name: part for name, part in parts.items() if part is not None}

    def save_split(self, path: str | os.PathLike) -> None:
        """Writes the ids of each part, so that others can repeat the split.

        They pass the file as `split`, and for the same labels the same answers, and the
        same `labels` and `seed`. With more answers it keeps the validation images, and
        adds to the labeled ones.

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
        write_split(path, ids, self.unused, self._unanswered, hidden, self.withdrawn)
