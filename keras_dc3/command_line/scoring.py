"""The command `score`: flags of `keras_dc3.scale.score`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from absl.flags import FlagValues

from keras_dc3.command_line.command import Command, Flags
from keras_dc3.data.decoding import FITS
from keras_dc3.scale import ScoreSummary, score


def _define(of: Flags) -> None:
    of.text("to", None, "The folder to write to; made if missing.")
    of.switch("embeddings", "Write the embedding of each image, too.")
    of.whole("batch_size", 128, "Images that the model sees at once.")
    about = "Images of a file; a run that is killed loses as many at most."
    of.whole("images_per_shard", 8192, about)
    of.text(
        "image_column",
        None,
        "Column of a table, or feature of records or a data set, with the image or its "
        "path; else one of the usual names, such as image.",
    )
    about = "Likewise with the id; else such as id, and paths are their own ids."
    of.text("id_column", None, about)
    of.text("split", None, "Of a data set of TensorFlow Datasets; else train.")
    of.choice("fit", "resize", FITS, "How images of another size get that of training.")
    of.items(
        "value_range",
        "In images of more than 8 bits per value, what is black and what is white, as "
        "in training, such as 0,4095.",
    )
    about = "Share of the images of a file that may fail before the run stops."
    of.number("max_failed", 0.5, about, 0.0, 1.0)
    of.whole(
        "threads",
        None,
        "To decode images with; else one per core, of a pipeline one per worker.",
    )
    about = (
        "Many machines: the runner of Apache Beam, such as FlinkRunner. Its further "
    )
    about += "options stand at the end, behind --."
    of.text("runner", None, about)
    about = "Of a pipeline: address of a folder, such as gs://bucket/temporary, that "
    about += "model and result go through where machines share no file system."
    of.text("through", None, about)


def range_of(given: Sequence[str] | None) -> tuple[float, ...] | None:
    """Returns the numbers of the flag `--value_range`."""
    if given is None:
        return None
    try:
        return tuple(map(float, given))
    except ValueError as error:
        raise ValueError(
            "`--value_range` must be two numbers, such as 0,4095. Received: "
            f"{','.join(given)}"
        ) from error


def _score(words: Sequence[str], values: FlagValues) -> ScoreSummary:
    places = [i for i, word in enumerate(words) if word.startswith("-")]
    first = places[0] if places else len(words)  # what stood behind `--` is Beam's
    words, options = words[:first], list(words[first:])
    if values.runner is not None:
        options.insert(0, f"--runner={values.runner}")
    if len(words) < 2:
        raise ValueError(
            "Name the exported model and the images: `keras-dc3 score MODEL SOURCE "
            f"--to FOLDER`. Received: {' '.join(words) or 'nothing'}"
        )
    if not values.to:
        raise ValueError("`--to` must name the folder to write to.")
    model, *source = words
    given = {
        "embeddings": values.embeddings,
        "batch_size": values.batch_size,
        "images_per_shard": values.images_per_shard,
        "image_column": values.image_column,
        "id_column": values.id_column,
        "fit": values.fit,
        "value_range": range_of(values.value_range),
        "max_failed": values.max_failed,
    }
    if not options:
        given |= {"split": values.split, "threads": values.threads}
        if values.through is not None:
            raise ValueError("`--through` is of a pipeline: name its `--runner`.")
        return score(model, source, values.to, **given)
    if values.split is not None:
        raise ValueError("`--split` is of a data set, which Beam does not read here.")
    given |= {"threads": values.threads or 1, "through": values.through}
    return _by_beam(model, source, values.to, options, given)


def _by_beam(
    model: str,
    source: Sequence[str],
    folder: str,
    options: Sequence[str],
    given: dict[str, Any],
) -> ScoreSummary:
    from keras_dc3.scale import beam

    try:
        return beam.score(model, source, folder, options, **given)
    except RuntimeError as error:
        raise ValueError(str(error)) from error


SCORE = Command(
    "score",
    "what an exported model makes of any number of images",
    "Writes Parquet files of proposals as it goes, without a project. SOURCE is a "
    "folder of images; TFRecord, Parquet or CSV files; or tfds:NAME. Called again, it "
    "goes on where it was stopped. With --runner it is a pipeline of Apache Beam on "
    "many machines, which writes the folder as a whole, at the end.",
    _define,
    _score,
    words="MODEL SOURCE [SOURCE ...]",
    stopped="What is finished is kept, but of a pipeline; call it again to go on.",
)
