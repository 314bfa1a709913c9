"""Data whose classes change: the same images and parts, with their answers carried."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_dc3._text import some
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.data.annotated_images import AnnotatedImages

if TYPE_CHECKING:
    from keras_dc3.data.semi_supervised import SemiSupervisedData


class Reclassed(NamedTuple):
    """What becomes of a data set with other classes.

    parts: name -> images, as of `data.parts()`. labels: to train on.
    """

    parts: dict[str, AnnotatedImages]
    labels: np.ndarray


def reclassed(data: SemiSupervisedData, change: ClassChange) -> Reclassed:
    """Returns parts and labels of the classes of a change.

    Raises:
        ValueError: if a class is left out that somebody has answered.
    """
    _check_left_out(data, change)
    carried = change.of_labels if data.labels.ndim == 1 else change.of_values
    labels = carried(data.labels)
    parts = {name: part.of_classes(change) for name, part in data.parts().items()}
    return Reclassed(parts, labels)


def _check_left_out(data: SemiSupervisedData, change: ClassChange) -> None:
    """Raises ValueError if images would lose answers, and so perhaps their label."""
    for name in change.left_out:
        place = change.before.index(name)
        labels = data.labels
        chosen = labels == place if labels.ndim == 1 else labels[:, place] > 0
        images = dict.fromkeys(data.labeled.ids[i] for i in np.flatnonzero(chosen))
        for part in data.parts().values():
            if part.has_counts:
                rows = np.flatnonzero(np.asarray(part.counts)[:, place] > 0)
                images.update(dict.fromkeys(part.ids[i] for i in rows))
        if images:
            raise ValueError(
                f"The class {name!r} cannot be left out: {len(images):,} images have "
                f"answers that name it, such as {some(map(repr, images), 2)}. Merge it "
                f'into another, `renamed={{{name!r}: "..."}}`, or withdraw these '
                "images, `data.without(ids)`."
            )
