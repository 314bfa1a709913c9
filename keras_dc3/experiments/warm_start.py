"""The next model of a project: one that goes on from the last, or a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_dc3._decision import is_certain
from keras_dc3._names import KnownNames, match_all
from keras_dc3._text import number_of, some
from keras_dc3._validation import check_names, check_seed
from keras_dc3.data import SemiSupervisedData
from keras_dc3.metrics import selective_score
from keras_dc3.metrics.intervals import Interval, bootstrap, spread
from keras_dc3.models import DC3Model

WARM, ANEW = "warm", "anew"


@dataclass(frozen=True)
class NextModel:
    """Which of two trained models is kept, and why; `print` tells it in a sentence.

    Attributes:
        model: the one that is kept.
        kept: "warm" for the one that went on from the previous model, or "anew".
        scores: "warm" and "anew" -> `metrics.selective_score` on the validation images.
        difference: of these scores, warm less anew.
        interval: of the difference, 95%, over the validation images.
        images: how many these are.
    """

    model: DC3Model = field(repr=False)
    kept: str
    scores: Mapping[str, float]
    difference: float
    interval: Interval
    images: int

    def __str__(self) -> str:
        names = {
            WARM: "the model that went on from the previous one",
            ANEW: "the model trained anew",
        }
        other = ANEW if self.kept == WARM else WARM
        low, high = self.interval
        between = f"95% interval {low:+.3f} to {high:+.3f}"
        facts = (
            f"Kept {names[self.kept]}: it scores {self.scores[self.kept]:.3f} on "
            f"{number_of(self.images, 'validation image')}, {names[other]} "
            f"{self.scores[other]:.3f}"
        )
        if low <= 0 <= high:
            return (
                f"{facts}; the difference, {self.difference:+.3f} of going on, is "
                f"within chance ({between}), and a new model depends on these data "
                "alone."
            )
        return f"{facts}; going on makes {self.difference:+.3f} ({between})."


def warm_or_anew(
    previous: DC3Model,
    make_model: Callable[[], DC3Model],
    data: SemiSupervisedData,
    *,
    trained_on: SemiSupervisedData | Iterable[str],
    renamed: Mapping[str, str | None] | None = None,
    seed: int = 0,
    **fit: Any,
) -> NextModel:
    """Trains the next model of a project twice, and keeps the better one.

    Once anew, and once from the weights by which the previous model answers, with its
    own strategy and objective (`DC3Model.with_classes`). Both take as many steps, with
    the same optimizer and schedule, begun anew. They are compared by
    `val_selective_score` (`metrics.selective_score`) on the same validation images,
    which are drawn again for the interval of the difference. The one that went on is
    kept where the whole interval is on its side; where the difference is within chance,
    the new one is kept, as it depends on these data alone, not on labels that have been
    corrected since.

    Args:
        previous: the model of the round before. It stays as it is.
        make_model: returns a new model, compiled or not, for the data.
        data: of this round, with a validation part.
        trained_on: what the previous model was trained on, in whatever round: the data,
            or the ids of all images that were labeled or unlabeled.
        renamed: old name -> new name of classes, where those of `data` are others than
            of the previous model; see `DC3Model.with_classes`.
        seed: of the drawn validation images.
        **fit: arguments of `DC3Model.fit`, such as `epochs`, for both.

    Raises:
        ValueError: if there are no validation images, the previous model was trained on
            some of them, it takes other images, its classes do not fit, or `make_model`
            returns a trained model.
        TypeError: if `make_model` returns no `DC3Model`.

    Example:

    ```python
    def make_model():
        return keras_dc3.DC3Model(keras_dc3.backbones.small_cnn(data.image_shape))

    found = warm_or_anew(model, make_model, data, trained_on=before, epochs=20)
    model = found.model
    ```
    """
    check_seed(seed)
    part = data.validation
    if part is None:
        raise ValueError(
            "The two models are compared on validation images, but the data have no "
            "validation part. Pass data with one."
        )
    _check_held_out(part.ids, trained_on)
    for model in (previous, anew := make_model()):
        if not isinstance(model, DC3Model):
            raise TypeError(f"Models must be `DC3Model`s. Received: {model!r}")
    if anew.built and anew.steps_taken:
        raise ValueError(
            f"`make_model` must return a new model, but this one has taken "
            f"{number_of(anew.steps_taken, 'step')}. Make it inside the function."
        )
    if previous.image_shape not in (None, tuple(data.image_shape)):
        raise ValueError(
            f"The previous model takes images of shape {previous.image_shape}, but the "
            f"data have {tuple(data.image_shape)}, so that it cannot go on with them."
        )
    warm = previous.with_classes(data.class_names, renamed)
    warm.train_like(anew)
    models, outputs = {ANEW: anew, WARM: warm}, {}
    for name, model in models.items():
        model.fit(data, **fit)
        outputs[name] = model.predict(part, verbose=0)
        if not model.config.predicts_ambiguity:
            outputs[name]["ambiguity"] = None
    found = _compare(part.soft_labels, outputs, seed)
    kept = WARM if found[2][0] > 0 else ANEW
    chosen = NextModel(models[kept], kept, *found, len(part))
    if fit.get("verbose", "auto"):
        print(chosen)
    return chosen


def _check_held_out(validation: Iterable[str], trained_on: Any) -> None:
    """Raises ValueError where a validation image was trained on."""
    if isinstance(trained_on, SemiSupervisedData):
        parts = (trained_on.labeled, trained_on.unlabeled)
        trained_on = [name for part in parts if part is not None for name in part.ids]
    trained = check_names("trained_on", list(trained_on))
    known = KnownNames(trained, folders=False)
    seen = list(match_all(list(validation), known).found)
    if seen:
        raise ValueError(
            f"The previous model was trained on {len(seen):,} of "
            f"{len(list(validation)):,} validation images, such as "
            f"{some(map(repr, seen), 2)}, so that its score there would tell nothing. "
            "Keep the split of the rounds before: `data.with_labels(answers)`, or "
            "`split=` with the file of `data.save_split`."
        )


def _compare(
    labels: np.ndarray, outputs: Mapping[str, Mapping[str, Any]], seed: int
) -> tuple[dict[str, float], float, Interval]:
    """Returns both scores, their difference and its interval.

    Args:
        labels: soft labels (n, k).
        outputs: "warm" and "anew" -> what the model says of the images.
        seed: of the draws.
    """
    scores = {
        name: selective_score(labels, found["classes"], found["ambiguity"])
        for name, found in outputs.items()
    }
    rows = np.arange(len(labels))
    of_each = {}
    for name, found in outputs.items():
        agreement = labels[rows, found["classes"].argmax(axis=1)].astype("float64")
        certain = np.zeros(len(labels))
        if found["ambiguity"] is not None:
            certain = is_certain(found["ambiguity"]).astype("float64")
        of_each[name] = agreement, certain

    def drawn(weights: np.ndarray) -> dict[str, np.ndarray]:
        shares = (weights / weights.sum(axis=0)).T
        found = {
            name: (1 - shares @ c) * (shares @ a) + shares @ (a * c)
            for name, (a, c) in of_each.items()
        }
        return {"difference": found[WARM] - found[ANEW]}

    difference = scores[WARM] - scores[ANEW]
    resampled = bootstrap(drawn, len(labels), seed)["difference"]
    return scores, difference, spread(difference, resampled)
