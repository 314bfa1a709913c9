"""What a model proposes for each image, as checked arrays. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._decision import AMBIGUOUS, CERTAIN, is_certain
from keras_dc3._names import KnownNames
from keras_dc3._text import number_of
from keras_dc3._validation import (
    check_class_names,
    check_distributions,
    check_ids,
    check_indices,
    check_matrix,
    check_same_batch,
    check_unit_interval,
)
from keras_dc3.metrics import Verdict


class Proposal(NamedTuple):
    """The proposal for one image.

    `decision` is "certain", then `class_name` is proposed, or "ambiguous", then
    `cluster` is. Class and cluster are known either way.
    """

    id: str
    ambiguity: float
    decision: str
    class_index: int
    class_name: str
    class_probability: float
    cluster: int
    cluster_probability: float


class ProposalData:
    """The rows of `Proposals`, which says what they are."""

    cluster_probabilities: np.ndarray | None = None

    def __init__(
        self,
        ids: Sequence[str],
        ambiguity: ArrayLike,
        class_probabilities: ArrayLike,
        cluster_probabilities: ArrayLike,
        class_names: Sequence[str],
        embeddings: ArrayLike | None = None,
        verdict: Verdict | None = None,
    ):
        clusters = check_distributions(
            "cluster_probabilities", cluster_probabilities, "clusters"
        )
        self._set(
            ids,
            ambiguity,
            class_probabilities,
            clusters.argmax(axis=1),
            clusters.max(axis=1),
            class_names,
            embeddings,
            verdict,
        )
        self.cluster_probabilities = _frozen(clusters)

    @classmethod
    def from_columns(
        cls,
        ids: Sequence[str],
        ambiguity: ArrayLike,
        class_probabilities: ArrayLike,
        cluster: ArrayLike,
        cluster_probability: ArrayLike,
        class_names: Sequence[str],
        embeddings: ArrayLike | None = None,
        verdict: Verdict | None = None,
    ) -> Self:
        """Makes proposals from one cluster per image instead of all probabilities.

        Args:
            cluster: int (n,), at least 0.
            cluster_probability: float (n,), in [0, 1].

        All other arguments and the errors are those of `Proposals`.
        """
        made = cls.__new__(cls)
        made._set(
            ids,
            ambiguity,
            class_probabilities,
            check_indices("cluster", cluster),
            check_unit_interval("cluster_probability", cluster_probability),
            class_names,
            embeddings,
            verdict,
        )
        return made

    def _set(
        self,
        ids: Sequence[str],
        ambiguity: ArrayLike,
        class_probabilities: ArrayLike,
        cluster: np.ndarray,
        cluster_probability: np.ndarray,
        class_names: Sequence[str],
        embeddings: ArrayLike,
        verdict: Verdict | None,
    ) -> None:
        self.verdict = verdict
        self.ids = check_ids("ids", ids)
        self.class_names = check_class_names("class_names", class_names)
        self.ambiguity = _frozen(check_unit_interval("ambiguity", ambiguity))
        classes = check_distributions("class_probabilities", class_probabilities)
        self.class_probabilities = _frozen(classes)
        if classes.shape[1] != len(self.class_names):
            raise ValueError(
                "`class_names` must name each column of `class_probabilities`. "
                f"Received: {len(self.class_names)} names for {classes.shape[1]} "
                "columns."
            )
        check_same_batch(
            ids=np.empty(len(self.ids)),
            ambiguity=self.ambiguity,
            class_probabilities=classes,
            cluster=cluster,
            cluster_probability=cluster_probability,
        )
        certain = is_certain(self.ambiguity)
        self.decision = _frozen(np.where(certain, CERTAIN, AMBIGUOUS))
        self.class_index = _frozen(classes.argmax(axis=1))
        names = np.array(self.class_names, dtype=object)
        self.class_name = _frozen(names[self.class_index])
        self.class_probability = _frozen(classes.max(axis=1))
        self.cluster = _frozen(cluster)
        self.cluster_probability = _frozen(cluster_probability)
        self.embeddings = _checked_embeddings(embeddings, len(self.ids))

    @property
    def verdict(self) -> Verdict | None:
        """Whether the model's proposals are of use; None: not measured."""
        return self._verdict

    @verdict.setter
    def verdict(self, value: Verdict | None) -> None:
        if not isinstance(value, Verdict | None):
            raise TypeError(
                "`verdict` must be what `keras_dc3.metrics.verdict` returns, or None. "
                f"Received: verdict={value!r}"
            )
        self._verdict = value

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Id -> its position."""
        return {name: row for row, name in enumerate(self.ids)}

    @cached_property
    def known_ids(self) -> KnownNames:
        """Finds ids by what somebody else calls them."""
        return KnownNames(self.ids)

    def take(self, rows: Sequence[int], ids: Sequence[str] | None = None) -> Self:
        """Returns the proposals at some positions, under other ids if some are given.

        Args:
            rows: (m,) positions in 0..n - 1, each once at most.
            ids: m different ids.

        Raises:
            ValueError: for what are no positions of theirs.
        """
        rows = check_indices("rows", rows)
        if len(rows) and rows.max() >= len(self):
            raise ValueError(
                f"`rows` must be positions in 0..{len(self) - 1}, one for each of the "
                f"{number_of(len(self), 'proposal')}. Received: {rows.max()}"
            )
        taken = self.from_columns(
            [self.ids[row] for row in rows] if ids is None else ids,
            self.ambiguity[rows],
            self.class_probabilities[rows],
            self.cluster[rows],
            self.cluster_probability[rows],
            self.class_names,
            None if self.embeddings is None else self.embeddings[rows],
            self.verdict,
        )
        if self.cluster_probabilities is not None:
            taken.cluster_probabilities = _frozen(self.cluster_probabilities[rows])
        return taken

    def of_classes(
        self, class_probabilities: np.ndarray, class_names: Sequence[str]
    ) -> Self:
        """Returns proposals with other classes, and without the verdict on these.

        Args:
            class_probabilities: float (n, k), each row sums to 1.
            class_names: k names.
        """
        made = self.from_columns(
            self.ids,
            self.ambiguity,
            class_probabilities,
            self.cluster,
            self.cluster_probability,
            class_names,
            self.embeddings,
        )
        made.cluster_probabilities = self.cluster_probabilities
        return made

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Proposal]:
        return map(self._row, range(len(self)))

    def __contains__(self, name: object) -> bool:
        return name in self.row_of

    def __getitem__(self, name: str) -> Proposal:
        if not isinstance(name, str):
            raise TypeError(
                "Proposals are looked up by the id of an image, a string; for a "
                f"position use `proposals[proposals.ids[i]]`. Received: {name!r}"
            )
        if name not in self.row_of:
            near = self.known_ids.find(name)[0]
            known = ", ".join(map(repr, near[:3] or self.ids[:3])) or "none"
            told = "Did you mean" if near else "Their ids look like this:"
            raise KeyError(
                f"There is no image {name!r} among the {len(self):,} proposals. "
                f"{told} {known}{'?' if near else '.'}"
            )
        return self._row(self.row_of[name])

    def _row(self, row: int) -> Proposal:
        return Proposal(
            self.ids[row],
            float(self.ambiguity[row]),
            str(self.decision[row]),
            int(self.class_index[row]),
            self.class_name[row],
            float(self.class_probability[row]),
            int(self.cluster[row]),
            float(self.cluster_probability[row]),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ProposalData):
            return NotImplemented
        arrays = ("ambiguity", "class_probabilities", "cluster", "cluster_probability")
        return (
            self.ids == other.ids
            and self.class_names == other.class_names
            and all(
                np.array_equal(getattr(self, name), getattr(other, name))
                for name in arrays
            )
        )

    def __repr__(self) -> str:
        certain = int((self.decision == CERTAIN).sum())
        return (
            f"<Proposals for {number_of(len(self), 'image')}: {certain:,} certain, "
            f"{len(self) - certain:,} ambiguous, {len(self.class_names)} classes>"
        )


def _checked_embeddings(values: Any, number: int) -> np.ndarray | None:
    """Returns embeddings (number, d) as float32 that cannot be written to, or None."""
    if values is None:
        return None
    values = check_matrix(
        "embeddings",
        values,
        "numbers, shape (images, features); average feature maps over the image first",
    )
    if len(values) != number:
        raise ValueError(
            "`embeddings` must have one row per image. Received: "
            f"{len(values)} rows for {number} images."
        )
    with np.errstate(over="ignore"):
        values = np.array(values, "float32")
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        raise ValueError(
            "`embeddings` must be finite in float32, but "
            f"{number_of(int((~finite).sum()), 'row holds', 'rows hold')} NaN or "
            f"infinity: the first is row {int(np.argmin(finite))}."
        )
    return _frozen(values)


def _frozen(array: np.ndarray) -> np.ndarray:
    """Returns the array, or a copy of a view, such that it cannot be written to."""
    array = array if array.base is None else array.copy()
    array.setflags(write=False)
    return array
