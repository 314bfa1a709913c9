"""Labeled images beside those of a review: what classes look like. NumPy only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_dc3._text import some
from keras_dc3._validation import check_matrix
from keras_dc3.review import pictures

_PER_CLASS = 3
_NEAREST = 3  # labeled images shown of each class beside an image
_AT_ONCE = 256  # images compared together


def check_descriptions(descriptions: Any, class_names: Sequence[str]) -> dict[str, str]:
    """Returns name of a class -> what it is; {} for None.

    Raises:
        TypeError, ValueError: if it is no mapping of class names to text.
    """
    if descriptions is None:
        return {}
    if not isinstance(descriptions, Mapping):
        raise TypeError(
            "`class_descriptions` must be a dict of class name -> text. Received: "
            f"{type(descriptions).__name__}"
        )
    for name, text in descriptions.items():
        if not isinstance(text, str):
            raise TypeError(
                f"`class_descriptions` must hold text. Received: {name!r}: {text!r}"
            )
    unknown = [name for name in descriptions if name not in class_names]
    if unknown:
        raise ValueError(
            f"`class_descriptions` holds {unknown[0]!r}, which is none of the classes "
            f"{some(map(repr, class_names), 10)}. Correct the name."
        )
    return dict(descriptions)


@dataclass(frozen=True)
class Examples:
    """Images of known class that a page shows beside those it asks about.

    Attributes:
        images: as for `pictures.find_pictures`.
        ids: m names of the images.
        labels: (m,) int64, the position of the class; -1 where nobody has said one.
        certainty: (m,) float64, the share of answers that name this class.
        embeddings: (m, d), where the network of the proposals puts them, or None.
    """

    images: Any
    ids: tuple[str, ...]
    labels: np.ndarray
    certainty: np.ndarray
    embeddings: np.ndarray | None = None

    @classmethod
    def of(
        cls, examples: Any, class_names: Sequence[str], embeddings: Any = None
    ) -> Examples | None:
        """Returns what `examples=` of `Proposals.to_review` means; None for None.

        Raises:
            TypeError, ValueError: if they are of other classes, or nothing is known of
                their class, or `embeddings` do not fit.
        """
        if examples is None:
            if embeddings is not None:
                raise ValueError(
                    "`example_embeddings` are of the images of `examples`, but there "
                    "are none. Pass both."
                )
            return None
        if isinstance(examples, Mapping):
            images, ids, labels = _of_mapping(examples, class_names)
            made = cls(images, ids, labels, np.ones(len(ids)))
        else:
            made = _of_set(cls, examples, class_names)
        if embeddings is None:
            return made
        found = check_matrix("example_embeddings", embeddings, "numbers (images, d)")
        if len(found) != len(made.ids):
            raise ValueError(
                "`example_embeddings` must have one row per image of `examples`. "
                f"Received: {len(found)} rows for {len(made.ids)} images."
            )
        return cls(made.images, made.ids, made.labels, made.certainty, found)

    def typical(self) -> dict[int, list[int]]:
        """Returns class -> rows of up to three images, those people agree on first."""
        found = {}
        for label in sorted(set(self.labels.tolist()) - {-1}):
            rows = np.flatnonzero(self.labels == label)
            order = np.argsort(-self.certainty[rows], kind="stable")
            found[label] = rows[order][:_PER_CLASS].tolist()
        return found

    def without(self, ids: Collection[str]) -> Examples:
        """Returns the examples that are none of these images."""
        rows = [row for row, name in enumerate(self.ids) if name not in ids]
        return Examples(
            self.images,
            tuple(self.ids[row] for row in rows),
            self.labels[rows],
            self.certainty[rows],
            None if self.embeddings is None else self.embeddings[rows],
        )

    def nearest(
        self, places: np.ndarray, likely: Sequence[Sequence[int]]
    ) -> list[list[tuple[int, list[int]]]]:
        """Returns (class, rows of its nearest images) of each image and likely class.

        Args:
            places: (n, d), the embeddings of the images.
            likely: n lists of classes.

        Raises:
            ValueError: if the embeddings of examples and images differ in length.
        """
        if self.embeddings.shape[1] != places.shape[1]:
            raise ValueError(
                "`example_embeddings` must be of the network that made the proposals, "
                f"whose embeddings have {places.shape[1]} features. Received: "
                f"{self.embeddings.shape[1]} features. Pass "
                "`model.propose(examples).embeddings`."
            )
        center = places.mean(axis=0, dtype="float64")
        mine, theirs = _directions(places, center), _directions(self.embeddings, center)
        rows_of = {
            label: np.flatnonzero(self.labels == label)
            for label in {label for labels in likely for label in labels}
        }
        found: list[list[tuple[int, list[int]]]] = []
        for start in range(0, len(mine), _AT_ONCE):
            alike = mine[start : start + _AT_ONCE] @ theirs.T
            labels_of = likely[start : start + _AT_ONCE]
            for scores, labels in zip(alike, labels_of, strict=True):
                near = [(label, _best(scores, rows_of[label])) for label in labels]
                found.append([(label, rows) for label, rows in near if rows])
        return found

    def addresses(self, rows: Sequence[int], size: int) -> dict[int, str]:
        """Returns row -> address of the picture, of those that can be read."""
        row_of = {self.ids[row]: row for row in rows}
        found = pictures.find_pictures(self.images, self.ids, list(row_of))
        return {
            row_of[name]: pictures.data_url(image.shown, size)
            for name, image in found
            if not isinstance(image, str)
        }


def _best(scores: np.ndarray, rows: np.ndarray) -> list[int]:
    order = np.argsort(-scores[rows], kind="stable")
    return rows[order][:_NEAREST].tolist()


def _directions(places: np.ndarray, center: np.ndarray) -> np.ndarray:
    moved = places - center
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return (moved / np.maximum(lengths, 1e-12)).astype("float32")


def _of_mapping(
    examples: Mapping[str, Any], class_names: Sequence[str]
) -> tuple[dict[str, Any], tuple[str, ...], np.ndarray]:
    images, labels = {}, []
    for name, some_images in examples.items():
        _check_class(name, class_names)
        for number, image in enumerate(some_images):
            if np.ndim(image) not in (2, 3):
                raise ValueError(
                    "`examples` must hold a list of images of each class, but item "
                    f"{number} of {name!r} has the shape {np.shape(image)}."
                )
            images[f"example of a class/{len(images)}"] = np.asarray(image)
            labels.append(list(class_names).index(name))
    return images, tuple(images), np.array(labels, "int64")


def _of_set(cls: type[Examples], examples: Any, class_names: Sequence[str]) -> Examples:
    part = getattr(examples, "labeled", examples)
    if not all(
        hasattr(part, name) for name in ("ids", "class_names", "counts", "read")
    ):
        raise TypeError(
            "`examples` must be the data of a training, annotated images, such as "
            "`data.labeled`, or a dict of class name -> images. Received: "
            f"{type(examples).__name__}"
        )
    for name in examples.class_names or ():
        _check_class(name, class_names)
    soft = _shares(examples, part)
    known = np.array([list(class_names).index(name) for name in examples.class_names])
    best = soft.max(axis=1, initial=0.0)
    labels = np.where(best > 0, known[soft.argmax(axis=1)], -1)
    return cls(part, part.ids, labels, best)


def _shares(examples: Any, part: Any) -> np.ndarray:
    """Returns (m, k), the share of each class among what was said of an image."""
    if examples is not part:  # data of a training, which hold the labels
        labels = np.asarray(examples.labels)
        if labels.ndim == 2:
            return labels.astype("float64")
        return np.eye(len(examples.class_names))[labels]
    if part.counts is None:
        raise ValueError(
            "`examples` must be images that people have named, but these have no "
            "counts. Pass the data themselves, which hold the labels, or a dict of "
            "class name -> images."
        )
    return np.nan_to_num(part.soft_labels)


def _check_class(name: Any, class_names: Sequence[str]) -> None:
    if name not in class_names:
        raise ValueError(
            f"`examples` hold images of {name!r}, which is none of the classes "
            f"{some(map(repr, class_names), 10)}. Pass examples of these classes."
        )
