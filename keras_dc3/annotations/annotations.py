"""What people said about images."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from keras_dc3._text import number_of
from keras_dc3._validation import check_class_names, check_counts, check_names
from keras_dc3.annotations import merging, selecting, without_class, writing
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.annotations.counted_labels import CountedLabels
from keras_dc3.annotations.readers import AnnotationReaders
from keras_dc3.annotations.records import (
    Records,
    counts_of,
    in_order_of_images,
    last_answers,
)
from keras_dc3.annotations.summary import amount, by_annotators, summarize


@dataclass(frozen=True, eq=False, repr=False)
class Annotations(AnnotationReaders, CountedLabels):
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
        ids: tuple of str.
        class_names: tuple of str.
        notes: tuple of str, what was odd in what was read.
        counts: (n, k) int64; float64 where a person gave different answers to an image
            or one that is split between two classes, or where `from_counts` got
            fractions.
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

    def __post_init__(self):
        def put(name, value):
            object.__setattr__(self, name, value)

        put("ids", check_names("ids", self.ids, clean=True))
        put(
            "class_names",
            check_class_names("class_names", self.class_names, clean=True),
        )
        put("annotators", check_names("annotators", self.annotators, clean=True))
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
            self.records.check_positions(n, len(self.annotators), k)
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

    @property
    def as_given(self) -> Annotations:
        """The same images, with each person's last answer to an image alone, and whole.

        Where somebody changed their mind, `counts` holds shares of an answer, which are
        taken for people who differ where it is asked how much people do. So are those
        of a split answer, of which the class with the larger share counts here.
        """
        if self.records is None or self.counts.dtype.kind != "f":
            return self
        return replace(self, counts=None, records=last_answers(self.records.whole))

    def people_saying(self, reason: str) -> np.ndarray:
        """Returns (n,) int64: how many people give no class, for this reason.

        The last answer of each person to an image counts.

        Args:
            reason: "cannot tell", "bad image", "none of these", or "no answer" where
                somebody was asked and nobody knows why there is no class.

        Raises:
            ValueError: if it is none of these.

        Example:

        >>> int(annotations.people_saying("bad image").sum())
        0
        """
        return without_class.people_saying(self, reason)

    @property
    def bad_images(self) -> tuple[str, ...]:
        """Ids of the images that more than half of those who answered call bad."""
        return without_class.bad_images(self)

    @property
    def none_of_these(self) -> tuple[str, ...]:
        """Ids of the images in which somebody sees none of the classes.

        Those of which most people say so come first: they call for a new class.
        """
        return without_class.none_of_these(self)

    def __eq__(self, other: object) -> bool:
        """Whether ids, classes, counts, annotators and records are equal."""
        if not isinstance(other, Annotations):
            return NotImplemented
        names = ("ids", "class_names", "annotators")
        same = all(getattr(self, n) == getattr(other, n) for n in names)
        same = same and (self.records is None) == (other.records is None)
        if same and self.records is not None:
            same = self.records.equals(other.records)
        return same and np.array_equal(self.counts, other.counts)

    __hash__ = None

    def __repr__(self) -> str:
        ambiguous = "at most one annotation per image"
        if not self.cannot_disagree:
            ambiguous = f"{self.ambiguous_fraction:.1%} ambiguous"
        total = amount(self.counts.sum()) + by_annotators(len(self.annotators))
        return (
            f"<Annotations of {number_of(len(self), 'image')}: {total}, "
            f"{number_of(len(self.class_names), 'class', 'classes')}, {ambiguous}>"
        )

    def select(self, ids: Sequence[str], missing: str = "error") -> Annotations:
        """Returns the annotations of some images, in the order of `ids`.

        Names match as for `match`; what was written otherwise is told. The result has
        the ids as they are given.

        Args:
            ids: different names of images.
            missing: what to do about ids that are not annotated: "error", or "empty" to
                make them images without annotation.

        Raises:
            AnnotationError: if ids are missing; always if all of them are; if one could
                be several images.

        Example:

        >>> validation = annotations.select(["img_0.png", "img_2.png"])
        >>> len(validation.counts)
        2
        """
        return selecting.select(self, ids, missing)

    def match(self, files: Sequence[str], missing: str = "error") -> Annotations:
        """Returns the annotations under the names of files, in the order of `files`.

        An image is the file of the same name (else a backslash is "/", "./" in front
        nothing); where there is none, the one that differs in an extension which one of
        both lacks, or, for a name without folder, the only one in any folder that has
        it, or the one with the same letters in another Unicode form, which is told.
        This is the rule wherever names meet: `select`, `merge`, proposals, reviews,
        splits, exports. Files without annotation become images without annotation.

        Args:
            files: different names of files, relative to their folder, with "/".
            missing: what to do about annotated images without a file: "error", or
                "drop" to leave them out, which is told. No file for any image is always
                an error.

        Raises:
            AnnotationError: if an image has no file, could be several files, or is the
                same file as another image; it names the place in the table.

        Example:

        >>> files = keras_dc3.data.list_images("fish").files
        >>> annotations = keras_dc3.Annotations.from_csv("answers.csv").match(files)
        """
        return selecting.match(self, files, missing)

    def merge(self, *others: Annotations, repeated: str = "keep") -> Annotations:
        """Returns the annotations of several people, rounds or images together.

        Where all have records, so has the result, and annotators of the same name are
        the same person; names that differ only in case, blanks and the like are told in
        a warning and in `notes`. Else the counts are added up, and people who stand in
        several of them count several times. Names of images match as for `match`, but
        for folders, and stay as they are written first; what differs is told.

        Args:
            *others: annotations whose classes are the same or some of these, or the
                other way round. The order is that of the one with the most classes, the
                first of these.
            repeated: where somebody answered the same image in several of them: "keep"
                lets all answers of this person weigh one together, "last" counts that
                of the last, "error" refuses.

        Raises:
            AnnotationError: if classes do not fit, or for `repeated="error"`.

        Example:

        >>> second_round = [("img_0.png", "ann", "dog"), ("img_50.png", "cara", "cat")]
        >>> second_round = keras_dc3.Annotations.from_records(second_round)
        >>> both = annotations.merge(second_round, repeated="last")
        """
        return merging.merge(self, *others, repeated=repeated)

    def rename_classes(
        self,
        names: Mapping[str, str | None] | Callable[[str], str | None],
    ) -> Annotations:
        """Returns the same answers under other class names.

        Classes that get the same name become one, at the place of the first of them. A
        class that becomes None is no answer any more.

        Args:
            names: old name -> new name, for some classes or all; or a function of the
                name, such as `str.lower`.

        Raises:
            ValueError: if an old name is no class, or no class is left.
            TypeError: if `names` is none of these, or a new name is no text.

        Example:

        >>> annotations = annotations.rename_classes({"red deer": "deer", "dog": None})
        >>> annotations.class_names
        ('cat', 'deer')
        """
        return merging.rename_classes(self, names)

    def with_classes(
        self,
        class_names: Sequence[str],
        renamed: Mapping[str, str | None] | None = None,
    ) -> Annotations:
        """Returns the same answers for other classes, in the order of `class_names`.

        Data, proposals, reviews and models have a `with_classes` of the same form, so
        that one list of names and one dict carry a project to its new classes.
        `rename_classes` is for names alone, and leaves their order.

        Args:
            class_names: all classes from now on. A new one has no answer yet.
            renamed: old name -> new name, of classes that do not keep theirs. Classes
                that get the same name become one, with the answers of all. None leaves
                a class out: answers of it are no valid ones any more; one that is split
                is an answer of its class with the larger share, if that one is kept.

        Raises:
            ValueError: if two new names are alike, an old name is no class, a new name
                is none of `class_names`, or a class would vanish without a word.
            TypeError: if a name is no text, or `renamed` no dict.

        Example:

        >>> after = annotations.with_classes(
        ...     ["deer", "cat", "fox"], renamed={"red deer": "deer", "dog": "fox"}
        ... )
        >>> after.class_names
        ('deer', 'cat', 'fox')
        """
        change = ClassChange.of(self.class_names, class_names, renamed)
        return merging.changed(self, change)

    def to_csv(
        self,
        path: str | os.PathLike,
        *,
        escape_formulas: bool = False,
    ) -> None:
        """Writes a CSV file in UTF-8, a line per answer: image,annotator,label,seconds.

        Where somebody said why there is no class, or split an answer between two, the
        columns no_answer, second_label and first_share say so, which `from_csv` reads.
        `Annotations.from_csv(path, class_names=annotations.class_names)` gives equal
        annotations (and `longest_seconds`, if it was set); without `class_names`,
        classes that nobody chose are lost and the order is that of `class_order`. An
        image without answer is a line with its name alone. Where only counts are known,
        each annotation is a line without annotator. The file is complete or not there.

        Args:
            path: the file. Its folder is created if missing; an old file is replaced.
            escape_formulas: whether names that begin with "=", "+", "-", "@", a tab or
                a line end get an apostrophe in front, because a spreadsheet program
                would run them as formulas. It is for people: `from_csv` reads it as
                part of the name.

        Raises:
            OSError: if it cannot be written.
            ValueError: if counts are fractions, or a text is no valid Unicode.
        """
        writing.to_csv(self, path, escape_formulas)

    def to_frame(self, form: str = "long") -> Any:
        """Returns a pandas data frame.

        Args:
            form: "long": one row per answer with columns image, annotator, label and
                seconds, and further ones as `to_csv` writes; None for an unknown
                annotator or no valid answer, NaN for no time. "crowdkit": columns task,
                worker and label, the valid answers, as the aggregators of crowd-kit
                take them. "cleanlab": a row per annotated image (the index), a column
                per annotator, class numbers with NaN where somebody was not asked, as
                `cleanlab.multiannotator` takes them. In the
                last two, each person has one answer to an image, the last one, of a
                split one the class with the larger share, and each answer of unknown
                annotators is that of a further person, "unknown 1", ...

        Raises:
            ImportError: if pandas is not installed.
            ValueError: if only counts are known, so that there are no single answers.
        """
        return writing.to_frame(self, form)

    def summary(self) -> str:
        """Returns what was annotated, in some lines to print."""
        return summarize(self)
