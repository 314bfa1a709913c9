"""Scores the images of a source by an exported model, shard by shard."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from itertools import count, islice

from keras_dc3._locking import locked
from keras_dc3._text import number_of
from keras_dc3._validation import check_positive_int, check_writable_folder
from keras_dc3._writing import file_path
from keras_dc3.data.opened_images import MAX_PIXELS
from keras_dc3.proposals import shards
from keras_dc3.scale.concluding import begin_summary, conclude
from keras_dc3.scale.known_ids import TWICE, KnownIds
from keras_dc3.scale.place import LOCK, WORK, check_place
from keras_dc3.scale.progress import Progress
from keras_dc3.scale.reading import ReadAhead
from keras_dc3.scale.shard_writer import ShardWriter, TooManyFailed, rows_of
from keras_dc3.scale.sources.source import Item
from keras_dc3.scale.summary import ScoreSummary
from keras_dc3.scale.task import Task, task


def score(
    model: str | os.PathLike,
    source: str | os.PathLike | Sequence[str | os.PathLike],
    folder: str | os.PathLike,
    *,
    embeddings: bool = False,
    batch_size: int = 128,
    images_per_shard: int = 8192,
    image_column: str | None = None,
    id_column: str | None = None,
    split: str | None = None,
    fit: str = "resize",
    background: int | Sequence[int] = 255,
    value_range: Sequence[float] | None = None,
    max_pixels: int | None = MAX_PIXELS,
    max_failed: float = 0.5,
    threads: int | None = None,
    verbose: bool = True,
) -> ScoreSummary:
    """Writes what an exported model proposes for any number of images.

    Proposals go to `part-00000.parquet` and so on, with the columns of
    `Proposals.to_parquet`, each file whole or not there. `Proposals.from_parquet` reads
    one of them, or the folder where all fit into memory. Memory holds one shard, three
    batches, and of each image at most its path (of a folder) or eight bytes; of a
    Parquet file with images a group of rows, too.

    Stopped at any moment, the same call goes on: which images a shard has follows from
    the source alone, so that finished ones are skipped, and those found cut off or
    damaged are written again. `manifest.json` pins model, source, settings and versions
    of a run, and holds a checksum of each finished shard; another run into the same
    folder is refused, and one process at a time works there.

    Images are read as by `data.read_image`, and brought to the size and channels that
    the model takes. Of images of more than 8 bits `value_range` must say what is black
    and white, as nothing in an export does. One that cannot be read, or whose id stood
    there before, is counted and listed in `failed.csv`, and the run goes on, unless
    more than a share of a shard fails.

    Args:
        model: the folder that `model.export(folder)` wrote.
        source: a folder of images, whose ids are those of `datasets.from_directory`;
            TFRecord files of `tf.train.Example`s with an encoded image and an id;
            Parquet files of encoded images with ids, or of paths; CSV files of paths,
            which count from the folder of the table; or "tfds:NAME". Files are named as
            one, several or a pattern, such as "fish-*.tfrecord". Addresses, such as
            "gs://bucket/fish", are read through fsspec (extra `remote`).
        folder: to write to; made if missing.
        embeddings: whether to write them, too.
        batch_size: images that the model sees at once.
        images_per_shard: images of a file; a run that is killed loses as many at most.
        image_column: column of a table, or feature of records or a data set, with the
            image or its path. Default: one of the usual names, such as "image".
        id_column: likewise with the id. Default: such as "id"; without one, paths are
            their own ids, and images of TFDS are called by split and position.
        split: of a data set of TFDS; default "train".
        fit, background: what to do with images of another size, as in training; see
            `datasets.from_directory`.
        value_range: (low, high), the stored values that become black and white in
            images of more than 8 bits, such as `stored_range` of those in training.
        max_pixels: most pixels of an image file; None for no limit.
        max_failed: share of the images of a shard that may fail, 0 to 1. It may be
            another when the run is gone on with, and so may `threads`.
        threads: to decode with; default one per core, 16 at most.
        verbose: whether to show how far it is.

    Returns:
        A `ScoreSummary`: `print` it.

    Raises:
        ImportError: without pyarrow, Pillow, or what the source needs.
        TypeError, ValueError: if an argument does not fit, the folder belongs to
            another run, or too many images fail.
        OSError: if something is not there, cannot be written, or another process works
            in the folder.

    Example:

    >>> backbone = keras_dc3.backbones.small_cnn(data.image_shape, filters=2)
    >>> trained = keras_dc3.DC3Model(backbone, num_classes=2)
    >>> trained.build((None, *data.image_shape))  # as `fit` does
    >>> trained.export("exported")
    >>> summary = keras_dc3.scale.score("exported", "fish", "scores", verbose=False)
    >>> summary.images, summary.failed
    (60, 0)
    >>> len(keras_dc3.Proposals.from_parquet("scores"))
    60
    """
    threads = min(os.cpu_count() or 1, 16) if threads is None else threads
    check_positive_int("threads", threads)
    asked = task(
        model,
        source,
        embeddings=embeddings,
        batch_size=batch_size,
        images_per_shard=images_per_shard,
        image_column=image_column,
        id_column=id_column,
        split=split,
        fit=fit,
        background=background,
        value_range=value_range,
        max_pixels=max_pixels,
        max_failed=max_failed,
    )
    path = os.path.abspath(file_path(folder))
    check_place(path, asked)
    check_writable_folder(path)
    with locked(os.path.join(path, LOCK), WORK):
        asked.manifest.pin(path)
        run = _Run(path, asked)
        run.look()
        try:
            run.go_on(threads, verbose)
        except TooManyFailed as error:
            raise TooManyFailed(f"{error} What is finished is kept.") from error
        conclude(run.summary, asked.manifest.run)
        return run.summary


class _Run:
    """A run, in its folder, which this process has locked."""

    def __init__(self, folder: str, asked: Task):
        self._folder, self._asked = folder, asked
        self._run, self._model = asked.manifest.run, asked.model
        self._source, self._size = asked.source, asked.images_per_shard
        self._checksums = shards.checksums_in(folder)
        self._finished: set[int] = set()
        self.summary = begin_summary(folder)

    def _path(self, number: int) -> str:
        return os.path.join(self._folder, shards.name_of(number))

    def look(self) -> None:
        """Finds the shards that are finished, and those that are damaged.

        Raises:
            ValueError: if one is of another run.
        """
        damaged, known = [], dict(self._checksums)
        for number in shards.numbers_in(self._folder):
            path, name = self._path(number), shards.name_of(number)
            try:
                shard = shards.look_into(path)
            except ValueError:
                damaged.append(name)
                continue
            shard.check_place(path, self._run, number)
            checksum = shards.checksum_of(path)
            # A process that was killed may have written a shard, and not that it had.
            if self._checksums.setdefault(name, checksum) != checksum:
                damaged.append(name)
                continue
            self._finished.add(number)
            self.summary.add(shard)
        if self._checksums != known:
            self._asked.manifest.keep(self._folder, self._checksums)
        self.summary.found = self.summary.images
        self.summary.rewritten = tuple(damaged)

    def go_on(self, threads: int, verbose: bool) -> None:
        """Scores what is not finished."""
        if self._is_finished():
            return
        total = self._source.total
        left = None if total is None else total - self.summary.found
        self._model.load()
        progress = Progress(verbose, left)
        begun = time.perf_counter()
        with ReadAhead(self._parts(), self._asked.decoder, threads) as batches:
            writer = None
            for batch in batches:
                if writer is not None and writer.number != batch.shard:
                    self._write(writer)
                    writer = None
                writer = writer or self._writer(batch.shard)
                start = time.perf_counter()
                writer.add(batch, rows_of(self._model(batch.images)))
                self.summary.in_model += time.perf_counter() - start
                self.summary.add_frames(batch.frames)
                writer.check(self._asked.max_failed, self._size)
                progress.add(len(batch.ids) + len(batch.failed))
            if writer is not None:
                self._write(writer)
        self.summary.waiting = batches.waited
        self.summary.seconds = time.perf_counter() - begun
        progress.end()

    def _is_finished(self) -> bool:
        """Whether no shard is left to be written."""
        if self.summary.found == self._source.total:
            return True
        if self._source.total is not None:
            return False
        try:
            with open(os.path.join(self._folder, shards.SUMMARY), "rb") as file:
                images = json.load(file)["images"]
        except (OSError, ValueError, KeyError, TypeError):
            return False
        return self.summary.found == images

    def _writer(self, number: int) -> ShardWriter:
        model = self._model
        return ShardWriter(self._run, number, model.class_names, model.verdict)

    def _write(self, writer: ShardWriter) -> None:
        writer.check(self._asked.max_failed, writer.images)
        begun = time.perf_counter()
        try:
            shard = writer.write(self._folder)
            self._checksums[shards.name_of(shard.number)] = shard.checksum
            self._asked.manifest.keep(self._folder, self._checksums)
            self.summary.add(shard)
        except OSError as error:
            raise OSError(
                error.errno,
                f"{error.strerror or error} Finished shards with "
                f"{number_of(self.summary.images, 'image')} are kept; call it again to "
                "go on.",
            ) from error
        self.summary.writing += time.perf_counter() - begun

    def _parts(self) -> Iterator[tuple[int, list[Item]]]:
        """Yields (number of the shard, items) of each batch that is to be scored."""
        known = None if self._source.ids_differ else KnownIds()
        items: Iterator[Item] | None = None
        for number in count():
            if number in self._finished:
                items = None
                if known is not None:
                    known.repeated(self._ids_of(number))
                continue
            if items is None:
                items = self._source.items(number * self._size)
            batch_size = self._asked.batch_size
            for start in range(0, self._size, batch_size):
                wanted = min(batch_size, self._size - start)
                part = list(islice(items, wanted))
                if part:
                    yield number, _told_apart(part, known)
                if len(part) < wanted:
                    return

    def _ids_of(self, number: int) -> list[str]:
        """Returns the ids of a finished shard, those of failed images included."""
        failed = shards.look_into(self._path(number)).failed
        return [*shards.ids_of(self._path(number)), *(name for name, _ in failed)]


def _told_apart(items: list[Item], known: KnownIds | None) -> list[Item]:
    """Returns items of which those whose id stood there before are known to fail."""
    if known is not None:
        for row, repeated in enumerate(known.repeated([item.id for item in items])):
            if repeated and not items[row].reason:
                items[row] = Item(items[row].id, None, TWICE)
    return items
