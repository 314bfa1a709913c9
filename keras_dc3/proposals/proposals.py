"""What a model proposes for each image: a class, or a cluster of look-alikes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from keras_dc3._names import KnownNames
from keras_dc3._validation import (
    check_class_names,
    check_distributions,
    check_ids,
    check_indices,
    check_same_batch,
    check_unit_interval,
)
from keras_dc3.metrics import Verdict
from keras_dc3.metrics.findings import lines_or_not_measured
from keras_dc3.proposals import (
    asking,
    csv_format,
    matching,
    parquet_format,
    reviewing,
)
from keras_dc3.proposals import groups as grouping
from keras_dc3.proposals.arrays import frozen
from keras_dc3.proposals.embeddings import check_embeddings
from keras_dc3.proposals.groups import ProposalGroup
from keras_dc3.proposals.proposal import AMBIGUOUS, CERTAIN, THRESHOLD, Proposal
from keras_dc3.proposals.summary import summarize


class Proposals:
    """Proposals for images, one row per image, in NumPy.

    `len(proposals)` is the number of images, iterating gives a `Proposal` for each, in
    order, and `proposals["img_1"]` the one of that id. Two objects are equal if all
    that a CSV holds is: everything but `cluster_probabilities`, `embeddings` and
    `verdict`. The arrays cannot be written to.

    Args:
        ids: n different non-empty strings that name the images.
        ambiguity: p_a, float (n,), in [0, 1].
        class_probabilities: p_n, float (n, k), each row sums to 1 within 1e-3.
        cluster_probabilities: p_o, float (n, k'), likewise.
        class_names: k different non-empty strings; letters are composed (NFC).
        embeddings: float (n, d), finite, where a network puts each image, such as the
            features that `model.propose` keeps. Groups are ordered by them.
        verdict: whether the model's proposals are of use, judged on images with known
            answers; `model.propose` gives the model's. None: not measured.

    Attributes:
        ids: tuple of str. class_names: tuple of str.
        ambiguity: (n,) float64. class_probabilities: (n, k) float64.
        cluster_probabilities: (n, k') float64; None if made by `from_columns` or
            `from_csv`.
        decision: (n,) str, "certain" where `ambiguity < 0.5`, else "ambiguous".
        class_index: (n,) int64, the class of the largest probability (first of equals).
        class_name: (n,) str. class_probability: (n,) float64.
        cluster: (n,) int64, likewise. cluster_probability: (n,) float64.
        embeddings: (n, d) float32, or None.
        verdict: a `keras_dc3.metrics.Verdict`, or None; it may be set. Summary,
            pictures and review pages begin with it. A Parquet file keeps it, a CSV
            file does not.

    Raises:
        ValueError, TypeError: if an argument is not as described, or lengths differ.

    Example:

    >>> proposals = keras_dc3.proposals.Proposals(
    ...     ids=["img_1", "img_2"],
    ...     ambiguity=[0.1, 0.8],
    ...     class_probabilities=[[0.9, 0.1], [0.4, 0.6]],
    ...     cluster_probabilities=[[0.2, 0.7, 0.1], [0.0, 0.0, 1.0]],
    ...     class_names=["cat", "dog"],
    ... )
    >>> proposals["img_1"].decision, proposals["img_1"].class_name
    ('certain', 'cat')
    >>> proposals["img_2"].decision, proposals["img_2"].cluster
    ('ambiguous', 2)
    """

    groups = grouping.groups
    cards = grouping.cards
    match = matching.match
    next = asking.ask_next
    to_review = reviewing.to_review
    to_parquet = parquet_format.to_parquet
    from_parquet = classmethod(parquet_format.from_parquet)

    def __init__(
        self,
        ids: Sequence[str],
        ambiguity: Any,
        class_probabilities: Any,
        cluster_probabilities: Any,
        class_names: Sequence[str],
        embeddings: Any = None,
        verdict: Verdict | None = None,
    ):
        self.verdict = verdict
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
        )
        self.cluster_probabilities: np.ndarray | None = frozen(clusters)

    @classmethod
    def from_columns(
        cls,
        ids: Sequence[str],
        ambiguity: Any,
        class_probabilities: Any,
        cluster: Any,
        cluster_probability: Any,
        class_names: Sequence[str],
        embeddings: Any = None,
        verdict: Verdict | None = None,
    ) -> Proposals:
        """Makes proposals from one cluster per image instead of all probabilities.

        Args:
            cluster: int (n,), at least 0.
            cluster_probability: float (n,), in [0, 1].

        All other arguments and the errors are those of `Proposals`.
        """
        proposals = cls.__new__(cls)
        proposals.verdict = verdict
        proposals._set(
            ids,
            ambiguity,
            class_probabilities,
            check_indices("cluster", cluster),
            check_unit_interval("cluster_probability", cluster_probability),
            class_names,
            embeddings,
        )
        proposals.cluster_probabilities = None
        return proposals

    def _set(
        self,
        ids: Sequence[str],
        ambiguity: Any,
        class_probabilities: Any,
        cluster: np.ndarray,
        cluster_probability: np.ndarray,
        class_names: Sequence[str],
        embeddings: Any,
    ) -> None:
        self.ids = check_ids("ids", ids)
        self.class_names = check_class_names("class_names", class_names)
        self.ambiguity = frozen(check_unit_interval("ambiguity", ambiguity))
        classes = check_distributions("class_probabilities", class_probabilities)
        self.class_probabilities = frozen(classes)
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
        certain = self.ambiguity < THRESHOLD
        self.decision = frozen(np.where(certain, CERTAIN, AMBIGUOUS))
        self.class_index = frozen(classes.argmax(axis=1))
        self.class_name = frozen(
            np.array(self.class_names, dtype=object)[self.class_index]
        )
        self.class_probability = frozen(classes.max(axis=1))
        self.cluster = frozen(cluster)
        self.cluster_probability = frozen(cluster_probability)
        self.embeddings = check_embeddings(embeddings, len(self.ids))
        self._groups: tuple[ProposalGroup, ...] | None = None
        self._row_of = {name: row for row, name in enumerate(self.ids)}

    @cached_property
    def _known_ids(self) -> KnownNames:
        return KnownNames(self.ids)

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

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Proposal]:
        return map(self._row, range(len(self)))

    def __contains__(self, name: object) -> bool:
        return name in self._row_of

    def __getitem__(self, name: str) -> Proposal:
        if not isinstance(name, str):
            raise TypeError(
                "Proposals are looked up by the id of an image, a string; for a "
                f"position use `proposals[proposals.ids[i]]`. Received: {name!r}"
            )
        if name not in self._row_of:
            near = self._known_ids.find(name)[0]
            known = ", ".join(map(repr, near[:3] or self.ids[:3])) or "none"
            told = "Did you mean" if near else "Their ids look like this:"
            raise KeyError(
                f"There is no image {name!r} among the {len(self):,} proposals. "
                f"{told} {known}{'?' if near else '.'}"
            )
        return self._row(self._row_of[name])

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
        if not isinstance(other, Proposals):
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
            f"<Proposals for {len(self):,} images: {certain:,} certain, "
            f"{len(self) - certain:,} ambiguous, {len(self.class_names)} classes>"
        )

    def summary(self, num_clusters: int = 8, *, with_verdict: bool = True) -> str:
        """Returns the verdict and what was proposed, in some lines to print.

        Args:
            num_clusters: how many of the largest clusters to describe.
            with_verdict: whether to begin with the verdict; False where it is printed
                already, as by `DC3Model.fit`.
        """
        lines = [*lines_or_not_measured(self.verdict), ""] if with_verdict else []
        lines.append(
            summarize(
                certain=self.decision == CERTAIN,
                class_index=self.class_index,
                cluster=self.cluster,
                class_names=self.class_names,
                available=None
                if self.cluster_probabilities is None
                else self.cluster_probabilities.shape[1],
                num_clusters=num_clusters,
                verdict=self.verdict,
            )
        )
        return "\n".join(lines)

    def to_csv(self, path: str | os.PathLike, *, escape_formulas: bool = False) -> None:
        """Writes one line per image to a CSV file, UTF-8.

        Columns: id, ambiguity, decision, class, class_probability, cluster,
        cluster_probability, then `p(<class name>)` for each class. Numbers are written
        in full. The file is complete or not there: it is written under another name
        and then moved. It has no place for the `verdict`.

        Args:
            path: the file. Its folder is created if missing; an old file is replaced.
            escape_formulas: whether ids and classes that begin with "=", "+", "-", "@",
                a tab or a line end get an apostrophe in front, because a spreadsheet
                program would run them as formulas. `from_csv` takes it away again.

        Raises:
            OSError: if it cannot be written.
            ValueError: if an id or class name is no valid Unicode text.
        """
        csv_format.write(
            path,
            escape_formulas=escape_formulas,
            ids=self.ids,
            ambiguity=self.ambiguity,
            decision=self.decision,
            class_name=self.class_name,
            class_probability=self.class_probability,
            cluster=self.cluster,
            cluster_probability=self.cluster_probability,
            class_probabilities=self.class_probabilities,
            class_names=self.class_names,
        )

    @classmethod
    def from_csv(cls, path: str | os.PathLike) -> Proposals:
        """Reads proposals that `to_csv` wrote.

        Ids and class names stay the text they are, but that an apostrophe before "=",
        "+", "-", "@" or a tab is taken for that of `escape_formulas`. Further
        columns are ignored, the order of the columns is free. What only all cluster
        probabilities would tell, `cluster_probabilities`, is None, and so is `verdict`.
        A file that has lost
        whole lines is read as fewer images; `match(ids)` tells which ones have no
        proposal.

        Args:
            path: the file; UTF-8 with or without a byte order mark.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the file is not what `to_csv` writes: it names the line.
        """
        return cls.from_columns(**csv_format.read(path))
