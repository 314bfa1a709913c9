"""Proposals as the predictions of a DCIC method (Schmarje et al., 2022)."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np

from keras_dc3.exports.checks import check_proposals, write_json
from keras_dc3.proposals import Proposals


def to_dcic(
    proposals: Proposals,
    folder: str | os.PathLike,
    identifier: str,
    *,
    subset: str = "unlabeled#ema_normal",
    image: Callable[[str], str] | None = None,
    config: Any = None,
) -> str:
    """Writes `predictions-<identifier>.json`, as DCIC's `predictions_import` reads it.

    Its `confidences` are the class probabilities, in the alphabetical order of the
    classes that DCIC uses; `cluster_label` is the number of the cluster.

    Args:
        proposals: what to write.
        folder: where; it is created if missing, an old file is replaced. The file is
            complete or not there.
        identifier: of the experiment. To be found, it must end like
            "#dataset-Turkey-no_alg-01-0.10-1.1@-1-10": the data set, how many
            annotations per image, which share of the data and which fold.
        subset: the name of the set of predictions, `--subset` there.
        image: a function from an id to the `image_path` of DCIC, such as
            "Plankton/fold1/x.png". Default: the id is the path.
        config: text on how the predictions were made, or what JSON can hold.

    Returns:
        The path of the file.

    Raises:
        OSError: if it cannot be written.
        ValueError, TypeError: if an argument is not as described, or two images get the
            same path.

    Example:

    >>> name = "dc3#dataset-Turkey-slice-1-fold-1"
    >>> paths = keras_dc3.exports.to_dcic(proposals, "predictions", name)
    """
    check_proposals(proposals)
    for name, text in (("identifier", identifier), ("subset", subset)):
        if not isinstance(text, str) or not text or "/" in text or "\0" in text:
            raise ValueError(
                f"`{name}` must be a non-empty text without '/'. Received: "
                f"{name}={text!r}"
            )
    order = sorted(
        range(len(proposals.class_names)), key=proposals.class_names.__getitem__
    )
    classes = [proposals.class_names[c] for c in order]
    confidences = proposals.class_probabilities[:, order]
    paths = [_path(image, name) for name in proposals.ids]
    twice, times = Counter(paths).most_common(1)[0] if paths else ("", 0)
    if times > 1:
        raise ValueError(
            f"The function `image` gives {twice!r} for several images; it must tell "
            "them apart."
        )
    predictions = [
        {
            "image_path": path,
            "cluster_label": cluster,
            # The first of equals in this order, as DCIC checks.
            "class_label": classes[likeliest],
            "confidences": row,
        }
        for path, cluster, likeliest, row in zip(
            paths,
            proposals.cluster.tolist(),
            np.argmax(confidences, axis=1).tolist(),
            confidences.tolist(),
            strict=True,
        )
    ]
    try:
        json.dumps(config, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`config` must be a text, or what JSON can hold ({error}). Received: "
            f"config={config!r}"
        ) from error
    path = os.path.join(os.fspath(folder), f"predictions-{identifier}.json")
    one = {
        "config": "Not available" if config is None else config,
        "identifier": identifier,
        "name": subset,
        "created_at": datetime.now().strftime("%d-%m-%Y-%H-%M-%S"),
        "predictions": predictions,
    }
    write_json(path, [one])
    return path


def _path(image: Callable[[str], str] | None, name: str) -> str:
    path = name if image is None else image(name)
    if not isinstance(path, str) or not path:
        raise TypeError(
            "The function `image` must return the path of an image, a text. Received: "
            f"{path!r} for the id {name!r}"
        )
    return path
