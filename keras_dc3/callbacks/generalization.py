"""Tells where a model learns nothing that holds for new images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_dc3._text import number_of
from keras_dc3.callbacks.validation_figures import ValidationFigures

# Training accuracy above this "nears 1"; the validation loss "rises" where the last
# few are all this much above the lowest, and by this many nats at least.
NEARLY_ALL, RISE, RISE_NATS, LAST = 0.95, 1.1, 0.05, 3
# The fewest images of a class, and of the validation data, to conclude anything from;
# and the accuracy above the commonest class that these must be able to show.
FEWEST_IMAGES, SHOWN = 20, 0.1
# The fewest images predicted as a class that is never certain. Of few, all may be hard.
FEWEST_OF_CLASS = 50
_ACCURACIES = ("accuracy", "categorical_accuracy", "acc")


def not_above_commonest(
    figures: ValidationFigures | None, name: Callable[[int], str]
) -> str | None:
    """Returns what to say where always saying one class is as good, else None."""
    if figures is None or figures.images < FEWEST_IMAGES:
        return None
    if figures.accuracy > figures.share or figures.most >= SHOWN:
        return None
    return (
        f"{figures.accuracy:.1%} of the {figures.images:,} validation images were "
        "given their majority label, no more than always saying the commonest class, "
        f"{name(figures.commonest)}, would get: {figures.share:.1%}. The class "
        "proposals are of no use so far: check the labels, train longer, lower the "
        "learning rate, or label more images."
    )


def never_certain(
    predicted: np.ndarray,
    certain: np.ndarray,
    figures: ValidationFigures | None,
    name: Callable[[int], str],
) -> str | None:
    """Returns what to say of classes that no image is called with certainty.

    Args:
        predicted: unlabeled images by predicted class, (k,).
        certain: those of them that are called certain, (k,).
        figures: of the last validation, if any.
        name: of a class.
    """
    if not certain.sum():  # the whole ambiguity has collapsed, which is told
        return None
    classes = [
        f"{name(k)}, predicted for {number_of(int(predicted[k]), 'unlabeled image')}"
        for k in np.flatnonzero((certain == 0) & (predicted >= FEWEST_OF_CLASS))
    ]
    if figures is not None:
        missed = (predicted == 0) & (figures.labeled >= FEWEST_IMAGES)
        classes += [
            f"{name(k)}, never predicted, but the majority label of "
            f"{number_of(int(figures.labeled[k]), 'validation image')}"
            for k in np.flatnonzero(missed & (figures.predicted == 0))
        ]
    if not classes:
        return None
    return (
        f"No unlabeled image was called certain of class {'; '.join(classes)}. Unless "
        "people disagree on all such images, label more of them, or train longer."
    )


def training_accuracy(logs: dict[str, Any]) -> float | None:
    """Returns the logged accuracy on the labeled images, if there is one."""
    return next((logs[name] for name in _ACCURACIES if name in logs), None)


def memorizing(
    losses: Sequence[float], accuracy: float | None, monitor: str
) -> str | None:
    """Returns what to say where the validation loss rises after training is learned.

    Args:
        losses: of all validations so far.
        accuracy: on the labeled images in the last epoch.
        monitor: a figure to choose an epoch by.
    """
    if accuracy is None or accuracy < NEARLY_ALL or len(losses) <= LAST:
        return None
    lowest, last = min(losses), losses[-LAST:]
    if not all(map(math.isfinite, losses)):
        return None
    if min(last) < RISE * lowest or min(last) < lowest + RISE_NATS:
        return None
    return (
        f"the loss on the validation images has risen from {lowest:.3g} to "
        f"{losses[-1]:.3g}, while {accuracy:.1%} of the labeled images are predicted "
        "right: the model learns these by heart. Keep the best epoch, "
        f'`keras.callbacks.ModelCheckpoint("best.keras", monitor="{monitor}", '
        "save_best_only=True)`, label more images, or augment more strongly."
    )
