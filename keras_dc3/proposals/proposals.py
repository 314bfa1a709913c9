"""What a model proposes for each image: a class, or a cluster of look-alikes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._validation import (
    check_choice,
    check_open_probability,
    check_positive_int,
    check_positive_number,
    check_seed,
)
from keras_dc3.annotations import Annotations
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.probes import DisagreementProbe
from keras_dc3.proposals import (
    asking,
    calibration,
    csv_format,
    parquet_format,
    selecting,
    shards,
    sheets,
)
from keras_dc3.proposals.belief import beliefs, fit_weight, prior_of
from keras_dc3.proposals.data import ProposalData
from keras_dc3.proposals.groups import ProposalGroup, cards_of, make_groups
from keras_dc3.proposals.predictions import reading
from keras_dc3.proposals.predictions.clusters import cluster_probabilities_of
from keras_dc3.proposals.predictions.uncertainty import ambiguity_of
from keras_dc3.proposals.questions import Questions
from keras_dc3.proposals.summary import Tally, summarize
from keras_dc3.review import Review
from keras_dc3.review.plan import MODES, Step


class Proposals(ProposalData):
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

    def summary(self, num_clusters: int = 8, *, with_verdict: bool = True) -> str:
        """Returns the verdict and what was proposed, in some lines to print.

        Args:
            num_clusters: how many of the largest clusters to describe.
            with_verdict: whether to begin with the verdict; False where it is printed
                already, as by `DC3Model.fit`.
        """
        found = Tally.of(self)
        names, verdict = self.class_names, self.verdict
        return summarize(found, names, verdict, num_clusters, with_verdict)

    def groups(self) -> tuple[ProposalGroup, ...]:
        """Returns the images in groups, each image once.

        First the classes of the certain images, then the clusters of the ambiguous
        ones, the largest first of each. They are computed once and kept.

        Suggestions need embeddings, and are made for clusters only. "split": two-means
        (k-means with k = 2) finds two parts with a gap between them; on the line
        through the two means, at most 1/12 of the images lie in the middle third
        between these, where a Gaussian has 21% and a flat hump 17%
        (`geometry.has_gap` says how chance is kept out; it takes 38 images at least).
        "merge with cluster i": of the three clusters with the nearest means, cluster i
        is the first with all of these: the distance of the means is below the mean of
        both spreads (root mean square distance to the mean), the class mixtures differ
        by 15% at most (half the sum of the absolute differences of `shares`), and there
        is no such gap between the two.

        Returns:
            A tuple of `ProposalGroup`.

        Example:

        >>> proposals = keras_dc3.proposals.Proposals(
        ...     ["a", "b", "c"],
        ...     [0.1, 0.8, 0.9],
        ...     [[0.9, 0.1], [0.4, 0.6], [0.6, 0.4]],
        ...     [[1, 0], [0, 1], [0, 1]],
        ...     ["cat", "dog"],
        ... )
        >>> [(group.name, group.ids) for group in proposals.groups()]
        [('cat', ('a',)), ('cluster 1', ('b', 'c'))]
        >>> proposals.groups()[1].description
        'between cat and dog (50/50%)'
        """
        return self._groups

    @cached_property
    def _groups(self) -> tuple[ProposalGroup, ...]:
        return make_groups(self)

    def cards(self, kind: str | None = None) -> str:
        """Returns a card of each group, to print: what is in it, what to do with it.

        Args:
            kind: "class" or "cluster" for the groups of this kind alone.

        Raises:
            ValueError: if `kind` is something else.
        """
        return cards_of(self.groups, kind)

    def in_order_of(self, ids: Sequence[str], missing: str = "error") -> Proposals:
        """Returns the proposals for some images, in the order of `ids`.

        Names match as for `Annotations.match`; the result has the ids as they are given
        here. What they lack of those of the proposals is told.

        For proposals that were made a while ago, or read from a file that may have lost
        lines: it says which of their images are gone, and which images they do not
        know.

        Args:
            ids: different ids, such as `data.unlabeled.ids` or the names of files.
            missing: what to do about proposals whose image is not among `ids`, and
                images without a proposal: "error", or "drop" to leave them out, which
                is told. No proposal for any image is always an error.

        Raises:
            ValueError: if some are missing; it says how many, and names some. If an
                image could be that of several proposals, or two are that of the same
                one.

        Example:

        >>> proposals = keras_dc3.proposals.Proposals(
        ...     ["a", "b"], [0.1, 0.8], [[1, 0], [0.5, 0.5]], np.eye(2), ["3", "8"]
        ... )
        >>> proposals.in_order_of(["b", "a"]).ids
        ('b', 'a')
        """
        return selecting.in_order_of(self, ids, missing)

    def without(self, ids: Sequence[str]) -> Proposals:
        """Returns the proposals without those for some images, in their order.

        Args:
            ids: of images to withdraw, such as bad ones; names match as for
                `Annotations.match`.

        Raises:
            ValueError: if an image has no proposal.

        Example:

        >>> proposals = keras_dc3.Proposals(
        ...     ["a", "b"], [0.1, 0.8], [[1, 0], [0.5, 0.5]], np.eye(2), ["3", "8"]
        ... )
        >>> proposals.without(["a"]).ids
        ('b',)
        """
        return selecting.without(self, ids)

    def with_classes(
        self,
        class_names: Sequence[str],
        renamed: Mapping[str, str | None] | None = None,
    ) -> Proposals:
        """Returns the proposals with other classes, in the order of `class_names`.

        The probability of a merged class is the sum of those that it is made of, that
        of a new one 0; what a class had that is left out goes to the others in equal
        parts of what they have. Ambiguity and clusters are what the model found with
        the old classes, and there is no verdict: to have all anew, train with
        `data.with_classes`, or propose with `model.with_classes`.

        Args:
            class_names, renamed: as for `Annotations.with_classes`.

        Raises:
            ValueError, TypeError: likewise.

        Example:

        >>> proposals = keras_dc3.Proposals(
        ...     ["a"], [0.8], [[0.2, 0.5, 0.3]], [[0, 1]], ["3", "8", "9"]
        ... )
        >>> after = proposals.with_classes(["o", "3", "7"], {"8": "o", "9": "3"})
        >>> after.class_probabilities.tolist(), after.class_name[0]
        ([[0.5, 0.5, 0.0]], 'o')
        """
        change = ClassChange.of(self.class_names, class_names, renamed)
        return selecting.changed(self, change)

    def calibrated(self, known: Proposals, soft_labels: Any) -> Proposals:
        """Returns the proposals with probabilities as sure as they are right.

        A network that was trained on few images is much surer than it is right, and so
        are the clicks that `next` expects and the labels that `agreement.final_labels`
        makes of its probabilities. They become p^(1 / T), normalized, with the T under
        which the answers to images that the model was not trained on are likeliest,
        beginning at 1 (`calibration.fit_temperature`). The most probable class of each
        image, its ambiguity and its cluster stay.

        Args:
            known: what the model proposes for images of known labels that it was not
                trained on, such as the validation images.
            soft_labels: (m, k), what people have said of these.

        Raises:
            TypeError: if `known` are none.
            ValueError: if the classes of `known` are others, or `soft_labels` are no
                distributions over them for each of its images.

        Example:

        >>> sure = keras_dc3.Proposals(
        ...     ["a", "b"], [0.1, 0.2], [[0.99, 0.01]] * 2, np.eye(2), ["3", "8"]
        ... )
        >>> found = sure.calibrated(sure, [[1, 0], [0, 1]])  # right for one of two
        >>> float(found.class_probabilities[0, 0].round(1))
        0.8
        """
        return calibration.calibrated(self, known, soft_labels)

    def next(
        self,
        budget: int,
        annotations: Annotations | Review | None = None,
        *,
        model_weight: float | None = None,
        agreeing: int = 2,
    ) -> Questions:
        """Returns which images to ask about next, the most gain per action first.

        **Gain.** What people would answer to an image is unknown; of its distribution l
        the belief is a Dirichlet distribution, `a = model_weight * p + counts`, with p
        the class probabilities (a tenth of them spread evenly over the classes, as
        networks are too sure) and the counts of the answers so far. The best guess of l
        is its mean. The gain of one more answer is how much nearer the guess then comes
        to l: the expected decrease of KL(l || guess), in nats. With A = sum_c a_c it is

            sum_cd  a_c (a_d + [c = d]) / (A (A + 1))
                    ln( (1 + [c = d] / a_c) A / (A + 1) )

        or the mutual information of two answers.

        **Actions**, as on a review sheet: an image alone, 1; a group, 1 to accept it
        and 2 for each image to be changed, which happens with the probability that an
        answer is not the proposed class. An image stands in its group where that is
        cheaper than alone. A group begins with the images that together give it the
        most gain per action; its others follow as far as the budget goes.

        **Settled** images are not asked about again: all answers name one class, and
        `agreeing` or more voices do. The model has one voice where it judges the image
        certain. So one answer settles an image for which the model was certain of the
        same. Images that most people call bad are not asked about again, either.

        Each image is asked about once; call it again with the new answers. The same
        input gives the same questions.

        Args:
            budget: expected clicks or keys to spend, at least 1.
            annotations: the answers so far, `keras_dc3.Annotations` or a review, of any
                images; those without proposal play no part. "Cannot tell" is no answer.
                Names match as for `Annotations.match`; what they lack of the ids is
                told, and which answers are lost for a difference in capital letters or
                folder.
            model_weight: how many answers the model's class probabilities count as.
                Default: as many as explain the answers best, by the likelihood of those
                to images with two or more (see `belief.fit_weight`); 1 without such.
            agreeing: how many equal voices settle an image.

        Raises:
            TypeError: if `annotations` are none.
            ValueError: if an argument is not as described, the classes are others, or
                an annotated image could be that of several proposals.

        Example:

        >>> proposals = keras_dc3.Proposals(
        ...     ["a", "b"], [0.1, 0.8], [[1, 0], [0.5, 0.5]], np.eye(2), ["3", "8"]
        ... )
        >>> proposals.next(budget=1).ids
        ('b',)
        """
        check_positive_int("budget", budget)
        if model_weight is not None:
            check_positive_number("model_weight", model_weight)
        check_positive_int("agreeing", agreeing)
        counts = asking.counts_of(self, annotations)
        if model_weight is None:
            given = asking.counts_of(self, annotations, as_given=True, quiet=True)
            model_weight = fit_weight(prior_of(self.class_probabilities), given)
        belief = beliefs(self.class_probabilities, counts, model_weight)
        settled = asking.settled(self, counts, agreeing)
        open_ = ~(settled | asking.called_bad(self, annotations))
        chosen = asking.choose_questions(
            self, self.groups(), belief, open_, float(budget)
        )
        rows = [self.row_of[name] for question in chosen for name in question.ids]
        return Questions(tuple(chosen), int(settled.sum()), self.take(rows))

    def expected_disagreement(
        self, annotations: Annotations | Review, seed: int = 0
    ) -> np.ndarray:
        """Returns how often two people will give each image different classes.

        It is learned from the images with two answers or more, by what the network sees
        in them (`keras_dc3.probes.DisagreementProbe`, which also says how well:
        `explained`). Ask it which images need several answers, and the model's
        `ambiguity` which classes to take unseen: an image may be hard for the model
        and plain to people.

        Args:
            annotations: the answers so far, as for `next`.
            seed: of the division of these images into folds.

        Returns:
            The expected share of pairs of answers that differ, (n,), in [0, 1].

        Raises:
            TypeError: if `annotations` are none.
            ValueError: if the proposals have no embeddings, the classes are others, or
                fewer than 20 of their images have two answers or more. Those of a model
                for `data.unlabeled` have none: `model.propose(data)` is for both.

        Example:

        >>> names, people = [f"img_{i}" for i in range(40)], ("ann", "ben", "cem")
        >>> rng = np.random.default_rng(0)
        >>> answers = [(n, p, str(rng.integers(2))) for n in names for p in people]
        >>> certainty = rng.random((40, 1))
        >>> proposals = keras_dc3.Proposals(
        ...     names,
        ...     rng.random(40),
        ...     np.hstack([certainty, 1 - certainty]),
        ...     np.ones((40, 1)),
        ...     ["0", "1"],
        ...     embeddings=rng.random((40, 3)),
        ... )
        >>> answers = keras_dc3.Annotations.from_records(answers)
        >>> proposals.expected_disagreement(answers).shape
        (40,)
        """
        if self.embeddings is None:
            raise ValueError(
                "Where people will disagree is learned from what the network sees in "
                "the images, but these proposals have no `embeddings`: a CSV file does "
                "not keep them. Use what `model.propose` returned, or a Parquet file; "
                "`Proposals.from_predictions` takes `embeddings`."
            )
        counts = asking.counts_of(self, annotations, as_given=True)
        if not counts.any():
            raise ValueError(
                f"None of the {len(self):,} images of these proposals has an answer in "
                "`annotations`, and where people will disagree is learned from images "
                "that have: those of a data set are its labeled ones. Propose for "
                "these, too: `model.propose(data)` takes labeled and unlabeled images."
            )
        probe = DisagreementProbe(seed=seed).fit(self.embeddings, counts)
        return probe.predict(self.embeddings)

    def to_review(
        self,
        path: str | os.PathLike,
        images: Any,
        mode: str = "dc3",
        *,
        title: str | None = None,
        control: float = 0.1,
        repetitions: float = 0.05,
        seed: int = 0,
        thumbnail_size: int = 160,
        full_size: int | str | None = None,
        max_images_per_page: int = 2000,
        round_name: str = "",
        class_descriptions: Mapping[str, str] | None = None,
        examples: Any = None,
        example_embeddings: ArrayLike | None = None,
    ) -> tuple[str, ...]:
        """Writes a review sheet, a page on which people label in a browser.

        It is one file that needs no server and no network. Answers stay in the browser,
        until they are downloaded as JSON or CSV; `keras_dc3.review.read` reads both.

        In a group, people accept the proposed class for all images at once, after they
        have taken out or named those that do not belong: medoids first, the least
        typical images last. A group of more than 100 images comes in parts. Blind
        images come alone and without a proposal.

        Args:
            path: the file, such as "review.html". Larger sets make several pages,
                "review-1.html", "review-2.html", ...; a warning tells their names.
            images: (n, h, w, c), uint8 or floating point, in the order of the
                proposals; or id -> image; or a set of images with ids, such as
                `data.unlabeled`; or the path of a folder to which the ids are relative.
                Images that are missing or damaged are left out, with a warning.
            mode: "dc3": classes of the certain images and clusters of the ambiguous
                ones, see `groups`; "classes": the predicted class of each image;
                "none": nothing is proposed, all images are blind.
            title: of the page. Default: the name of the file.
            control: share of the images that are blind in the other modes, drawn from
                all alike, in blocks of about ten spread over the page, to measure what
                proposals do to people's answers. They are never shown with a proposal.
            repetitions: share of the blind images that come a second time, unannounced,
                to measure whether people agree with themselves. At most 0.5: they come
                after half of the others at the earliest.
            seed: of the draw and the order of blind images.
            thumbnail_size: longest side of an image in a group, pixels. Larger images
                are made smaller; up to 64 pixels they are PNG, else JPEG of quality 85.
                Of an image more than four times as long as wide, the short side gets a
                quarter of it.
            full_size: how large people can see an image. Default: the thumbnail of one
                in a group, and 640 pixels of one that comes alone, less where the page
                would be above 30 MB, which is told. A number, such as 1024: that many
                pixels of all images, for the large view. "beside": the images as they
                are, in files in a folder beside the page, "review-images", which must
                be passed on together with it.
            max_images_per_page: more images make several pages, and so do those that
                take more than 30 MB.
            round_name: any text. A page that is written again with the same arguments
                and proposals goes on with the answers that a browser keeps of it; under
                another name it starts empty.
            class_descriptions: class name -> what the class is, shown with the
                instructions; not all classes need one.
            examples: images of known class: the data of a training, annotated images
                such as `data.labeled`, or class name -> images. Up to three of each
                class, those people agree on most, are shown with the instructions. None
                of the images of the sheet is.
            example_embeddings: (m, d), what the network of the proposals sees in the
                examples, as `model.propose(data.labeled).embeddings`. Then the page
                can show beside an image of a group the nearest examples of the two
                classes that are likeliest.

        Returns:
            The paths of the files.

        Raises:
            ImportError: if Pillow is not installed.
            OSError: if a file cannot be written.
            ValueError, TypeError: if an argument is not as described, no image is
                found, or an id or class name is no valid Unicode or has outer blanks.

        Example:

            proposals = model.propose(data.unlabeled)
            proposals.to_review("review.html", data.unlabeled)
        """
        sheet = sheets.sheet(self, mode, self.steps(mode), alone=())
        return sheet.write(
            path,
            images,
            title=title,
            control=control,
            repetitions=repetitions,
            seed=seed,
            thumbnail_size=thumbnail_size,
            full_size=full_size,
            max_images_per_page=max_images_per_page,
            round_name=round_name,
            class_descriptions=class_descriptions,
            examples=examples,
            example_embeddings=example_embeddings,
        )

    def steps(self, mode: str) -> list[Step]:
        """Returns what a review sheet proposes in a mode; nothing in the mode "none".

        In the mode "classes", the predicted class of every image, the most probable
        ones first.
        """
        check_choice("mode", mode, MODES)
        if mode == "dc3":
            return [group.step() for group in self.groups()]
        return sheets.class_steps(self) if mode == "classes" else []

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
        csv_format.write(self, path, escape_formulas)

    @classmethod
    def from_predictions(
        cls,
        predictions: Any,
        embeddings: Any = None,
        *,
        ids: Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        id_column: str | None = None,
        prior: float = 0.6,
        num_clusters: int | None = None,
        logits: bool = False,
        encoding: str = "utf-8",
        seed: int = 0,
    ) -> Proposals:
        """Makes proposals of the class probabilities of any model.

        It need not be of Keras, nor know of DC3: whatever gives class probabilities
        will do, also a service that was asked for them. What follows, from groups to
        review sheets and `next`, is as with `model.propose`.

        **Ambiguity.** With u = 1 - max_c p_c, what is missing to full confidence, and
        u* the point below which the most confident `1 - prior` of the images lie,

            p_a = u / (u + u*)

        so that p_a rises with u, the odds of ambiguity are u / u*, and an image is
        certain (p_a < 0.5) if it is among the most confident. Images of equal
        confidence stay on one side.

        **Clusters.** k-means (`metrics.k_means`) of the ambiguous images, on
        `metrics.joined_features`, of the embeddings and 2 sqrt(p), or without
        embeddings on 2 sqrt(p) alone. Clusters of probabilities alone hold what the
        model takes for the same classes, not look-alikes. An image at the distance d_j
        from the mean of cluster j is in it with the probability

            p_o,j = exp(-d_j^2 / s^2) / sum_i exp(-d_i^2 / s^2)

        with s^2 the mean squared distance of ambiguous images to their own means.

        Args:
            predictions: probabilities of each image, one row per image and one column
                per class, that sum to 1. A file, told by its content: a table of text
                (CSV, separated by commas, semicolons or tabs, with a line of titles;
                "0,5" is 0.5), Parquet, or `.npz` with "probabilities", "ids",
                "class_names" and perhaps "embeddings". Or a pandas data frame, an
                array (n, k) or a tensor. Of a table, columns of numbers are the classes
                if their rows sum to 1, else those called "p(cat)" or "prob_cat", or
                those that are left without "width", "confidence" and the like; what is
                left out is told. Percent is told and divided by 100.
            embeddings: (n, d), what a network sees in the images, in the order of the
                predictions; or, joined by id, a file of features (`.npz`, `.parquet`),
                id -> vector, or a `keras_dc3.data.FeatureSet`. By these images are
                clustered and groups ordered.
            ids: n names of the images, where the predictions name none.
            class_names: k names, for an array; of a table, its columns of classes.
            id_column: of a table, the column that names the images. Default: the one
                called "id", "image", "file" or the like, or the only one of text.
            prior: share of the images to call ambiguous, above 0 and below 1.
            num_clusters: k'. Default: 5 k, but at least ten ambiguous images each on
                average.
            logits: whether the predictions are logits, which a softmax turns into
                probabilities.
            encoding: of a text table.
            seed: of k-means.

        Returns:
            Proposals with the `embeddings`, if any were given, and no `verdict`.

        Raises:
            FileNotFoundError: if there is no such file.
            ImportError: for Parquet without pyarrow.
            ValueError, TypeError: if the numbers are no probabilities, an image occurs
                twice, names and rows differ in number, or it is not clear what a column
                holds. The message says where, and how to fix it.

        Example:

        >>> proposals = keras_dc3.Proposals.from_predictions(
        ...     [[0.98, 0.02], [0.55, 0.45], [0.30, 0.70]],
        ...     ids=["a.png", "b.png", "c.png"],
        ...     class_names=["cat", "dog"],
        ... )
        >>> [(one.id, one.decision, one.class_name) for one in proposals]
        [('a.png', 'certain', 'cat'), ('b.png', 'ambiguous', 'cat'),
         ('c.png', 'ambiguous', 'dog')]
        """
        check_open_probability("prior", prior)
        if num_clusters is not None:
            check_positive_int("num_clusters", num_clusters)
        check_choice("logits", logits, (True, False))
        check_seed(seed)
        found = reading.read(
            predictions,
            embeddings,
            ids=ids,
            class_names=class_names,
            id_column=id_column,
            logits=logits,
            encoding=encoding,
        )
        p_a = ambiguity_of(found.probabilities, float(prior))
        clusters = cluster_probabilities_of(
            found.probabilities, found.embeddings, p_a, num_clusters, seed
        )
        return cls(
            found.ids,
            p_a,
            found.probabilities,
            clusters,
            found.class_names,
            found.embeddings,
        )

    @classmethod
    def from_csv(cls, path: str | os.PathLike) -> Proposals:
        """Reads proposals that `to_csv` wrote.

        Ids and class names stay the text they are, but that an apostrophe before "=",
        "+", "-", "@" or a tab is taken for that of `escape_formulas`. Further columns
        are ignored, the order of the columns is free. What only all cluster
        probabilities would tell, `cluster_probabilities`, is None, and so is `verdict`.
        A file that has lost whole lines is read as fewer images; `in_order_of(ids)`
        tells which ones have no proposal.

        Args:
            path: the file; UTF-8 with or without a byte order mark.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if the file is not what `to_csv` writes: it names the line.
        """
        return cls.from_columns(**csv_format.read(path))

    def to_parquet(self, path: str | os.PathLike) -> None:
        """Writes one row per image to a Parquet file.

        The columns are those of `to_csv`, then `embedding`, a list of float32, if the
        proposals have any. The metadata hold the verdict, if there is one. The file is
        complete or not there.

        Args:
            path: the file. Its folder is created if missing; an old file is replaced.

        Raises:
            ImportError: without pyarrow.
            OSError: if it cannot be written.
            ValueError: if an id or class name is no valid Unicode text.
        """
        parquet_format.write(self, path)

    @classmethod
    def from_parquet(cls, path: str | os.PathLike) -> Proposals:
        """Reads proposals that `to_parquet` wrote, or another program since.

        Further columns are ignored, the order of the columns is free, and `embedding`
        may be missing. `cluster_probabilities` is None, as after `from_csv`.

        Args:
            path: the file; or the folder that `keras_dc3.scale.score` wrote, of which
                all shards are read, where they fit into memory.

        Raises:
            ImportError: without pyarrow.
            FileNotFoundError: if there is no such file.
            ValueError: if the file is not what `to_parquet` writes: it names the row,
                from 0 on. If the folder lacks shards, is not finished, or holds those
                of several runs.
        """
        reader = shards if shards.is_run(path) else parquet_format
        columns = reader.read(path)
        try:
            return cls.from_columns(**columns)
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)!r}: {error}") from error
