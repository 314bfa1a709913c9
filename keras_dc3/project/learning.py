"""The steps in which a model learns and proposes."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras

from keras_dc3.data import SemiSupervisedData
from keras_dc3.models import DC3Model
from keras_dc3.project import stored_proposals, training
from keras_dc3.project.settings import ProjectError
from keras_dc3.project.status import f1_of
from keras_dc3.project.workspace import Workspace

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
    return training.with_features(data, work.settings, features, verbose), told


def train(
    work: Workspace,
    *,
    again: bool = False,
    time_limit: float | None = None,
    epochs: int | None = None,
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
    data, told = data_of(work, verbose)
    print(data)
    print(told)
    backup = current.path(BACKUP)
    if again and not os.path.isdir(backup):
        current.forget("train", "propose")
        current.save()
    model = training.new_model(data, work.settings)
    start = time.perf_counter()
    history = training.fit(model, data, backup, time_limit, epochs, verbose)
    seconds = time.perf_counter() - start
    model.save(current.path(MODEL))
    scores = training.score(model, data.validation)
    current.note(
        "train",
        seconds=round(seconds, 1),
        steps=model.steps_taken,
        epochs=len(history.epoch),
        classes=list(data.class_names),
        answers=float(work.answers.all.counts.sum()),
        **{name: len(part) for name, part in data.parts().items()},
        **scores,
    )
    shutil.rmtree(backup, ignore_errors=True)
    return (
        f"Round {current.number} is trained, in {training.in_words(seconds)}: F1 of "
        f"the certain validation images {f1_of(current.record['train'])}."
    )


def propose(work: Workspace, *, again: bool = False, verbose: Any = "auto") -> str:
    """Proposes for all images; see `Project.propose`."""
    current = work.current
    if current is None or not current.done("train"):
        raise ProjectError(
            "There is no model of this round yet: `keras-dc3 train` trains it."
        )
    if current.done("propose") and not again:
        proposals = stored_proposals.read(current.file(PROPOSALS))
    else:
        model = keras.models.load_model(current.file(MODEL))
        data, _ = data_of(work, verbose)
        proposals = proposals_for(model, data, verbose)
        stored_proposals.write(current.path(PROPOSALS), proposals)
        proposals.to_csv(current.path("proposals.csv"))
        certain = int((proposals.decision == "certain").sum())
        current.note("propose", certain=certain, ambiguous=len(proposals.ids) - certain)
    return f"{proposals.summary()}\n\nAs a table: {current.path('proposals.csv')}"


def proposals_for(
    model: DC3Model, data: SemiSupervisedData, verbose: Any = "auto"
) -> stored_proposals.Proposals:
    """Returns the proposals of a model for the images of all parts."""
    parts: Mapping[str, Any] = data.parts()
    return stored_proposals.joined(
        [model.propose(part, verbose=verbose) for part in parts.values()]
    )


def last_proposals(work: Workspace) -> stored_proposals.Proposals | None:
    """Returns what was proposed last, for the images and classes of today, if ever."""
    found = work.last_with("propose")
    if found is None:
        return None
    proposals = stored_proposals.read(found.file(PROPOSALS))
    there = set(work.files)
    rows = [row for row, name in enumerate(proposals.ids) if name in there]
    settings = work.settings
    renamed = settings.names_now(proposals.class_names)
    return proposals.take(rows).with_classes(settings.class_names, renamed)
