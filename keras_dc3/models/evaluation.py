"""Passes over data outside Keras' loops: scores and proposals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from keras_dc3._validation import check_names, check_ordered, check_positive_int
from keras_dc3.callbacks.validation_figures import ValidationFigures
from keras_dc3.metrics import proposal_scores, selective_score
from keras_dc3.models.arguments import is_loader
from keras_dc3.models.given_images import check_form, check_given
from keras_dc3.models.inputs import (
    as_numpy,
    check_image_shapes,
    check_labels,
    is_training_batch,
)
from keras_dc3.models.stream_end import end_watch
from keras_dc3.proposals import Proposals


def check_built(model: Any) -> None:
    """Raises ValueError for a model that was neither trained nor loaded."""
    if not model.built:
        raise ValueError(
            "The model is not trained or loaded yet; call `fit` or "
            "`keras.saving.load_model` first."
        )


def check_evaluation_data(model: Any, data: Any, steps: int | None) -> None:
    """Raises ValueError for data that a model cannot be evaluated on.

    Args:
        model: the model; what it does not know yet is not checked.
        data: `(images, labels)` or more of a tuple, a dataset, or None for nothing.
        steps: batches to evaluate, None for all.
    """
    if data is None:
        return
    x, *rest = data if isinstance(data, tuple | list) else (data,)
    labels = rest[0] if rest else None
    cardinality = getattr(x, "cardinality", None)
    if steps is None and callable(cardinality) and int(cardinality()) == -1:
        raise ValueError(
            "The evaluation data repeats without end; pass `steps` (in `fit`: "
            "`validation_steps`), or remove its `.repeat()`."
        )
    element = getattr(x, "element_spec", None)
    if isinstance(element, tuple):
        x = element[0]
    if is_training_batch(x):
        raise ValueError(
            "Evaluation takes batches `(images, labels)`, not batches to train on."
        )
    if isinstance(x, np.ndarray) or element is not None:
        check_image_shapes(x, model._image_shape)
    if isinstance(x, np.ndarray):
        check_given(x, model)
        if not len(x):
            raise ValueError("There is no image to evaluate on: the array is empty.")
        if model.num_classes is not None and labels is not None:
            check_labels(np.asarray(labels), model.num_classes)


def check_validation_data(model: Any, data: Any, steps: int | None) -> list[Any]:
    """Returns the callbacks that `fit` needs for its validation data, checked.

    Raises:
        ValueError: as `check_evaluation_data`; also for a generator without `steps`.
    """
    check_evaluation_data(model, data, steps)
    if steps is None and hasattr(data, "__next__"):
        raise ValueError(
            "A generator of validation data does not say how many batches an epoch "
            "takes, and may never end: pass `validation_steps`, or a "
            "`keras.utils.PyDataset` or `tf.data.Dataset` that ends."
        )
    return end_watch(data, steps)


def infer(model: Any, images: Any, batch_size: int) -> dict[str, np.ndarray]:
    """Returns the model's outputs for at most `batch_size` images, as NumPy arrays.

    A smaller batch is filled up, so that the graph is compiled for one shape only.
    """
    images = np.asarray(images)
    n = len(images)
    if n < batch_size:
        filler = np.repeat(images[-1:], batch_size - n, axis=0)
        images = np.concatenate([images, filler])
    # Looked at before, or else answered with NaN: no error in the midst of `fit`.
    outputs = keras.Model.predict_on_batch(model, images)
    # Under a distribution strategy each replica answers for the whole batch.
    return {name: np.asarray(value)[:n] for name, value in outputs.items()}


def _labeled_batches(
    x: Any, y: Any, batch_size: int, steps: int | None
) -> Iterator[tuple[Any, Any]] | None:
    """Returns the (images, labels) of evaluation data, None for a generator."""
    if y is not None:
        n = len(y) if steps is None else min(len(y), steps * batch_size)
        starts = range(0, n, batch_size)
        x, y = np.asarray(x), np.asarray(y)
        return ((x[i : i + batch_size], y[i : i + batch_size]) for i in starts)
    if isinstance(x, keras.utils.PyDataset):
        return (x[i][:2] for i in range(min(len(x), steps or len(x))))
    if hasattr(x, "element_spec"):
        return (batch[:2] for batch in (x if steps is None else x.take(steps)))
    if is_loader(x):
        return (as_numpy(batch[:2]) for batch in itertools.islice(x, steps))
    return None


def score_names(soft: bool) -> list[str]:
    """Returns the names of what `scores` computes, for soft labels or for classes."""
    names = ["f1", "d", "d_minus_f1", "ambiguous", "degenerated", "selective_score"]
    if soft:
        return names
    # d measures distances of soft labels.
    return [name for name in names if name not in ("d", "d_minus_f1")]


def has_soft_labels(x: Any, y: Any) -> bool | None:
    """Returns whether evaluation data have soft labels; None if not scored at all."""
    if y is None and hasattr(x, "element_spec"):
        y = x.element_spec[1]
    elif y is None:
        batches = _labeled_batches(x, y, 1, 1)
        batch = None if batches is None else next(batches, None)
        y = None if batch is None else batch[1]
    if y is None:
        return None
    return len(y.shape) == 2 and y.shape[1] != 1


def scores(
    model: Any, x: Any, y: Any, batch_size: int, steps: int | None, last: Any = None
) -> dict[str, float]:
    """Returns the proposal scores of a model on evaluation data.

    Args:
        last: a `concluding.LastValidation` that keeps what was seen, or None.
    """
    batches = _labeled_batches(x, y, batch_size, steps)
    if batches is None:
        return {}
    collected: dict[str, list[np.ndarray]] = {}
    size = 0
    for images, labels in batches:
        size = max(size, len(images))
        outputs = infer(model, images, size)
        for name, value in {**outputs, "labels": np.asarray(labels)}.items():
            collected.setdefault(name, []).append(value)
    whole = {name: np.concatenate(parts) for name, parts in collected.items()}
    labels = whole.pop("labels")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    check_labels(labels, model.num_classes)
    soft = labels.ndim == 2
    if not soft:
        labels = labels.astype("int64")
    if last is not None:
        last.keep(model.step, labels, whole)
    if not soft:
        labels = np.eye(model.num_classes, dtype="float32")[labels]
    names = score_names(soft)
    if not all(np.isfinite(value).all() for value in whole.values()):
        return dict.fromkeys(names, math.nan)  # a diverged model, like its loss
    ambiguity = whole["ambiguity"] if model.config.predicts_ambiguity else None
    results = proposal_scores(labels, whole["classes"], whole["clusters"], ambiguity)
    results["selective_score"] = selective_score(labels, whole["classes"], ambiguity)
    model.validation_figures = ValidationFigures.of(labels, whole["classes"])
    return {name: float(results[name]) for name in names}


def _identified_batches(
    dataset: Any, ids: Any, batch_size: int
) -> tuple[Iterator[tuple[Any, Any]], int | None]:
    """Returns (ids, images) in batches of at most `batch_size`, and their number."""
    if ids is None and hasattr(dataset, "image_batches"):
        ids = check_names("ids", dataset.ids)

        def of_part() -> Iterator[tuple[Any, Any]]:
            start = 0
            for images in dataset.image_batches(batch_size):
                yield ids[start : start + len(images)], images
                start += len(images)

        return of_part(), math.ceil(len(ids) / batch_size)
    if ids is None and hasattr(dataset, "unlabeled"):
        raise ValueError(
            "`propose` takes a part of a data set: pass `data.unlabeled`, "
            "`data.labeled` or `data.validation`."
        )
    if hasattr(dataset, "shape") and hasattr(dataset, "__getitem__"):
        check_form(dataset, None)
        if ids is None:
            raise ValueError(
                "An array of images does not say which image is which: pass `ids`, one "
                "string per image, such as the file names."
            )
        check_ordered("ids", ids)
        ids = check_names("ids", [_text(name) for name in ids])
        if len(ids) != len(dataset):
            raise ValueError(
                f"There are {len(ids)} `ids` but {len(dataset)} images; give one each."
            )
        images = np.asarray(dataset)
        starts = range(0, len(ids), batch_size)
        return (
            (ids[i : i + batch_size], images[i : i + batch_size]) for i in starts
        ), len(starts)
    return _dict_batches(dataset, batch_size), None


def _dict_batches(dataset: Any, batch_size: int) -> Iterator[tuple[Any, Any]]:
    """Yields (ids, images) of an iterable of {"image", "id"} batches."""
    seen: dict[str, int] = {}
    for batch in dataset:
        missing = [
            part
            for part in ("image", "id")
            if not isinstance(batch, Mapping) or part not in batch
        ]
        if missing:
            raise ValueError(
                '`propose` needs batches that are dicts with "image" and "id", '
                f"but {missing} is missing. Received: "
                f"{sorted(batch) if isinstance(batch, Mapping) else type(batch)}"
            )
        images, names = np.asarray(batch["image"]), np.asarray(batch["id"])
        names = [_text(name) for name in np.ravel(names).tolist()]
        if len(names) != len(images):
            raise ValueError(
                f"A batch holds {len(images)} images but {len(names)} ids, first "
                f"{names[:3]}; give one each."
            )
        for name in names:
            position = len(seen)
            if seen.setdefault(name, position) != position:
                raise ValueError(
                    f"`ids` must differ, but {name!r} stands at positions "
                    f"{seen[name]} and {position}. Rename or remove one."
                )
        for i in range(0, len(names), batch_size):
            yield names[i : i + batch_size], images[i : i + batch_size]


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def propose(
    model: Any, outputs: Any, dataset: Any, ids: Any, batch_size: int, verbose: Any
) -> Proposals:
    """Returns the proposals of a model. See `DC3Model.propose`.

    Args:
        model: the `DC3Model`.
        outputs: the Keras model to run, `model` itself or one that gives its
            "features", too.
        dataset, ids, batch_size, verbose: see there.
    """
    check_positive_int("batch_size", batch_size)
    names = getattr(dataset, "class_names", None)
    if names is not None and model.class_names not in (None, tuple(names)):
        raise ValueError(
            f"The model's classes are {list(model.class_names)}, those of the data "
            f"{list(names)}; they must be the same, in one order."
        )
    names = model.class_names or names or map(str, range(model.num_classes))
    batches, total = _identified_batches(dataset, ids, batch_size)
    bar = keras.utils.Progbar(total, unit_name="batch") if verbose else None
    all_ids: list[str] = []
    collected: dict[str, list[np.ndarray]] = {}
    told: set[str] = set()
    for batch_ids, images in batches:
        images = check_given(images, model, told)
        all_ids.extend(batch_ids)
        for name, value in infer(outputs, images, batch_size).items():
            collected.setdefault(name, []).append(value)
        if bar is not None:
            bar.add(1)
    if not all_ids:
        raise ValueError("There is no image to propose for: the data is empty.")
    return Proposals(
        ids=all_ids,
        ambiguity=np.concatenate(collected["ambiguity"]),
        class_probabilities=np.concatenate(collected["classes"]),
        cluster_probabilities=np.concatenate(collected["clusters"]),
        class_names=tuple(names),
        embeddings=np.concatenate(collected["features"])
        if "features" in collected
        else None,
        verdict=model.verdict,
    )
