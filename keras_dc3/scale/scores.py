"""Proposals of a finished run of `score`, asked about file by file."""

from __future__ import annotations

import os
from collections.abc import Sequence

from keras_dc3._validation import (
    check_choice,
    check_names,
    check_positive_int,
    check_positive_number,
)
from keras_dc3.annotations import Annotations
from keras_dc3.metrics import Verdict
from keras_dc3.proposals import ProposalGroup, Proposals, Questions
from keras_dc3.proposals.groups import cards_of
from keras_dc3.proposals.selecting import rows_of_ids
from keras_dc3.proposals.summary import summarize
from keras_dc3.review import Review
from keras_dc3.scale.asking import Answers, Asking
from keras_dc3.scale.blocks import Blocks
from keras_dc3.scale.grouping import Grouping
from keras_dc3.scale.matching import rows_named

_MEMORY = 2**32


class Scores:
    """Proposals that `score` wrote, more than fit into memory.

    `summary`, `groups`, `cards` and `next` return what those of
    `Proposals.from_parquet(folder)` would, to the same order of equals. They read the
    files one after the other, some times; memory holds one file of rows, a few hundred
    numbers and ids of each group, the images chosen, and of `next` the candidates that
    its budget can reach, 24 bytes each. Images of a group that promise exactly the same
    as many others of it are all among these. With embeddings, which order groups and
    tell what to merge and split, memory also holds these of some groups at once
    (`memory`). Nothing depends on how many files there are.

    The first pass compares each file with its checksum in `manifest.json`.

    Args:
        folder: that `keras_dc3.scale.score` wrote, finished.
        embeddings: whether to use embeddings, if the files have some. Without them
            groups are ordered by probabilities, as those of proposals without
            embeddings are.
        memory: bytes that embeddings may take at once. A group of m images of d numbers
            needs 36 m d, and one that may be merged with others 4 m d for each of these
            besides.

    Attributes:
        folder: as given. class_names: tuple of k names.
        verdict: on the model, or None.

    Raises:
        ImportError: without pyarrow.
        TypeError: if an argument is not as described.
        FileNotFoundError: if there is no such folder.
        ValueError: if the run is not finished, or files are missing, damaged or of
            several runs; so also from the methods, as a file may be damaged later.

    Example:

    >>> scores = keras_dc3.scale.Scores("fish-scores")
    >>> len(scores)
    60
    >>> asked = scores.next(budget=5)
    >>> asked.actions <= 5, len(asked.proposals) == len(asked.ids)
    (True, True)
    >>> asked.to_review("next.html", "fish")  # reads the images asked about alone
    ('next.html',)
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        *,
        embeddings: bool = True,
        memory: int = _MEMORY,
    ):
        if not isinstance(folder, str | os.PathLike):
            raise TypeError(
                "`folder` must be the one that `keras_dc3.scale.score` wrote. "
                f"Received: {folder!r}"
            )
        check_choice("embeddings", embeddings, (True, False))
        check_positive_int("memory", memory)
        self.folder = os.fspath(folder)
        self._blocks = Blocks(self.folder, embeddings)
        self._grouping = Grouping(self._blocks, memory)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes."""
        return self._blocks.class_names

    @property
    def verdict(self) -> Verdict | None:
        """Whether the model's proposals are of use; None: not measured."""
        return self._blocks.verdict

    def __len__(self) -> int:
        return len(self._blocks)

    def __repr__(self) -> str:
        return f"<Scores of {len(self):,} images in {self.folder!r}>"

    def summary(self, num_clusters: int = 8, *, with_verdict: bool = True) -> str:
        """Returns what `Proposals.summary` does. One pass, the first time.

        Args:
            num_clusters, with_verdict: as there.

        Example:

        >>> print(keras_dc3.scale.Scores("fish-scores").summary(with_verdict=False))
        Proposals for 60 images...
        """
        tally = self._grouping.layout.tally
        names, verdict = self.class_names, self.verdict
        return summarize(tally, names, verdict, num_clusters, with_verdict)

    def groups(self) -> tuple[ProposalGroup, ...]:
        """Returns the groups, as `Proposals.groups`. Two passes, the first time.

        With embeddings three or more: as many as it takes to have those of all groups,
        as many groups at once as `memory` allows. `ids` of a group has the first and
        last 100 at hand, and reads the others when it is asked for them, which takes
        two passes and the memory of that group's ids.

        Raises:
            ValueError: if a file is damaged, or the embeddings of a group take more
                than `memory`.

        Example:

        >>> groups = keras_dc3.scale.Scores("fish-scores").groups()
        >>> sum(len(group.ids) for group in groups)
        60
        """
        return self._grouping.groups

    def cards(self, kind: str | None = None) -> str:
        """Returns what `Proposals.cards` does, of `groups`.

        Args:
            kind: as there.

        Raises:
            ValueError: if it is something else; see `groups`.

        Example:

        >>> print(keras_dc3.scale.Scores("fish-scores").cards())
        class ...
        """
        return cards_of(self.groups, kind)

    def next(
        self,
        budget: int,
        annotations: Annotations | Review | None = None,
        *,
        model_weight: float | None = None,
        agreeing: int = 2,
    ) -> Questions:
        """Returns what to ask next, as `Proposals.next`.

        `proposals` of the result, and so what its `to_review` reads of the images, are
        those of the images that are asked about, and no others. It takes four passes:
        for the groups, the answers so far (only with `annotations`), the candidates,
        and, hardly ever more than once, the last action of the budget; then it reads
        the files that hold images chosen.

        Args:
            budget, annotations, model_weight, agreeing: as there.

        Raises:
            TypeError, ValueError: likewise; also if a file is damaged.

        Example:

        >>> asked = keras_dc3.scale.Scores("fish-scores").next(budget=20)
        >>> asked.actions <= 20
        True
        """
        check_positive_int("budget", budget)
        if model_weight is not None:
            check_positive_number("model_weight", model_weight)
        check_positive_int("agreeing", agreeing)
        answers = Answers.of(self._blocks, annotations, model_weight, agreeing)
        return Asking(self._blocks, self._grouping, answers, float(budget)).questions()

    def take(self, ids: Sequence[str]) -> Proposals:
        """Returns the proposals for some images, in their order.

        One pass over the ids, then the files that hold these images are read. Names
        match as for `Annotations.match`; the result has the ids as they are in the
        files.

        Args:
            ids: of images, such as those of a group.

        Raises:
            ValueError: if an image has no proposal, or can be one of several.

        Example:

        >>> scores = keras_dc3.scale.Scores("fish-scores")
        >>> group = scores.groups()[0]
        >>> scores.take(group.medoids).ids == group.medoids
        True
        """
        ids = check_names("ids", [ids] if isinstance(ids, str) else list(ids))
        found = self._blocks.take(rows_named(self._blocks, ids))
        return found.take(rows_of_ids(found, ids))
