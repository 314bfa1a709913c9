"""What people answered on review sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from keras_dc3._names import one_spelling
from keras_dc3._validation import check_choice
from keras_dc3.annotations import AnnotationError, Annotations
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.annotations.summary import by_annotators
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
        accepted: (m,) bool, whether the answer is the proposed class.
        repetition: (m,) bool, whether the image was shown again to see whether the
            answer stays the same.
        mode: "none", "classes" or "dc3", see `Proposals.to_review`.
        notes: what was odd in the files, one sentence each.

    Raises:
        ValueError: unless there is one of each for every record.
    """

    annotations: Annotations
    proposed: np.ndarray
    group: np.ndarray
    accepted: np.ndarray
    repetition: np.ndarray
    mode: str
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        check_choice("mode", self.mode, MODES)
        if self.annotations.records is None:
            raise ValueError("`annotations` must have records, one per answer.")
        number = len(self.annotations.records)
        kinds = {"proposed": "int64", "group": object, "accepted": bool}
        for name, kind in {**kinds, "repetition": bool}.items():
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

        Args:
            *others: reviews in the same mode, of the same classes or some of these.

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
        given = [part.annotations for part in parts]
        merged = self.annotations.merge(*(part.annotations for part in others))
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
        accepted = (proposed >= 0) & (annotations.records.label == proposed)
        return replace(
            self, annotations=annotations, proposed=proposed, accepted=accepted
        )

    def __repr__(self) -> str:
        blind = int((self.proposed < 0).sum())
        return (
            f"<Review in mode {self.mode!r}: {len(self.proposed):,} answers"
            f"{by_annotators(len(self.annotations.annotators))}, {blind:,} blind, "
            f"{int(self.accepted.sum()):,} proposals accepted>"
        )
