"""The rows of one shard, collected batch by batch and written as a whole."""

from __future__ import annotations

import os

import numpy as np

from keras_dc3._decision import is_certain
from keras_dc3.metrics import Verdict
from keras_dc3.proposals import parquet_format, shards
from keras_dc3.proposals.data import ProposalData
from keras_dc3.proposals.shards import Shard
from keras_dc3.scale.reading import Batch

_FEW = 20  # images of a last shard, of which any number may fail
_NO_ANSWER = "the model's answer to it is not a number"


class TooManyFailed(ValueError):
    """More images of a shard failed than may."""


def rows_of(outputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns what is kept of a model's answer: column or columns -> (n, ...)."""
    clusters = outputs["cluster_probabilities"]
    rows = {
        "ambiguity": outputs["ambiguity"],
        "class_probabilities": outputs["class_probabilities"],
        "cluster": clusters.argmax(axis=1),
        "cluster_probability": clusters.max(axis=1),
    }
    if "embeddings" in outputs:
        rows["embeddings"] = outputs["embeddings"]
    return rows


class ShardWriter:
    """Collects what a model says of the images of one shard.

    Args:
        run: the fingerprint of the run.
        number: of the shard.
        class_names: of the model's classes.
        verdict: on the model, or None.
    """

    def __init__(
        self, run: str, number: int, class_names: list[str], verdict: Verdict | None
    ):
        self.run, self.number = run, number
        self._class_names, self._verdict = class_names, verdict
        self._ids: list[str] = []
        self._parts: dict[str, list[np.ndarray]] = {}
        self.failed: list[tuple[str, str]] = []

    def add(self, batch: Batch, rows: dict[str, np.ndarray]) -> None:
        """Adds a batch, and what is kept of the model's answer to it (`rows_of`)."""
        bad = np.zeros(len(batch.ids), bool)
        for values in rows.values():
            bad |= ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        self.failed += batch.failed
        for name, is_bad in zip(batch.ids, bad, strict=True):
            if is_bad:
                self.failed.append((name, _NO_ANSWER))
            else:
                self._ids.append(name)
        for name, values in rows.items():
            self._parts.setdefault(name, []).append(values[~bad])

    @property
    def images(self) -> int:
        """How many images were added, with those that failed."""
        return len(self._ids) + len(self.failed)

    def check(self, most: float, expected: int) -> None:
        """Raises TooManyFailed if more than a share of the shard's images failed.

        Args:
            most: the share.
            expected: how many images the shard has, or may have.
        """
        is_few = self.number > 0 and expected < _FEW
        if len(self.failed) <= most * expected or is_few:
            return
        listed = "; ".join(f"{name!r} ({why})" for name, why in self.failed[:3])
        raise TooManyFailed(
            f"{len(self.failed):,} of {self.images:,} images in a row cannot be "
            f"judged, such as {listed}. That is no accident, so the run stops. Remove "
            "the cause and call it again, or allow more by `max_failed`, a share."
        )

    def write(self, folder: str) -> Shard:
        """Writes the shard, at once or not at all.

        Returns:
            What it says of itself, with its checksum, which belongs into the manifest
            (`Manifest.keep`).

        Raises:
            OSError: if it cannot be written.
        """
        parts = {name: np.concatenate(rows) for name, rows in self._parts.items()}
        data = ProposalData.from_columns(
            self._ids, class_names=self._class_names, verdict=self._verdict, **parts
        )
        certain = int(is_certain(data.ambiguity).sum())
        about = (self.run, self.number, self.images, certain, tuple(self.failed))
        shard = Shard(*about)
        path = os.path.join(folder, shards.name_of(self.number))
        checksum = parquet_format.write(data, path, shard.metadata())
        return shard._replace(checksum=checksum)
