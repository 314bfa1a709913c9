"""Proposals as a round keeps them: all that the next steps need, in one file."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence

import numpy as np

from keras_dc3._writing import whole_file
from keras_dc3.metrics import Verdict
from keras_dc3.project.settings import ProjectError
from keras_dc3.project.unseen import Unseen
from keras_dc3.proposals import Proposals


def write(path: str, proposals: Proposals, unjudged: Sequence[str] = ()) -> None:
    """Writes them as arrays; the file is complete or not there.

    Args:
        path: of the file.
        proposals: for all images.
        unjudged: see `unseen.Unseen`.
    """
    arrays = {
        "unjudged": np.array(unjudged, "str"),
        "ids": np.array(proposals.ids, "str"),
        "class_names": np.array(proposals.class_names, "str"),
        "ambiguity": proposals.ambiguity,
        "class_probabilities": proposals.class_probabilities,
        "cluster": proposals.cluster,
        "cluster_probability": proposals.cluster_probability,
    }
    if proposals.embeddings is not None:
        arrays["embeddings"] = proposals.embeddings
    if proposals.verdict is not None:
        arrays["verdict"] = np.array(proposals.verdict.to_json(), "str")
    with whole_file(path, "wb") as file:
        np.savez(file, **arrays)


def read(path: str) -> Proposals:
    """Reads the proposals that `write` wrote; as `read_unseen`."""
    return read_unseen(path).proposals


def read_unseen(path: str) -> Unseen:
    """Reads what `write` wrote.

    Raises:
        ProjectError: if the file is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        verdict = arrays.pop("verdict", None)
        unjudged = tuple(map(str, arrays.pop("unjudged", ())))
        proposals = Proposals.from_columns(
            list(map(str, arrays.pop("ids"))),
            class_names=list(map(str, arrays.pop("class_names"))),
            verdict=None if verdict is None else Verdict.from_json(str(verdict)),
            **arrays,
        )
        return Unseen(proposals, unjudged)
    except (KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ProjectError(
            f"{path!r} is damaged ({error}). Put back a copy of it{_again(path)}."
        ) from error


def _again(path: str) -> str:
    if os.path.basename(path) != "propose.npz":
        return ""
    return ", or call `keras-dc3 propose --again`"


def joined(parts: Sequence[Proposals]) -> Proposals:
    """Returns the proposals of several parts as one."""
    first = parts[0]
    return Proposals.from_columns(
        [name for part in parts for name in part.ids],
        class_names=first.class_names,
        verdict=first.verdict,
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in (
                "ambiguity",
                "class_probabilities",
                "cluster",
                "cluster_probability",
                *(["embeddings"] if first.embeddings is not None else []),
            )
        },
    )


def without_model(ids: Sequence[str], class_names: Sequence[str]) -> Proposals:
    """Returns proposals that say nothing: each class is as likely, in one cluster."""
    n, k = len(ids), len(class_names)
    return Proposals(
        ids, np.ones(n), np.full((n, k), 1 / k), np.ones((n, 1)), class_names
    )
