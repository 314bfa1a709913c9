"""What the workers of a pipeline do: divide a source, read pieces, write shards."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from keras_dc3.proposals.shards import Shard
from keras_dc3.scale.beam.exchange import Exchange
from keras_dc3.scale.beam.installed import beam
from keras_dc3.scale.beam.model_handler import Judged, Unjudged
from keras_dc3.scale.beam.repeats import without
from keras_dc3.scale.known_ids import mark
from keras_dc3.scale.manifest import versions
from keras_dc3.scale.reading import ReadAhead
from keras_dc3.scale.shard_writer import ShardWriter
from keras_dc3.scale.sources.source import Item, Piece, Source
from keras_dc3.scale.task import Task

MARKS = "marks"  # the output of `Read` with what tells ids apart
METRICS = "keras_dc3"  # where the counters stand


class Divide(beam.DoFn):
    """Divides parts of a source into pieces.

    Args:
        source: of the images.
        listing: its fingerprint where the pipeline was begun.
        size: about how many images a piece is to have.
    """

    def __init__(self, source: Source, listing: str, size: int):
        self._source, self._listing, self._size = source, listing, size
        self._known = False

    def process(self, part: int) -> Iterator[Piece]:
        """Yields the pieces of a part."""
        if not self._known and self._source.fingerprint() != self._listing:
            raise ValueError(
                f"The {self._source.kind} of this machine is another than where the "
                "pipeline was begun, or has changed since. Give all machines the same "
                "source, and leave it as it is."
            )
        self._known = True
        yield from self._source.pieces(part, self._size)


class Read(beam.DoFn):
    """Reads and decodes pieces, batch by batch; no batch is of two shards.

    Args:
        asked: what to do.
        threads: to decode with.
    """

    def __init__(self, asked: Task, threads: int):
        self._source, self._decoder, self._threads = (
            asked.source,
            asked.decoder,
            threads,
        )
        self._batch_size = asked.batch_size
        self._images_per_shard = asked.images_per_shard
        self._expected = asked.manifest.versions

    def setup(self) -> None:
        """Raises ValueError where other versions are installed."""
        found = versions()
        if found != self._expected:
            told = ", ".join(
                f"{name} {found[name]} instead of {version}"
                for name, version in self._expected.items()
                if found[name] != version
            )
            raise ValueError(
                f"A worker has {told}. Install the same versions on all machines."
            )

    def process(self, piece: Piece, counts: dict[int, int]) -> Iterator[object]:
        """Yields the batches of a piece, and marks of its ids.

        Args:
            piece: of the source.
            counts: part -> how many images it has.
        """
        before = sum(counts.get(part, 0) for part in range(piece.part))
        taken: deque[tuple[int, list[Item]]] = deque()
        parts = self._parts(piece, before + piece.start, taken)
        with ReadAhead(parts, self._decoder, self._threads) as batches:
            for batch in batches:
                position, items = taken.popleft()
                if not self._source.ids_differ:
                    for place, item in enumerate(items, position):
                        key = mark(item.id).to_bytes(8, "little")
                        known = (place, bool(item.reason))
                        yield beam.pvalue.TaggedOutput(MARKS, (key, known))
                yield Unjudged(position, batch)

    def _parts(
        self, piece: Piece, position: int, taken: deque
    ) -> Iterator[tuple[int, list[Item]]]:
        """Yields (shard, items) of each batch, and notes (position, items) of it."""
        items = self._source.read(piece)
        while True:
            shard, done = divmod(position, self._images_per_shard)
            size = min(self._batch_size, self._images_per_shard - done)
            part = list(islice(items, size))
            if not part:
                return
            taken.append((position, part))
            yield shard, part
            position += len(part)


class Write(beam.DoFn):
    """Writes a shard, at once or not at all; done again, it is the same.

    Args:
        asked: what to do.
        exchange: where shards are left.
    """

    def __init__(self, asked: Task, exchange: Exchange):
        self._exchange, self._run = exchange, asked.manifest.run
        self._class_names, self._verdict = asked.model.class_names, asked.model.verdict
        self._max_failed = asked.max_failed
        self._count = {
            name: beam.metrics.Metrics.counter(METRICS, name)
            for name in ("images", "certain", "ambiguous", "failed")
        }

    def process(self, shard: tuple[int, Iterable[Judged | int]]) -> Iterator[Shard]:
        """Writes a shard, and yields what it says of itself.

        Args:
            shard: its number; and its batches, and the positions of images whose id
                stood there before, in any order.
        """
        number, values = shard
        repeated, judged = set(), []
        for value in values:
            if isinstance(value, int):
                repeated.add(value)
            else:
                judged.append(value)
        writer = ShardWriter(self._run, number, self._class_names, self._verdict)
        for one in sorted(judged, key=lambda one: one.position):
            writer.add(*without(one, repeated))
        writer.check(self._max_failed, writer.images)
        written = self._exchange.write(writer)
        failed = len(written.failed)
        self._count["images"].inc(written.images)
        self._count["certain"].inc(written.certain)
        self._count["ambiguous"].inc(written.images - written.certain - failed)
        self._count["failed"].inc(failed)
        yield written
