"""The classes and clusters of a model, as far as they are known."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_dc3._text import some
from keras_dc3._validation import (
    check_class_names,
    check_given_classes,
    check_ordered,
    check_positive_int,
)
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.annotations.class_weights import class_weights
from keras_dc3.annotations.names import tell_alike
from keras_dc3.data.training_labels import classes_without_label


class Classes:
    """k classes, their names, and k' clusters; None for what is not known yet.

    Args:
        num_classes, names: see `learn`.
        given_clusters: k' that a user has asked for; None: 5 k.

    Attributes:
        rows: of each row of the class head its class, where classes were merged; it may
            be set. None: a row per class.
    """

    def __init__(self, num_classes: int | None, names: Any, given_clusters: int | None):
        self.rows: tuple[int, ...] | None = None
        self.given_clusters = given_clusters
        self.num_classes: int | None = None
        self.num_clusters: int | None = None
        self.names: tuple[str, ...] | None = None
        if names is not None:
            names = check_given_classes("class_names", names)
            tell_alike(names, stacklevel=3)
        self.learn(num_classes, names)

    def learn(self, num_classes: int | None, names: Any = None) -> None:
        """Takes up the classes of a model that does not know them yet.

        Raises:
            ValueError: if they contradict what is known, or there are not more
                clusters than classes.
        """
        if names is not None:
            check_ordered("class_names", names)
            names = check_class_names("class_names", [str(name) for name in names])
            num_classes = len(names) if num_classes is None else num_classes
            if len(names) != num_classes:
                raise ValueError(
                    f"There are {len(names)} `class_names` but {num_classes} "
                    "classes; give one name per class, in the order of the labels."
                )
            self.check_same_names(names)
        if num_classes is not None:
            check_positive_int("num_classes", num_classes, least=2)
            if self.num_classes not in (None, num_classes):
                raise ValueError(
                    f"The model has {self.num_classes} classes, the data "
                    f"{num_classes}; they must agree."
                )
            num_clusters = self.given_clusters
            if num_clusters is None:
                num_clusters = 5 * num_classes
            check_positive_int("num_clusters", num_clusters, least=2)
            if num_clusters <= num_classes:
                raise ValueError(
                    "`num_clusters` must be larger than the number of classes "
                    f"({num_classes}), because DC3 overclusters. "
                    f"Received: num_clusters={num_clusters}"
                )
            self.num_classes, self.num_clusters = int(num_classes), int(num_clusters)
        if names is not None:
            self.names = names

    def changed(
        self, class_names: Sequence[str], renamed: Mapping[str, str | None] | None
    ) -> ClassChange:
        """Returns the change to other classes; those without a name have a number."""
        before = self.names or tuple(map(str, range(self.num_classes)))
        return ClassChange.of(before, class_names, renamed)

    def weights(self, class_weight: Any, labels: Any) -> dict[int, float]:
        """Returns the `class_weight` of `fit` as Keras takes it."""
        return class_weights(class_weight, labels, self.num_classes, self.names)

    def tell_unlabeled(self, labels: Any, stacklevel: int) -> None:
        """Warns of classes that no training label names, once for all of them.

        Args:
            labels: (n,) or (n, 1) classes or (n, k) soft labels of the labeled images;
                None, as of a stream, are not looked into.
            stacklevel: as for `warnings.warn`.
        """
        if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iuf":
            return
        missing = classes_without_label(labels, self.num_classes)
        if not missing:
            return
        names = [self.names[c] if self.names else c for c in missing]
        one = len(names) == 1
        warnings.warn(
            f"None of the {len(labels):,} labeled images is of the "
            f"class{'' if one else 'es'} {some(map(repr, names), 10)}, so that this "
            f"training teaches nothing of {'it' if one else 'them'}: label images of "
            f"{'it' if one else 'each'}, or leave {'it' if one else 'them'} out of the "
            "classes.",
            stacklevel=stacklevel + 1,
        )

    def check_same_names(self, names: tuple[str, ...]) -> None:
        """Raises ValueError for classes of data that are not those of the model."""
        if self.names not in (None, names):
            raise ValueError(
                f"The model's classes are {list(self.names)}, those of the "
                f"data {list(names)}; they must be the same, in one order. "
                "`model.with_classes` carries a model to other classes."
            )
