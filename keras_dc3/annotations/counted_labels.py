"""What counts of answers say of images: one face for all that hold some. NumPy only."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_dc3._validation import check_seed
from keras_dc3.annotations import counts as of_counts
from keras_dc3.annotations.class_weights import balanced_weights
from keras_dc3.annotations.mean_disagreement import MeanDisagreement
from keras_dc3.annotations.sparse_counts import SparseCounts

_CELLS = 1 << 20  # counts looked at together, so that no full array is needed


class CountedLabels:
    """Labels of n images and k classes, as counts of the answers of people.

    A subclass sets `ids`, `class_names` and `counts`; everything else follows.

    Attributes:
        ids: n different names of images.
        class_names: k different names.
        counts: (n, k), how many people chose each class.
    """

    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def annotated(self) -> np.ndarray:
        """(n,) bool: whether anybody annotated the image."""
        return self._by_image(of_counts.is_annotated, "bool")

    @property
    def annotations_per_image(self) -> np.ndarray:
        """(n,), the sum of the counts; people count once."""
        return self._by_image(lambda rows: rows.sum(axis=1))

    @property
    def soft_labels(self) -> np.ndarray:
        """(n, k) float32, counts by their sum; NaN where there is no valid answer."""
        return self._by_image(of_counts.soft_labels, "float32", by_class=True)

    @property
    def targets(self) -> np.ndarray:
        """What to validate on: soft labels, or (n,) int64 classes.

        Classes where no image got more than one answer: they say nothing about how much
        people differ, so that no distance of soft labels is to be had from them.
        """
        if (self.annotations_per_image == 1).all() and not self.ambiguous.any():
            return self.most_chosen
        return self.soft_labels

    @property
    def majority(self) -> np.ndarray:
        """(n,) int64, the class chosen most; -1 without answer.

        Where several classes tie, the first of them in the order of `class_names`,
        which is told by a warning; `tied` says where.
        """
        of_counts.warn_of_ties(self.tied)
        return self.most_chosen

    @property
    def most_chosen(self) -> np.ndarray:
        """`majority` without the warning: where it does not matter how ties break."""
        return self._by_image(of_counts.majority, "int64")

    @property
    def tied(self) -> np.ndarray:
        """(n,) bool: whether several classes were chosen most often, equally."""
        return self._by_image(of_counts.is_tied, "bool")

    @property
    def entropy(self) -> np.ndarray:
        """(n,) float32, of the soft label in nats; NaN without answer."""
        return self._by_image(of_counts.entropy, "float32")

    @property
    def ambiguity(self) -> np.ndarray:
        """(n,) float32, 1 - the largest entry of the soft label; NaN without answer."""
        return self._by_image(
            lambda rows: 1 - of_counts.soft_labels(rows).max(axis=1), "float32"
        )

    @property
    def disagreement(self) -> np.ndarray:
        """(n,) float64, the share of pairs of answers that differ; NaN below two."""
        return self._by_image(of_counts.disagreement, "float64")

    def mean_disagreement(self, seed: int = 0) -> MeanDisagreement:
        """Returns how often two answers to an image differ, with its interval.

        The mean of `disagreement`. Unlike `ambiguous_fraction` and the entropy, it does
        not grow with the number of answers.

        Args:
            seed: of the images drawn for the interval.

        Example:

        >>> print(annotations.mean_disagreement())  # doctest: +ELLIPSIS
        two answers to an image differ in ...% of cases (95% interval ...)
        """
        return MeanDisagreement.of(self.disagreement, seed)

    @property
    def ambiguous(self) -> np.ndarray:
        """(n,) bool: whether more than one class was chosen."""
        return self._by_image(of_counts.is_ambiguous, "bool")

    @property
    def unannotated(self) -> tuple[str, ...]:
        """Ids of the images without a valid answer."""
        return tuple(self.ids[i] for i in np.flatnonzero(~self.annotated))

    @property
    def cannot_disagree(self) -> bool:
        """Whether no image has more than one annotation, so that all are one-hot."""
        few = (self.annotations_per_image <= 1).all()
        return bool(few and not self.ambiguous.any())

    @property
    def ambiguous_fraction(self) -> float:
        """p_A-hat, the fraction of annotated images with more than one class chosen.

        NaN, with a warning, where no image has more than one annotation: soft labels
        are one-hot then, which says nothing about ambiguity. Images with a single
        annotation count as unambiguous, so that few annotations give too small a value.
        """
        if self.cannot_disagree:
            warnings.warn(
                "There is at most one annotation per image: all soft labels are "
                "one-hot, and ambiguity cannot be measured. Ask several people.",
                stacklevel=2,
            )
            return float("nan")
        return float(self.ambiguous.sum() / self.annotated.sum())

    def sample_hard_labels(self, seed: int) -> np.ndarray:
        """Returns (n,) int64, a class drawn from each soft label; -1 without answer.

        Args:
            seed: integer of at least 0; the same seed gives the same classes.
        """
        check_seed(seed)
        draws = np.random.default_rng(seed)

        def drawn(rows: np.ndarray) -> np.ndarray:
            classes, known = np.full(len(rows), -1), of_counts.is_annotated(rows)
            classes[known] = of_counts.sample_hard_labels(rows[known], draws)
            return classes

        return self._by_image(drawn, "int64")

    def class_weights(self) -> dict[int, float]:
        """Returns weights that make every class count the same in a loss.

            weight(c) = n / (k sum_i l_c(x_i))

        over n annotated images with soft labels l and the k classes that were chosen;
        1 for others. Ask the labeled part for them, `annotations.select(labeled_ids)`,
        never validation images.
        """
        return balanced_weights(np.nansum(self.soft_labels.astype("float64"), axis=0))

    def _kept_counts(self) -> np.ndarray | SparseCounts:
        """The counts as they are kept."""
        return self.counts

    def _by_image(
        self,
        function: Callable[[np.ndarray], np.ndarray],
        dtype: str | None = None,
        by_class: bool = False,
    ) -> np.ndarray:
        """Returns what a function says of the counts, part by part: (n,).

        Args:
            function: of counts (m, k); gives (m,).
            dtype: of the result; None for that of the counts.
            by_class: whether the function gives (m, k), and the result is (n, k).
        """
        kept = self._kept_counts()
        shape = kept.shape if by_class else kept.shape[:1]
        result = np.empty(shape, dtype or kept.dtype)
        step = max(1, _CELLS // kept.shape[1])
        for start in range(0, len(self), step):
            stop = min(start + step, len(self))
            sparse = isinstance(kept, SparseCounts)
            rows = kept.dense(start, stop) if sparse else kept[start:stop]
            result[start:stop] = function(rows)
        return result


def labels_of(
    given: Any, wanted: str, kind: type[CountedLabels] = CountedLabels
) -> Any:
    """Returns labels: what was given, or its annotations if it is a review.

    Args:
        given: labels, or what has them as `annotations`.
        wanted: what must be given, for the message.
        kind: what labels must be.

    Raises:
        TypeError: if it is neither.
    """
    labels = getattr(given, "annotations", given)
    if not isinstance(labels, kind):
        raise TypeError(f"{wanted}. Received: {type(labels).__name__}")
    return labels
