"""A split of TensorFlow Datasets as a source, which is imported when one is opened."""

from __future__ import annotations

from collections.abc import Iterator

from keras_dc3._extras import tensorflow_datasets
from keras_dc3.scale.sources.source import Item, Sought, Source, as_text, digest

_IMAGES, _IDS = ("image",), ("id",)


class TfdsSplit(Source):
    """The images of a split, in its order; what is not prepared is prepared.

    Images of the size that the model takes are decoded by TensorFlow Datasets, as
    `datasets.from_tfds` has them; others stay encoded, to be brought to that size.

    Args:
        name: as for `tfds.load`.
        split: of it, such as "train" or "test[:10%]".
        image_shape: (h, w, c) that the model takes.
        image_column: the feature with the images; None for "image".
        id_column: the feature that names the image; None for "id", and where there is
            none for split and position, such as "train_00042".

    Raises:
        ImportError: without TensorFlow Datasets.
    """

    kind = "data set of TensorFlow Datasets"

    def __init__(
        self,
        name: str,
        split: str,
        image_shape: tuple[int, int, int],
        image_column: str | None,
        id_column: str | None,
    ):
        super().__init__()
        tfds = tensorflow_datasets(name)
        try:
            self._builder, self._split = tfds.builder(name), split
        except (ValueError, AssertionError) as error:
            reason = next(iter(str(error).strip().splitlines()), "").rstrip(".")
            raise ValueError(
                f"TensorFlow Datasets does not know {name!r} ({reason}). Correct the "
                "name, such as 'tfds:cifar10'; `tfds.list_builders()` has all of them."
            ) from error
        self._builder.download_and_prepare()
        features, place = self._builder.info.features, f"The data set {name!r}"
        sought = Sought("the images", image_column or "image", _IMAGES, "image_column")
        self._image = sought.needed_among(features, place)
        sought = Sought("the ids of images", id_column, _IDS, "id_column")
        self._id = sought.among(features, place)
        self._decoders = None
        if tuple(features[self._image].shape) != tuple(image_shape):
            self._decoders = {self._image: tfds.decode.SkipDecoding()}
        self._read = tfds.ReadConfig(try_autocache=False)
        splits = self._builder.info.splits
        try:
            self.total = splits[split].num_examples
        except (KeyError, ValueError) as error:
            raise ValueError(
                f"{place} has no split {split!r}; it has {sorted(splits)}. Name one of "
                "them as `split`, or a part of one, such as 'test[:10%]'."
            ) from error
        self.columns = {
            "image_column": self._image,
            "id_column": self._id,
            "split": split,
        }

    def fingerprint(self) -> str:
        """Returns what changes with the version of the data set and its files."""
        info = self._builder.info
        names = sorted(info.splits)
        parts = [
            (n, info.splits[n].num_bytes, info.splits[n].shard_lengths) for n in names
        ]
        return digest((info.full_name, self._split, *parts))

    def items(self, start: int) -> Iterator[Item]:
        """Yields the images of the split, from a position on."""
        import tensorflow_datasets as tfds

        examples = self._builder.as_dataset(
            split=self._split, decoders=self._decoders, read_config=self._read
        )
        for number, example in enumerate(tfds.as_numpy(examples.skip(start)), start):
            name, reason = f"{self._split}_{number:05d}", ""
            if self._id is not None:
                name, reason = as_text(example[self._id])
            image = None if reason else example[self._image]
            yield Item(name or f"{self._split}_{number:05d}", image, reason)
