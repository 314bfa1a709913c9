"""What a run is to do: checked, and pinned, before anything is read or written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from keras_dc3._validation import (
    check_choice,
    check_positive_int,
    check_probability,
)
from keras_dc3.data.decoding import FITS
from keras_dc3.scale.exported import ExportedModel
from keras_dc3.scale.manifest import Manifest, versions
from keras_dc3.scale.reading import Decoder
from keras_dc3.scale.sources.opening import open_source
from keras_dc3.scale.sources.source import Source


@dataclass(frozen=True)
class Task:
    """A model, the images that it is to judge, and how.

    Attributes:
        model: not yet loaded.
        source: of the images.
        decoder: makes arrays of them.
        manifest: pins all of it.
        max_failed: share of the images of a shard that may fail.
    """

    model: ExportedModel
    source: Source
    decoder: Decoder
    manifest: Manifest
    max_failed: float

    @property
    def images_per_shard(self) -> int:
        """How many images a shard stands for, but the last."""
        return self.manifest.settings["images_per_shard"]

    @property
    def batch_size(self) -> int:
        """How many images the model sees at once."""
        return self.manifest.settings["batch_size"]


def task(
    model: str | os.PathLike,
    source: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    embeddings: bool,
    batch_size: int,
    images_per_shard: int,
    image_column: str | None,
    id_column: str | None,
    split: str | None,
    fit: str,
    background: int | Sequence[int],
    value_range: Sequence[float] | None,
    max_pixels: int | None,
    max_failed: float,
) -> Task:
    """Returns what is asked for by arguments of `scale.score`.

    Raises:
        ImportError: without what the source needs.
        TypeError, ValueError, OSError: if an argument does not fit, or something is not
            there.
    """
    check_positive_int("batch_size", batch_size)
    check_positive_int("images_per_shard", images_per_shard)
    check_probability("max_failed", max_failed)
    check_choice("fit", fit, FITS)
    exported = ExportedModel(model, bool(embeddings))
    shape = exported.image_shape
    decoder = Decoder(
        shape,
        fit=fit,
        background=background,
        value_range=value_range,
        max_pixels=max_pixels,
    )
    images = open_source(source, shape, image_column, id_column, split)
    manifest = Manifest(
        {"fingerprint": exported.fingerprint(), "class_names": exported.class_names},
        {"kind": images.kind, "images": images.total, "listing": images.fingerprint()},
        {
            "embeddings": bool(embeddings),
            "batch_size": batch_size,
            "images_per_shard": images_per_shard,
            **images.columns,
            **decoder.settings,
        },
        versions(),
    )
    return Task(exported, images, decoder, manifest, max_failed)
