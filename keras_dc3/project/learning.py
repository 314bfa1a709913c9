"""The steps in which a model learns and proposes."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dc3._text import number_of
from keras_dc3.annotations import Annotations
from keras_dc3.annotations.counted_labels import CountedLabels
from keras_dc3.data import SemiSupervisedData
from keras_dc3.models import DC3Model
from keras_dc3.project import stored_proposals, training
from keras_dc3.project.progress import in_words
from keras_dc3.project.rounds import Round
from keras_dc3.project.settings import ProjectError
from keras_dc3.project.status import f1_of
from keras_dc3.project.unseen import Unseen, as_if_unseen
from keras_dc3.project.workspace import Workspace
from keras_dc3.proposals import Proposals

NEW, PREVIOUS, BETTER = STARTS = ("new", "previous", "better")
_DEFAULTS = {"epochs": None, "time_limit": None, "start_from": NEW}
MODEL, PROPOSALS, FEATURES, BACKUP = "model.keras", "propose.npz", "features", "backup"


def data_of(work: Workspace, verbose: Any = "auto") -> tuple[SemiSupervisedData, str]:
    """Returns the data of a project with all answers, and what is said of their bias.

    The first time, the images that validate are drawn and kept.
    """
    labels, told = work.answers.corrected()
    if labels is None:
        raise ProjectError(
            "Nobody has said yet what the images show: there is nothing to train on. "
            "Ask people: `keras-dc3 sheet`, then `keras-dc3 read`."
        )
    images = training.image_files(work.images, work.files, work.settings, labels)
    data = training.training_data(images, work.settings)
    if work.settings.validation is None:
        held = tuple(data.validation.ids)
        work.save(replace(work.settings, validation=held))
    features = work.path(FEATURES)
    data = training.with_features(data, work.settings, features, verbose)
    data.rounds = rounds_of_asking(work)
    return data, told


def train(
    work: Workspace,
    *,
    again: bool = False,
    time_limit: float | None = None,
    epochs: int | None = None,
    start_from: str = NEW,
    verbose: Any = "auto",
) -> str:
    """Trains the model of the last round; see `Project.train`."""
    current = work.begun_round()
    if current.done("train") and not again:
        return (
            f"Round {current.number} is trained already (F1 of certain images: "
            f"{f1_of(current.record['train'])}). To train anew, use `--again`; with "
            "answers that came since, `keras-dc3 next` begins another round."
        )
    backup = current.path(BACKUP)
    options = {
        "epochs": epochs,
        "time_limit": time_limit,
        "start_from": start_from,
    }
    if os.path.isdir(backup) and options == _DEFAULTS:
        options = {**options, **current.record.get("begun", {}).get("options", {})}
        if options != _DEFAULTS:
            given = (f"`{name}={value!r}`" for name, value in options.items() if value)
            print(f"The training that was stopped goes on, with {', '.join(given)}.")
    epochs, time_limit, start_from = options.values()
    start = time.perf_counter()
    others = [one for one in work.rounds if one.done("train") and one is not current]
    before = others[-1] if others else None
    if before is None and start_from != NEW:
        print("There is no model of a round before: this one begins anew.")
        start_from = NEW
    data, told = data_of(work, verbose)
    print(data)
    print(told)
    if time_limit is not None:  # what features took is over
        spent = time.perf_counter() - start
        left = max(time_limit - spent, 0.1 * time_limit)
        if spent >= 1:
            print(
                f"Images and features took {in_words(spent)} of the "
                f"{in_words(time_limit)}: {in_words(left)} are left for training."
            )
        time_limit = left
    mark = _mark(data, *options.values())
    time_limit = _begin(current, backup, mark, options, time_limit)
    length = {"time_limit": time_limit, "epochs": epochs, "verbose": verbose}

    if data.unlabeled is None and start_from != NEW:
        print("All images have answers, for which the model before cannot go on.")
        start_from = NEW

    def new() -> DC3Model:
        return training.new_model(data, work.settings, epochs)

    if start_from == NEW:
        model = training.fit(new(), data, backup, **length)
    else:
        previous = keras.models.load_model(before.file(MODEL))
        renamed = work.settings.names_now(previous.class_names)
        if start_from == PREVIOUS:
            model = previous.with_classes(data.class_names, renamed)
            model.train_like(new())
            model = training.fit(model, data, backup, **length)
        else:
            found = training.better_of(previous, new, data, renamed, **length)
            print(found)
            model, start_from = found.model, found.kept
    seconds = time.perf_counter() - start
    model.save(current.path(MODEL))
    scores = training.score(model, data.validation)
    current.forget("propose")  # of a model that was trained before in this round
    current.note(
        "train",
        seconds=round(seconds, 1),
        steps=model.steps_taken,
        begun_from=start_from,
        classes=list(data.class_names),
        answers=float(work.answers.all.counts.sum()),
        **{name: len(part) for name, part in data.parts().items()},
        **scores,
    )
    shutil.rmtree(backup, ignore_errors=True)
    return (
        f"Round {current.number} is trained, in {in_words(seconds)}: F1 of "
        f"the certain validation images {f1_of(current.record['train'])}."
    )


def rounds_of_asking(work: Workspace) -> int:
    """Returns how many rounds have asked about images that proposals chose."""
    rounds = work.rounds
    first = next((n for n, one in enumerate(rounds) if one.done("propose")), None)
    return 0 if first is None else sum(r.done("answers") for r in rounds[first:])


def _mark(data: SemiSupervisedData, *options: Any) -> str:
    """Returns what tells a training from one of other answers or other options."""
    digest = hashlib.sha256(repr((options, data.class_names)).encode())
    for name, part in sorted(data.parts().items()):
        digest.update(repr((name, part.ids)).encode())
    digest.update(np.ascontiguousarray(data.labels).tobytes())
    return digest.hexdigest()[:16]


def _begin(
    current: Round,
    backup: str,
    mark: str,
    options: Mapping[str, Any],
    seconds: float | None,
) -> float | None:
    """Keeps a backup of this very training, and removes one of another.

    Returns:
        The seconds that training may take: those with which it was begun.
    """
    begun = current.record.get("begun", {})
    if os.path.isdir(backup):
        if begun.get("mark") == mark:
            return begun["seconds"]
        print(
            "Answers, images, classes or the length have changed since the training "
            "that was stopped: it begins anew."
        )
        shutil.rmtree(backup)
    current.note("begun", mark=mark, options=dict(options), seconds=seconds)
    return seconds


def propose(work: Workspace, *, again: bool = False, verbose: Any = "auto") -> str:
    """Proposes for all images; see `Project.propose`."""
    current = work.current
    if current is None or not current.done("train"):
        raise ProjectError(
            "There is no model of this round yet: `keras-dc3 train` trains it."
        )
    if current.done("propose") and not again:
        path = current.file(PROPOSALS, again="propose")
        found = stored_proposals.read_unseen(path)
    else:
        model = keras.models.load_model(current.file(MODEL, again="train"))
        data, _ = data_of(work, verbose)
        found = proposals_for(model, data, _unseen_of(work, work.rounds[:-1]), verbose)
        stored_proposals.write(current.path(PROPOSALS), *found)
        found.judged.to_csv(current.path("proposals.csv"))
        certain = int((found.proposals.decision == "certain").sum())
        number = len(found.proposals)
        current.note("propose", certain=certain, ambiguous=number - certain)
    told = found.judged.summary()
    if found.unjudged:
        told += (
            f"\n\nOf {number_of(len(found.unjudged), 'further image')} the model says "
            "nothing of its own: it was trained on their answers, which it would but "
            "repeat."
        )
    return f"{told}\n\nAs a table: {current.path('proposals.csv')}"


def proposals_for(
    model: DC3Model,
    data: SemiSupervisedData,
    earlier: Unseen | None = None,
    verbose: Any = "auto",
) -> Unseen:
    """Returns the proposals of a model for the images of all parts.

    Class probabilities are as sure as they are right on the validation images
    (`Proposals.calibrated`), so that what is expected of a sheet is what comes.
    No image is judged by its own answers, see `as_if_unseen`.

    Args:
        model: that was trained.
        data: that it was trained on.
        earlier: of the round before.
        verbose: as for `DC3Model.propose`.
    """
    parts: Mapping[str, Any] = data.parts()
    found = {name: model.propose(part, verbose=verbose) for name, part in parts.items()}
    proposals = stored_proposals.joined(list(found.values()))
    if "validation" in found:
        known = data.validation.soft_labels
        proposals = proposals.calibrated(found["validation"], known)
    return as_if_unseen(proposals, data, earlier)


def answered_of(labels: CountedLabels, files: Sequence[str]) -> Annotations:
    """Returns the labels of the images that have answers and play a part."""
    there = set(files)
    rows = [
        row
        for row, (name, known) in enumerate(
            zip(labels.ids, labels.annotated, strict=True)
        )
        if known and name in there
    ]
    return Annotations(
        [labels.ids[row] for row in rows],
        labels.class_names,
        counts=np.asarray(labels.counts)[rows],
    )


def completed(
    proposals: Proposals, labels: CountedLabels, files: Sequence[str]
) -> tuple[Proposals, int]:
    """Returns proposals for all images, and for how many there were none.

    Of these nothing is known but the shares of the classes among all answers.
    """
    lacking = [name for name in files if name not in proposals.row_of]
    if not lacking:
        return proposals, 0
    shares = np.asarray(labels.counts).sum(axis=0) + 1
    m = len(lacking)
    more = Proposals.from_columns(
        lacking,
        np.ones(m),
        np.tile(shares / shares.sum(), (m, 1)),
        np.zeros(m, "int64"),
        np.zeros(m),
        proposals.class_names,
        embeddings=None
        if proposals.embeddings is None
        else np.zeros((m, proposals.embeddings.shape[1])),
        verdict=proposals.verdict,
    )
    return stored_proposals.joined([proposals, more]), m


def last_proposals(work: Workspace) -> Proposals | None:
    """Returns what was proposed last, for the images and classes of today, if ever."""
    found = last_unseen(work)
    return None if found is None else found.proposals


def last_unseen(work: Workspace) -> Unseen | None:
    """Returns the same, and of which images the model says nothing."""
    return _unseen_of(work, work.rounds)


def _unseen_of(work: Workspace, rounds: Sequence[Round]) -> Unseen | None:
    """Returns what was proposed in the last of some rounds in which anything was."""
    done = [one for one in rounds if one.done("propose")]
    if not done:
        return None
    path = done[-1].file(PROPOSALS, again="propose")
    found = stored_proposals.read_unseen(path)
    there = set(work.files)
    rows = [row for row, name in enumerate(found.proposals.ids) if name in there]
    settings = work.settings
    renamed = settings.names_now(found.proposals.class_names)
    proposals = found.proposals.take(rows)
    proposals = proposals.with_classes(settings.class_names, renamed)
    return found._replace(proposals=proposals)
