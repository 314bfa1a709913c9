"""From images to the features of a frozen backbone, computed once."""

from __future__ import annotations

import hashlib
import os
import uuid
import zlib
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_dc3._text import number_of
from keras_dc3._validation import check_positive_int
from keras_dc3.backbones import FrozenBackbone, pretrained
from keras_dc3.data.annotated_images import AnnotatedImages
from keras_dc3.data.augment_numpy import augment
from keras_dc3.data.feature_cache import PLAIN, FeatureCache, size_in_words
from keras_dc3.data.feature_set import VIEWS, FeatureSet, joined
from keras_dc3.data.image_set import JoinedImages
from keras_dc3.data.plan import stream_number
from keras_dc3.data.policies import Custom, policies_of_views

if TYPE_CHECKING:
    from keras_dc3.data.semi_supervised import SemiSupervisedData

_CHUNK = 256  # images whose features are kept together
_ANSWERS = 16  # numbers by which networks of equal weights are told apart


def embedded(
    data: SemiSupervisedData,
    backbone: Any,
    counts: dict[str, int],
    folder: str | os.PathLike | None,
    batch_size: int,
    verbose: Any,
) -> tuple[FeatureSet, FrozenBackbone]:
    """Returns the features of all images of a data set, and what computed them.

    Args:
        data: of images.
        backbone, folder, batch_size, verbose: as for `SemiSupervisedData.embed`.
        counts: "weak" and "strong" -> how many views of each image.
    """
    if data.labeled.holds_features:
        raise ValueError(f"{data!r} holds features already: embed the images.")
    if isinstance(backbone, str):
        backbone = pretrained(backbone)
    if not isinstance(backbone, keras.layers.Layer):
        raise TypeError(
            "`backbone` must be a Keras model or layer from images to features, or the "
            "name of a network of `keras_dc3.backbones.pretrained`. "
            f"Received: {backbone!r}"
        )
    for name, number in counts.items():
        check_positive_int(name, number, least=0)
    check_positive_int("batch_size", batch_size)
    others = sorted({*data.augment} - {*VIEWS, "labeled"})
    if others or data.augment.get("labeled") != data.augment.get("weak"):
        raise ValueError(
            "Stored views are weak and strong ones, and labeled images are shown as "
            f"weak ones, but `augment` of the data says more: {list(data.augment)}. "
            'Give the data `augment={"labeled": weak, "weak": weak, "strong": strong}`.'
        )
    frozen = FrozenBackbone.of(backbone, data.labeled)
    images = JoinedImages(list(data.parts().values()))
    images = images.subset(np.argsort(np.array(images.ids)))
    policies = policies_of_views(data.augment, ["weak", "strong"], unlabeled=True)
    work = _Work(frozen, images, policies, counts, data, batch_size)
    cache = FeatureCache(
        folder, work.key(), len(images), frozen.num_features(), counts, _CHUNK
    )
    is_told = (
        keras.config.is_interactive_logging_enabled() if verbose == "auto" else verbose
    )
    if is_told:
        where = "memory" if folder is None else repr(os.fspath(folder))
        print(
            f"Features of {number_of(len(images), 'image')}, {counts['weak']} weak and "
            f"{counts['strong']} strong view{'' if sum(counts.values()) == 1 else 's'} "
            "of each: "
            f"{size_in_words(cache.size)} in {where}. The backbone gets "
            f"{frozen.in_words()}."
        )
    with cache.opened():
        work.run(cache, is_told)
    views = {name: cache.arrays[name] for name in VIEWS if counts[name]}
    source = hashlib.sha256(repr(work.network_key()).encode()).hexdigest()[:16]
    features = FeatureSet(
        cache.arrays[PLAIN], list(images.ids), images=images, source=source, **views
    )
    return features, frozen


def in_place_of(images: AnnotatedImages, features: FeatureSet) -> AnnotatedImages:
    """Returns the features of some images, with their counts and class names.

    Args:
        images: a part of those of which there are features.
        features: what `embedded` returns.
    """
    row_of = {name: row for row, name in enumerate(features.ids)}
    rows = features.subset([row_of[name] for name in images.ids])
    counts = images.counts if images.has_counts else None
    return joined([rows], counts, images.class_names)


class _Work:
    """What is to be computed, and from what."""

    def __init__(
        self,
        frozen: FrozenBackbone,
        images: JoinedImages,
        policies: dict[str, Any],
        counts: dict[str, int],
        data: SemiSupervisedData,
        batch_size: int,
    ):
        self._frozen, self._images, self._policies = frozen, images, policies
        self._counts, self._seed, self._batch_size = counts, data.seed, batch_size
        self._range = data.value_range
        self._network_key = {
            "weights": frozen.digest(),
            "scale of the images": f"/ {frozen.divisor!r} + {frozen.offset!r}",
            "image size": list(frozen.image_shape),
        }

    def network_key(self) -> dict[str, Any]:
        """Returns what tells the network, and how images reach it, from others."""
        return self._network_key

    def key(self) -> dict[str, Any]:
        """Returns what tells all features from others, name for people -> value."""
        policies = {
            name: uuid.uuid4().hex if isinstance(policy, Custom) else repr(policy)
            for name, policy in self._policies.items()
            if self._counts.get(name)
        }
        low, high = self._range
        ids = hashlib.sha256("\n".join(self._images.ids).encode()).hexdigest()
        return {
            **self.network_key(),
            "network": self._answers(),
            "augmentation": policies,
            "number of views": dict(self._counts),
            "seed": self._seed,
            "list of images": ids,
            "range of pixels": f"{low:g} to {high:g} ({self._images.dtype})",
        }

    def _answers(self) -> list[float]:
        """Returns some features of a made-up image."""
        low, high = self._range
        image = np.random.default_rng(0).uniform(
            low, high, (1, *self._frozen.image_shape)
        )
        features = self._features(image.astype(self._images.dtype))[0]
        at = np.linspace(0, len(features) - 1, min(len(features), _ANSWERS))
        return features[at.astype("int64")].astype("float64").tolist()

    def run(self, cache: FeatureCache, is_told: bool) -> None:
        """Computes what is not there yet."""
        parts = list(cache.rows())
        bar = (
            keras.utils.Progbar(len(self._images), unit_name="image")
            if is_told
            else None
        )
        changed = 0
        for number, rows in parts:
            mark = zlib.crc32(self._images.marks(rows).tobytes())
            state = cache.state_of(number, rows, mark)
            if state != "done":
                changed += state == "changed"
                cache.put(number, rows, mark, self._of_images(number, rows))
            if bar is not None:
                bar.update(rows[-1] + 1)
        if changed:
            images = min(changed * _CHUNK, len(self._images))
            print(
                "Some images have changed since their features were computed: those of "
                f"up to {number_of(images, 'image')} were computed anew, as features "
                f"are kept in parts of {_CHUNK}."
            )

    def _of_images(self, number: int, rows: np.ndarray) -> dict[str, np.ndarray]:
        images = self._images.read(rows)
        word = int(
            np.random.SeedSequence([self._seed, number]).generate_state(1)[0] >> 1
        )
        features = {PLAIN: self._features(images)}
        for name, count in self._counts.items():
            views = [
                augment(
                    self._policies[name],
                    images,
                    [word, stream_number(f"{name} {view}")],
                    self._range,
                )
                for view in range(count)
            ]
            if views:
                features[name] = np.stack([self._features(view) for view in views])
        return features

    def _features(self, images: np.ndarray) -> np.ndarray:
        size = self._batch_size
        return np.concatenate(
            [
                self._frozen.predict_on_batch(images[start : start + size])
                for start in range(0, len(images), size)
            ]
        )
