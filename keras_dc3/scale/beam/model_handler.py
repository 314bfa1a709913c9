"""An exported model as Beam's `RunInference` asks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from keras_dc3.scale.beam.exchange import Exchange
from keras_dc3.scale.beam.installed import inference
from keras_dc3.scale.exported import ExportedModel
from keras_dc3.scale.reading import Batch
from keras_dc3.scale.shard_writer import rows_of


class Unjudged(NamedTuple):
    """Images that were decoded. position: of the first in the source. batch: they."""

    position: int
    batch: Batch

    def __len__(self) -> int:  # what `RunInference` counts
        return len(self.batch)


class Judged(NamedTuple):
    """What a model made of a batch.

    position: of its first image in the source. batch: now without pixels. rows: what is
    kept of the model's answer, name -> (n, ...).
    """

    position: int
    batch: Batch
    rows: dict[str, np.ndarray]


class ExportedModelHandler(inference.ModelHandler):
    """Judges batches as they were read, so that their size is bounded and known.

    Args:
        exchange: where the exported model is found.
        embeddings: whether it is to answer with embeddings, too.
        fingerprint: of the model that is meant.
    """

    def __init__(self, exchange: Exchange, embeddings: bool, fingerprint: str):
        super().__init__()
        self._exchange, self._embeddings = exchange, embeddings
        self._fingerprint = fingerprint

    def load_model(self) -> ExportedModel:
        """Returns the model, loaded, once in each process.

        Raises:
            ValueError, OSError: if this machine does not have the one that is meant.
        """
        with self._exchange.model() as folder:
            model = ExportedModel(folder, self._embeddings)
            if model.fingerprint() != self._fingerprint:
                raise ValueError(
                    f"The model in {folder!r} of this machine is another one than "
                    "where the pipeline was begun. Give all machines the same folder."
                )
            model.load()
        return model

    def run_inference(
        self,
        batch: Unjudged,
        model: ExportedModel,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[Judged]:
        """Yields what the model makes of one batch."""
        position, decoded = batch
        without_pixels = replace(decoded, images=decoded.images[:0].copy())
        yield Judged(position, without_pixels, rows_of(model(decoded.images)))

    def should_skip_batching(self) -> bool:
        """Whether batches come as they are to be judged."""
        return True

    def get_num_bytes(self, batch: Unjudged) -> int:
        """Returns how large the images of a batch are."""
        return batch.batch.images.nbytes

    def get_metrics_namespace(self) -> str:
        """Returns where the times of the model stand among Beam's metrics."""
        return "keras_dc3"
