"""A project: a folder that knows all rounds from pictures to a label file."""

from __future__ import annotations

import errno
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from keras_dc3 import agreement, datasets
from keras_dc3._locking import locked
from keras_dc3._text import number_of, some
from keras_dc3._validation import (
    check_choice,
    check_open_probability,
    check_positive_int,
    check_positive_number,
    check_seed,
)
from keras_dc3.agreement import FinalLabels
from keras_dc3.annotations import Annotations
from keras_dc3.backbones.pretrained import kind_of
from keras_dc3.data import ImageFileError
from keras_dc3.project import (
    asking,
    creating,
    learning,
    report,
    served,
    taking_in,
    training,
)
from keras_dc3.project.costs import cost_of
from keras_dc3.project.settings import LOCK, ClassDescription, ProjectError
from keras_dc3.project.status import Status, next_step, no_class
from keras_dc3.project.workspace import Workspace
from keras_dc3.serving import Server
from keras_dc3.serving.server import PORT
from keras_dc3.strategies import names as strategy_names


class Project:
    """A folder that knows all rounds: from unlabeled pictures to a label file.

    Each round trains a model, proposes, asks people on pages that open in any browser,
    and reads what they answered. Every step finds what came before, can be stopped and
    run again, and says what to do next. The same from a command line is `keras-dc3`.

    Args:
        folder: of the project; `Project.create` makes one.

    Raises:
        ValueError: if it is no project, of another version, or was copied in part.
        OSError: from each step: while another process works in it (the message names
            the owner), or if the disk is full; nothing that was done before is lost.

    Example:

    >>> project = keras_dc3.Project.create("fish-labels", "fish", "answers.csv")
    60 images, 40 of them with answers; 3 classes: cat, dog, red deer.
    >>> project.status().next_step
    '`keras-dc3 train` trains a model on the answers that there are.'
    """

    def __init__(self, folder: str | os.PathLike):
        self.folder = os.fspath(folder)
        _ = Workspace(self.folder).name  # it says what is wrong with it

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike,
        images: str | os.PathLike,
        answers: Annotations | str | os.PathLike | None = None,
        *,
        class_names: Sequence[str] | None = None,
        classes: Sequence[ClassDescription] | str | os.PathLike | None = None,
        image_size: tuple[int, int] | None = None,
        backbone: str = training.FROM_PIXELS,
        weights: str | os.PathLike | None = "imagenet",
        backbone_size: int | None = None,
        ssl: str = "mean_teacher",
        validation: float = 0.2,
        missing: str = "error",
        seed: int = 0,
        **reading: Any,
    ) -> Project:
        """Makes a project.

        Args:
            folder: of the project; new, or empty.
            images: the folder of the images, which stay where they are.
            answers: what people said so far, `Annotations` or a CSV file with the
                columns image, annotator and label. None: the folders in the folder say
                it, where they are called as classes; or nobody has said anything yet,
                then give `class_names`.
            class_names: the classes in their order.
            classes: instead, a `ClassDescription` of each, or a CSV file with the
                columns class, description and example (the id of a typical image).
            image_size: (height, width) that images are brought to for training.
            backbone: "small_cnn" trains from pixels; the name of a network with weights
                (see `backbones.pretrained`) gives better features, computed once.
            weights, backbone_size: of that network, as for `backbones.pretrained`.
            ssl: the strategy, one of `keras_dc3.strategies.names()`.
            validation: share of the answered images that validate in all rounds.
            missing: what to do about answers to images that are not there: "error", or
                "drop", which is told.
            seed: of all that is drawn.
            **reading: how files become arrays: further arguments of `data.FileImages`.

        Raises:
            FileExistsError: if the folder holds something already.
            ValueError: if something does not fit; the message says how to fix it.
        """
        check_open_probability("validation", validation)
        check_choice("ssl", ssl, tuple(strategy_names()))
        check_choice("missing", missing, ("error", "drop"))
        check_seed(seed)
        if backbone != training.FROM_PIXELS:
            kind_of(backbone)  # a slip is told now, not after an hour of reading
        if image_size is not None:
            reading["image_size"] = list(image_size)
        creating.create(
            os.fspath(folder),
            os.fspath(images),
            answers,
            class_names,
            classes,
            missing,
            validation_share=validation,
            reading=reading,
            backbone=backbone,
            weights=None if weights is None else os.fspath(weights),
            backbone_size=backbone_size,
            ssl=ssl,
            seed=int(seed),
        )
        return cls(folder)

    def describe(self) -> datasets.Description:
        """Prints what the images and the answers so far are, and returns it."""
        with self._looking() as work:
            labels = work.answers.all
            images = training.image_files(
                work.images, work.files, work.settings, labels
            )
            return datasets.describe(images)

    def train(
        self,
        *,
        time_limit: float | None = None,
        epochs: int | None = None,
        start_from: str = learning.NEW,
        again: bool = False,
        verbose: Any = "auto",
    ) -> str:
        """Trains the model of this round on all answers so far.

        A training that was stopped goes on from its last epoch when this is called
        again. The images that validate are drawn the first time, and stay the same in
        all rounds, so that scores of rounds compare.

        Args:
            time_limit: seconds that it may take.
            epochs: how long to train; None: what suits the data.
            start_from: "new" for a model that knows nothing of the rounds before;
                "previous" to go on from the model of the last round; "better" to train
                both and keep the one that is better on the validation images (see
                `experiments.warm_or_anew`), which is told; it begins anew where it is
                stopped.
            again: whether to train anew where this round is trained already.
            verbose: as for `keras.Model.fit`: 1 or "auto" for a bar, 2 for a line
                after each epoch, 0 for nothing. Few figures are shown.

        Returns:
            What was done, in words.

        Raises:
            ValueError: if there are too few answers.
        """
        if time_limit is not None:
            check_positive_number("time_limit", time_limit)
        if epochs is not None:
            check_positive_int("epochs", epochs)
        check_choice("start_from", start_from, learning.STARTS)
        with self._working("train") as work:
            told = learning.train(
                work,
                again=again,
                time_limit=time_limit,
                epochs=epochs,
                start_from=start_from,
                verbose=verbose,
            )
            return self._and_next(told)

    def propose(self, *, again: bool = False, verbose: Any = "auto") -> str:
        """Says what the model of this round makes of each image.

        Returns:
            A summary; the proposals are kept, also as a CSV file.
        """
        with self._working("propose") as work:
            return self._and_next(learning.propose(work, again=again, verbose=verbose))

    def sheet(
        self,
        people: Sequence[str],
        budget: int = 300,
        *,
        overlap: float = 0.2,
        control: float = 0.1,
        repetitions: float = 0.05,
        full_size: int | str | None = None,
        again: bool = False,
    ) -> str:
        """Writes a page for each person, with what brings most for the effort.

        Before the first training, images come at random and without proposals.

        Args:
            people: their names.
            budget: clicks or keys of each person, about.
            overlap: share of the work that everybody does, to measure agreement.
            control: share of the images that come without a proposal, to measure what
                proposals do to people's answers; see `Proposals.to_review`. With 1
                each image comes alone, for a model that is of little use.
            repetitions: share of these that come a second time.
            full_size: how large people can see an image, see `Proposals.to_review`.
            again: whether who has a page in this round already gets a further one.

        Returns:
            Who is asked what, and where the pages are.
        """
        with self._working("sheet") as work:
            told, written = asking.write_sheets(
                work,
                people,
                budget,
                overlap=overlap,
                control=control,
                repetitions=repetitions,
                full_size=full_size,
                again=again,
            )
            return self._and_next(told) if written else told

    def serve(
        self,
        people: Sequence[str] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = PORT,
        names: Sequence[str] = (),
    ) -> Server:
        """Returns a server that gives people their pages and keeps their answers.

        `read` takes in what it has kept, also while it runs. It is not started yet: use
        it in a `with` statement, see `serving.Server`.

        Args:
            people: who gets an address; None: all who have a page in this round.
            host, port, names: as for `serving.Server`.

        Raises:
            ImportError: without aiohttp, extra `[serve]`.
            ValueError: if there is no page, or none of one of the people.
        """
        with self._looking() as work:
            options = {"host": host, "port": port, "names": names}
            return served.server_of(work, people, **options)

    def read(
        self, files: str | os.PathLike | Sequence[str | os.PathLike] | None = None
    ) -> str:
        """Takes in what people have downloaded from their pages, or a server has kept.

        Nothing but the file is needed: it is known from it which page and round it
        belongs to. A file that was read before, or a later state of it, may come again.
        Of two sessions of a person on one page, such as in two browsers, both count;
        of two answers to one image that which was saved later, which is told.

        Args:
            files: files, folders of files, or patterns such as "review-*.json". None:
                what the server of this round has kept so far.

        Raises:
            ValueError: if a file belongs to no page of the project, or is damaged.
        """
        paths = [files] if isinstance(files, str | os.PathLike) else list(files or ())
        with self._working("read") as work:
            if files is None:
                paths = taking_in.of_server(work)
            told = taking_in.read_files(work, [os.fspath(path) for path in paths])
            return self._and_next(told)

    def remove_answers(
        self, files: str | os.PathLike | Sequence[str | os.PathLike]
    ) -> str:
        """Takes back files that were read: their answers no longer count.

        The files are kept in the folder of the round, and can be read again.

        Args:
            files: names of files that were read, such as "review-anna.json"; where
                several rounds have one of that name, "round-1/answers/...".

        Returns:
            Where the files are now.

        Raises:
            ValueError: if no file of that name was read, or several were.
        """
        names = [files] if isinstance(files, str | os.PathLike) else list(files)
        with self._working("read") as work:
            told = taking_in.remove_files(work, [os.fspath(name) for name in names])
            return self._and_next(told)

    def next(self) -> str:
        """Begins another round.

        Raises:
            ValueError: if nobody has answered in this one yet.
        """
        with self._working("next") as work:
            current = work.current
            if current is None or not current.done("answers"):
                number = 1 if current is None else current.number
                raise ProjectError(
                    f"Nobody has answered in round {number} yet. "
                    f"{_sentence(self._next_step(work))}"
                )
            begun = work.begin_round()
            return f"Round {begun.number} begins. {_sentence(self._step_after())}"

    def status(self, *, resamples: int = 100) -> Status:
        """Returns what was done, how far people agree, and whether to go on.

        Args:
            resamples: how often images are drawn for the intervals.
        """
        with self._looking() as work, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd was told when it was read
            answers = work.answers
            everything = _answers_there(work)
            measured = stopping = None
            bias = ""
            if everything is not None and everything.counts.sum() > 0:
                labels, bias = answers.corrected()
                measured = agreement.measure(everything, resamples=resamples)
                stopping = agreement.stopping(
                    labels, learning.last_proposals(work), resamples=resamples
                )
            return Status(
                name=work.name,
                images=len(work.files),
                answered=self._answered(work),
                withdrawn=len(work.settings.withdrawn),
                rounds=[one.record for one in work.rounds],
                costs={n: cost_of(found) for n, found in answers.by_round.items()},
                agreement=measured,
                bias=bias,
                no_class=no_class(everything, answers.typed),
                stopping=stopping,
                next_step=self._next_step(work),
            )

    def labels(self, path: str | os.PathLike | None = None) -> FinalLabels:
        """Returns the labels of all images, and writes them where a path is given.

        Args:
            path: a file that ends in .csv, .jsonl or .parquet; or, ending in "/", a new
                folder into which the images are copied, in a folder for each class.

        Raises:
            ValueError: if nobody has answered and nothing was proposed yet.
        """
        with self._looking() as work:
            labels, _ = work.answers.corrected()
            proposals = learning.last_proposals(work)
            if labels is None:
                raise ProjectError(
                    "Nobody has answered yet, so that there are no labels. "
                    f"{_sentence(self._next_step(work))}"
                )
            if proposals is None:
                print(
                    "There are no proposals of a model yet: only the "
                    f"{number_of(self._answered(work), 'image')} with answers get a "
                    "label."
                )
                labels = learning.answered_of(labels, work.files)
            else:
                proposals, lacking = learning.completed(proposals, labels, work.files)
                if lacking:
                    print(
                        f"The model has not seen {number_of(lacking, 'image')}, which "
                        "came after its proposals: where nobody has answered, a label "
                        "is but the share of each class. `keras-dc3 propose --again` "
                        "takes them in."
                    )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = agreement.final_labels(
                    labels, proposals, annotations=work.answers.all
                )
            found = replace(found, notes_of=work.answers.notes_of)
            if path is not None:
                name = os.fspath(path)
                if name.endswith(("/", os.sep)):
                    found.to_folders(name.rstrip("/" + os.sep), work.images)
                else:
                    found.save(name)
            return found

    def report(self, path: str | os.PathLike | None = None) -> str:
        """Writes one HTML page: data, verdict, figures, pictures, rounds.

        Args:
            path: the file, ending in ".html"; default: "report.html" in the project.

        Returns:
            The path.
        """
        status = self.status()
        with self._looking() as work:
            target = work.path("report.html") if path is None else os.fspath(path)
            if not target.lower().endswith((".html", ".htm")):
                raise ValueError(
                    f"A report is an HTML file, which `path` must end in (.html). "
                    f"Received: {target!r}"
                )
            report.write(target, work, status)
            return target

    def withdraw(
        self,
        images: Sequence[str] | None = None,
        reason: str = "",
        *,
        gone: bool = False,
    ) -> str:
        """Takes images out: they are no longer asked about, trained on or labeled.

        Their answers are kept, and count again after `restore`.

        Args:
            images: ids, such as "fish/1.png".
            reason: why, for the records.
            gone: whether to withdraw the images that are no longer in the folder.
        """
        with self._working("withdraw") as work:
            ids = work.ids_of(list(images)) if images else []
            if gone:
                ids += [name for name in work.gone if name not in ids]
            if not ids:
                return self._and_next("No image is to be withdrawn.")
            told = reason or ("no longer there" if gone else "withdrawn")
            withdrawn = {**work.settings.withdrawn, **dict.fromkeys(ids, told)}
            work.save(replace(work.settings, withdrawn=withdrawn))
            return self._and_next(
                f"Withdrawn: {some(ids, 5)} ({len(withdrawn):,} in all)."
            )

    def restore(self, images: Sequence[str]) -> str:
        """Takes withdrawn images back into the project.

        Args:
            images: their ids.
        """
        with self._working("restore") as work:
            withdrawn = dict(work.settings.withdrawn)
            if not withdrawn or not images:
                return self._and_next(
                    "No image is withdrawn." if not withdrawn else "Name the images."
                )
            ids = work.ids_of(list(images))
            there = [name for name in ids if name not in withdrawn]
            if there:
                raise ProjectError(
                    f"{some(map(repr, there), 3)} is not withdrawn; withdrawn are "
                    f"{some(map(repr, withdrawn), 5, etc=True)}."
                )
            for name in ids:
                del withdrawn[name]
            work.save(replace(work.settings, withdrawn=withdrawn))
            return self._and_next(f"Back in the project: {some(ids, 5)}.")

    def change_classes(
        self,
        added: Sequence[ClassDescription | str] = (),
        renamed: Mapping[str, str] | None = None,
    ) -> str:
        """Adds classes, or gives classes other names; all answers are carried along.

        Proposals that there are go on under the new names, where a new class has
        probability 0 until a model is trained with it, in the next round.

        Args:
            added: new classes.
            renamed: old name -> new name; the name of another class unites both.

        Raises:
            ValueError: if a class is not there, or is there already.
        """
        with self._working("classes") as work:
            settings = work.settings.with_classes(added, renamed)
            if len(settings.classes) < 2:
                raise ProjectError(
                    "A project needs two classes or more; these would be one."
                )
            creating.check_examples(settings.classes, work.all_files)
            work.save(settings)
            return self._and_next(
                f"The classes are now: {some(settings.class_names, 50)}."
            )

    def change_settings(
        self, images: str | os.PathLike | None = None, **changed: Any
    ) -> str:
        """Changes where the images are, or how the next model is trained.

        Args:
            images: the folder in which they are now.
            **changed: `backbone`, `weights`, `backbone_size` or `ssl`, as for `create`.

        Returns:
            What was changed.

        Raises:
            ValueError: if images that the project knows are not in the folder.
        """
        with self._working("settings") as work:
            settings, told = work.settings, []
            if images is not None:
                there = set(creating.images_in(os.fspath(images)))
                lost = sorted(work.known - there - set(settings.withdrawn))
                if lost:
                    raise ProjectError(
                        f"{number_of(len(lost), 'image')} of the project "
                        f"{'is' if len(lost) == 1 else 'are'} not in "
                        f"{os.fspath(images)!r}: "
                        f"{some(map(repr, lost), 3, etc=True)}. Name the folder that "
                        "holds them."
                    )
                where = creating.relative(os.fspath(images), self.folder)
                settings = replace(settings, images=where)
                told.append(
                    f"{number_of(len(there), 'image')} in {os.fspath(images)!r}, among "
                    "them all that the project knows."
                )
            if "ssl" in changed:
                check_choice("ssl", changed["ssl"], tuple(strategy_names()))
            if changed.get("backbone", training.FROM_PIXELS) != training.FROM_PIXELS:
                kind_of(changed["backbone"])
            unknown = set(changed) - {"backbone", "weights", "backbone_size", "ssl"}
            if unknown:
                raise TypeError(f"{sorted(unknown)} cannot be changed in a project.")
            told += [
                f"{name}: {getattr(settings, name)!r} -> {value!r}, from the next "
                "training on."
                for name, value in changed.items()
            ]
            work.save(replace(settings, **changed))
            return self._and_next("\n".join(told) or "Nothing was changed.")

    def next_step(self) -> str:
        """Returns what to do now, as a command with its reason."""
        with self._looking() as work:
            return self._next_step(work)

    def _and_next(self, told: str) -> str:
        """Returns what a step says, and what to do after it, in a line of its own."""
        return f"{told}\nNext: {self._step_after()}"

    def _step_after(self) -> str:
        """Returns what to do after a step that is done, also where something is odd."""
        try:  # the project as it is after the step
            return self._next_step(Workspace(self.folder))
        except ProjectError as error:
            return str(error)  # such as: images are gone; it says what to do

    def _answered(self, work: Workspace) -> int:
        answers = work.answers.all
        if answers is None:
            return 0
        there = set(work.files)
        pairs = zip(answers.ids, answers.annotated, strict=True)
        return int(np.sum([known and name in there for name, known in pairs]))

    def _next_step(self, work: Workspace) -> str:
        answered, classes = self._answered(work), len(work.settings.classes)
        return next_step(work.current, answered, classes)

    @contextmanager
    def _looking(self) -> Iterator[Workspace]:
        """Gives the project as it is now, also while another process works in it."""
        with _told():
            yield Workspace(self.folder)

    @contextmanager
    def _working(self, what: str) -> Iterator[Workspace]:
        """Gives the project as it is now, while no other process works in it."""
        lock = os.path.join(self.folder, LOCK)
        if not os.path.isdir(self.folder):
            raise ProjectError(f"There is no folder {self.folder!r} any more.")
        with locked(lock, what), _told():
            try:
                yield Workspace(self.folder)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise
                raise OSError(
                    error.errno,
                    f"The disk of {self.folder!r} is full, in the step {what!r}. "
                    "Nothing that was done before is lost: free some space and do the "
                    "step again; a training goes on from its last whole epoch.",
                ) from error


def _answers_there(work: Workspace) -> Annotations | None:
    """Returns the answers to the images that play a part; None if there are none."""
    found, there = work.answers.all, set(work.files)
    ids = [] if found is None else [name for name in found.ids if name in there]
    return found.select(ids) if ids else None


@contextmanager
def _told() -> Iterator[None]:
    """Says of damaged images what to do about them in a project."""
    try:
        yield
    except ImageFileError as error:
        names = " ".join(map(str, list(error.files)[:5]))
        raise ProjectError(
            f"{error}\nIn a project: `keras-dc3 withdraw {names}` leaves such images "
            "out."
        ) from error


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] if text and text[0] != "`" else text
