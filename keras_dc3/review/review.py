"""What people answered on review sheets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from keras_dc3._names import one_spelling
from keras_dc3._text import number_of
from keras_dc3._validation import check_choice
from keras_dc3.annotations import AnnotationError, Annotations
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.annotations.records import REASONS, Records
from keras_dc3.annotations.summary import by_annotators
from keras_dc3.review.answers import CLASS, SPLIT
from keras_dc3.review.new_classes import meant
from keras_dc3.review.plan import MODES


@dataclass(frozen=True, eq=False, repr=False)
class Review:
    """Answers from review sheets, with what was proposed. Made by `review.read`.

    Args:
        annotations: the answers; an image that was shown again has several of a person.
        proposed: (m,) int64 for the m `annotations.records`, the class that was
            proposed; -1 where the image was shown without a proposal.
        group: (m,) str, the group in which the image was shown, such as "class cat" or
            "cluster 3"; "" without a proposal.
        accepted: (m,) bool, whether the answer is the proposed class. One that is split
            between two classes is not.
        repetition: (m,) bool, whether the image was shown again to see whether the
            answer stays the same.
        mode: "none", "classes" or "dc3", see `Proposals.to_review`.
        notes: what was odd in the files, one sentence each.
        kinds: (m,) str, what each answer is: "class", "new class" (typed by somebody),
            "split" (between two classes), or without a class "cannot tell", "bad image"
            (broken, blurred, nothing on it) or "none of these" (a class is missing).
            None: what the records of the annotations tell.
        new_classes: names of the classes that people have typed.
        notes_of: id -> (person, text) of each note that people wrote on the image.

    Raises:
        ValueError: unless there is one of each for every record.

    Example:

        answers = review.read("review-anna.json")
        answers.annotations.bad_images
        answers.notes_of  # {"img_3.png": (("anna", "two fish?"),)}
    """

    annotations: Annotations
    proposed: np.ndarray
    group: np.ndarray
    accepted: np.ndarray
    repetition: np.ndarray
    mode: str
    notes: tuple[str, ...] = ()
    kinds: np.ndarray | None = None
    new_classes: tuple[str, ...] = ()
    notes_of: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def __post_init__(self):
        check_choice("mode", self.mode, MODES)
        if self.annotations.records is None:
            raise ValueError("`annotations` must have records, one per answer.")
        number = len(self.annotations.records)
        if self.kinds is None:
            object.__setattr__(self, "kinds", _kinds(self.annotations.records))
        kinds = {"proposed": "int64", "group": object, "accepted": bool}
        for name, kind in {**kinds, "repetition": bool, "kinds": object}.items():
            array = np.array(getattr(self, name), dtype=kind)
            if array.shape != (number,):
                raise ValueError(
                    f"`{name}` must hold one value for each of {number} answers. "
                    f"Received: shape {array.shape}"
                )
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def merge(self, *others: Review) -> Review:
        """Returns the answers of several rounds together, in the order given.

        Images, classes and people meet as in `Annotations.merge`: who answered an image
        in two rounds has two answers to it, which together weigh one. What was proposed
        stays with each answer, so that bias and agreement are measured over all rounds.
        Classes that people have typed are joined as by `review.read`.

        Args:
            *others: reviews in the same mode, of the same classes or some of these, but
                for those that people have typed.

        Raises:
            TypeError: if one is no review.
            ValueError: if the modes differ.
            AnnotationError: if the classes do not fit; `with_classes` makes them fit.

        Example:

            answers = review.read("round-1.json").merge(review.read("round-2.json"))
            asked = proposals.next(budget=500, annotations=answers)
        """
        parts = (self, *others)
        for part in others:
            if not isinstance(part, Review):
                raise TypeError(
                    f"Only reviews can be merged. Received: {type(part).__name__}"
                )
            if part.mode != self.mode:
                raise ValueError(
                    "Reviews can be merged if they are in the same mode, but these are "
                    f"in {self.mode!r} and {part.mode!r}; merge their `annotations`."
                )
        parts, new = _with_common_classes(parts)
        given = [part.annotations for part in parts]
        merged = given[0].merge(*given[1:])
        spelled, _ = one_spelling([part.ids for part in given], AnnotationError)
        row = {name: place for place, name in enumerate(merged.ids)}
        number = {name: place for place, name in enumerate(merged.class_names)}
        images = [
            np.array([row[name] for name in names], "int64")[part.records.image]
            for names, part in zip(spelled, given, strict=True)
        ]
        order = np.argsort(np.concatenate(images), kind="stable")
        proposed = [
            np.array([*(number[name] for name in one.annotations.class_names), -1])[
                one.proposed
            ]
            for one in parts
        ]
        return Review(
            merged,
            np.concatenate(proposed)[order],
            *(
                np.concatenate([getattr(part, name) for part in parts])[order]
                for name in ("group", "accepted", "repetition")
            ),
            self.mode,
            tuple(dict.fromkeys(note for part in parts for note in part.notes)),
            np.concatenate([part.kinds for part in parts])[order],
            new,
            _merged_notes(parts, spelled),
        )

    def with_classes(
        self,
        class_names: Sequence[str],
        renamed: Mapping[str, str | None] | None = None,
    ) -> Review:
        """Returns the same answers for other classes, as `Annotations.with_classes`.

        A proposal is that of the new class, too, so that who answered with a class that
        is merged with the proposed one has accepted it.

        Args:
            class_names, renamed: as for `Annotations.with_classes`.

        Raises:
            ValueError, TypeError: likewise; also if a class is left out that was
                proposed, as nobody knows what people would have said without it.
        """
        annotations = self.annotations.with_classes(class_names, renamed)
        before = self.annotations.class_names
        change = ClassChange.of(before, class_names, renamed)
        for name in change.left_out:
            shown = int((self.proposed == before.index(name)).sum())
            if shown:
                raise ValueError(
                    f"The class {name!r} cannot be left out of a review: it was "
                    f"proposed for {shown:,} answers. Merge it into another, or leave "
                    "it out of the `annotations` alone."
                )
        proposed = change.of_labels(self.proposed)
        records = annotations.records
        accepted = (proposed >= 0) & (records.label == proposed) & ~records.is_split
        kinds = self.kinds.copy()
        kinds[(kinds == SPLIT) & ~records.is_split] = CLASS  # both classes are one
        becomes = dict(zip(change.before, change.becomes, strict=True))
        listed = {new for old, new in becomes.items() if old not in self.new_classes}
        return replace(
            self,
            annotations=annotations,
            proposed=proposed,
            accepted=accepted,
            kinds=kinds,
            new_classes=tuple(
                change.after[new]
                for new in dict.fromkeys(map(becomes.get, self.new_classes))
                if new >= 0 and new not in listed
            ),
        )

    def __repr__(self) -> str:
        blind = int((self.proposed < 0).sum())
        return (
            f"<Review in mode {self.mode!r}: "
            f"{number_of(len(self.proposed), 'answer')}"
            f"{by_annotators(len(self.annotations.annotators))}, {blind:,} blind, "
            f"{number_of(int(self.accepted.sum()), 'proposal')} accepted>"
        )


def _kinds(records: Records) -> np.ndarray:
    """(m,) str, what records tell of each answer."""
    kinds = np.array(REASONS, dtype=object)[records.reason]
    kinds[records.label >= 0] = CLASS
    kinds[records.is_split] = SPLIT
    return kinds


def _with_common_classes(
    parts: Sequence[Review],
) -> tuple[tuple[Review, ...], tuple[str, ...]]:
    """Returns reviews that have all classes somebody has typed, and these."""
    if not any(part.new_classes for part in parts):
        return tuple(parts), ()
    listed = dict.fromkeys(
        name
        for part in parts
        for name in part.annotations.class_names
        if name not in part.new_classes
    )
    number: Counter[str] = Counter()
    for part in parts:
        counts = part.annotations.counts.sum(axis=0)
        named = zip(part.annotations.class_names, counts, strict=True)
        number.update({n: float(c) for n, c in named if n in part.new_classes})
    name_of = meant(number, listed)
    new = tuple(name for name in dict.fromkeys(name_of.values()) if name not in listed)
    common = []
    for part in parts:
        names = part.annotations.class_names
        mine = [n for n in listed if n in names or n in map(name_of.get, names)]
        renamed = {n: name_of[n] for n in part.new_classes if name_of[n] != n}
        common.append(part.with_classes([*mine, *new], renamed))
    return tuple(common), new


def _merged_notes(
    parts: Sequence[Review], spelled: Sequence[Sequence[str]]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Returns the notes of all, under the names that images have together."""
    found: dict[str, dict[tuple[str, str], None]] = {}
    for part, names in zip(parts, spelled, strict=True):
        name_of = dict(zip(part.annotations.ids, names, strict=True))
        for image, notes in part.notes_of.items():
            found.setdefault(name_of.get(image, image), {}).update(dict.fromkeys(notes))
    return {image: tuple(notes) for image, notes in found.items()}
