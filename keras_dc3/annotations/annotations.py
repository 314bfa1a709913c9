"""What people said about images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keras_dc3._validation import check_counts
from keras_dc3.annotations import (
    counts_form,
    dcic,
    label_studio,
    long_form,
    merging,
    selecting,
    wide_form,
    writing,
)
from keras_dc3.annotations.building import (
    check_clean_class_names,
    check_clean_names,
)
from keras_dc3.annotations.counted_labels import CountedLabels
from keras_dc3.annotations.records import Records, counts_of, in_order_of_images
from keras_dc3.annotations.summary import amount, by_annotators, summarize


@dataclass(frozen=True, eq=False, repr=False)
class Annotations(CountedLabels):
    """Which class people chose for each of n images, k classes.

    Made by `from_csv`, `from_frame`, `from_records` (one answer per row), `from_wide`,
    `from_matrix`, `from_counts` (one image per row), `from_dcic` and
    `from_label_studio`. It cannot be changed; methods return new annotations.

    Each person weighs one per image: of somebody who answered the same image r times,
    each answer counts 1 / r.

    Args:
        ids: n different names of images.
        class_names: k different names; letters are composed (NFC).
        counts: (n, k), how many people chose each class; None if `records` tell.
        annotators: the names that `records.annotator` numbers.
        records: the single answers.
        notes: what was odd where the annotations were read, one sentence each.
        places: where each image was read first, for messages.
        merged: whether `merge` made it, so that some answers may be of a later round.

    Attributes:
        ids, class_names, notes: tuples of str.
        counts: (n, k) int64; float64 where a person gave different answers to an image,
            or where `from_counts` got fractions.
        annotators: tuple of str, in the order of `records`; empty if nobody is known.
        records: `Records`, ordered by image; None where only counts are known.

    Raises:
        ValueError, TypeError: if a part is not as described.

    Example:

    >>> annotations = keras_dc3.Annotations.from_records([
    ...     ("a.png", "ann1", "cat"), ("a.png", "ann2", "dog"), ("b.png", "ann1", "cat")
    ... ])
    >>> annotations.counts
    array([[1, 1],
           [1, 0]])
    >>> annotations.ambiguous_fraction
    0.5
    """

    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    counts: np.ndarray | None = None
    annotators: tuple[str, ...] = ()
    records: Records | None = None
    notes: tuple[str, ...] = ()
    places: tuple[str | None, ...] = ()
    merged: bool = False

    from_csv = classmethod(long_form.from_csv)
    from_frame = classmethod(long_form.from_frame)
    from_records = classmethod(long_form.from_records)
    from_wide = classmethod(wide_form.from_wide)
    from_matrix = classmethod(wide_form.from_matrix)
    from_counts = classmethod(counts_form.from_counts)
    from_dcic = classmethod(dcic.from_dcic)
    from_label_studio = classmethod(label_studio.from_label_studio)
    to_csv = writing.to_csv
    to_frame = writing.to_frame
    select = selecting.select
    match = selecting.match
    merge = merging.merge
    rename_classes = merging.rename_classes

    def __post_init__(self):
        def put(name, value):
            object.__setattr__(self, name, value)

        put("ids", check_clean_names("ids", self.ids))
        put("class_names", check_clean_class_names(self.class_names))
        put("annotators", check_clean_names("annotators", self.annotators))
        put("notes", tuple(self.notes))
        put("places", tuple(self.places))
        n, k = len(self), len(self.class_names)
        if not k:
            raise ValueError("`class_names` must name at least one class.")
        if self.places and len(self.places) != n:
            raise ValueError(
                f"`places` must hold one for each of {n} images, or none. Received: "
                f"{len(self.places)}"
            )
        if (self.counts is None) == (self.records is None):
            raise ValueError(
                "Give either `counts` or `records`: counts follow from records."
            )
        if self.records is not None:
            _check_range("image", self.records.image, 0, n)
            _check_range("annotator", self.records.annotator, -1, len(self.annotators))
            _check_range("label", self.records.label, -1, k)
            records, people = in_order_of_images(self.records)
            put("records", records)
            put("annotators", tuple(self.annotators[i] for i in people))
            counts = counts_of(records, n, k)
        else:
            counts = np.array(check_counts("counts", self.counts))
            if counts.shape != (n, k):
                raise ValueError(
                    f"`counts` must have shape ({n}, {k}), for {n} images and {k} "
                    f"classes. Received: {counts.shape}"
                )
            if counts.dtype.kind == "f" and (counts == np.round(counts)).all():
                counts = counts.astype("int64")
        counts.setflags(write=False)
        put("counts", counts)

    def __eq__(self, other: object) -> bool:
        """Whether ids, classes, counts, annotators and records are equal."""
        if not isinstance(other, Annotations):
            return NotImplemented
        names = ("ids", "class_names", "annotators")
        same = all(getattr(self, n) == getattr(other, n) for n in names)
        same = same and (self.records is None) == (other.records is None)
        if same and self.records is not None:
            same = all(
                np.array_equal(mine, theirs, equal_nan=True)
                for mine, theirs in zip(
                    vars(self.records).values(),
                    vars(other.records).values(),
                    strict=True,
                )
            )
        return same and np.array_equal(self.counts, other.counts)

    __hash__ = None

    def __repr__(self) -> str:
        ambiguous = "at most one annotation per image"
        if not self.cannot_disagree:
            ambiguous = f"{self.ambiguous_fraction:.1%} ambiguous"
        total = amount(self.counts.sum()) + by_annotators(len(self.annotators))
        return (
            f"<Annotations of {len(self):,} images: {total}, "
            f"{len(self.class_names)} classes, {ambiguous}>"
        )

    def summary(self) -> str:
        """Returns what was annotated, in some lines to print."""
        return summarize(self)


def _check_range(name: str, positions: np.ndarray, low: int, end: int) -> None:
    wrong = np.flatnonzero((positions < low) | (positions >= end))
    if wrong.size:
        raise ValueError(
            f"`records.{name}` must lie in {low}..{end - 1}. Received: "
            f"{positions[wrong[0]]} at position {wrong[0]}"
        )
