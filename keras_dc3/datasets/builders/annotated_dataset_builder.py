"""What the builders have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from keras_dc3.data.annotated_images import AnnotatedImages

_CHUNK = 256  # images read together


class AnnotatedBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Images with what annotators said about them.

    A subclass says what they are, by `_about`, and reads them, by `_read`.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First release."}

    @abstractmethod
    def _read(self, folder: str) -> Mapping[str, AnnotatedImages]:
        """Returns the images of each split, from the folder of manual downloads."""

    def _describe(
        self,
        image_shape: tuple[int, int, int],
        classes: Sequence[str] | int,
        homepage: str,
        description: str,
    ) -> tfds.core.DatasetInfo:
        """Returns the info of the data set; `classes` are names or their number."""
        number = classes if isinstance(classes, int) else len(classes)
        names = None if isinstance(classes, int) else list(classes)
        features = {
            "image": tfds.features.Image(shape=image_shape),
            "id": tfds.features.Text(doc="Names the image, everywhere."),
            "label": tfds.features.ClassLabel(
                num_classes=None if names else number,
                names=names,
                doc="The class most people chose; -1 if nobody was asked.",
            ),
            "counts": tfds.features.Tensor(
                shape=(number,), dtype=np.int64, doc="How many people chose each class."
            ),
            "soft_label": tfds.features.Tensor(
                shape=(number,),
                dtype=np.float32,
                doc="The counts divided by their sum; NaN if nobody was asked.",
            ),
        }
        return tfds.core.DatasetInfo(
            builder=self,
            description=description,
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            homepage=homepage,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> Any:
        folder = str(dl_manager.manual_dir)
        try:
            splits = self._read(folder)
        except FileNotFoundError as error:
            how = " ".join(self.MANUAL_DOWNLOAD_INSTRUCTIONS.split())
            raise FileNotFoundError(
                f"The files of {self.name!r} are not in TensorFlow Datasets' folder "
                f"for manual downloads, {folder!r}. {how} For another folder pass "
                "`download_and_prepare_kwargs={'download_config': "
                "tfds.download.DownloadConfig(manual_dir=...)}` to `tfds.load`."
            ) from error
        label = self.info.features["label"]
        if label.names[0] == "0":  # TFDS' own, where only the number was known
            label.names = list(next(iter(splits.values())).class_names)
        return {name: self._generate_examples(part) for name, part in splits.items()}

    def _generate_examples(
        self, images: AnnotatedImages
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for start in range(0, len(images), _CHUNK):
            rows = np.arange(start, min(start + _CHUNK, len(images)))
            part = images.subset(rows)
            pixels = part.read(np.arange(len(part)))
            labels, soft, counts = part.majority, part.soft_labels, part.counts
            for i, name in enumerate(part.ids):
                yield (
                    name,
                    {
                        "image": pixels[i],
                        "id": name,
                        "label": int(labels[i]),
                        "counts": counts[i].astype("int64"),
                        "soft_label": soft[i],
                    },
                )
