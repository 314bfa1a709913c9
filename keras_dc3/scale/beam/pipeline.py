"""The pipeline: which stage takes what from which."""

from __future__ import annotations

from typing import Any

from keras_dc3.scale.beam.exchange import Exchange
from keras_dc3.scale.beam.installed import beam, inference
from keras_dc3.scale.beam.model_handler import ExportedModelHandler, Judged
from keras_dc3.scale.beam.repeats import later
from keras_dc3.scale.beam.stages import MARKS, Divide, Read, Write
from keras_dc3.scale.sources.source import Piece
from keras_dc3.scale.task import Task

_BATCHES = 8  # of a piece, which one worker reads at a time


class ScoreImages(beam.PTransform):
    """From a pipeline to a `Shard` of each file that is written.

    Args:
        asked: what to do.
        exchange: where machines find the model and leave shards.
        threads: of each worker, to decode with.
    """

    def __init__(self, asked: Task, exchange: Exchange, threads: int):
        super().__init__()
        self._asked, self._exchange, self._threads = asked, exchange, threads

    def expand(self, pipeline: Any) -> Any:
        """Returns the shards."""
        asked = self._asked
        read = self._read(pipeline)
        rows = read.batches | inference.RunInference(self._handler())
        rows |= "By shard" >> beam.Map(_with_shard).with_output_types(tuple[int, Any])
        if not asked.source.ids_differ:
            rows = (rows, self._repeated(read[MARKS])) | beam.Flatten()
        shards = rows | "Shards" >> beam.GroupByKey()
        return shards | beam.ParDo(Write(asked, self._exchange))

    def _read(self, pipeline: Any) -> Any:
        """Returns batches, and marks of all ids."""
        asked = self._asked
        listing, size = asked.manifest.source["listing"], _BATCHES * asked.batch_size
        pieces = (
            pipeline
            | "Parts" >> beam.Create(range(asked.source.parts))
            | "Each part" >> beam.Reshuffle()
            | beam.ParDo(Divide(asked.source, listing, size))
        )
        counts = pieces | beam.Map(_images_of) | beam.CombinePerKey(sum)
        return (
            pieces
            | "Each piece" >> beam.Reshuffle()
            | beam.ParDo(
                Read(asked, self._threads), beam.pvalue.AsDict(counts)
            ).with_outputs(MARKS, main="batches")
        )

    def _handler(self) -> ExportedModelHandler:
        manifest = self._asked.manifest
        embeddings = manifest.settings["embeddings"]
        fingerprint = manifest.model["fingerprint"]
        return ExportedModelHandler(self._exchange, embeddings, fingerprint)

    def _repeated(self, marks: Any) -> Any:
        """Returns (shard, position) of each image whose id stood there before."""
        size = self._asked.images_per_shard

        def with_shard(position: int) -> tuple[int, Any]:
            return position // size, position

        return (
            marks
            | "Same id" >> beam.GroupByKey()
            | beam.FlatMap(later)
            | beam.Map(with_shard).with_output_types(tuple[int, Any])
        )


def _images_of(piece: Piece) -> tuple[int, int]:
    return piece.part, piece.images


def _with_shard(judged: Judged) -> tuple[int, Judged]:
    return judged.batch.shard, judged
