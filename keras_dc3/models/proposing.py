"""Proposals of a trained model, image by image of whatever data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from keras_dc3._keras import AdaptedModel
from keras_dc3._validation import check_names, check_ordered, check_positive_int
from keras_dc3.models.evaluation import infer
from keras_dc3.models.given_images import check_form, check_given
from keras_dc3.proposals import Proposals


class WithFeatures(AdaptedModel):
    """From images to outputs and features of a `DC3Model`, in one pass.

    Args:
        model: the `DC3Model`.
        which: "features", which the heads see, or the "frozen_features" of a network
            that nothing trains, where there is one; see `DC3Network`.
    """

    def __init__(self, model: keras.Model, which: str = "features"):
        super().__init__(name="with_features")
        self.model, self.which = model, which
        self.jit_compile, self.run_eagerly = model.jit_compile, model.run_eagerly
        self.built = True  # else Keras may build it by one more pass

    @property
    def workers(self) -> int:
        return self.model.workers

    def call(self, images: Any) -> dict[str, Any]:
        outputs = self.model.network_outputs(images)
        return {**self.model.probabilities(outputs), "features": outputs[self.which]}


def with_features(model: Any, which: str = "features") -> keras.Model:
    """Returns a Keras model that gives the "features" of a `DC3Model`, too."""
    with model.collective.scope():
        return WithFeatures(model, which)


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
    if names is not None:
        model.classes.check_same_names(tuple(names))
    names = model.class_names or names or map(str, range(model.num_classes))
    expected = model.image_shape if model.takes_features else None
    batches, total = _identified_batches(dataset, ids, batch_size, expected)
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


def _identified_batches(
    dataset: Any, ids: Any, batch_size: int, expected: tuple | None
) -> tuple[Iterator[tuple[Any, Any]], int | None]:
    """Returns (ids, images) in batches of at most `batch_size`, and their number.

    Args:
        dataset, ids, batch_size: as for `DC3Model.propose`.
        expected: (d,) of a model of features, else None.
    """
    if ids is None and hasattr(dataset, "unlabeled"):
        both = (dataset.labeled, dataset.unlabeled)
        parts = [part for part in both if part is not None]
        sizes = (math.ceil(len(part) / batch_size) for part in parts)
        batches = (_batches_of(part, batch_size) for part in parts)
        return itertools.chain.from_iterable(batches), sum(sizes)
    if ids is None and hasattr(dataset, "image_batches"):
        number = math.ceil(len(dataset.ids) / batch_size)
        return _batches_of(dataset, batch_size), number
    if hasattr(dataset, "shape") and hasattr(dataset, "__getitem__"):
        check_form(dataset, expected)
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


def _batches_of(part: Any, batch_size: int) -> Iterator[tuple[Any, Any]]:
    """Yields (ids, images) of a part of a data set."""
    ids, start = check_names("ids", part.ids), 0
    for images in part.image_batches(batch_size):
        yield ids[start : start + len(images)], images
        start += len(images)


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
