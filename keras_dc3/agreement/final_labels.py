"""What to take for the labels of all images, and how sure that is. NumPy only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_dc3._names import KnownNames
from keras_dc3._text import number_of, some
from keras_dc3._validation import check_seed
from keras_dc3.agreement import label_files
from keras_dc3.agreement.concentrations import Concentrations
from keras_dc3.annotations import Annotations
from keras_dc3.annotations.counted_labels import CountedLabels, labels_of
from keras_dc3.proposals import Proposals
from keras_dc3.proposals.asking import counts_of
from keras_dc3.proposals.belief import prior_of
from keras_dc3.review import Review

_DRAWS, _AT_ONCE = 1000, 2_000_000
PEOPLE, MODEL = "people", "model"


@dataclass(frozen=True, eq=False, repr=False)
class FinalLabels:
    """A label for each of n images of k classes. Made by `final_labels`.

    Attributes:
        ids: n names.
        class_names: k names.
        soft_labels: (n, k) float64, the best guess of the shares of people who would
            choose each class.
        label: (n,) int64, the class with the largest share.
        share: (n,) float64, that share.
        annotators: n tuples, the names of who answered; empty where nobody did or no
            names are known.
        low, high: (n,) float64, its 95% interval.
        answers: (n,) float64, how many answers there are.
        agreeing: (n,) float64, how many of them name the class `label`.
        bad_images: ids of the images that are left out, as most people call them bad.
        none_of_these: ids of those in which somebody sees none of the classes.
        notes_of: id -> (person, text) of each note that people wrote on the image.
    """

    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    soft_labels: np.ndarray
    label: np.ndarray
    share: np.ndarray
    annotators: tuple[tuple[str, ...], ...]
    low: np.ndarray
    high: np.ndarray
    answers: np.ndarray
    agreeing: np.ndarray
    bad_images: tuple[str, ...] = ()
    none_of_these: tuple[str, ...] = ()
    notes_of: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def class_name(self) -> np.ndarray:
        """(n,) str, the name of `label`."""
        return np.array(self.class_names, dtype=object)[self.label]

    @property
    def source(self) -> np.ndarray:
        """(n,) str, "people" where an image has an answer, else "model"."""
        return np.where(self.answers > 0, PEOPLE, MODEL)

    def columns(self) -> dict[str, np.ndarray]:
        """Returns what a table of them has: name -> (n,).

        image, class, share, low, high, answers, agreeing, source, annotators (with ";"
        between), then `p(<class name>)` for each class, and notes ("person: text",
        with a line end between).
        """
        soft = {
            f"p({name})": self.soft_labels[:, column]
            for column, name in enumerate(self.class_names)
        }
        return {
            "image": np.array(self.ids, dtype=object),
            "class": self.class_name,
            "share": self.share,
            "low": self.low,
            "high": self.high,
            "answers": self.answers,
            "agreeing": self.agreeing,
            "source": self.source,
            "annotators": np.array(list(map(";".join, self.annotators)), dtype=object),
            **soft,
            "notes": np.array(list(map(self._note, self.ids)), dtype=object),
        }

    def _note(self, name: str) -> str:
        return "\n".join(": ".join(pair) for pair in self.notes_of.get(name, ()))

    def save(self, path: str | os.PathLike) -> None:
        """Writes a line per image, in the form that the end of the name says.

        The file is complete or not there.

        Args:
            path: ".csv" for a table; ".jsonl" for a JSON object per line, in which the
                soft label is an object by class name; ".parquet" (extra `[parquet]`).

        Raises:
            ValueError: if it ends in something else. OSError: if it cannot be written.
            ImportError: for Parquet, if pyarrow is not installed.
        """
        label_files.save(self, path)

    def to_folders(
        self, path: str | os.PathLike, images: str | os.PathLike
    ) -> dict[str, int]:
        """Copies the image files into a folder for each class; nothing is moved.

        A file keeps its name and the folders that it lies in. The folder is complete
        or not there.

        Args:
            path: a new or empty folder, for the class folders.
            images: the folder in which the ids are files.

        Returns:
            Class name -> number of files.

        Raises:
            FileNotFoundError: if an image is not there. OSError: if one cannot be
                written. ValueError: if it is not empty, or a class name cannot name a
                folder.
        """
        return label_files.to_folders(self, path, images)

    def __str__(self) -> str:
        by = np.array([(self.source == kind).sum() for kind in (PEOPLE, MODEL)])
        sure = self.low > 0.5
        lines = [
            f"Labels of {number_of(len(self), 'image')}: {by[0]:,} with answers of "
            f"people, {by[1]:,} by the model alone.",
            f"Of {sure.sum():,} of them ({sure.mean():.0%}) it is sure, with 95%, that "
            "most people would choose the class.",
            *self._of_guesses(),
            *self._without_class(),
        ]
        number = np.bincount(self.label, minlength=len(self.class_names))
        lines += [
            f"  {name}: {count:,}"
            for name, count in zip(self.class_names, number, strict=True)
        ]
        return "\n".join(lines)

    def _of_guesses(self) -> list[str]:
        """Returns what the labels are worth that rest on no answer."""
        alone = self.source == MODEL
        if not alone.any():
            return []
        return [
            f"The class of {number_of(int(alone.sum()), 'image')} is the model's "
            f"guess, right in about {self.share[alone].mean():.0%} of cases by its own "
            "probabilities: more answers make labels of these.",
        ]

    def _without_class(self) -> list[str]:
        """Returns what is said of bad images, and of those that call for a class."""
        told = []
        if self.bad_images:
            told.append(
                f"Left out, as most people call them bad: "
                f"{number_of(len(self.bad_images), 'image')}, "
                f"{some(map(repr, self.bad_images))}."
            )
        if self.none_of_these:
            told.append(
                "May call for a new class, as somebody sees none of these: "
                f"{number_of(len(self.none_of_these), 'image')}, "
                f"{some(map(repr, self.none_of_these))}."
            )
        return told

    __repr__ = __str__


def final_labels(
    answers: Annotations | Review | CountedLabels,
    proposals: Proposals | None = None,
    *,
    annotations: Annotations | Review | None = None,
    seed: int = 0,
) -> FinalLabels:
    """Returns the best guess of what people say of each image, and how sure it is.

    What is believed of an image is a mixture of Dirichlet distributions around what the
    model says of it, with the answers so far (see `stopping`): the more answers, the
    less the model counts, and images on which people differ stay unsure. Its mean is
    the soft label; the interval is of the share of the most likely class. Images that
    most people call bad get no label, which is told.

    Args:
        answers: annotations, a review, or labels corrected for the bias of proposals.
        proposals: of all images that are to get a label. Without them, these are the
            images of the answers, and what is known beforehand of each are the shares
            of the classes.
        annotations: the answers with names of people, where `answers` are corrected
            labels, which have none; of a review, its notes come along.
        seed: of the draws of the intervals.

    Raises:
        TypeError: if `answers` or `proposals` are none.
        ValueError: if the classes differ, or there is no answer and no proposal.

    Example:

    >>> labels = keras_dc3.agreement.final_labels(answers, proposals)
    >>> bool((labels.low <= labels.share).all())
    True
    """
    check_seed(seed)
    wanted = "`answers` must be annotations, a review or corrected labels"
    labels = labels_of(answers, wanted, CountedLabels)
    if not isinstance(proposals, Proposals | None):
        raise TypeError(
            "`proposals` must be `keras_dc3.Proposals` or None. Received: "
            f"{type(proposals).__name__}"
        )
    told = getattr(labels, "as_given", labels)
    if proposals is None:
        ids, counts = labels.ids, np.asarray(labels.counts, "float64")
        given = np.asarray(told.counts, "float64")
        known = counts.sum(axis=0) + 1
        prior = np.broadcast_to(known / known.sum(), counts.shape)
    else:
        ids, counts = proposals.ids, counts_of(proposals, labels)
        given = counts_of(proposals, told, quiet=True)
        prior = prior_of(proposals.class_probabilities)
    told_by = answers if annotations is None else annotations
    bad, none = _without_class(ids, told_by)
    left_out = set(bad)
    keep = np.array([name not in left_out for name in ids], bool)
    ids = tuple(name for name in ids if name not in left_out)
    prior, counts, given = prior[keep], counts[keep], given[keep]
    if not len(ids):
        raise ValueError(
            "There is no image to label"
            + (", as people call all of them bad." if bad else ".")
        )
    beliefs = Concentrations(prior, counts, given)
    shares = beliefs.fit()
    soft = beliefs.moments(shares).label
    soft = soft / soft.sum(axis=1, keepdims=True)
    label, rows = soft.argmax(axis=1), np.arange(len(ids))
    low, high = _interval(prior, counts, given, shares, label, seed)
    share = soft[rows, label]
    return FinalLabels(
        ids=tuple(ids),
        class_names=tuple(labels.class_names),
        soft_labels=soft,
        label=label,
        share=share,
        low=np.minimum(low, share),
        high=np.maximum(high, share),
        answers=counts.sum(axis=1),
        agreeing=given[rows, label],
        annotators=_people(ids, told_by),
        bad_images=bad,
        none_of_these=none,
        notes_of=dict(getattr(told_by, "notes_of", {})),
    )


def _interval(
    prior, counts, given, shares, label, seed
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) ends of the interval, images by the part that memory holds."""
    step = max(_AT_ONCE // _DRAWS, 1)
    found = []
    for start in range(0, len(label), step):
        rows = slice(start, start + step)
        part = Concentrations(prior[rows], counts[rows], given[rows])
        drawn = part.drawn(shares, label[rows], _DRAWS, seed + start)
        found.append(np.percentile(drawn, (2.5, 97.5), axis=0))
    low, high = np.concatenate(found, axis=1)
    return low, high


def _without_class(ids: Any, answers: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Returns those of `ids` that are bad, and of the others those of none of these."""
    annotations = getattr(answers, "annotations", answers)
    if not isinstance(annotations, Annotations):
        return (), ()
    known = KnownNames(ids)

    def those(names: tuple[str, ...]) -> dict[str, None]:
        return dict.fromkeys(one for name in names for one in known.find(name)[0])

    bad = those(annotations.bad_images)
    none = those(annotations.none_of_these)
    return tuple(bad), tuple(name for name in none if name not in bad)


def _people(ids: Any, answers: Any) -> tuple[tuple[str, ...], ...]:
    annotations = getattr(answers, "annotations", answers)
    records = getattr(annotations, "records", None)
    names: dict[str, dict[str, None]] = {name: {} for name in ids}
    if records is not None:
        known = (records.annotator >= 0) & (records.label >= 0)
        pairs = zip(records.image[known], records.annotator[known], strict=True)
        for image, person in pairs:
            of = names.get(annotations.ids[image])
            if of is not None:
                of[annotations.annotators[person]] = None
    return tuple(tuple(names[name]) for name in ids)
