"""What people answered on review sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from keras_dc3._validation import check_choice
from keras_dc3.annotations import Annotations
from keras_dc3.annotations.summary import by_annotators
from keras_dc3.review import merging
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
        """Returns the answers of several reviews as one, such as those of two rounds.

        Images and people of the same name are the same ones. Somebody who answered an
        image in two rounds has two answers to it, as in `Annotations.merge`.

        Args:
            *others: reviews with the same classes in the same order (see
                `rename_classes`). Where modes differ, that with more in it names the
                result: "dc3", then "classes", then "none".

        Raises:
            TypeError: if one is no review. ValueError: if its classes differ.

        Example:

        >>> both = answers.merge(answers)
        >>> len(both.proposed) == 2 * len(answers.proposed)
        True
        """
        return merging.merge(self, *others)

    def rename_classes(
        self, names: Mapping[str, str], class_names: Sequence[str] | None = None
    ) -> Review:
        """Returns the same answers to the same proposals, under other class names.

        Args:
            names: old name -> new name. Classes that get the same name become one, and
                an answer that named the one where the other was proposed accepts it.
            class_names: all classes of the result in their order, also those that
                nobody could choose yet. Default: those that there are.

        Raises:
            ValueError: if an old name is no class, or a class of an answer is not among
                `class_names`.

        Example:

        >>> answers.rename_classes({"red deer": "deer"}).annotations.class_names
        ('cat', 'dog', 'deer')
        """
        return merging.rename_classes(self, names, class_names)

    def __repr__(self) -> str:
        blind = int((self.proposed < 0).sum())
        return (
            f"<Review in mode {self.mode!r}: {len(self.proposed):,} answers"
            f"{by_annotators(len(self.annotations.annotators))}, {blind:,} blind, "
            f"{int(self.accepted.sum()):,} proposals accepted>"
        )
