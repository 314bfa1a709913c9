"""Scores the images of a source by a pipeline, and puts the result in its place."""

from __future__ import annotations

import os
import re
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from keras_dc3._validation import check_positive_int
from keras_dc3._writing import file_path, whole_path
from keras_dc3.data.opened_images import MAX_PIXELS
from keras_dc3.proposals import shards
from keras_dc3.scale.beam.exchange import Exchange, SharedFolder, Store
from keras_dc3.scale.beam.installed import beam, pipeline_options
from keras_dc3.scale.beam.pipeline import ScoreImages
from keras_dc3.scale.concluding import begin_summary, conclude
from keras_dc3.scale.place import check_place
from keras_dc3.scale.sources.opening import TFDS
from keras_dc3.scale.sources.places import is_address
from keras_dc3.scale.summary import ScoreSummary
from keras_dc3.scale.task import Task, task

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions


def score(
    model: str | os.PathLike,
    source: str | os.PathLike | Sequence[str | os.PathLike],
    folder: str | os.PathLike,
    options: PipelineOptions | Sequence[str] = (),
    *,
    embeddings: bool = False,
    batch_size: int = 128,
    images_per_shard: int = 8192,
    image_column: str | None = None,
    id_column: str | None = None,
    fit: str = "resize",
    background: int | Sequence[int] = 255,
    value_range: Sequence[float] | None = None,
    max_pixels: int | None = MAX_PIXELS,
    max_failed: float = 0.5,
    threads: int = 1,
    through: str | None = None,
) -> ScoreSummary:
    """Writes what `scale.score` writes, by a pipeline of Apache Beam on any runner.

    It waits for the end of the pipeline. `folder` appears then, as a whole, with the
    files of `scale.score`: the same rows in the same files, but for the noise of
    floating point. What killed workers had begun the runner has done again. Where the
    call itself is killed, nothing is at `folder`, and the same call begins anew.

    All machines have the same versions of Python and of the packages, and find the
    images under the same names or addresses. Model and result go through a store that
    all reach (`through`), or through a file system that all share, in which the model
    and the folder that `folder` is made in have the same names everywhere. Other than
    by `scale.score`, a data set of TensorFlow Datasets is refused.

    Counters `images`, `certain`, `ambiguous` and `failed`, and the times of the model,
    are among Beam's metrics, in "keras_dc3".

    Args:
        model, source: as for `scale.score`, but "tfds:NAME".
        folder: to write; new or empty.
        options: Beam's, such as `["--runner=FlinkRunner"]`. Default: those of Beam,
            which runs in this process.
        embeddings, batch_size, images_per_shard, image_column, id_column, fit,
            background, value_range, max_pixels, max_failed: as for `scale.score`.
        threads: of each worker, to decode with; images in stores want more.
        through: address of a folder in a store, such as "gs://bucket/temporary", that
            model and result go through; what is put there is removed in the end.
            Needs fsspec (extra `remote`).

    Returns:
        A `ScoreSummary`: `print` it.

    Raises:
        ImportError: without Apache Beam, pyarrow, Pillow, or what the source needs.
        TypeError, ValueError: if an argument does not fit, or the folder holds files.
        OSError: if something is not there, or cannot be written.
        RuntimeError: if the pipeline fails, such as where too many images do.

    Example:

    >>> import keras_dc3.scale.beam
    >>> backbone = keras_dc3.backbones.small_cnn(data.image_shape, filters=2)
    >>> trained = keras_dc3.DC3Model(backbone, num_classes=2)
    >>> trained.build((None, *data.image_shape))  # as `fit` does
    >>> trained.export("exported")
    >>> summary = keras_dc3.scale.beam.score("exported", "fish", "beam-scores")
    >>> summary.images, summary.failed
    (60, 0)
    >>> len(keras_dc3.Proposals.from_parquet("beam-scores"))
    60
    """
    check_positive_int("threads", threads)
    asked = task(
        _absolute(model),
        _absolute(source),
        embeddings=embeddings,
        batch_size=batch_size,
        images_per_shard=images_per_shard,
        image_column=image_column,
        id_column=id_column,
        split=None,
        fit=fit,
        background=background,
        value_range=value_range,
        max_pixels=max_pixels,
        max_failed=max_failed,
    )
    parsed = _parsed(options)
    target = os.path.abspath(file_path(folder))
    check_place(target, asked)
    _check_new(target)
    begun = time.perf_counter()
    with whole_path(target, folder=True) as temporary:
        os.mkdir(temporary)
        asked.manifest.pin(temporary)
        with _exchange(asked.model.folder, temporary, through) as exchange:
            _run(ScoreImages(asked, exchange, threads), parsed)
            exchange.collect()
        summary = _concluded(temporary, asked)
        _check_new(target)  # somebody may have written there meanwhile
    seconds = time.perf_counter() - begun
    failed_file = os.path.join(target, os.path.basename(summary.failed_file))
    return replace(summary, folder=target, failed_file=failed_file, seconds=seconds)


def _absolute(source: Any) -> Any:
    """Returns names of files as workers find them, whose working folder is another.

    Raises:
        ValueError: if a data set of TensorFlow Datasets is named.
    """
    if isinstance(source, str | os.PathLike):
        name = os.fspath(source)
        if name.startswith(TFDS):
            raise ValueError(
                f"{name!r} is read by one machine alone, by `keras_dc3.scale.score`. "
                "Name the TFRecord files of the data set."
            )
        return os.path.abspath(name) if name and not is_address(name) else name
    if isinstance(source, Sequence) and not isinstance(source, bytes):
        return [_absolute(name) for name in source]
    return source  # to be refused


def _parsed(options: Any) -> Any:
    """Returns Beam's options.

    Raises:
        TypeError, ValueError: if there are no such.
    """
    if isinstance(options, pipeline_options.PipelineOptions):
        return options
    is_list = isinstance(options, Sequence) and not isinstance(options, str | bytes)
    if not is_list or not all(isinstance(flag, str) for flag in options):
        raise TypeError(
            "`options` must be Beam's `PipelineOptions`, or a list of its flags, such "
            f"as ['--runner=DirectRunner']. Received: {options!r}"
        )
    parsed = pipeline_options.PipelineOptions(list(options))
    try:
        known = parsed.get_all_options()
        unknown = sorted(
            {*parsed.get_all_options(retain_unknown_options=True)} - {*known}
        )
    except SystemExit as error:  # of `argparse`, which has printed why
        raise ValueError(
            f"Beam does not take the options {' '.join(options)!r}, as it says above."
        ) from error
    if unknown:
        warnings.warn(
            f"Beam does not know the options {', '.join(unknown)}. They are handed to "
            "the runner, which may ignore them.",
            stacklevel=3,
        )
    return parsed


@contextmanager
def _exchange(model: str, folder: str, through: str | None) -> Iterator[Exchange]:
    """Gives where machines find the model and leave shards, and clears it away."""
    exchange = SharedFolder(model, folder)
    if through is not None:
        exchange = Store(model, folder, through)
    try:
        exchange.begin()
        yield exchange
    finally:
        exchange.end()


def _check_new(folder: str) -> None:
    """Raises ValueError if there are files in a folder."""
    if os.path.isdir(folder) and os.listdir(folder):
        raise ValueError(
            f"{folder!r} holds files, and a pipeline writes it as a whole. Name a new "
            "folder, or empty this one."
        )


def _run(scoring: ScoreImages, options: Any) -> None:
    """Runs a pipeline to its end.

    Raises:
        RuntimeError: if it fails; the message is that of the worker where it did.
    """
    try:
        pipeline = beam.Pipeline(options=options)
        _ = pipeline | scoring
        state = pipeline.run().wait_until_finish()
    except Exception as error:
        raise RuntimeError(f"The pipeline failed. {_reason(error)}") from error
    if state != beam.runners.runner.PipelineState.DONE:
        raise RuntimeError(f"The pipeline ended as {state}, without a result.")


def _reason(error: Exception) -> str:
    """Returns what an error says, without the trace and the stage that Beam adds."""
    text = re.sub(r" \[while running '.*?'\]", "", str(error)).strip()
    *trace, said = text.splitlines() or [type(error).__name__]
    return re.sub(r"^[\w.]+: ", "", said) if trace else said


def _concluded(folder: str, asked: Task) -> ScoreSummary:
    """Returns the summary of what a pipeline has written, after it was completed."""
    summary = begin_summary(folder)
    checksums = {}
    for place, number in enumerate(shards.numbers_in(folder)):
        name = shards.name_of(number)
        path = os.path.join(folder, name)
        shard = shards.look_into(path)
        if (shard.run, shard.number) != (asked.manifest.run, place):
            raise RuntimeError(f"{shards.name_of(place)!r} is missing in {folder!r}.")
        checksums[name] = shards.checksum_of(path)
        summary.add(shard)
    asked.manifest.keep(folder, checksums)
    conclude(summary, asked.manifest.run)
    return summary
