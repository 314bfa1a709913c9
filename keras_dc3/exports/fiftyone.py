"""Proposals as a data set of FiftyOne, which is imported when one is made."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from keras_dc3._extras import optional
from keras_dc3._text import some
from keras_dc3.data.images_by_id import files_of
from keras_dc3.exports.checks import check_proposals
from keras_dc3.proposals import Proposals


def to_fiftyone(
    proposals: Proposals,
    images_folder: str | os.PathLike,
    name: str | None = None,
    *,
    persistent: bool = False,
) -> Any:
    """Makes a FiftyOne data set of the images, to look at them in its App.

    A sample has the tag "certain" or "ambiguous" and the fields

    - `proposal` (Classification): the class of a certain image, else such as
      "cluster 3", and the probability of it,
    - `predicted_class` (Classification with logits) and `cluster` (Classification) of
      every image, whatever was decided,
    - `ambiguity` (float), `image_id` (the id of the proposal),
    - `description` of its group in words, `typical`: its place in the group, from 1 on,
    - `embedding` (vector), if the proposals have any: for
      `fiftyone.brain.compute_visualization(dataset, embeddings="embedding")`.

    FiftyOne needs a MongoDB: its own, or that of `FIFTYONE_DATABASE_URI`.

    Args:
        proposals: what to show.
        images_folder: the folder that the ids are relative to. Names match as for
            `Annotations.match`.
        name: of the data set; FiftyOne makes one up by default.
        persistent: whether the data set outlives the session.

    Returns:
        A `fiftyone.Dataset`, samples in the order of the groups.

    Raises:
        ImportError: without FiftyOne.
        FileNotFoundError: if there is no such folder, or files are missing; it says how
            many.

    Example:

    >>> dataset = keras_dc3.exports.to_fiftyone(proposals, "fish")  # doctest: +SKIP
    >>> fiftyone.launch_app(dataset)  # doctest: +SKIP
    """
    check_proposals(proposals)
    folder = os.path.abspath(os.fspath(images_folder))
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"There is no folder {os.fspath(images_folder)!r}; name the one that holds "
            "the images."
        )
    files, gone = {}, {}
    for image, path, why in files_of(folder, proposals.ids):
        files[image] = path
        if path is None:
            gone[image] = why
    if gone:
        first = next(iter(gone))
        told = "" if "no file" in gone[first] else f" ({first!r} {gone[first]})"
        raise FileNotFoundError(
            f"{len(gone):,} of {len(proposals):,} images are no files in "
            f"{os.fspath(images_folder)!r}: {some(map(repr, gone), 3)}{told}. Name the "
            "folder that the ids are relative to, or leave lost images out with "
            '`proposals.in_order_of(names, missing="drop")`.'
        )
    needs = "A FiftyOne data set needs FiftyOne"
    fiftyone = optional("fiftyone", needs, "fiftyone")
    dataset = fiftyone.Dataset(name, persistent=persistent)
    dataset.default_classes = list(proposals.class_names)
    dataset.add_samples(_samples(fiftyone, proposals, files))
    return dataset


def _samples(fiftyone: Any, proposals: Proposals, files: dict[str, str]) -> list[Any]:
    log_p = np.log(np.maximum(proposals.class_probabilities, 1e-12))
    samples = []
    for group in proposals.groups():
        for place, name in enumerate(group.ids):
            one, row = proposals[name], proposals.row_of[name]
            is_class = group.kind == "class"
            fields = {
                "image_id": name,
                "ambiguity": one.ambiguity,
                "predicted_class": fiftyone.Classification(
                    label=one.class_name,
                    confidence=one.class_probability,
                    logits=log_p[row],
                ),
                "cluster": fiftyone.Classification(
                    label=f"cluster {one.cluster}", confidence=one.cluster_probability
                ),
                "proposal": fiftyone.Classification(
                    label=group.name,
                    confidence=one.class_probability
                    if is_class
                    else one.cluster_probability,
                ),
                "description": group.description,
                "typical": place + 1,
            }
            if proposals.embeddings is not None:
                fields["embedding"] = proposals.embeddings[row].copy()
            tags = [one.decision]
            samples.append(fiftyone.Sample(filepath=files[name], tags=tags, **fields))
    return samples
