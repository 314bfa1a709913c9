"""The training of a round: its data, its model, and how good that is."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_dc3 import backbones, metrics
from keras_dc3.annotations.counted_labels import CountedLabels
from keras_dc3.callbacks import Backup
from keras_dc3.data import FileImages, SemiSupervisedData
from keras_dc3.models import DC3Model
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
    return {
        "labeled": [name for name in files if name in answered - held],
        "unlabeled": [name for name in files if name not in answered | held],
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
    share = {}
    if settings.validation is None:
        share = {"validation": settings.validation_share, "stratify": True}
    else:
        share = {"split": split_of(images.ids, answered, settings)}
    if len(answered) < 2 * len(settings.classes):
        raise ProjectError(
            f"{len(answered):,} images have answers, which is too few to train on with "
            f"{len(settings.classes)} classes. Ask people first: `keras-dc3 sheet`, "
            "then `keras-dc3 read`."
        )
    try:
        if "split" in share:
            return SemiSupervisedData.from_image_set(
                images, seed=settings.seed, name="project", **share
            )
        number = len(answered)
        held = max(round(settings.validation_share * number), len(settings.classes))
        return SemiSupervisedData.from_image_set(
            images,
            labeled=number - held,
            validation=held,
            stratify=True,
            seed=settings.seed,
            name="project",
        )
    except ValueError as error:
        raise ProjectError(
            f"The answers cannot be divided into images to train and to validate on: "
            f"{error}"
        ) from error


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


def new_model(data: SemiSupervisedData, settings: Settings) -> DC3Model:
    """Returns a model that nothing has trained yet."""
    keras.utils.set_random_seed(settings.seed)
    if len(data.image_shape) == 1:
        backbone = backbones.feature_mlp(data.image_shape)
    else:
        backbone = backbones.small_cnn(data.image_shape)
    if data.unlabeled is None:
        print("All images have answers, so the model is trained on these alone.")
        return DC3Model(backbone, ssl="supervised")
    return DC3Model(backbone, ssl=settings.ssl)


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


class TimeLeft(keras.callbacks.Callback):
    """Tells after each epoch how long training will go on."""

    def on_train_begin(self, logs: Any = None) -> None:
        self._start, self._first = time.perf_counter(), None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if self._first is None:
            self._first = epoch  # not 0 where a training goes on

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        left = self.params["epochs"] - epoch - 1
        if left > 0:
            done = epoch + 1 - self._first
            seconds = (time.perf_counter() - self._start) / done * left
            print(f"About {in_words(seconds)} of training left.")


def in_words(seconds: float) -> str:
    """Returns a time for people: "40 s", "5 min" or "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def fit(
    model: DC3Model,
    data: SemiSupervisedData,
    backup: str,
    time_limit: float | None,
    epochs: int | None,
    verbose: Any,
) -> keras.callbacks.History:
    """Trains a model; goes on where the same training was stopped.

    Args:
        model: a new one.
        data: to train on.
        backup: the folder in which each epoch is kept.
        time_limit: seconds; None for none.
        epochs: None: what suits the data.
        verbose: as for `keras.Model.fit`.
    """
    callbacks = [Backup(backup, delete_checkpoint=False)]
    if verbose:
        callbacks.append(TimeLeft())
    limit = {} if time_limit is None else {"time_limit": time_limit}
    return model.fit(data, epochs=epochs, callbacks=callbacks, verbose=verbose, **limit)
