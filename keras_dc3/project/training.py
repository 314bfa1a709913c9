"""The training of a round: its data, its model, and how good that is."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_dc3 import backbones, metrics
from keras_dc3._text import number_of
from keras_dc3.annotations.counted_labels import CountedLabels
from keras_dc3.callbacks import Backup
from keras_dc3.data import FileImages, SemiSupervisedData
from keras_dc3.experiments.warm_start import NextModel, warm_or_anew
from keras_dc3.models import DC3Model
from keras_dc3.project.progress import TimeLeft
from keras_dc3.project.settings import ProjectError, Settings

FROM_PIXELS = "small_cnn"


def image_files(
    folder: str,
    files: Sequence[str],
    settings: Settings,
    labels: CountedLabels | None = None,
) -> FileImages:
    """Returns the images of a project, with what people said of them."""
    names, counts = settings.class_names, None
    if labels is not None:
        row_of = {name: row for row, name in enumerate(files)}
        counts = np.zeros((len(files), len(names)))
        for name, row in zip(labels.ids, np.asarray(labels.counts), strict=True):
            if name in row_of:
                counts[row_of[name]] = row
        if (counts == np.round(counts)).all():
            counts = counts.astype("int64")
    options = dict(settings.reading)
    size = options.pop("image_size", None)
    return FileImages(
        folder,
        files,
        counts,
        names,
        image_size=None if size is None else tuple(size),
        **options,
    )


def split_of(
    files: Sequence[str], answered: set[str], settings: Settings
) -> dict[str, list[str]]:
    """Returns which images are labeled, unlabeled and for validation.

    Those that validate stay the same in all rounds. What has an answer is labeled, but
    for these; all else is unlabeled, also what came into the folder since.
    """
    held = set(settings.validation or ())
    labeled, known = answered - held, answered | held
    return {
        "labeled": [name for name in files if name in labeled],
        "unlabeled": [name for name in files if name not in known],
        "validation": [name for name in files if name in held],
    }


def training_data(images: FileImages, settings: Settings) -> SemiSupervisedData:
    """Returns the data to train on; the first time, validation images are drawn.

    Raises:
        ProjectError: if there are too few answers.
    """
    answered = {
        name for name, known in zip(images.ids, images.annotated, strict=True) if known
    }
    too_few = ProjectError(
        f"{number_of(len(answered), 'image has', 'images have')} answers, which is too "
        f"few to train on with {len(settings.classes)} classes. Ask people first: "
        "`keras-dc3 sheet`, then `keras-dc3 read`."
    )
    if len(answered) < 2 * len(settings.classes):
        raise too_few
    if settings.validation is None:
        held = held_out(images, settings)
        if not held:
            raise too_few
        settings = replace(settings, validation=held)
    try:
        return SemiSupervisedData.from_image_set(
            images,
            seed=settings.seed,
            name="project",
            split=split_of(images.ids, answered, settings),
        )
    except ValueError as error:
        raise ProjectError(
            f"The answers cannot be divided into images to train and to validate on: "
            f"{error}"
        ) from error


def held_out(images: FileImages, settings: Settings) -> tuple[str, ...]:
    """Returns the ids of images to validate on, a share of those of each class.

    Classes of one or two images stay with those to train on.
    """
    rng = np.random.default_rng(settings.seed)
    annotated, majority = images.annotated, images.most_chosen
    rows: list[int] = []
    for label in range(len(settings.classes)):
        members = rng.permutation(np.flatnonzero(annotated & (majority == label)))
        if len(members) > 2:
            number = max(round(settings.validation_share * len(members)), 1)
            rows += members[:number].tolist()
    return tuple(images.ids[row] for row in sorted(rows))


def with_features(
    data: SemiSupervisedData, settings: Settings, folder: str, verbose: Any
) -> SemiSupervisedData:
    """Returns the data with the features of the network that the project names."""
    if settings.backbone == FROM_PIXELS:
        return data
    network = backbones.pretrained(
        settings.backbone, settings.weights, image_size=settings.backbone_size
    )
    return data.embed(network, folder=folder, verbose=verbose)


def new_model(
    data: SemiSupervisedData, settings: Settings, epochs: int | None
) -> DC3Model:
    """Returns a model that nothing has trained yet.

    Args:
        data: to train on.
        settings: of the project.
        epochs: that are planned; None: what suits the data.
    """
    keras.utils.set_random_seed(settings.seed)
    if len(data.image_shape) == 1:
        backbone = backbones.feature_mlp(data.image_shape)
    else:
        backbone = backbones.small_cnn(data.image_shape)
    ssl = settings.ssl
    if data.unlabeled is None:
        print("All images have answers, so the model is trained on these alone.")
        ssl = "supervised"
    model = DC3Model(backbone, ssl=ssl)
    if epochs is not None:
        model.plan_for(epochs * data.steps(model.ssl.unlabeled_ratio))
    return model


def score(model: DC3Model, part: Any) -> dict[str, Any]:
    """Returns the scores of a model on the validation images, with intervals.

    Returns:
        "scores", "intervals" and "verdict", as JSON holds them.
    """
    outputs = model.predict(part, batch_size=100, verbose=0)
    ambiguity = outputs["ambiguity"] if model.config.predicts_ambiguity else None
    arguments = (part.soft_labels, outputs["classes"], outputs["clusters"], ambiguity)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the verdict says what is odd
        scores = {
            **metrics.proposal_scores(*arguments),
            **metrics.honest_context(part.soft_labels, outputs["classes"], ambiguity),
        }
        intervals = metrics.score_intervals(*arguments)
    verdict = model.verdict
    return {
        "scores": {name: float(value) for name, value in scores.items()},
        "intervals": {
            name: list(map(float, intervals[name]))
            for name in scores
            if name in intervals
        },
        "verdict": None if verdict is None else json.loads(verdict.to_json()),
    }


def fit(
    model: DC3Model,
    data: SemiSupervisedData,
    backup: str,
    *,
    verbose: Any,
    **length: Any,
) -> DC3Model:
    """Trains a model and returns it; goes on where the same training was stopped.

    Args:
        model: not trained on these data yet.
        data: to train on.
        backup: the folder in which each epoch is kept.
        verbose: as for `keras.Model.fit`.
        **length: `epochs` and `time_limit`, as for `DC3Model.fit`.
    """
    callbacks: list[Any] = [Backup(backup, delete_checkpoint=False)]
    if verbose:
        callbacks.append(TimeLeft(length["time_limit"]))
    model.fit(data, callbacks=callbacks, verbose=verbose, **length)
    return model


def better_of(
    previous: DC3Model,
    new: Callable[[], DC3Model],
    data: SemiSupervisedData,
    renamed: Mapping[str, str],
    *,
    time_limit: float | None,
    **options: Any,
) -> NextModel:
    """Trains a model that goes on from the previous one, and a new one.

    Args:
        previous: of a round before.
        new: makes a new one.
        data: to train both on.
        renamed: former name of a class of `previous` -> its name now.
        time_limit: seconds for both.
        **options: `epochs` and `verbose`, as for `DC3Model.fit`.
    """
    print("Two models are trained: one that goes on from the last, and a new one.")
    half = None if time_limit is None else time_limit / 2
    parts = (data.labeled, data.unlabeled)
    return warm_or_anew(
        previous,
        new,
        data,
        # In a project, images that validate do so in all rounds.
        trained_on=[name for part in parts if part is not None for name in part.ids],
        renamed=renamed,
        time_limit=half,
        callbacks=[TimeLeft(half)] if options["verbose"] else [],
        **options,
    )
